package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// A sticky server answers well, until a fault. From then on it answers badly until fewer than a limit of requests came
// in two seconds: its hysteresis is set by hand.
type sticky struct {
	mu    sync.Mutex
	limit int           // zero never lets it go
	self  time.Duration // after this time in the fault's wake it comes back by itself; zero is never
	on    bool
	stuck bool
	over  time.Time   // when the fault was over
	came  []time.Time // in the last two seconds
	freed time.Time   // when it came back
}

func (s *sticky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch r.URL.Path {
	case "/on":
		s.on, s.stuck = true, true
		return
	case "/off":
		if s.on {
			s.on, s.over = false, now
		}
		return
	case "/is":
		if !s.on {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return
	}
	s.came = append(s.came, now)
	for len(s.came) > 0 && now.Sub(s.came[0]) > 2*time.Second {
		s.came = s.came[1:]
	}
	switch {
	case s.on || !s.stuck:
	case len(s.came) < s.limit, s.self > 0 && now.Sub(s.over) > s.self:
		s.stuck, s.freed = false, now
	}
	if s.stuck {
		w.WriteHeader(http.StatusBadGateway)
	}
	_, _ = fmt.Fprintln(w, "ok")
}

// firstLower returns when an escape first lowered the load.
func firstLower(e *result.Escape) result.Num {
	for _, step := range e.Steps {
		if step.Share < 1 {
			return step.Start
		}
	}
	return e.Steps[len(e.Steps)-1].End
}

// TestStuck runs the load of a scenario against servers whose hysteresis is set by hand: one that the load holds down,
// one that comes back by itself, one that never comes back.
func TestStuck(t *testing.T) {
	if testing.Short() {
		t.Skip("some 30 s: an escape goes on after the load")
	}
	t.Parallel()
	for _, c := range []struct {
		name        string
		server      *sticky
		unrecovered result.Unrecovered
		outcome     result.EscapeOutcome
		back        [2]float64 // shares between which it comes back; zero: it does not
	}{
		{"stuck above 60/s", &sticky{limit: 120}, result.Stuck, result.EscapeStuck, [2]float64{.35, .5}},
		{"back by itself", &sticky{self: 7 * time.Second}, result.GoneStillHarm, result.EscapeByItself, [2]float64{}},
		{"never back", &sticky{}, result.GoneStillHarm, result.EscapeNone, [2]float64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(c.server)
			t.Cleanup(s.Close)
			res := runOnce(t, fmt.Sprintf(`version: 1
name: stuck
target: {url: %q}
judge: {hold: 1s, limit: 5%%, slow: 5s, escape: on}
load:
  main:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 7s
    timeout: 500ms
    flow: [{get: /page, check: {status: 200}}]
chaos:
  f:
    at: 3s
    for: 1s
    webhook: {inject: {post: "%[1]s/on"}, verify: {get: "%[1]s/is"}, revert: {post: "%[1]s/off"}}
slo: [errors < 5%% in baseline]
`, s.URL), run.Options{})
			c.server.mu.Lock()
			defer c.server.mu.Unlock()
			f, freed := &res.Faults[0], result.Sec(c.server.freed.Sub(res.T0))
			if c.server.limit > 0 && (f.Escape == nil || freed < firstLower(f.Escape)) {
				t.Skipf("this machine made no load for a while: the server came back at %v s", freed)
			}
			if f.Unrecovered != c.unrecovered || f.Escape == nil || f.Escape.Outcome != c.outcome {
				t.Fatalf("%s, %q (%s), escape %+v", f.Impact, f.Unrecovered, f.Note, f.Escape)
			}
			e := f.Escape
			if e.Back.Known() != (c.back[1] > 0) ||
				e.Back.Known() && (float64(e.Back) < c.back[0] || float64(e.Back) > c.back[1]) {
				t.Errorf("it came back at %v of the load", e.Back)
			}
			if c.outcome == result.EscapeByItself {
				for _, step := range e.Steps {
					if step.Share != 1 {
						t.Errorf("the load was lowered: %+v", step)
					}
				}
			}
			if e.Rate < 99 || e.Rate > 101 {
				t.Errorf("the load of the baseline is %v/s, want 100/s", e.Rate)
			}
			if c.server.limit > 0 && (e.Bad > freed-4 || freed > firstLower(e)+e.After) {
				t.Errorf("the server came back at %v s; bad for %v s after 4 s, and back %v s after %v s", freed, e.Bad, e.After,
					firstLower(e))
			}
			if n := int64(700); res.Generator.Offered != n {
				t.Errorf("%d requests are those of the run, want %d: those of an escape count apart", res.Generator.Offered,
					n)
			}
		})
	}
}
