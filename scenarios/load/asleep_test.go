package load

import (
	"context"
	"runtime"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
)

// TestAsleep: iterations that pause for long have no goroutine, go on in time, and end with the run.
func TestAsleep(t *testing.T) {
	const s = time.Second
	long := Step{Index: -1, Think: quantity.Range{Min: 2 * s, Max: 90 * s}}
	for _, c := range []struct {
		name, load string
		grace      time.Duration
	}{
		{"open", `{executor: constant-arrival-rate, rate: 500/s, duration: 2s}`, 100 * s},
		{"open, cut off", `{executor: constant-arrival-rate, rate: 500/s, duration: 2s}`, 20 * s},
		{"closed", `{executor: per-vu-iterations, vus: 1000, iterations: 1, max_duration: 1s}`, 100 * s},
		{"closed, cut off", `{executor: per-vu-iterations, vus: 1000, iterations: 1, max_duration: 1s}`, 20 * s},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFakeTarget()
				least := 1 << 20
				r.answer = func(_ *template.Iter, c call, now time.Duration) verdict {
					if c == "b" && now > 5*s {
						least = min(least, runtime.NumGoroutine())
					}
					return verdict{after: ms}
				}
				run := r.run(t, c.load, step(0, "a"), long, step(1, "b"), think(ms), step(2, "c"))
				run.Grace = c.grace
				if _, err := run.Go(context.Background()); err != nil {
					t.Fatal(err)
				}
				began, ended := r.kinds(0)[scenarios.OK], r.kinds(2)[scenarios.OK]
				cut := c.grace < 90*s
				if began != 1000 || cut != (ended < 1000) || ended == 0 || r.closed.Load() != 1000 || run.InFlight() != 0 ||
					run.Begun() != int64(ended) {
					t.Errorf("%d began, %d ended, %d are counted, %d users are closed, %d in flight", began, ended, run.Begun(),
						r.closed.Load(), run.InFlight())
				}
				if least > 100 {
					t.Errorf("%d goroutines at least", least)
				}
				if at := r.now(); cut && at > 30*s {
					t.Errorf("it ended at %v", at)
				}
				for i, o := range r.outcomes(1) {
					if o.Lag() != 0 || o.Response() != ms {
						t.Fatalf("%d after the pause: lag %v, response %v", i, o.Lag(), o.Response())
					}
				}
			})
		})
	}
}
