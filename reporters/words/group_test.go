package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

func TestFaultSteps(t *testing.T) {
	f := &result.FaultRecord{
		Name: "disaster#2", Kind: "group", Via: "proxy, signal", Impact: result.Impacted, Onset: 2, Recover: 4.5, Heal: 0,
		Steps: []result.FaultStep{
			{
				Name: "disaster#2.cut", Kind: "network.partition", Units: []string{"a[0]->b[0]"}, Injected: 10, Cleared: 20,
				Evidence: "silent",
			},
			{
				Name: "disaster#2.kill", Kind: "process.crash", Units: []string{"a[0]"}, Injected: result.NaN, Cleared: result.NaN,
				Note: "no way in",
			},
		},
	}
	if got, want := words.FaultTarget(f), "group of 2 steps, via proxy, signal"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	steps := words.FaultSteps(f)
	if len(steps) != 2 || steps[0] != (words.Pair{
		"cut", "in at 10s, network.partition on a[0]->b[0], over at 20s; silent",
	}) ||
		steps[1] != (words.Pair{"kill", "process.crash on a[0], not injected; no way in"}) {
		t.Errorf("%q", steps)
	}
	if got := words.FaultEffect(f); !strings.Contains(got, "for good 4.5s after that") {
		t.Errorf("%q", got)
	}
	f.OnsetAt, f.Injected, f.Failover = 12, 10, 1.5
	if got := words.FailoverAt(f); got != 13.5 {
		t.Errorf("good again at %v, which counts from the begin of the incident", got)
	}
	f.Steps = nil // while the run goes on
	if got := words.FaultEffect(f); !strings.Contains(got, "for good 4.5s after that") || words.FailoverAt(f) != 13.5 {
		t.Errorf("%q, good again at %v, while the run goes on", got, words.FailoverAt(f))
	}
	if words.FaultSteps(&result.FaultRecord{Kind: "process.crash"}) != nil {
		t.Error("a single fault has steps")
	}
}

// TestFaultTarget_Links: a fault on the packets of a link names both ends, and one on all packets of a unit the unit.
func TestFaultTarget_Links(t *testing.T) {
	f := &result.FaultRecord{
		Kind: "network.latency", Units: []string{"api[0]"},
		Links: []string{"api[0]->store[0]", "api[0]->store[1]"}, Via: "netem",
	}
	if got, want := words.FaultTarget(f),
		"network.latency on api[0]->store[0] and api[0]->store[1], via netem"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.Links = nil
	if got, want := words.FaultTarget(f), "network.latency on api[0], via netem"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.Steps = []result.FaultStep{
		{
			Name: "f.slow", Kind: "network.latency", Units: []string{"api[0]"}, Links: []string{"api[0]->store[0]"}, Injected: 1,
			Cleared: 2,
		},
	}
	if got, want := words.FaultSteps(f), (words.Pair{
		"f.slow", "in at 1s, network.latency on api[0]->store[0], over at 2s",
	}); len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}
