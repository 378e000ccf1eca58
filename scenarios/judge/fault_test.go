package judge_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// outage is a load of 200/s for 100 s, with faults: requests intended while harm returns true fail.
func outage(harm func(at time.Duration) bool) []scenarios.Outcome {
	out := perSecond(200, 0, 100*sec, 20*ms, okay)
	for i := range out {
		if harm(out[i].Intended) {
			out[i] = request(out[i].Intended, 20*ms, failure)
		}
	}
	return out
}

func between(a, b time.Duration) func(time.Duration) bool {
	return func(at time.Duration) bool { return at >= a && at < b }
}

// someBetween is an outage of every fifth request.
func someBetween(a, b time.Duration) func(time.Duration) bool {
	return func(at time.Duration) bool { return at >= a && at < b && at%(25*ms) == 0 }
}

// injection is an occurrence of a fault in a run.
type injection struct {
	fault, name       string
	injected, cleared time.Duration // cleared 0: measure.Never
}

// drill plays outcomes with faults and judges objectives.
func drill(
	t *testing.T, objectives []slo.Objective, c judge.Case, all []scenarios.Outcome, faults ...injection,
) *judge.Findings {
	t.Helper()
	g := newFixture(t, oneStep, objectives...)
	var actions []action
	for i, f := range faults {
		actions = append(actions, action{f.injected, func() { g.Inject(f.fault, f.name) }})
		if f.cleared > 0 {
			actions = append(actions, action{f.cleared, func() { g.Clear(i) }})
		}
	}
	g.play(all, actions...)
	c.SLO = objectives
	return g.finish(c, 100*sec)
}

// The recovery of a group counts from the begin of its incident, and healing from its true end, however
// long its phase. Its errors count from the first injection until all of it is cleared, also before the harm.
func TestFault_GroupAndTrueEnd(t *testing.T) {
	texts := []string{
		"recover < 14.5s after f", "recover < 14s after f", "heal < 14s after f", "heal < 13s after f",
		"onset < 2s after f", "errors < 95% in f",
	}
	c := judge.Case{Occurrences: []judge.Occurrence{{Group: true, Ended: new(32 * sec)}}}
	f := drill(t, parseObjectives(t, texts...), c, outage(between(31250*ms, 45500*ms)),
		injection{"f", "f", 30250 * ms, 40500 * ms})
	for i, want := range []struct {
		measured result.Num
		verdict  scenarios.Verdict
	}{
		{14.25, scenarios.Pass},
		{14.25, scenarios.Fail},
		{13.5, scenarios.Pass},
		{13.5, scenarios.Fail},
		{1, scenarios.Pass},
		{.9007, scenarios.Pass},
	} {
		if o := f.Objectives[i]; math.Abs(float64(o.Measured-want.measured)) > 5e-5 || o.Verdict != want.verdict {
			t.Errorf("%s: %v, %s; want %v, %s", o.Text, o.Measured, o.Verdict, want.measured, want.verdict)
		}
	}
}

// TestFault_Metrics computes the metrics of a fault from outcomes: 30 s of load, a fault from 30.25
// to 40.5 s, errors from 31.25 to 45.5 s.
func TestFault_Metrics(t *testing.T) {
	texts := []string{
		"onset < 2s after f", "failover < 5s after f", "recover < 16s after f", "recover < 15s after f", "heal < 6s after f",
		"degraded < 18s after f",
		"failed < 3000 after f", "area < 15s after f",
	}
	f := drill(t, parseObjectives(t, texts...), judge.Case{}, outage(between(31250*ms, 45500*ms)),
		injection{"f", "f", 30250 * ms, 40500 * ms})
	r := f.Faults[0]
	if r.Impact != result.Impacted || r.Injected != 30250*ms || r.Cleared != 40500*ms || r.Limit != .01 {
		t.Errorf("%+v", r)
	}
	if r.OnsetAt != 31.25 || r.RecoveredAt != 45.5 || r.FailoverAt.Known() {
		t.Errorf("onset %v, recovered %v, failover %v", r.OnsetAt, r.RecoveredAt, r.FailoverAt)
	}
	for i, want := range []struct {
		measured float64
		verdict  scenarios.Verdict
	}{
		{1, scenarios.Pass},
		{math.Inf(1), scenarios.Fail},
		{15.25, scenarios.Pass},
		{15.25, scenarios.Fail},
		{5, scenarios.Pass},
		{14.25, scenarios.Pass},
		{2850, scenarios.Pass},
		{14.25, scenarios.Pass},
	} {
		o := f.Objectives[i]
		if got := float64(o.Measured); o.Verdict != want.verdict ||
			got != want.measured && math.Abs(got-want.measured) > 1e-6 {
			t.Errorf("%s: %v, %s (%s), want %g, %s", o.Text, o.Measured, o.Verdict, o.Note, want.measured, want.verdict)
		}
		// the last good request before, and the first good one after, at 200/s, which is answered in 20 ms
		if d := float64(o.High - o.Low); o.Metric != "area" && o.Metric != "failed" && want.measured > 0 &&
			!math.IsInf(want.measured, 1) && d > .030+1e-6 {
			t.Errorf("%s: from %v to %v, want an interval of two requests", o.Text, o.Low, o.High)
		}
		if o.Phase != slo.ParsePhase("f") {
			t.Errorf("%s: phase %q", o.Text, o.Phase)
		}
	}
}

