package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// TestReady_Mistakes: a wrong question in `ready` is a mistake with its line, and how to mend it; a value of the unit
// is known in questions to a unit alone.
func TestReady_Mistakes(t *testing.T) {
	const load = "load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /posts}]}}\n"
	processes := func(ready string) string {
		return "target: {processes: {a: {command: [./a], ready: " + ready + "}}}\n" + load
	}
	running := func(ready string) string {
		return "target: {url: \"http://127.0.0.1:8080\", ready: " + ready + "}\n" + load
	}
	chaos := func(fault string) string {
		return "target: {stack: demo, with: {posts: {replicas: 3}}}\n" + load + "chaos: {x: {at: 5s, " + fault + "}}\n"
	}
	for _, c := range []struct{ name, text, want string }{ // an empty want is no mistake
		{"a check", processes(`{path: /role, check: {"$.role": leader}, headers: {X: "${self.port}"}}`), ""},
		{"of a URL", running(`{get: "/x?at=${self.port}", headers: {X: "${self.addr}"}, timeout: 2s}`), ""},
		{"tcp beside it", processes(`{tcp: true, command: "true"}`), "s.yaml:2:50: `tcp` goes with no question"},
		{"two ways", processes(`{path: /a, scrape: /b}`), "want exactly one of"},
		{"an unknown key", processes(`{pth: /a}`), `did you mean "path"`},
		{"an unknown check", running(`{path: /a, check: {staus: 200}}`), `unknown check "staus"; did you mean "status"`},
		{"a time of zero", running(`{get: /, within: 0s}`), "`within` must be more than zero, not \"0s\""},
		{"an unknown key of a URL", running(`{get: /, tpc: on}`), `unknown key "tpc"; did you mean "tcp"?`},
		{"a unit that starts", processes(`{command: "x ${unit.a.addr}"}`), "such as ${self.addr}"},
		{"a container's command of a process", processes(`{exec: [x]}`), "`command` is run on this machine"},
		{"a container's command of a URL", running(`{exec: [x]}`), "the target is a URL"},
		{
			"a port that is missing", "target: {containers: {a: {image: x, ready: {path: /a, check: {status: 200}}}}}\n" + load,
			"`ports` says on which port",
		},
		{"a leader", chaos(`process.crash: {service: posts, pick: leader, leader: {command: "x ${self.addr}"}}`), ""},
		{
			"a webhook with a key leader",
			chaos(`webhook: {inject: {post: "http://127.0.0.1:1", json: {leader: "${self.addr}"}}, revert: none, irreversible: true}`),
			"${self.addr}",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := plantest.CompileText("version: 1\n" + c.text)
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
