package plan_test

import (
	"testing"

	"brunt/chaos"
	"brunt/scenarios/plan/plantest"
)

// TestLeaders: a fault that picks by role asks the question of `leaders` for the service that it picks from, unless it
// has its own.
func TestLeaders(t *testing.T) {
	const head = "version: 1\ntarget: {stack: demo, with: {posts: {replicas: 3}}}\n" +
		"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}\n" +
		"leaders: {posts: {get: /of-posts}}\n"
	const of, own = 4, 5 // lines
	for _, c := range []struct {
		name, fault string
		want        int
	}{
		{"leader", "process.freeze: {service: posts, pick: leader}", of},
		{"follower", "process.freeze: {service: posts, pick: follower}", of},
		{"all but the leader", "process.freeze: {service: posts, pick: all, except: leader}", of},
		{"minority", "process.freeze: {service: posts, pick: minority}", of},
		{"quorum", "process.freeze: {service: posts, pick: quorum}", of},
		{"links of the caller", "network.partition: {from: posts, to: store, pick: leader}", of},
		{"links from the load", "network.latency: {from: load, to: gateway, delay: 5ms}", 0},
		{"its own", "process.freeze: {service: posts, pick: leader, leader: {get: /own}}", own},
		{"any one", "process.freeze: {service: posts}", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := plantest.CompileText(head + "chaos: {x: {at: 5s, for: 2s, " + c.fault + "}}\n")
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			got := 0
			if asks := p.Faults[0].Traits(chaos.Scope{}).Asks; asks != nil {
				got = asks.Of("get").Line
			}
			if got != c.want {
				t.Errorf("it asks the question of line %d, want %d", got, c.want)
			}
		})
	}
}