// TestFault_Verdicts: the edge cases of the definition as verdicts on
// `recover < 20s after f`.
func TestFault_Verdicts(t *testing.T) {
	nothing := func(time.Duration) bool { return false }
	one := injection{"f", "f", 30 * sec, 40 * sec}
	for _, c := range []struct {
		name    string
		text    string
		c       judge.Case
		harm    func(time.Duration) bool
		faults  []injection
		verdict scenarios.Verdict
		note    string
	}{
		{"recovered", "", judge.Case{}, between(30*sec, 45*sec), []injection{one}, scenarios.Pass, ""},
		{"too late", "", judge.Case{}, between(30*sec, 55*sec), []injection{one}, scenarios.Fail, ""},
		{"no impact passes", "", judge.Case{}, nothing, []injection{one}, scenarios.Pass, "stayed within the limit"},
		{
			"no impact, and one is required", "",
			judge.Case{Occurrences: []judge.Occurrence{{RequireImpact: true}}},
			nothing,
			[]injection{one},
			scenarios.Fail, "require_impact is set",
		},
		{
			"too few bad requests to tell, and an impact is required", "",
			judge.Case{Occurrences: []judge.Occurrence{{RequireImpact: true}}},
			func(at time.Duration) bool { return between(30*sec, 40*sec)(at) && at%(300*ms) == 0 },
			[]injection{one},
			scenarios.Inconclusive, "too few to tell an outage from chance",
		},
		{
			"an impact that is required", "",
			judge.Case{Occurrences: []judge.Occurrence{{RequireImpact: true}}},
			between(30*sec, 45*sec),
			[]injection{one},
			scenarios.Pass, "",
		},
		{
			"no traffic", "",
			judge.Case{Occurrences: []judge.Occurrence{{NoTraffic: new(true)}}},
			nothing,
			[]injection{one},
			scenarios.Inconclusive,
			"no traffic",
		},
		{"never recovered", "", judge.Case{}, between(30*sec, 100*sec), []injection{one}, scenarios.Fail, "> 1m10s"},
		{
			"no time for a hold, but it was too long already", "",
			judge.Case{},
			between(30*sec, 94*sec),
			[]injection{one},
			scenarios.Fail, "> 1m4s",
		},
		{
			"no time for a hold", "recover < 90s after f",
			judge.Case{},
			between(30*sec, 94*sec),
			[]injection{one},
			scenarios.Inconclusive, "the load ended",
		},
		{
			"steady state did not hold", "",
			judge.Case{},
			between(10*sec, 45*sec),
			[]injection{one},
			scenarios.Fail,
			"steady state did not hold",
		},
		{"not injected", "", judge.Case{}, nothing, nil, scenarios.Inconclusive, "not injected"},
		{"no onset", "onset < 1s after f", judge.Case{}, nothing, []injection{one}, scenarios.Inconclusive, "no onset"},
		{
			"never cleared", "heal < 20s after f",
			judge.Case{},
			between(30*sec, 45*sec),
			[]injection{{"f", "f", 30 * sec, 0}},
			scenarios.Inconclusive, "",
		},
		{
			"two at once", "",
			judge.Case{},
			between(30*sec, 45*sec),
			[]injection{one, {"g", "g", 35 * sec, 50 * sec}},
			scenarios.Pass, "of f, g together",
		},
		{
			"another was still in", "",
			judge.Case{},
			between(30*sec, 45*sec),
			[]injection{{"g", "g", 20 * sec, 33 * sec}, one},
			scenarios.Pass, "of g, f together",
		},
		{
			"the next comes too soon", "",
			judge.Case{},
			between(30*sec, 50*sec),
			[]injection{one, {"g", "g", 48 * sec, 52 * sec}},
			scenarios.Inconclusive, "before recovery could show",
		},
		{
			"requests fail at the limit without any fault", "",
			judge.Case{},
			func(at time.Duration) bool { return between(30*sec, 45*sec)(at) || at/(5*time.Millisecond)%110 == 0 },
			[]injection{one, {"g", "g", 60 * sec, 65 * sec}},
			scenarios.Inconclusive, "0.917% of requests were bad before the first fault and 0.952% long after the fault",
		},
		{
			"the next comes late enough", "",
			judge.Case{},
			between(30*sec, 45*sec),
			[]injection{one, {"g", "g", 60 * sec, 65 * sec}},
			scenarios.Pass, "",
		},
		{
			"one before was not recovered from", "",
			judge.Case{},
			between(10*sec, 45*sec),
			[]injection{{"g", "g", 10 * sec, 12 * sec}, one},
			scenarios.Inconclusive, "not been recovered from",
		},
		{
			"one before was recovered from", "",
			judge.Case{},
			func(at time.Duration) bool { return between(10*sec, 14*sec)(at) || between(30*sec, 45*sec)(at) },
			[]injection{{"g", "g", 10 * sec, 12 * sec}, one},
			scenarios.Pass, "",
		},
		{
			"the worst of two", "",
			judge.Case{},
			func(at time.Duration) bool { return between(20*sec, 24*sec)(at) || between(50*sec, 75*sec)(at) },
			[]injection{{"f", "f#1", 20 * sec, 25 * sec}, {"f", "f#2", 50 * sec, 55 * sec}},
			scenarios.Fail, "",
		},
		{
			"the first of two", "recover < 20s after f#1",
			judge.Case{},
			func(at time.Duration) bool { return between(20*sec, 24*sec)(at) || between(50*sec, 75*sec)(at) },
			[]injection{{"f", "f#1", 20 * sec, 25 * sec}, {"f", "f#2", 50 * sec, 55 * sec}},
			scenarios.Pass, "",
		},
		{ // a failure that could be judged takes precedence over what could not
			"the worst of two, of which one affected no traffic", "",
			judge.Case{Occurrences: []judge.Occurrence{{NoTraffic: new(true)}}},
			between(50*sec, 75*sec),
			[]injection{{"f", "f#1", 20 * sec, 25 * sec}, {"f", "f#2", 50 * sec, 55 * sec}},
			scenarios.Fail, "",
		},
		{
			"lost so far is more than allowed", "failed < 1000 after f",
			judge.Case{},
			between(30*sec, 100*sec),
			[]injection{one},
			scenarios.Fail, "",
		},
		{
			"lost so far is less, and goes on", "failed < 1000000 after f",
			judge.Case{},
			between(30*sec, 100*sec),
			[]injection{one},
			scenarios.Inconclusive, "",
		},
		{
			"failed over", "failover < 10s after f",
			judge.Case{},
			between(30*sec, 34*sec),
			[]injection{{"f", "f", 30 * sec, 60 * sec}},
			scenarios.Pass, "",
		},
		{
			"failed over too late", "failover < 3s after f",
			judge.Case{},
			between(30*sec, 34*sec),
			[]injection{{"f", "f", 30 * sec, 60 * sec}},
			scenarios.Fail, "",
		},
		{
			"never failed over", "failover < 10s after f",
			judge.Case{},
			between(30*sec, 45*sec),
			[]injection{one},
			scenarios.Fail, "while the fault was active",
		},
		{
			"back by itself before it could fail over", "failover < 10s after f",
			judge.Case{Occurrences: []judge.Occurrence{{OneShot: true, Ended: new(31 * sec)}}},
			between(30*sec, 45*sec),
			[]injection{one},
			scenarios.Inconclusive, "f was over by itself before a hold long enough to prove that the target was good " +
				"while it was in: ask how long until it has recovered from f",
		},
		{
			"good for some seconds before it was back by itself", "failover < 10s after f",
			judge.Case{Occurrences: []judge.Occurrence{{OneShot: true, Ended: new(32 * sec)}}},
			between(30*sec, 31*sec),
			[]injection{one},
			scenarios.Inconclusive, "f was over by itself",
		},
		{
			"away for the limit, and nothing failed over", "failover < 10s after f",
			judge.Case{Occurrences: []judge.Occurrence{{OneShot: true, Ended: new(41 * sec)}}},
			between(30*sec, 45*sec),
			[]injection{{"f", "f", 30 * sec, 42 * sec}},
			scenarios.Fail, "while the fault was active",
		},
		{
			"failed over before it was back by itself", "failover < 10s after f",
			judge.Case{Occurrences: []judge.Occurrence{{OneShot: true, Ended: new(59 * sec)}}},
			between(30*sec, 34*sec),
			[]injection{{"f", "f", 30 * sec, 60 * sec}},
			scenarios.Pass, "",
		},
		{
			"failed over, and the next comes too soon to show it", "failover < 10s after f",
			judge.Case{},
			between(30*sec, 33*sec),
			[]injection{{"f", "f", 30 * sec, 36 * sec}, {"g", "g", 38 * sec, 42 * sec}},
			scenarios.Inconclusive, "before recovery could show",
		},
		{
			"nothing to fail over from", "failover < 10s after f",
			judge.Case{},
			nothing,
			[]injection{one},
			scenarios.Pass,
			"stayed within the limit",
		},
		{
			"failed over, and measure.Never back", "failover < 10s after f",
			judge.Case{},
			func(at time.Duration) bool { return between(30*sec, 34*sec)(at) || between(60*sec, 100*sec)(at) },
			[]injection{{"f", "f", 30 * sec, 60 * sec}},
			scenarios.Pass, "",
		},
		{
			"never healed", "heal < 20s after f",
			judge.Case{},
			between(30*sec, 100*sec),
			[]injection{one},
			scenarios.Fail,
			"> 1m",
		},
		{"healed", "heal < 6s after f", judge.Case{}, between(30*sec, 45*sec), []injection{one}, scenarios.Pass, ""},
		{
			"healed before it was cleared", "heal < 1s after f",
			judge.Case{},
			between(30*sec, 33*sec),
			[]injection{one},
			scenarios.Pass, "",
		},
		{
			"more than so much is lost already", "failed > 100 after f",
			judge.Case{},
			between(30*sec, 100*sec),
			[]injection{one},
			scenarios.Pass, "",
		},
		{
			"strict, and near the target", "recover < 15s after f",
			judge.Case{Strict: true},
			someBetween(30*sec, 45*sec),
			[]injection{one},
			scenarios.Inconclusive, "between 14.9",
		},
		{
			"a soft edge near the target", "recover < 15s after f",
			judge.Case{},
			someBetween(30*sec, 45*sec),
			[]injection{one},
			scenarios.Inconclusive, "between 14.9",
		},
		{
			"a soft edge, and far from it", "recover < 16s after f",
			judge.Case{},
			someBetween(30*sec, 45*sec),
			[]injection{one},
			scenarios.Pass, "",
		},
		{
			"strict, and far from it", "recover < 40s after f",
			judge.Case{Strict: true},
			between(30*sec, 45*sec),
			[]injection{one},
			scenarios.Pass, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := c.text
			if text == "" {
				text = "recover < 20s after f"
			}
			f := drill(t, parseObjectives(t, text), c.c, outage(c.harm), c.faults...)
			o := f.Objectives[0]
			if o.Verdict != c.verdict || !strings.Contains(o.Note, c.note) {
				t.Errorf("%s with %v, %q; want %s, %q", o.Verdict, o.Measured, o.Note, c.verdict, c.note)
			}
			few := strings.HasPrefix(c.name, "too few bad")
			if len(f.Faults) > 0 && f.Faults[0].Parts.FewBad != few {
				t.Errorf("too few bad requests: %t", !few)
			}
		})
	}
}

