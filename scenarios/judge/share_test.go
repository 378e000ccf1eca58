package judge_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// TestJudge_Share judges a share of the occurrences of a fault: a server is down for as long as its own log says after
// each injection. 5 of 5 show 54.9 %, and 4 of 5 34.3 % to 99 %, by the tables of Clopper and Pearson.
func TestJudge_Share(t *testing.T) {
	var faults []injection
	for i := range 5 {
		at := time.Duration(10+16*i) * sec
		faults = append(faults, injection{"f", fmt.Sprintf("f#%d", i+1), at, at + 2*sec})
	}
	down := func(log ...time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool {
			for i, f := range faults {
				if i < len(log) && at >= f.injected && at < f.injected+log[i] {
					return true
				}
			}
			return false
		}
	}
	good := down(2*sec, 3*sec, sec, 2*sec, 3*sec)
	mixed := down(2*sec, 6*sec, sec, 2*sec, 3*sec)
	poor := down(6*sec, 6*sec, 6*sec, 2*sec, 6*sec)
	for _, c := range []struct {
		name, text string
		down       func(time.Duration) bool
		c          judge.Case
		want       scenarios.Verdict
		note       string
		met        int
	}{
		{"shown", "recover < 4s for 54% after f", good, judge.Case{}, scenarios.Pass, "met in 5 of 5", 5},
		{"just not shown", "recover < 4s for 55% after f", good, judge.Case{}, scenarios.Inconclusive, "1 more drill", 5},
		{"one missed", "recover < 4s for 34% after f", mixed, judge.Case{}, scenarios.Pass, "met in 4 of 5", 4},
		{"one missed, open", "recover < 4s for 90% after f", mixed, judge.Case{}, scenarios.Inconclusive, "41 more drills", 4},
		{"refuted", "recover < 4s for 90% after f", poor, judge.Case{}, scenarios.Fail, "at most 65.8%", 1},
		{"not refuted", "recover < 4s for 65% after f", poor, judge.Case{}, scenarios.Inconclusive, "met in 1 of 5", 1},
		{
			"one not verified", "recover < 4s for 54% after f", good,
			judge.Case{Occurrences: []judge.Occurrence{1: {Unverified: true}}},
			scenarios.Inconclusive, "the effect of 1 of 5 occurrences is unknown", 4,
		},
		{
			"one not verified does not decide", "recover < 4s for 34% after f", good,
			judge.Case{Occurrences: []judge.Occurrence{1: {Unverified: true}}},
			scenarios.Pass, "met in 4 of 5", 4,
		},
	} {
		o := drill(t, parseObjectives(t, c.text), c.c, outage(c.down), faults...).Objectives[0]
		if o.Verdict != c.want || !strings.Contains(o.Note, c.note) || len(o.Drills) != 5 {
			t.Errorf("%s: %s, %d drills, %q; want %s with %q", c.name, o.Verdict, len(o.Drills), o.Note, c.want, c.note)
		}
		met := 0
		for _, d := range o.Drills {
			if d.Verdict == scenarios.Pass {
				met++
			}
		}
		if met != c.met {
			t.Errorf("%s: %d drills met it, want %d: %+v", c.name, met, c.met, o.Drills)
		}
	}
	all := slices.Repeat([]judge.Occurrence{{Unverified: true}}, 5)
	o := drill(t, parseObjectives(t, "recover < 4s for 54% after f", "recover < 4s after f"), judge.Case{Occurrences: all},
		outage(good), faults...).Objectives
	if o[0].Verdict != scenarios.Inconclusive || o[1].Verdict != scenarios.Invalid {
		t.Errorf("none verified: %s (%s) and %s", o[0].Verdict, o[0].Note, o[1].Verdict)
	}
	// the times of an objective that the worst occurrence decides
	o = drill(t, parseObjectives(t, "recover < 4s after f"), judge.Case{}, outage(mixed), faults...).Objectives
	for i, want := range []float64{2, 6, 1, 2, 3} {
		if d := o[0].Drills[i]; math.Abs(float64(d.Measured)-want) > .1 || d.Fault != faults[i].name ||
			d.At != result.Sec(faults[i].injected) {
			t.Errorf("drill %d: %+v, want %g", i+1, d, want)
		}
	}
}

// TestJudge_ShareUnsteady judges a fault at 30 s with and without an outage of the server's own that begins before it.
// With it, nothing shows how long the target takes to recover from the fault, so that the answer of the occurrence is
// unknown, and so is a share. The worst occurrence, and the run, fail for the steady state.
func TestJudge_ShareUnsteady(t *testing.T) {
	const share, worst = "recover < 4s for 99% after f", "recover < 4s after f" // 0 of 1 show at most 95 %
	for _, c := range []struct {
		text        string
		from        time.Duration // begin of the outage
		want, drill scenarios.Verdict
	}{
		{share, 30 * sec, scenarios.Fail, scenarios.Fail},
		{share, 25 * sec, scenarios.Inconclusive, scenarios.Inconclusive},
		{worst, 30 * sec, scenarios.Fail, scenarios.Fail},
		{worst, 25 * sec, scenarios.Fail, scenarios.Inconclusive},
	} {
		f := drill(t, parseObjectives(t, c.text), judge.Case{}, outage(between(c.from, 45*sec)),
			injection{"f", "f", 30 * sec, 40 * sec})
		o := f.Objectives[0]
		if o.Verdict != c.want || len(o.Drills) != 1 || o.Drills[0].Verdict != c.drill {
			t.Errorf("%s, outage from %s: %s, drills %+v (%s); want %s, and %s of the drill", c.text, c.from, o.Verdict,
				o.Drills, o.Note, c.want, c.drill)
		}
		if unsteady := c.from < 30*sec; (f.Faults[0].Unsteady.Kind != "") != unsteady {
			t.Errorf("%s, outage from %s: unsteady %v, want %t", c.text, c.from, f.Faults[0].Unsteady.Text, unsteady)
		}
	}
}
