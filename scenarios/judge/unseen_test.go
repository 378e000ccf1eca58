package judge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// frozenDrill judges objectives on a fault from 30 to 40 s, and one from 60 to 70 s, of a good target, with freezes of
// brunt.
func frozenDrill(t *testing.T, c judge.Case, freezes []measure.Freeze, texts ...string) *judge.Findings {
	t.Helper()
	objectives := parseObjectives(t, texts...)
	g := newFixtureWith(t, measure.Config{Series: oneStep, Freezes: func() []measure.Freeze { return freezes }},
		objectives...)
	all := outage(between(0, 0))
	for i := range all {
		o := &all[i]
		for _, z := range freezes {
			if o.Intended >= z.From && o.Intended < z.To {
				late := z.To - o.Intended
				o.Ready, o.Slot, o.Sent, o.First, o.End = o.Ready+late, o.Slot+late, o.Sent+late, o.First+late, o.End+late
			}
		}
	}
	g.play(all,
		action{30 * sec, func() { g.Inject("f", "f#1") }}, action{40 * sec, func() { g.Clear(0) }},
		action{60 * sec, func() { g.Inject("f", "f#2") }}, action{70 * sec, func() { g.Clear(1) }})
	c.SLO = objectives
	return g.finish(c, 100*sec)
}

// TestUnseen: an occurrence of which brunt saw too little is one of unknown effect among others, has no "none seen",
// and is no failure of require_impact.
func TestUnseen(t *testing.T) {
	most := []measure.Freeze{{From: 60500 * ms, To: 69 * sec}}
	for _, c := range []struct {
		name, text string
		freezes    []measure.Freeze
		want       scenarios.Verdict
	}{
		{"the worst of two", "recover < 2s after f", most, scenarios.Invalid},
		{"far below what is allowed", "recover < 15s after f", most, scenarios.Pass},
		{"one of two, where half decide", "recover.p50 < 2s after f", most, scenarios.Pass},
		{"none", "recover < 2s after f", nil, scenarios.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := frozenDrill(t, judge.Case{}, c.freezes, c.text)
			if r := f.Objectives[0]; r.Verdict != c.want ||
				c.want == scenarios.Invalid && !strings.HasPrefix(r.Note, result.OwnLag) {
				t.Errorf("%s is %s, measured %v (%s), want %s", c.text, r.Verdict, r.Measured, r.Note, c.want)
			}
			want := result.NotImpacted
			if c.freezes != nil {
				want = result.UnknownYet
			}
			if got := f.Faults[1]; got.Impact != want || f.Faults[0].Impact != result.NotImpacted {
				t.Errorf("the impacts are %s and %s (%s), want none and %s", f.Faults[0].Impact, got.Impact, got.Note, want)
			}
		})
	}
	f := frozenDrill(t, judge.Case{Occurrences: slices.Repeat([]judge.Occurrence{{RequireImpact: true}}, 2)}, most)
	if f.Faults[0].Required.Verdict != scenarios.Fail || f.Faults[1].Required.Verdict != scenarios.Inconclusive {
		t.Errorf("required: %s and %s (%s), want fail and inconclusive", f.Faults[0].Required.Verdict, f.Faults[1].Required.Verdict,
			f.Faults[1].Required.Text)
	}
}

// TestUnseen_NoPort: where brunt had no port for over 1 % of the requests of a fault, no objective on it passes; where
// each request failed so when the target had to be back, none does either.
func TestUnseen_NoPort(t *testing.T) {
	for _, c := range []struct {
		name string
		lost func(time.Duration) bool
		want scenarios.Verdict
	}{
		{"none", between(0, 0), scenarios.Pass},
		{"one in 400", func(at time.Duration) bool { return between(30*sec, 40*sec)(at) && at%(2*sec) == 0 }, scenarios.Pass},
		{
			"one in 20", func(at time.Duration) bool { return between(30*sec, 40*sec)(at) && at%(100*ms) == 0 },
			scenarios.Invalid,
		},
		{"all before the fault", between(20*sec, 22*sec), scenarios.Pass},
		{"20 in a row when the target had to be back", between(30450*ms, 30545*ms), scenarios.Invalid},
		{"20 in a row, and it was good by then", between(38950*ms, 39045*ms), scenarios.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := outage(between(0, 0))
			for i := range all {
				if o := &all[i]; c.lost(o.Intended) {
					o.Kind, o.Cause, o.Status, o.WasSent, o.Answered = scenarios.Error, scenarios.NoPort, 0, false, false
				}
			}
			f := drill(t, parseObjectives(t, "recover < 500ms after f"), judge.Case{}, all,
				injection{"f", "f", 30 * sec, 40 * sec})
			if r := f.Objectives[0]; r.Verdict != c.want {
				t.Errorf("%s is %s, measured %v (%s), want %s", r.Text, r.Verdict, r.Measured, r.Note, c.want)
			}
		})
	}
}