// TestFault_FewBadOfOneStep: an impact is required, and the bad requests of one of two steps are too few to tell an
// outage from chance. It is unknown whether an objective on that step had its impact, whichever objective is first.
func TestFault_FewBadOfOneStep(t *testing.T) {
	for _, texts := range [][]string{
		{"recover < 20s after f of read", "recover < 20s after f of list"},
		{"recover < 20s after f of list", "recover < 20s after f of read"},
	} {
		o := parseObjectives(t, texts...)
		g := newFixture(t, measure.Series{
			Loads: oneStep.Loads, Steps: []measure.SeriesStep{{Name: "read"}, {Name: "list"}},
		}, o...)
		var all []scenarios.Outcome
		for i := range 20000 {
			at := time.Duration(i) * 5 * ms
			read, list := request(at, 20*ms, okay), request(at, 20*ms, okay)
			if between(30*sec, 40*sec)(at) && at%(300*ms) == 0 {
				list = request(at, 20*ms, failure)
			}
			list.Step = 1
			all = append(all, read, list)
		}
		g.play(all, action{30 * sec, func() { g.Inject("f", "f") }}, action{40 * sec, func() { g.Clear(0) }})
		f := g.finish(judge.Case{SLO: o, Occurrences: []judge.Occurrence{{RequireImpact: true}}}, 100*sec)
		for _, r := range f.Objectives {
			if strings.HasSuffix(r.Text, "list") && (r.Verdict != scenarios.Inconclusive || !r.Because.Has(result.FewBad)) {
				t.Errorf("%s: %s (%s), want inconclusive", r.Text, r.Verdict, r.Note)
			}
			if strings.HasSuffix(r.Text, "read") && r.Verdict != scenarios.Fail {
				t.Errorf("%s: %s (%s), want fail: none of its requests was bad", r.Text, r.Verdict, r.Note)
			}
		}
	}
}

