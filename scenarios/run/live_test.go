package run_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// TestSampler: a run can be looked at any number of times while it goes on, and the result so far grows
// into the final one. Afterwards it returns nil.
func TestSampler(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var samples []*result.Result
	var sample run.Sampler
	var wg sync.WaitGroup
	res := runOnce(t, `
version: 1
name: looked at
target: {stack: demo}
load: {browse: {executor: constant-arrival-rate, rate: 200/s, duration: 5s, flow: [{get: /posts, name: list}]}}
chaos: {slow: {at: 1s, for: 1500ms, network.latency: {from: posts, to: store, delay: 20ms}}}
slo: [p95 < 5s, errors < 50%, recover < 1s after slow]
judge: {hold: 1s, limit: 5%}
`, run.Options{Begun: func(l run.Sampler) {
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
		if l.Verdict != scenarios.Running || l.Going == nil || l.Going.End != 5*time.Second || len(l.Objectives) != 3 {
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
