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

// TestJudge_Spread: percentiles over the occurrences of a fault, with one without recovery, one of
// unknown effect, and one that was not verified.
func TestJudge_Spread(t *testing.T) {
	texts := []string{
		"recover.p50 < 6s after f", "recover.p50 < 4s after f", "recover < 6s after f",
		"recover.p90 < 1m after f", "failed.p50 <= 1000 after f",
	}
	first := []injection{
		{"f", "f#1", 10 * sec, 15 * sec}, {"f", "f#2", 30 * sec, 35 * sec}, {"f", "f#3", 55 * sec, 60 * sec},
	}
	bad := []func(time.Duration) bool{between(10*sec, 12*sec), between(30*sec, 35*sec), between(55*sec, 65*sec)}
	harm := func(more ...func(time.Duration) bool) func(time.Duration) bool {
		return func(at time.Duration) bool {
			for _, b := range append(more, bad...) {
				if b(at) {
					return true
				}
			}
			return false
		}
	}
	pass, fail, open, invalid := scenarios.Pass, scenarios.Fail, scenarios.Inconclusive, scenarios.Invalid
	for _, c := range []struct {
		name     string
		harm     func(time.Duration) bool
		more     []injection
		c        judge.Case
		verdicts []scenarios.Verdict
		measured []float64 // NaN is unknown
		note     string    // of the second
	}{
		{
			"three", harm(), nil,
			judge.Case{},
			[]scenarios.Verdict{pass, fail, fail, open, pass},
			[]float64{5, 5, 10, math.NaN(), 1000},
			"",
		},
		{
			"one measure.Never recovered from", harm(between(78*sec, 100*sec)),
			[]injection{{"f", "f#4", 78 * sec, 80 * sec}},
			judge.Case{},
			[]scenarios.Verdict{pass, fail, fail, open, pass},
			[]float64{5, 5, math.Inf(1), math.NaN(), 1000},
			"",
		},
		{
			"one unknown", harm(between(94*sec, 96*sec)),
			[]injection{{"f", "f#4", 94 * sec, 96 * sec}},
			judge.Case{},
			[]scenarios.Verdict{pass, open, fail, open, pass},
			[]float64{math.NaN(), math.NaN(), 10, math.NaN(), math.NaN()},
			"the effect of 1 of 4 occurrences is unknown, and decides",
		},
		{
			"one not verified", harm(), nil,
			judge.Case{Occurrences: []judge.Occurrence{1: {Unverified: true}}},
			[]scenarios.Verdict{invalid, invalid, fail, invalid, invalid},
			nil, "was not verified",
		},
		{"none", harm(), nil, judge.Case{}, nil, nil, ""},
	} {
		faults := append(append([]injection{}, first...), c.more...)
		if c.verdicts == nil {
			faults = nil
		}
		f := drill(t, parseObjectives(t, texts...), c.c, outage(c.harm), faults...)
		for i, o := range f.Objectives {
			want := open
			if c.verdicts != nil {
				want = c.verdicts[i]
			}
			if o.Verdict != want {
				t.Errorf("%s: %s is %s, %v, %q; want %s", c.name, o.Text, o.Verdict, o.Measured, o.Note, want)
			}
			if c.measured == nil {
				continue
			}
			if got, want := float64(o.Measured), c.measured[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Errorf("%s: %s measured %g, want %g (%s)", c.name, o.Text, got, want, o.Note)
			}
			if strings.HasPrefix(o.Text, "recover.p90") && !strings.Contains(o.Note, "10 are needed") {
				t.Errorf("%s: %s says %q", c.name, o.Text, o.Note)
			}
		}
		if o := f.Objectives[1]; !strings.Contains(o.Note, c.note) {
			t.Errorf("%s: %s says %q, want %q", c.name, o.Text, o.Note, c.note)
		}
	}
}