// TestFault_Untold: the objectives of a fault that was not verified are invalid, those of one that affected no traffic
// inconclusive, and the impact of either is unknown. Those of other faults are judged.
func TestFault_Untold(t *testing.T) {
	texts := []string{
		"recover < 3s after f", "failed > 0 after f", "errors < 60% in f", "errors > 99% in f", "rate > 1/s in recovery/f",
		"errors < 50%", "errors < 1% in baseline",
	}
	quiet := slices.DeleteFunc(outage(between(30*sec, 45*sec)),
		func(o scenarios.Outcome) bool { return between(29*sec, 41*sec)(o.Intended) })
	for _, c := range []struct {
		name string
		c    judge.Case
		all  []scenarios.Outcome
		note string
	}{
		{
			"unverified",
			judge.Case{Occurrences: []judge.Occurrence{{Unverified: true}}},
			outage(between(30*sec, 45*sec)), "f was not verified",
		},
		{
			"a group injected in part",
			judge.Case{Occurrences: []judge.Occurrence{{Unverified: true, Partial: true}}},
			outage(between(30*sec, 45*sec)), "f was injected in part",
		},
		{
			"unverified, and no impact",
			judge.Case{Occurrences: []judge.Occurrence{{Unverified: true}}},
			outage(between(0, 0)),
			"f was not verified",
		},
		{
			"steady state did not hold",
			judge.Case{Occurrences: []judge.Occurrence{{Unverified: true}}},
			outage(between(20*sec, 45*sec)),
			"f was not verified",
		},
		{
			"no bytes",
			judge.Case{Occurrences: []judge.Occurrence{{NoTraffic: new(true)}}},
			outage(between(30*sec, 45*sec)), "f affected no traffic",
		},
		{"no requests", judge.Case{}, quiet, "f affected no traffic"},
	} {
		f := drill(t, parseObjectives(t, texts...), c.c, c.all, injection{"f", "f", 30 * sec, 40 * sec})
		r := f.Faults[0]
		if r.Impact != result.UnknownYet || !strings.Contains(r.Note, c.note) || r.OnsetAt.Known() || r.FailoverAt.Known() ||
			r.RecoveredAt.Known() || r.NotBefore.Known() {
			t.Errorf("%s: %s from %v to %v: %q", c.name, r.Impact, r.OnsetAt, r.RecoveredAt, r.Note)
		}
		for _, in := range f.Incidents {
			if c.name == "no bytes" && len(in.Faults) > 0 {
				t.Errorf("%s: an outage of %v", c.name, in.Faults)
			}
		}
		if want := c.name == "steady state did not hold"; want != (r.Unsteady.Kind != "") {
			t.Errorf("%s: unsteady %q", c.name, r.Unsteady.Text)
		}
		for i, o := range f.Objectives[:5] {
			want := scenarios.Invalid
			if c.note == "f affected no traffic" {
				want = scenarios.Inconclusive
			}
			if o.Verdict != want || !strings.Contains(o.Note, c.note) {
				t.Errorf("%s: %s is %s, %q", c.name, texts[i], o.Verdict, o.Note)
			}
		}
		for _, o := range f.Objectives[5:] {
			if want := c.name == "steady state did not hold" &&
				o.Phase == slo.ParsePhase("baseline"); (o.Verdict == scenarios.Pass) == want {
				t.Errorf("%s: %s is %s, %q", c.name, o.Text, o.Verdict, o.Note)
			}
		}
	}
}

