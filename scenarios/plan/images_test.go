package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
)

// TestImages: an image whose name holds a secret comes from loopback or from a registry that guard.allow names; one
// without comes from anywhere. Addresses of the list let no name pass, as the engine resolves it.
func TestImages(t *testing.T) {
	const allowed = "guard.allow.load or guard.allow.chaos"
	for _, c := range []struct{ name, image, guard, want string }{ // an empty want is no mistake
		{"no secret", "evil.example/web:v1", "", ""},
		{"of a param", "evil.example/web:${tag}", "", ""},
		{
			"a registry", "evil.example/web:${env.TAG}", "",
			"s.yaml:3:36: evil.example would see ${env.TAG}, which is in the name",
		},
		{"what allows it", "evil.example/web:${env.TAG}", "", "name evil.example under " + allowed},
		{"the usual registry", "web:${env.TAG}", "", "name docker.io under " + allowed},
		{"the usual registry, with a user", "shop/web:${env.TAG}", "", "name docker.io under " + allowed},
		{"a name in capital letters", "EVIL/web:${env.TAG}", "", "name EVIL under " + allowed},
		{"a port", "evil:5000/web:${env.TAG}", "", "name evil under " + allowed},
		{"an address", "10.1.2.3:5000/web:${env.TAG}", "", "name 10.1.2.3 under " + allowed},
		{"a secret in the registry's name", "${env.TAG}.example/web", "", "would see ${env.TAG}"},
		{"what is made of a secret", "evil.example/web:${hex(env.TAG)}", "", "name evil.example under " + allowed},
		{"a param that holds a secret", "${full}", "", "name evil.example under " + allowed},
		{"loopback", "127.0.0.1:5000/web:${env.TAG}", "", ""},
		{"loopback by name", "localhost/web:${env.TAG}", "", ""},
		{"allowed for load", "shop.example/web:${env.TAG}", "load: [shop.example]", ""},
		{"allowed for chaos", "shop/web:${env.TAG}", "chaos: [docker.io]", ""},
		{"allowed with its port", "shop.example:5000/web:${env.TAG}", "load: [\"shop.example:5000\"]", ""},
		{"an address that is allowed", "10.1.2.3/web:${env.TAG}", "load: [10.0.0.0/8]", ""},
		{"a name among addresses", "evil.example/web:${env.TAG}", "load: [10.0.0.0/8]", "name evil.example under " + allowed},
		{"another name", "evil.example/web:${env.TAG}", "load: [shop.example]", "name evil.example under " + allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "version: 1\nparams: {tag: v1, full: \"evil.example/web:${env.TAG}\"}\n" +
				"target: {containers: {web: {image: \"" + c.image + "\", ports: [80]}}}\nguard: {allow: {" + c.guard + "}}\n" +
				"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}\n"
			sc, err := scenarios.Parse("s.yaml", scenarios.Options{
				Env:  func(string) (string, bool) { return "hunter2-of-the-environment", true },
				Read: func(string) ([]byte, error) { return []byte(text), nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = plan.Compile(sc, plan.CompileOptions{})
			got := ""
			if err != nil {
				got = plantest.Explained(err)
			}
			if (err != nil) != (c.want != "") || !strings.Contains(got, c.want) || strings.Contains(got, "hunter2") {
				t.Errorf("want %q, got:\n%s", c.want, got)
			}
		})
	}
}