// TestJudge_SpreadOfSome: of two occurrences that decide a percentile by themselves the worse verdict counts, in either
// order. One that met no traffic is unknown, and decides only if the others do not. Nor does one that was not verified
// decide if the others fail.
func TestJudge_SpreadOfSome(t *testing.T) {
	var many []injection
	for i := range 5 {
		at := time.Duration(10+17*i) * sec
		many = append(many, injection{"f", fmt.Sprintf("f#%d", i+1), at, at + 2*sec})
	}
	each := func(d time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool {
			return slices.ContainsFunc(many, func(f injection) bool { return at >= f.injected && at < f.injected+d })
		}
	}
	unverified := judge.Case{Occurrences: []judge.Occurrence{{Unverified: true}}, Hold: 5 * sec}
	noTraffic := judge.Case{Occurrences: []judge.Occurrence{{NoTraffic: new(true)}}, Hold: 5 * sec}
	for _, c := range []struct {
		name string
		c    judge.Case
		harm func(time.Duration) bool
		want scenarios.Verdict
	}{
		{
			"the first not verified, bad before the third",
			unverified, between(38*sec, 44*sec), scenarios.Fail,
		},
		{
			"bad before the third, the last not verified",
			judge.Case{Occurrences: []judge.Occurrence{4: {Unverified: true}}, Hold: 5 * sec},
			between(38*sec, 44*sec), scenarios.Fail,
		},
		{"the first not verified, and the others failed", unverified, each(6 * sec), scenarios.Fail},
		{"the first not verified, and the others held", unverified, each(sec), scenarios.Invalid},
		{
			"the first not verified, and two of the others failed", unverified, func(at time.Duration) bool {
				return each(6*sec)(at) && at > 60*sec || each(sec)(at)
			}, scenarios.Invalid,
		},
		{"the first met no traffic, and the others failed", noTraffic, each(6 * sec), scenarios.Fail},
		{"the first met no traffic, and the others held", noTraffic, each(sec), scenarios.Pass},
		{
			"the first met no traffic, and two of the others failed", noTraffic, func(at time.Duration) bool {
				return each(6*sec)(at) && at > 60*sec || each(sec)(at)
			}, scenarios.Inconclusive,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := drill(t, parseObjectives(t, "recover.p50 < 4s after f"), c.c, outage(c.harm), many...).Objectives[0]
			if o.Verdict != c.want || len(o.Drills) != len(many) {
				t.Errorf("%s, %v (%s), of %d occurrences; want %s of %d", o.Verdict, o.Measured, o.Note, len(o.Drills), c.want,
					len(many))
			}
		})
	}
}

// TestJudge_SpreadOfIntervals: a percentile over occurrences passes, or fails, only if it does with the ends of their
// intervals, as each of them alone does.
func TestJudge_SpreadOfIntervals(t *testing.T) {
	first := []injection{
		{"f", "f#1", 10 * sec, 15 * sec}, {"f", "f#2", 40 * sec, 45 * sec}, {"f", "f#3", 70 * sec, 75 * sec},
	}
	some := func(at time.Duration) bool {
		return someBetween(10*sec, 15*sec)(at) || someBetween(40*sec, 45*sec)(at) || someBetween(70*sec, 75*sec)(at)
	}
	ask := func(limit time.Duration) *judge.Findings {
		o := parseObjectives(t, "recover < "+limit.String()+" after f#1", "recover.p50 < "+limit.String()+" after f")
		return drill(t, o, judge.Case{}, outage(some), first...)
	}
	one := ask(20 * sec).Objectives
	low, measured, high := one[0].Low, one[0].Measured, one[0].High
	if low >= measured || measured >= high || one[1].Low != low || one[1].High != high || one[1].Measured != measured {
		t.Fatalf("one occurrence is %v from %v to %v, and the median of three %v from %v to %v", measured, low, high,
			one[1].Measured, one[1].Low, one[1].High)
	}
	for _, c := range []struct {
		limit result.Num
		want  scenarios.Verdict
	}{
		{high + .01, scenarios.Pass},
		{(measured + high) / 2, scenarios.Inconclusive},
		{(low + measured) / 2, scenarios.Inconclusive},
		{low - .01, scenarios.Fail},
	} {
		for _, o := range ask(c.limit.D()).Objectives {
			if o.Verdict != c.want {
				t.Errorf("%s: %s, %v from %v to %v (%s), want %s", o.Text, o.Verdict, o.Measured, o.Low, o.High, o.Note, c.want)
			}
		}
	}
}

// TestJudge_Skipped: the effect of a skipped occurrence is unknown, so no objective on its fault
// passes. An objective that fails without it fails.
func TestJudge_Skipped(t *testing.T) {
	texts := []string{
		"recover < 6s after f", "recover < 4s after f", "errors < 100% in f", "errors < 1% in recovery/f",
		"recover < 6s after f#1", "errors < 100%", "recover.p50 < 6s after f", "recover < 6s after incident",
		"recover < 4s after incident",
	}
	want := []scenarios.Verdict{
		scenarios.Inconclusive, scenarios.Fail, scenarios.Inconclusive, scenarios.Fail, scenarios.Pass, scenarios.Pass,
		scenarios.Inconclusive, scenarios.Inconclusive, scenarios.Fail,
	}
	f := drill(t, parseObjectives(t, texts...),
		judge.Case{Skipped: []judge.Skipped{{Fault: "f", Name: "f#2", Why: "no unit matches posts"}}},
		outage(between(10*sec, 15*sec)),
		injection{"f", "f#1", 10 * sec, 12 * sec})
	for i, o := range f.Objectives {
		if o.Verdict != want[i] || want[i] == scenarios.Inconclusive && o.Note != "f#2 was skipped: no unit matches posts" {
			t.Errorf("%s: %s, %q; want %s", o.Text, o.Verdict, o.Note, want[i])
		}
	}
}
