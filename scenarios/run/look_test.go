package run

import (
	"context"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
)

// TestLook: a run can be looked at while it goes on, as often as one likes, and what is
// seen grows to what it comes to. Afterwards there is nothing to be seen.
func TestLook(t *testing.T) {
	var mu sync.Mutex
	var looks []*scenarios.Result
	var look Look
	var wg sync.WaitGroup
	res := runOnce(t, `
version: 1
name: looked at
target: {stack: demo}
load: {browse: {executor: constant-arrival-rate, rate: 200/s, duration: 3s, flow: [{get: /posts, name: list}]}}
chaos: {slow: {at: 1s, for: 500ms, network.latency: {from: posts, to: store, delay: 20ms}}}
slo: [p95 < 5s, errors < 50%, recover < 1s after slow]
judge: {hold: 1s}
`, Options{Begun: func(l Look) {
		look = l
		for range 2 {
			wg.Go(func() {
				for {
					res := l(context.Background())
					if res == nil {
						return
					}
					mu.Lock()
					looks = append(looks, res)
					mu.Unlock()
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
	}})
	wg.Wait()
	if look(context.Background()) != nil {
		t.Error("a run that is over was looked at")
	}
	if len(looks) < 10 {
		t.Fatalf("%d looks", len(looks))
	}
	if res.Going != nil {
		t.Error("the result is of a run that goes on")
	}
	in, counts := false, int64(0)
	for _, l := range looks {
		if l.Verdict != scenarios.Running || l.Going == nil || l.Going.End != 3*time.Second || len(l.Objectives) != 3 {
			t.Fatalf("%s, %+v, %d objectives", l.Verdict, l.Going, len(l.Objectives))
		}
		n := cellOf(l, "run", "*").Count
		if n < counts-200 { // two look at it, and one may be late to say so
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
