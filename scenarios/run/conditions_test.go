package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
)

// prompt is a target that answers at once, and counts the requests of the load.
func prompt(t *testing.T) (url string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/load" {
			asked.Add(1)
		}
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// TestConditions: a fault that holds for the whole run is there before setup, in every phase and in a control run,
// beside other faults on the same link, and is taken back.
func TestConditions(t *testing.T) {
	t.Parallel()
	const delay = 60 * time.Millisecond
	url, _ := prompt(t)
	text := `version: 1
target: {url: "` + url + `"}
conditions: {wan: {network.latency: {from: load, to: target, delay: ` + delay.String() + `}}}
setup: [{get: /setup}]
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, flow: [{get: /load}]}}
chaos: {slower: {at: 1s, for: 1s, network.latency: {from: load, to: target, delay: 200ms}}}
`
	for _, control := range []bool{false, true} {
		t.Run(fmt.Sprint("control ", control), func(t *testing.T) {
			res := runOnce(t, text, run.Options{NoChaos: control})
			if len(res.Conditions) != 1 {
				t.Fatalf("%d conditions: %s", len(res.Conditions), res.Reason)
			}
			c := res.Conditions[0]
			if c.Name != "wan" || c.Kind != "network.latency" || c.Evidence == "" || !c.Gone || c.Note != "" ||
				len(c.Units) != 1 {
				t.Errorf("%+v", c)
			}
			for _, cell := range res.Cells {
				if cell.Load == "*" && cell.Step == "*" && cell.Outcome == "*" && cell.Count > 0 && cell.Response.P50.D() < delay {
					t.Errorf("p50 of %s is %s, and the condition delays by %s", cell.Phase, cell.Response.P50.D(), delay)
				}
			}
			var order []string
			for _, e := range res.Events {
				if slices.Contains([]string{"condition.held", "load.start", "load.end", "condition.cleared", "fault.injected"},
					e.Event) {
					order = append(order, e.Event)
				}
			}
			want := "condition.held load.start fault.injected load.end condition.cleared"
			if control {
				want = "condition.held load.start load.end condition.cleared"
			}
			if got := strings.Join(order, " "); got != want {
				t.Errorf("the events are %s, want %s", got, want)
			}
			phases := slices.ContainsFunc(res.Phases,
				func(p result.Phase) bool { return p.Name == slo.ParsePhase("wan") })
			if phases ||
				len(res.Faults) > 1 {
				t.Errorf("the condition is a fault of the result: %+v", res.Faults)
			}
		})
	}
}

// TestConditions_Missing: without a condition the load never begins.
func TestConditions_Missing(t *testing.T) {
	url, asked := prompt(t)
	res := runOnce(t, `version: 1
target: {url: "`+url+`"}
conditions: {none: {exec: {inject: ["false"], revert: "true", verify: "true"}}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /load}]}}
`, run.Options{})
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "he condition none was not injected: ") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the load made %d requests", n)
	}
}
