package judge_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestCut: requests that brunt cut off decide no objective, unless they had lasted longer than it allows by then. Of
// the last five of 100 s of a load every other one is cut off after 10 to 15 s; a fault was in from 90 to 99 s.
func TestCut(t *testing.T) {
	all := outage(between(0, 0))
	for i := range all {
		if o := &all[i]; o.Intended >= 95*sec && i%2 == 0 {
			o.Kind, o.Cause, o.Answered, o.End = scenarios.Error, scenarios.Unfinished, false, 110*sec
		}
	}
	texts := []string{
		"errors < 2%", "availability > 98%", "p98 < 30s", "p98 < 5s", "within(20s) > 99%", "within(9s) > 99%",
		"errors < 10%", "goodput >= 197/s", "recover < 8s after f",
		"recover(5s) < 8s after f", "errors > 1%",
	}
	pass, fails, invalid := scenarios.Pass, scenarios.Fail, scenarios.Invalid
	wants := []scenarios.Verdict{
		invalid, invalid, invalid, fails, invalid, fails, pass, invalid, invalid, fails, invalid,
	}
	series := oneStep
	series.Loads = []measure.SeriesLoad{{Name: "load", Timeout: 60 * sec, Grace: 10 * sec}}
	for _, early := range []bool{false, true} {
		objectives := parseObjectives(t, texts...)
		g := newFixture(t, series, objectives...)
		g.play(all, action{90 * sec, func() { g.Inject("f", "f") }}, action{99 * sec, func() { g.Clear(0) }})
		f := g.finish(judge.Case{SLO: objectives, EndedEarly: early}, 100*sec)
		for i, want := range wants {
			o, why := &f.Objectives[i], result.CutByGrace
			if early {
				if why = result.CutByEnd; want == invalid {
					want = scenarios.Inconclusive
				}
			}
			open := want == invalid || want == scenarios.Inconclusive
			if o.Verdict != want || open != o.Because.Has(why) {
				t.Errorf("ended early %v: %s is %s, measured %v (%s), want %s", early, o.Text, o.Verdict, o.Measured, o.Note, want)
			}
			if n := o.Because; open && !early && n.Has(why) && (n[0].Part == 0 || n[0].For != 10 || n[0].Limit != 60) {
				t.Errorf("%s: %+v, want the grace of 10 s and the timeout of 60 s", o.Text, n[0])
			}
		}
	}
}

// TestCut_None: failures that brunt did not cut off stand, beside some that it did.
func TestCut_None(t *testing.T) {
	all := outage(between(50*sec, 60*sec))
	for i := range all {
		if o := &all[i]; o.Intended >= 99*sec {
			o.Kind, o.Cause, o.Answered, o.End = scenarios.Error, scenarios.Unfinished, false, 100*sec+time.Second
		}
	}
	f := drill(t, parseObjectives(t, "errors < 2%", "recover < 5s after f"), judge.Case{}, all,
		injection{"f", "f", 50 * sec, 60 * sec})
	for _, o := range f.Objectives {
		if o.Verdict != scenarios.Fail {
			t.Errorf("%s is %s (%s), want fail", o.Text, o.Verdict, o.Note)
		}
	}
}
