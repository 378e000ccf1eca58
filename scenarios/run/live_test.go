package run

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
)

// TestSampler: a run can be looked at any number of times while it goes on, and the result so far grows
// into the final one. Afterwards it returns nil.
func TestSampler(t *testing.T) {
	var mu sync.Mutex
	var samples []*result.Result
	var sample Sampler
	var wg sync.WaitGroup
	res := runOnce(t, `
version: 1
name: looked at
target: {stack: demo}
load: {browse: {executor: constant-arrival-rate, rate: 200/s, duration: 3s, flow: [{get: /posts, name: list}]}}
chaos: {slow: {at: 1s, for: 500ms, network.latency: {from: posts, to: store, delay: 20ms}}}
slo: [p95 < 5s, errors < 50%, recover < 1s after slow]
judge: {hold: 1s, limit: 5%}
`, Options{Begun: func(l Sampler) {
		sample = l
		for range 2 {
			wg.Go(func() {
				for {
					res := l(context.Background())
					if res == nil {
						return
					}
					mu.Lock()
					samples = append(samples, res)
					mu.Unlock()
					time.Sleep(100 * time.Millisecond) // simulates a page that asks ten times a second
				}
			})
		}
	}})
	wg.Wait()
	if sample(context.Background()) != nil {
		t.Error("a run that is over was looked at")
	}
	if len(samples) < 10 {
		t.Fatalf("%d looks", len(samples))
	}
	if res.Going != nil {
		t.Error("the result is of a run that goes on")
	}
	if own := samples[0].Environment.Binary; own == "" || own != res.Environment.Binary {
		t.Errorf("brunt's file is %q, and %q in the end", own, res.Environment.Binary)
	}
	in, counts := false, int64(0)
	for _, l := range samples {
		if l.Verdict != scenarios.Running || l.Going == nil || l.Going.End != 3*time.Second || len(l.Objectives) != 3 {
			t.Fatalf("%s, %+v, %d objectives", l.Verdict, l.Going, len(l.Objectives))
		}
		n := cellOf(l, "run", "*").Count
		if n < counts-200 { // two goroutines look, and one may report late
			t.Errorf("%d requests after %d", n, counts)
		}
		counts = max(counts, n)
		for _, f := range l.Faults {
			in = in || f.Name == "slow" && f.Kind == "network.latency" && f.Injected.Known() && !f.Cleared.Known()
		}
	}
	if !in {
		t.Error("the fault was never seen to be in")
	}
	if all := cellOf(res, "run", "*").Count; counts < all/2 || counts > all {
		t.Errorf("%d requests seen at most, %d in the end", counts, all)
	}
}

// TestSampler_Alerts: the reaction of the team's monitoring to a fault, and the objectives on it, show
// while the run goes on.
func TestSampler_Alerts(t *testing.T) {
	now := 5 * time.Second
	t0 := time.Now().Add(-now)
	r := newRunner(&plan.Plan{Scenario: &scenarios.Scenario{}, Faults: []*chaos.Entry{{Fault: scenarios.Fault{Name: "cut"}}}}, Options{})
	r.Begin(t0)
	r.observers.observed = observe.Played("High", "...FF..", t0)
	rec, err := measure.New(measure.Config{
		Series: measure.Series{Loads: []measure.SeriesLoad{{Name: "main"}}}, Shards: 1,
		Now: func() time.Duration { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	r.loads.rec = rec
	for _, c := range []struct {
		name     string
		injected time.Duration
		over     bool
		want     result.FaultAlert
		text     string // of Detect
	}{
		{"it is in", 200 * time.Millisecond, false, result.FaultAlert{Name: "High", Fired: .9, FiredFrom: 0, Resolved: result.NaN, StillFiring: result.NaN}, "0.9"},
		{"it is over", 200 * time.Millisecond, true, result.FaultAlert{Name: "High", Fired: .9, FiredFrom: 0, Resolved: 2.6, StillFiring: 1.5}, "0.9"},
		{
			"not asked since", 4900 * time.Millisecond, false,
			result.FaultAlert{Name: "High", Fired: result.NaN, FiredFrom: 0, Resolved: result.NaN, StillFiring: result.NaN},
			"null",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			oc := measure.Occurrence{Name: "cut", Fault: "cut", Injected: c.injected, Cleared: 500 * time.Millisecond, Over: c.over}
			s := &snapshot{runner: r, at: now}
			s.records = s.recordsSoFar([]measure.Occurrence{oc})
			got := s.faultRecords(&judge.Findings{Faults: []judge.FaultFinding{{Occurrence: oc}}})[0]
			if fmt.Sprint(got.Alerts) != fmt.Sprint([]result.FaultAlert{c.want}) {
				t.Errorf("%+v, want %+v", got.Alerts, c.want)
			}
			if text, _ := json.Marshal(got.Detect); string(text) != c.text {
				t.Errorf("detected after %s, want %s", text, c.text)
			}
		})
	}
}
