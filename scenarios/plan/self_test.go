package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// ${self.…} has a value in questions to a unit alone, not in what only has the name of one.
func TestSelf(t *testing.T) {
	const head = "version: 1\ntarget: {stack: demo, with: {posts: {replicas: 3}}}\n" +
		"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [FLOW]}}\n"
	for _, c := range []struct {
		name, flow, rest string
		refused          bool
	}{
		{
			"a leader", "{get: /}",
			`chaos: {x: {at: 5s, process.crash: {service: posts, pick: leader, leader: {ask: {get: "/${self.index}"}}}}}`,
			false,
		},
		{
			"a check of a leader", "{get: /}",
			`chaos: {x: {at: 5s, process.crash: {service: posts, pick: leader, leader: {path: /role, check: {"$.i": "${self.index}"}}}}}`,
			false,
		},
		{
			"a check of a leader's step", "{get: /}",
			`chaos: {x: {at: 5s, process.crash: {service: posts, pick: leader, leader: {ask: {get: /, check: {"$.i": "${self.index}"}}}}}}`,
			false,
		},
		{"a check", `{get: /, check: {"$.i": "${self.index}"}}`, "", true},
		{
			"a watch", "{get: /}", `watch: {role: {of: posts, ask: {get: "/${self.index}", extract: {value: "$.role"}}}}`,
			false,
		},
		{
			"a path of a fault", "{get: /}",
			`chaos: {x: {at: 5s, for: 5s, disk.fill: {service: posts, pick: leader, leader: {ask: {get: "/x"}}, path: "/data/${self.index}", percent: 100%}}}`,
			false,
		},
		{
			"a path of a step", "{get: /}",
			`chaos: {x: {at: 5s, for: 5s, steps: [{disk.throttle: {service: posts, path: "/data/${self.name}", rate: 1MiB/s}}]}}`, false,
		},
		{
			"another setting of a fault", "{get: /}",
			`chaos: {x: {at: 5s, for: 5s, time.skew: {service: posts, offset: "${self.index}"}}}`, true,
		},
		{"a body", `{post: /, json: {leader: "${self.addr}"}}`, "", true},
		{
			"a body of a verify", "{get: /}", `chaos: {x: {at: 5s, for: 5s, exec: {inject: [touch, /x], revert: [rm, /x], ` +
				`verify: {ask: {post: /x, json: {leader: "${self.addr}"}}}}}}`, true,
		},
		{"a metric", "{get: /}", `metrics: {lag: {ask: {get: "/${self.index}", extract: {value: "$.lag"}}}}`, true},
	} {
		_, err := plantest.CompileText(strings.Replace(head, "FLOW", c.flow, 1) + c.rest + "\n")
		if refused := err != nil && strings.Contains(plantest.Explained(err), "a question to a unit"); refused != c.refused ||
			err != nil && !refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
