package load

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/template"
)

// made lists the iterations that a load makes: the number of each, when it was due, what it drew, and of a closed load
// its user.
func made(t *testing.T, plan func() Plan, part Part) (out []string, stats Stats) {
	r, p := newFakeTarget(), plan()
	user := func(it *template.Iter) string {
		if p.Closed() {
			return fmt.Sprintf("by %d at %v", it.VU, it.Intended)
		}
		return it.Intended.String()
	}
	r.answer = func(it *template.Iter, c call, now time.Duration) verdict {
		out = append(out, fmt.Sprintf("%d %s %s%s %d", it.N, user(it), c, it.Recorded, it.Rand.Int64()))
		return verdict{after: 30 * ms}
	}
	run := r.run(t, `{executor: constant-vus, vus: 1, duration: 1s}`, get)
	run.Plan, run.Part, run.Warmup = p, part, 2*time.Second
	if log := run.Plan.Log; log != nil {
		run.Flows = nil
		for range log.Steps() {
			run.Flows = append(run.Flows, Flow{Weight: 1, Steps: []Step{get}})
		}
	} else {
		run.Flows = []Flow{{Weight: 1, Steps: []Step{get}}, {Weight: 2, Steps: []Step{{Call: call("other"), Index: 1}}}}
	}
	r.t0 = time.Now().Add(3 * time.Second)
	stats = r.do(t, run)
	recorded := int64(0)
	for _, o := range r.outcomes(-1) {
		if o.Intended >= 0 {
			recorded++
		}
	}
	if stats.Owed != recorded {
		t.Errorf("part %d of %d owes %d iterations, and recorded %d", part.Index, part.Of, stats.Owed, recorded)
	}
	return out, stats
}

// TestPart: the parts of a load together are the load, iteration by iteration, whatever the number of workers.
func TestPart(t *testing.T) {
	var log strings.Builder
	for i := range 60 {
		fmt.Fprintf(&log, "127.0.0.1 - - [10/Oct/2025:13:55:%02d +0000] \"GET /p%d HTTP/1.1\" 200 12\n", i/7, i%4)
	}
	kinds := map[string]string{
		"constant-arrival-rate":          `{executor: constant-arrival-rate, rate: 13/s, duration: 5s, start: 1s}`,
		"constant-arrival-rate, poisson": `{executor: constant-arrival-rate, rate: 13/s, duration: 5s, arrivals: poisson}`,
		"ramping-arrival-rate":           `{executor: ramping-arrival-rate, start_rate: 3/s, stages: [{rate: 20/s, duration: 3s}, {rate: 0/s, duration: 2s}]}`,
		"ramping-arrival-rate, poisson":  `{executor: ramping-arrival-rate, stages: [{rate: 20/s, duration: 3s}], arrivals: poisson}`,
		"spike":                          `{executor: spike, base: 5/s, before: 2s, peak: 40/s, rise: 1s, hold: 1s, fall: 1s, after: 1s}`,
		"constant-vus":                   `{executor: constant-vus, vus: 9, duration: 2s}`,
		"ramping-vus":                    `{executor: ramping-vus, start_vus: 2, stages: [{vus: 9, duration: 2s}, {vus: 1, duration: 2s}]}`,
		"per-vu-iterations":              `{executor: per-vu-iterations, vus: 8, iterations: 5}`,
		"replay":                         "",
	}
	for name, text := range kinds {
		plan := func() Plan {
			of := planOf
			if text == "" {
				of = func(t testing.TB, _ string) (Plan, []string) { return replayOf(t, "", log.String()) }
			}
			p, mistakes := of(t, text)
			if len(mistakes) > 0 {
				t.Fatal(mistakes)
			}
			return p
		}
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				whole, stats := made(t, plan, Part{})
				slices.Sort(whole)
				for of := int64(1); of <= 7; of++ {
					var union []string
					owed := int64(0)
					for k := range of {
						part, of := made(t, plan, Part{k, of})
						union, owed = append(union, part...), owed+of.Owed
					}
					slices.Sort(union)
					if !slices.Equal(union, whole) || owed != stats.Owed {
						t.Errorf("%d workers make %d iterations and owe %d, one makes %d and owes %d", of, len(union), owed, len(whole),
							stats.Owed)
					}
				}
			})
		})
	}
	if len(kinds) != len(Kinds())+1 { // two are even and poisson, and shared-iterations has a test of its own
		t.Errorf("%d kinds of load, want those of all executors", len(kinds))
	}
}

// TestPart_Shared: of shared iterations each worker has a fixed share, and none is made twice.
func TestPart_Shared(t *testing.T) {
	plan := func() Plan {
		p, _ := planOf(t, `{executor: shared-iterations, vus: 8, iterations: 61}`)
		return p
	}
	bubble(t, func(t *testing.T) {
		for of := int64(1); of <= 7; of++ {
			seen := map[string]bool{}
			for k := range of {
				part, stats := made(t, plan, Part{k, of})
				for _, it := range part {
					if n, _, _ := strings.Cut(it, " "); n[0] != '-' {
						seen[n] = true
					}
				}
				if want := plan().Iterations(Part{k, of}); stats.Owed != want {
					t.Errorf("worker %d of %d owes %d, want %d", k, of, stats.Owed, want)
				}
			}
			if len(seen) != 61 {
				t.Errorf("%d workers make %d of 61 iterations", of, len(seen))
			}
		}
	})
}

// TestOwed: the arrivals that each part owes are those that it makes.
func TestOwed(t *testing.T) {
	for _, text := range []string{
		`{executor: constant-arrival-rate, rate: 17/s, duration: 3s}`,
		`{executor: ramping-arrival-rate, stages: [{rate: 30/s, duration: 3s}], arrivals: poisson}`,
	} {
		plan := func() Plan { p, _ := planOf(t, text); return p }
		bubble(t, func(t *testing.T) {
			for k := range int64(3) {
				_, stats := made(t, plan, Part{k, 3})
				n, last := int64(0), time.Duration(-1)
				s := Settings{Name: "a", Seed: 7, Plan: plan()}
				err := s.Owed(Part{k, 3}, func(at time.Duration) {
					if n++; at < last {
						t.Error("out of order")
					}
					last = at
				})
				if err != nil || n != stats.Owed {
					t.Errorf("%s: worker %d is to make %d, %v, and made %d", text, k, n, err, stats.Owed)
				}
			}
		})
	}
}

// TestPart_Share: shares add up, and the first have the remainder.
func TestPart_Share(t *testing.T) {
	for n := range int64(20) {
		for of := int64(1); of <= 7; of++ {
			sum := int64(0)
			for k := range of {
				sum += Part{k, of}.Share(n)
			}
			if sum != n || (Part{0, of}).Share(n) < (Part{of - 1, of}).Share(n) {
				t.Errorf("%d of %d: %d", n, of, sum)
			}
		}
	}
}