// TestFault_UntoldAmongOthers: one unknown occurrence decides the verdict on its fault, does not
// affect the other occurrences, and errors after it are not attributed to them.
func TestFault_UntoldAmongOthers(t *testing.T) {
	texts := []string{
		"recover < 20s after f", "recover < 20s after f#1", "recover < 20s after f#2", "timeouts = 0 in f",
		"timeouts = 0 in f#1", "timeouts = 0 in f#2",
	}
	first, second := injection{"f", "f#1", 20 * sec, 25 * sec}, injection{"f", "f#2", 50 * sec, 55 * sec}
	for _, c := range []struct {
		name     string
		harm     func(time.Duration) bool
		verdicts []scenarios.Verdict
	}{
		{
			"well in between", between(20*sec, 24*sec),
			[]scenarios.Verdict{
				scenarios.Invalid, scenarios.Invalid, scenarios.Pass, scenarios.Invalid, scenarios.Invalid,
				scenarios.Pass,
			},
		},
		{
			"bad in between", between(20*sec, 60*sec),
			[]scenarios.Verdict{
				scenarios.Invalid, scenarios.Invalid, scenarios.Inconclusive, scenarios.Invalid,
				scenarios.Invalid, scenarios.Pass,
			},
		},
	} {
		f := drill(t, parseObjectives(t, texts...), judge.Case{Occurrences: []judge.Occurrence{{Unverified: true}}},
			outage(c.harm), first, second)
		for i, want := range c.verdicts {
			if o := f.Objectives[i]; o.Verdict != want {
				t.Errorf("%s: %s is %s, %q; want %s", c.name, o.Text, o.Verdict, o.Note, want)
			}
		}
	}
}

