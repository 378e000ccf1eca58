package judge_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestSlow: answers slower than `judge.slow` are bad requests of impact, recovery and incidents, and
// of no objective on errors. Without the key they are good, and an impact on latency alone.
func TestSlow(t *testing.T) {
	for _, c := range []struct {
		slow     time.Duration
		bad      int64
		failures int
	}{
		{0, 0, 0},
		{100 * ms, 1600, 1},
		{400 * ms, 0, 0},
	} {
		objectives := parseObjectives(t, "recover < 5s after f", "errors = 0%", "availability > 99%", "slices(1s, 99%) > 98%")
		g := newFixtureWith(t, measure.Config{Series: oneStep, Slow: c.slow}, objectives...)
		all := perSecond(200, 0, 100*sec, 2*ms, okay)
		for i := range all {
			if at := all[i].Intended; between(31*sec, 39*sec)(at) {
				all[i] = request(at, 300*ms, okay)
			}
		}
		g.play(all, action{30 * sec, func() { g.Inject("f", "f") }}, action{40 * sec, func() { g.Clear(0) }})
		f := g.finish(judge.Case{SLO: objectives}, 100*sec)
		got := f.Faults[0]
		if got.Impact != result.Impacted || !got.Parts.Slower() || got.OnsetAt.Known() != (c.bad > 0) || got.Failed != c.bad || got.Slow != c.slow {
			t.Errorf("slow: %v: %s (%s), %d bad, parts %+v; want impacted, %d", c.slow, got.Impact, got.Note, got.Failed, got.Parts, c.bad)
		}
		failed := 0
		for _, o := range f.Objectives {
			if o.Verdict == scenarios.Fail {
				failed++
			}
		}
		if failed != c.failures {
			t.Errorf("slow: %v: %d objectives fail, want %d: %+v", c.slow, failed, c.failures, f.Objectives)
		}
		if c.failures == 0 {
			if len(f.Incidents) != 0 {
				t.Errorf("slow: %v: incidents %+v", c.slow, f.Incidents)
			}
			continue
		}
		if at := f.Faults[0].RecoveredAt; at < 39 || at > 39.01 {
			t.Errorf("recovered at %v, want 39 to the request", at)
		}
		if len(f.Incidents) != 1 || f.Incidents[0].Bad != c.bad || f.Incidents[0].Kinds["slow"] != c.bad {
			t.Errorf("incidents: %+v", f.Incidents)
		}
	}
}

// TestSlow_FromBaseline: without `judge.slow` the limit comes from the baseline. A fault that makes answers much slower is impact, one that
// changes nothing is none, and objectives on errors do not see either.
func TestSlow_FromBaseline(t *testing.T) {
	for _, c := range []struct {
		name   string
		during func(i int) time.Duration // of a request while the fault is in
		impact result.Impact
	}{
		{"50 times slower", func(int) time.Duration { return 200 * ms }, result.Impacted},
		{"as before", func(i int) time.Duration { return time.Duration(2+i%5) * ms }, result.NotImpacted},
		{"a few slow as before", func(i int) time.Duration {
			return time.Duration(2+i%5)*ms + map[bool]time.Duration{true: 8 * ms}[i%150 == 0]
		}, result.NotImpacted},
	} {
		t.Run(c.name, func(t *testing.T) {
			objectives := parseObjectives(t, "errors = 0%", "availability > 99%")
			g := newFixtureWith(t, measure.Config{Series: oneStep, SlowShare: .005}, objectives...)
			all := perSecond(100, 0, 80*sec, 2*ms, okay)
			for i := range all {
				d := time.Duration(2+i%5) * ms
				if at := all[i].Intended; between(30*sec, 40*sec)(at) {
					d = c.during(i)
				}
				all[i] = request(all[i].Intended, d, okay)
			}
			g.play(all, action{30 * sec, func() { g.Inject("f", "f") }}, action{40 * sec, func() { g.Clear(0) }})
			f := g.finish(judge.Case{SLO: objectives}, 80*sec)
			if got := f.Faults[0]; got.Impact != c.impact || got.Slow < 25*ms || got.Slow > 28*ms {
				t.Errorf("%s, slow over %s (%s)", got.Impact, got.Slow, got.Note)
			}
			for _, o := range f.Objectives {
				if o.Verdict != scenarios.Pass {
					t.Errorf("%s: %s %s", o.Text, o.Verdict, o.Note)
				}
			}
		})
	}
}
