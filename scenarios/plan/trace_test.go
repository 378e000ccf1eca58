package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
)

// TestListen: spans are received on loopback, and elsewhere only where guard.allow.load names the address; the
// same holds for where they are forwarded to.
func TestListen(t *testing.T) {
	const far = "http://10.1.2.3:4318"
	for _, c := range []struct{ name, listen, forward, guard, want string }{ // an empty want is no mistake
		{"loopback", "127.0.0.1:4318", "", "", ""},
		{"a port alone", ":4318", "", "", ""},
		{"every address", "0.0.0.0:4318", "", "", "spans would be received at 0.0.0.0:4318"},
		{"another address", "10.1.2.3:4318", "", "", "spans would be received at 10.1.2.3:4318"},
		{"an address that is allowed", "10.1.2.3:4318", "", "load: [10.0.0.0/8]", ""},
		{"forwarded to loopback", ":0", "http://127.0.0.1:4318", "", ""},
		{"forwarded to another address", ":0", far, "", "spans would be forwarded to 10.1.2.3:4318"},
		{"forwarded to port 443", ":0", "https://10.1.2.3", "", "spans would be forwarded to 10.1.2.3:443"},
		{"forwarded to an address that is allowed", ":0", far, "load: [10.0.0.0/8]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "version: 1\ntarget: {url: \"http://127.0.0.1:8080\"}\nguard: {allow: {" + c.guard + "}}\n" +
				"trace: {listen: \"" + c.listen + "\", forward: \"" + c.forward + "\"}\n" +
				"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}\n"
			sc, err := scenarios.Parse("s.yaml", scenarios.Options{
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
			if (err != nil) != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("want %q, got:\n%s", c.want, got)
			}
		})
	}
}