// TestFault_Required: where a required impact is missing, no objective after or in the fault passes,
// and the fault's record fails even without objectives.
func TestFault_Required(t *testing.T) {
	nothing := between(0, 0)
	one := injection{"f", "f", 30 * sec, 40 * sec}
	for _, c := range []struct {
		name     string
		harm     func(time.Duration) bool
		faults   []injection
		required scenarios.Verdict
		note     string
	}{
		{"impacted", between(30*sec, 35*sec), []injection{one}, scenarios.Pass, ""},
		{"never recovered", between(30*sec, 100*sec), []injection{one}, scenarios.Pass, ""},
		{"recovery not seen", between(91*sec, 95*sec), []injection{{"f", "f", 91 * sec, 95 * sec}}, scenarios.Pass, ""},
		{"none", nothing, []injection{one}, scenarios.Fail, "require_impact is set, but no impact of f was seen"},
		{
			"unknown", nothing,
			[]injection{{"f", "f", 91 * sec, 95 * sec}},
			scenarios.Inconclusive,
			"the load ended within a hold",
		},
		{
			"unknown, as the next came", nothing,
			[]injection{{"f", "f", 30 * sec, 31 * sec}, {"g", "g", 33500 * ms, 34 * sec}},
			scenarios.Inconclusive,
			"g was injected within a hold",
		},
		{
			"confounded", between(30*sec, 35*sec),
			[]injection{one, {"g", "g", 32 * sec, 50 * sec}},
			scenarios.Inconclusive,
			"g was in as well",
		},
		{"not injected", nothing, nil, "", ""},
	} {
		for _, required := range []bool{true, false} {
			o := parseObjectives(t, "recover < 100s after f", "timeouts = 0 in f", "timeouts > 0 in f", "timeouts = 0")
			f := drill(t, o, judge.Case{Occurrences: []judge.Occurrence{{RequireImpact: required}}}, outage(c.harm),
				c.faults...)
			if len(f.Faults) == 0 {
				continue
			}
			want := c.required
			if !required {
				want = ""
			}
			if r := f.Faults[0]; r.Required.Verdict != want ||
				required && !strings.Contains(r.Required.Phrase(nil), c.note) {
				t.Errorf("%s, %t: %q, %q; want %q, %q", c.name, required, r.Required.Verdict, r.Required.Phrase(nil), want, c.note)
			}
			met := want == "" || want == scenarios.Pass
			after, in, over, run := f.Objectives[0], f.Objectives[1], f.Objectives[2], f.Objectives[3]
			if !met && (after.Verdict != want || in.Verdict != want || !strings.Contains(in.Note, c.note)) {
				t.Errorf("%s: %s is %s, %s is %s, %q; want %s", c.name, after.Text, after.Verdict, in.Text, in.Verdict, in.Note,
					want)
			}
			if met && in.Verdict != scenarios.Pass || run.Verdict != scenarios.Pass || over.Verdict != scenarios.Fail {
				t.Errorf("%s, %t: %s is %s, %s is %s, %s is %s", c.name, required, in.Text, in.Verdict, run.Text, run.Verdict,
					over.Text, over.Verdict)
			}
		}
	}
}

// TestFault_Requests: the requests of a fault are those of the judged load whose life it overlapped,
// each once.
func TestFault_Requests(t *testing.T) {
	g := newFixture(t, oneStep)
	g.now = -sec
	var all []scenarios.Outcome
	for at := -sec; at < 20*sec; at += 100 * ms { // those from -0.2 s on overlap the fault
		o := request(at, 650*ms, okay)
		all = append(all, o, iteration(o))
	}
	g.play(all, action{450 * ms, func() { g.Inject("f", "f") }}, action{950 * ms, func() { g.Clear(0) }})
	f := g.finish(judge.Case{Warmup: sec}, 20*sec)
	if n := f.Faults[0].Requests; n != 10 {
		t.Errorf("%d requests, want the 10 from 0 to 0.9 s", n)
	}
}

// TestFault_Horizon: the note names what ends the horizon of a fault: the next fault, or the end of
// the load.
func TestFault_Horizon(t *testing.T) {
	f := drill(t, parseObjectives(t, "recover < 3s after f"), judge.Case{}, outage(between(0, 0)),
		injection{"f", "f#1", 30 * sec, 31 * sec}, injection{"g", "g", 33500 * ms, 34 * sec},
		injection{"f", "f#2", 60 * sec, 61 * sec}, injection{"h", "h", 95 * sec, 96 * sec},
		injection{"late", "late", 100200 * ms, 101 * sec}) // after the load
	for i, want := range []string{
		"g was injected within a hold of the injection: 7s more was needed", "", "",
		"the load ended within a hold of the injection: 5s more was needed",
	} {
		if r := f.Faults[i]; r.Note != want {
			t.Errorf("%s: %q, want %q", r.Name, r.Note, want)
		}
	}
	if o := f.Objectives[0]; o.Verdict != scenarios.Inconclusive ||
		o.Note != "g was injected within a hold of the injection: 7s more was needed" {
		t.Errorf("%s, %q", o.Verdict, o.Note)
	}
}

