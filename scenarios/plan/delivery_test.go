package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/syntax"
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
		{"events", `{ask: {sse: /events, events: 5}, id: "$.id"}`, "misses messages; begin it behind the last message"},
		{
			"events behind a place",
			`{ask: {sse: /events, events: 5, headers: {Last-Event-ID: "${var.after}"}}, after: "$.n", id: "$.id"}`, "",
		},
		{
			"calls of a stream", `{ask: {grpc: shop.Orders/Watch, messages: 5}, id: "$.id"}`,
			"misses messages; begin it behind the last message",
		},
		{"a whole stream", `{ask: {grpc: shop.Orders/List}, every: 1s, id: "$.id"}`, ""},
		{
			"a stream behind a place",
			`{ask: {grpc: shop.Orders/Watch, message: {after: "${var.after}"}, for: 1s}, after: "$.n", id: "$.id"}`, "",
		},
		{"a pause", `{ask: {think: 1s}, id: "$.id"}`, "a pause asks nothing"},
		{"no step", `{ask: {gte: /sent}, id: "$.id"}`, `did you mean "get"?`},
		{"elsewhere", `{ask: {get: "http://10.1.1.1/x"}, id: "$.id"}`, "name 10.1.1.1 under guard.allow.load"},
	} {
		_, err := plantest.CompileText(`
version: 1
target: {url: "http://127.0.0.1:1", endpoints: {feed: "ws://127.0.0.1:2", shop: "grpc://127.0.0.1:3"}}
load: {main: {executor: shared-iterations, vus: 1, iterations: 1, flow: [{post: "/${delivery.id}", name: create}]}}
deliveries: {order: {sent: create, seen: ` + c.seen + `, within: 5s}}
slo: [lost = 0 of order]
`)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(plantest.Explained(err), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestCompile_Sender: a mistake in the step that sends is told alone: what refers to the step is right. So many steps
// send as their ids can tell apart.
func TestCompile_Sender(t *testing.T) {
	compile := func(flow, deliveries, slo string) error {
		_, err := plantest.CompileText(`
version: 1
target: {url: "http://127.0.0.1:1", endpoints: {bus: "nats://127.0.0.1:2"}}
load: {main: {executor: shared-iterations, vus: 1, iterations: 1, flow: [` + flow + `]}}
deliveries: {` + deliveries + `}
slo: ["` + slo + `"]
`)
		return err
	}
	order := `order: {sent: create, seen: {http: ":9099/hook", id: "$.id"}, within: 5s}`
	err := compile(`{nats.publish: orders, name: create, json: {id: "${delivery.id}"}}`, order, "lost = 0 of order")
	mistakes, ok := errors.AsType[*syntax.MistakesError](err)
	if !ok || len(mistakes.List()) != 1 || !strings.Contains(plantest.Explained(err), "message: {json: …}") {
		t.Errorf("%v", err)
	}
	for n, want := range map[int]string{256: "", 257: "more than 256 steps send"} {
		var flow, deliveries strings.Builder
		for i := range n {
			fmt.Fprintf(&flow, `{post: "/${delivery.id}", name: s%d}, `, i)
			fmt.Fprintf(&deliveries, `d%d: {sent: s%d, seen: {http: ":%d/hook", id: "$.id"}, within: 5s}, `, i, i, 9000+i)
		}
		last := "last: {sent: s0, seen: {http: ':8999/hook', id: $.id}, within: 5s}"
		err := compile(flow.String(), deliveries.String()+last, "lost = 0 of d0")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", n, err)
		}
	}
}
