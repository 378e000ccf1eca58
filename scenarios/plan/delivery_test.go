package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// TestCompile_Asked: questions for messages that could not be asked, or would miss messages, are mistakes.
func TestCompile_Asked(t *testing.T) {
	for _, c := range []struct{ name, seen, want string }{
		{"a place", `{ask: {get: "/sent?after=${var.after}"}, after: "$[*].n", every: 1s, id: "$.id"}`, ""},
		{"a kept stream", `{ask: [{ws: /feed, as: feed, keep: user}, {await: exists, from: feed}], id: "$.id"}`, ""},
		{"its own text", `{ask: {get: /sent, extract: {message: "~ (.*)"}}, every: 1s, id: "$"}`, ""},
		{"no place", `{ask: {get: "/sent?after=${var.after}"}, id: "$.id"}`, "`after` of `seen` says where it stands"},
		{
			"a stream for each question", `{ask: [{ws: /feed, as: feed}, {await: exists, from: feed}], id: "$.id"}`,
			"a stream that is closed after each question misses messages; add keep: user",
		},
		{"a pause", `{ask: {think: 1s}, id: "$.id"}`, "a pause asks nothing"},
		{"no step", `{ask: {gte: /sent}, id: "$.id"}`, `did you mean "get"?`},
		{"elsewhere", `{ask: {get: "http://10.1.1.1/x"}, id: "$.id"}`, "name 10.1.1.1 under guard.allow.load"},
	} {
		_, err := plantest.CompileText(`
version: 1
target: {url: "http://127.0.0.1:1", endpoints: {feed: "ws://127.0.0.1:2"}}
load: {main: {executor: shared-iterations, vus: 1, iterations: 1, flow: [{post: "/${delivery.id}", name: create}]}}
deliveries: {order: {sent: create, seen: ` + c.seen + `, within: 5s}}
slo: [lost = 0 of order]
`)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(plantest.Explained(err), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