// TestFault_InFlight: requests in flight at the injection are bad in the fault's phase and count as
// failed. They count neither in the baseline nor in its dispersion, where one second full of them
// would hide every fault.
func TestFault_InFlight(t *testing.T) {
	all := outage(between(30*sec, 36*sec))
	for i := range all { // all of the second before are still in flight at the injection, and fail
		if at := all[i].Intended; at >= 29*sec && at < 30*sec {
			all[i] = request(at, 1500*ms, failure)
		}
	}
	f := drill(t, parseObjectives(t, "errors < 1% in baseline", "errors > 0% in f", "failed = 1400 after f"), judge.Case{},
		all, injection{"f", "f", 30 * sec, 35 * sec})
	for _, o := range f.Objectives {
		if o.Verdict != scenarios.Pass {
			t.Errorf("%s: %s with %v", o.Text, o.Verdict, o.Measured)
		}
	}
	if r := f.Faults[0]; r.BadBefore || r.OnsetAt != 30 || r.RecoveredAt != 36 {
		t.Errorf("%s from %v to %v: %s", r.Impact, r.OnsetAt, r.RecoveredAt, r.Note)
	}
}

// TestFault_Views: an objective that names a time, a step or a load judges the fault by its own
// requests.
func TestFault_Views(t *testing.T) {
	all := outage(func(time.Duration) bool { return false })
	for i := range all { // slow for 20 s, and never wrong
		if between(30*sec, 50*sec)(all[i].Intended) {
			all[i].End += 500 * ms
		}
	}
	texts := []string{
		"recover(200ms) < 30s after f", "recover < 30s after f", "recover(600ms) < 30s after f",
		"degraded(200ms) < 30s after f",
	}
	f := drill(t, parseObjectives(t, texts...), judge.Case{}, all, injection{"f", "f", 30 * sec, 40 * sec})
	for i, want := range []float64{20, 0, 0, 21} { // the window before the last second is bad too
		if o := f.Objectives[i]; math.Abs(float64(o.Measured)-want) > 2 {
			t.Errorf("%s: %v, want %g", o.Text, o.Measured, want)
		}
	}
	if r := f.Faults[0]; r.RecoveredAt != 50 {
		t.Errorf("its record shows recovery at %v, want that of the first objective, 50", r.RecoveredAt)
	}
}

// TestFault_Limit: 1.4 % for ten seconds is chance against 1 %, and impact against 0.2 %.
func TestFault_Limit(t *testing.T) {
	harm := func(at time.Duration) bool { return at%(355*ms) == 0 && between(60*sec, 70*sec)(at) }
	for limit, onset := range map[float64]bool{0: false, .002: true} {
		f := drill(t, parseObjectives(t, "recover < 20s after f"), judge.Case{Limit: limit}, outage(harm),
			injection{"f", "f", 60 * sec, 70 * sec})
		if r := f.Faults[0]; r.OnsetAt.Known() != onset {
			t.Errorf("onset at %v against %g, want %t", r.OnsetAt, r.Limit, onset)
		}
	}
}

// TestFault_Void: an injection that failed is no fault, and the requests that ended meanwhile are
// part of the baseline.
func TestFault_Void(t *testing.T) {
	o := parseObjectives(t, "recover < 20s after f", "errors < 1% in f")
	g := newFixture(t, oneStep, o...)
	g.play(outage(func(time.Duration) bool { return false }),
		action{30 * sec, func() { g.Inject("f", "f") }}, action{31 * sec, func() { g.Void(0) }},
		action{32 * sec, func() { g.Inject("g", "g") }}, action{40 * sec, func() { g.Clear(1) }})
	f := g.finish(judge.Case{SLO: o, Occurrences: []judge.Occurrence{{RequireImpact: true}}}, 100*sec)
	for _, r := range f.Objectives {
		if r.Verdict != scenarios.Inconclusive {
			t.Errorf("%s: %s", r.Text, r.Verdict)
		}
	}
	if r := f.Faults[0]; !reflect.DeepEqual(r.Required, result.Reason{}) || r.Requests != 0 {
		t.Errorf("%d requests, %q: %q", r.Requests, r.Required.Verdict, r.Required.Phrase(nil))
	}
	if f.Faults[0].Impact != result.NotInjected || f.Faults[1].Impact != result.NotImpacted {
		t.Errorf("%s and %s", f.Faults[0].Impact, f.Faults[1].Impact)
	}
	if n := cellOf(t, f, "baseline", "read", "*").Count; n != 32*200-4 { // four are in flight
		t.Errorf("%d requests in the baseline, want %d", n, 32*200-4)
	}
}

// TestFault_Frozen: a closed load whose answers stop for 8 s, with no errors, was impacted, and
// recovered when they came again.
func TestFault_Frozen(t *testing.T) {
	s := measure.Series{Loads: []measure.SeriesLoad{{Name: "browse", Closed: true}}, Steps: oneStep.Steps}
	o := parseObjectives(t, "recover < 10s after f")
	g := newFixture(t, s, o...)
	var all []scenarios.Outcome
	for user := range 20 {
		for at := time.Duration(user) * ms; at < 100*sec; {
			d := 20 * ms
			if at+d >= 30*sec && at < 38*sec {
				d = 38*sec + 20*ms - at
			}
			all = append(all, request(at, d, okay))
			at += d
		}
	}
	g.play(all, action{30 * sec, func() { g.Inject("f", "f") }}, action{38 * sec, func() { g.Clear(0) }})
	f := g.finish(judge.Case{SLO: o}, 100*sec)
	if r := f.Faults[0]; r.Impact != result.Impacted || r.OnsetAt != 30 || r.RecoveredAt != 38 || math.Abs(r.Area-8) > .1 {
		t.Errorf("%s from %v to %v, area %g: %s", r.Impact, r.OnsetAt, r.RecoveredAt, r.Area, r.Note)
	}
	if r := f.Objectives[0]; r.Verdict != scenarios.Pass || r.Measured != 8 {
		t.Errorf("%s with %v", r.Verdict, r.Measured)
	}
}

// TestFault_Overlap: where faults overlap, what holds for both together holds for each; what does not is
// inconclusive, and says that it can't be told which did it. The incident itself is judged.
func TestFault_Overlap(t *testing.T) {
	both := []injection{{"f", "f", 30 * sec, 40 * sec}, {"g", "g", 35 * sec, 45 * sec}}
	for _, c := range []struct {
		name string
		text string
		harm func(time.Duration) bool
		want scenarios.Verdict
		note string
	}{
		{"first, in time", "recover < 20s after f", between(31*sec, 46*sec), scenarios.Pass, "of f, g together"},
		{"second, in time", "recover < 20s after g", between(31*sec, 46*sec), scenarios.Pass, "of f, g together"},
		{
			"first, too late", "recover < 12s after f", between(31*sec, 46*sec), scenarios.Inconclusive,
			"f, g together: 16s; which of them did it is unknown",
		},
		{
			"second, too late", "recover < 10s after g", between(31*sec, 46*sec), scenarios.Inconclusive,
			"f, g together: 11s; which of them did it is unknown",
		},
		{"healed in time", "heal < 8s after f", between(31*sec, 46*sec), scenarios.Pass, "of f, g together"},
		{"degraded by both", "degraded < 16s after g", between(31*sec, 46*sec), scenarios.Pass, "of f, g together"},
		{"neither did harm", "recover < 1s after g", between(0, 0), scenarios.Pass, "of f, g together"},
		{
			"never recovered", "recover < 20s after f", between(31*sec, 100*sec), scenarios.Inconclusive,
			"which of them did it is unknown",
		},
		{
			"an onset is not theirs together", "onset < 5s after g", between(31*sec, 46*sec), scenarios.Inconclusive,
			"was in as well",
		},
		{"the incident", "recover < 16s after incident", between(31*sec, 46*sec), scenarios.Pass, ""},
		{"the incident, too long", "recover < 14s after incident", between(31*sec, 46*sec), scenarios.Fail, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := drill(t, parseObjectives(t, c.text), judge.Case{}, outage(c.harm), both...)
			if r := f.Objectives[0]; r.Verdict != c.want || !strings.Contains(r.Note, c.note) {
				t.Errorf("%s is %s, measured %v (%s); want %s, %q", c.text, r.Verdict, r.Measured, r.Note, c.want, c.note)
			}
			if f.Faults[0].Impact != result.Confounded {
				t.Errorf("the record of f is %s, want confounded", f.Faults[0].Impact)
			}
		})
	}
}

// TestFault_OverAtOnce: a one-shot fault that is over before the next one is no part of that, though its phase lasts
// longer; so both have a recovery of their own.
func TestFault_OverAtOnce(t *testing.T) {
	list := []injection{{"f", "f", 30 * sec, 40 * sec}, {"g", "g", 39 * sec, 45 * sec}}
	harm := func(at time.Duration) bool { return between(30*sec, 31*sec)(at) || between(39*sec, 41*sec)(at) }
	for _, c := range []struct {
		name  string
		ended *time.Duration
		want  scenarios.Verdict
	}{{"over", new(31 * sec), scenarios.Pass}, {"not over", nil, scenarios.Inconclusive}} {
		t.Run(c.name, func(t *testing.T) {
			f := drill(t, parseObjectives(t, "recover < 2s after f", "recover < 3s after g"),
				judge.Case{Occurrences: []judge.Occurrence{{Ended: c.ended}}, Hold: 2 * sec}, outage(harm), list...)
			if r := f.Objectives[0]; r.Verdict != c.want {
				t.Errorf("%s is %s, measured %v (%s), want %s", r.Text, r.Verdict, r.Measured, r.Note, c.want)
			}
			if r := f.Objectives[1]; r.Verdict != scenarios.Pass {
				t.Errorf("%s is %s, measured %v (%s)", r.Text, r.Verdict, r.Measured, r.Note)
			}
		})
	}
}
