package judge_test

import (
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
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
		if got.Impact != result.Impacted || got.Parts.Slower().Answer != result.Yes ||
			got.OnsetAt.Known() != (c.bad > 0) || got.Failed != c.bad || got.Slow != c.slow {
			t.Errorf("slow: %v: %s (%s), %d bad, parts %+v; want impacted, %d", c.slow, got.Impact, got.Note, got.Failed,
				got.Parts, c.bad)
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

// TestSlow_StepOfTwoLoads: a step whose answers alone are far slower is named with its load, if another load has a step
// of that name.
func TestSlow_StepOfTwoLoads(t *testing.T) {
	series := measure.Series{
		Loads: []measure.SeriesLoad{{Name: "users"}, {Name: "admins"}},
		Steps: []measure.SeriesStep{{Name: "list"}, {Name: "report"}, {Load: 1, Name: "report"}},
	}
	g := newFixtureWith(t, measure.Config{Series: series, Slow: 5 * sec})
	all := perSecond(100, 0, 80*sec, 2*ms, okay)
	for i := range all {
		if i%33 == 0 {
			took := 20 * ms
			if between(20*sec, 40*sec)(all[i].Intended) {
				took = 2 * sec
			}
			all[i] = request(all[i].Intended, took, okay)
			all[i].Load, all[i].Step = 1, 2
		}
	}
	g.play(all, action{20 * sec, func() { g.Inject("f", "f") }}, action{40 * sec, func() { g.Clear(0) }})
	why := g.finish(judge.Case{}, 80*sec).Faults[0].Parts.Slower().Why
	if !why.Has(result.SlowerStep) || why[0].Of != "admins: report" {
		t.Errorf("it says %+v", why)
	}
}

// TestSlow_FromBaseline: without `judge.slow` the limit comes from the baseline. A fault that makes answers much slower
// is impact, a smaller change is no impact, and objectives on errors do not see either.
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

// TestSlow_BruntLate: whether answers were slower is told from brunt's own time. A yes needs that they are without it
// and without the largest lag of their second; a no that they are not, whatever brunt added after it had sent the
// request; all else is untested, and no objective on the recovery passes.
func TestSlow_BruntLate(t *testing.T) {
	for _, c := range []struct {
		name    string
		during  time.Duration // of an answer while the fault is in
		lag     time.Duration // of one request in ten meanwhile
		read    time.Duration // so late is every answer read meanwhile
		queues  time.Duration // so long does every request wait for a connection meanwhile
		fails   time.Duration // so long does every request fail as the fault begins
		want    result.Answer
		impact  result.Impact
		recover scenarios.Verdict
	}{
		{"as before, and brunt on time", 2 * ms, 0, 0, 0, 0, result.No, result.NotImpacted, scenarios.Pass},
		{"as before, and brunt sends late", 2 * ms, 600 * ms, 0, 0, 0, result.No, result.NotImpacted, scenarios.Pass},
		{
			"as before, and brunt sends and reads late", 2 * ms, 600 * ms, 300 * ms, 0, 0, result.Untested, result.UnknownYet,
			scenarios.Inconclusive,
		},
		{"slower by 500 ms, and brunt on time", 500 * ms, 0, 0, 0, 0, result.Yes, result.Impacted, scenarios.Inconclusive},
		{
			"slower by 500 ms, and brunt sends late by less", 500 * ms, 200 * ms, 0, 0, 0, result.Yes, result.Impacted,
			scenarios.Inconclusive,
		},
		{
			"slower by 500 ms, and brunt sends late by more", 500 * ms, 600 * ms, 0, 0, 0, result.Untested, result.UnknownYet,
			scenarios.Inconclusive,
		},
		{
			"slower by 10 ms, and brunt sends late by more", 12 * ms, 600 * ms, 0, 0, 0, result.No, result.NotImpacted,
			scenarios.Pass,
		},
		{
			"in a queue for 500 ms, and brunt sends late by more", 2 * ms, 600 * ms, 0, 500 * ms, 0, result.Untested,
			result.UnknownYet, scenarios.Inconclusive,
		},
		{"fails for 1 s, then as before", 2 * ms, 0, 0, 0, sec, result.No, result.Impacted, scenarios.Pass},
		{"fails for 1 s, then slower by 500 ms", 500 * ms, 0, 0, 0, sec, result.Yes, result.Impacted, scenarios.Inconclusive},
		{
			"fails for 1 s, then slower, and brunt sends late by more", 500 * ms, 600 * ms, 0, 0, sec, result.Untested,
			result.Impacted, scenarios.Inconclusive,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			objectives := parseObjectives(t, "recover < 5s after f", "heal < 5s after f", "recover < 5s after incident")
			g := newFixtureWith(t, measure.Config{Series: oneStep}, objectives...)
			all := perSecond(100, 0, 60*sec, 2*ms, okay)
			for i := range all {
				at := all[i].Intended
				if !between(20*sec, 30*sec)(at) {
					continue
				}
				if all[i] = request(at, c.during+c.read, okay); at < 20*sec+c.fails {
					all[i] = request(at, 2*ms, failure)
					continue
				}
				all[i].Slot, all[i].Sent, all[i].First, all[i].End = at+c.queues, at+c.queues, at+c.queues, all[i].End+c.queues
				if i%10 == 0 {
					lateBy(c.lag, all[i:i+1])
				}
			}
			// a load's iterations have the lag of its requests
			for _, o := range slices.Clone(all) {
				all = append(all, iteration(o))
			}
			var live *judge.Findings
			look := func() {
				f, err := g.interim.Findings(g.Recorder, judge.Case{SLO: objectives, Loads: []requests.Span{{To: 60 * sec}}})
				if err != nil {
					t.Fatal(err)
				}
				live = f
			}
			g.play(all, action{20 * sec, func() { g.Inject("f", "f") }}, action{30 * sec, func() { g.Clear(0) }},
				action{45 * sec, look})
			f := g.finish(judge.Case{SLO: objectives}, 60*sec)
			got := f.Faults[0]
			if told := got.Parts.Slower(); told.Answer != c.want || got.Impact != c.impact {
				t.Errorf("slower: %s (%s), %s (%s); want %s, %s", told.Answer, told.Why.Phrase(nil), got.Impact, got.Note,
					c.want, c.impact)
			}
			for _, o := range f.Objectives {
				if o.Verdict != c.recover || c.recover == scenarios.Inconclusive && o.Note == "" {
					t.Errorf("%s: %s (%s), want %s", o.Text, o.Verdict, o.Note, c.recover)
				}
			}
			// while the run goes on, what is no `no` at its end passes nothing, and is no absence of impact
			no := c.want == result.No
			if c.fails == 0 && (live.Faults[0].Impact == result.NotImpacted) != no {
				t.Errorf("live: %s (%s)", live.Faults[0].Impact, live.Faults[0].Note)
			}
			for _, o := range live.Objectives[:2] {
				if c.fails == 0 && (o.Verdict == scenarios.Pass) != no {
					t.Errorf("live: %s is %s (%s)", o.Text, o.Verdict, o.Note)
				}
			}
		})
	}
}

// TestSlow_RequiredImpact: require_impact does not fail where answers may have been slower.
func TestSlow_RequiredImpact(t *testing.T) {
	for _, slow := range []time.Duration{0, sec} {
		objectives := parseObjectives(t, "recover < 5s after f")
		g := newFixtureWith(t, measure.Config{Series: oneStep, Slow: slow}, objectives...)
		all := perSecond(100, 0, 30*sec, 2*ms, okay)
		for i := range all {
			if at := all[i].Intended; between(3*sec, 8*sec)(at) {
				all[i] = request(at, 300*ms, okay)
			}
		}
		g.play(all, action{3 * sec, func() { g.Inject("f", "f") }}, action{8 * sec, func() { g.Clear(0) }})
		f := g.finish(judge.Case{SLO: objectives, Occurrences: []judge.Occurrence{{RequireImpact: true}}}, 30*sec)
		if got := f.Faults[0]; got.Required.Verdict != scenarios.Inconclusive || got.Impact != result.UnknownYet ||
			f.Objectives[0].Verdict != scenarios.Inconclusive {
			t.Errorf("slow: %v: %s, required is %s (%s), objective %s (%s)", slow, got.Impact, got.Required.Verdict, got.Required.Text,
				f.Objectives[0].Verdict,
				f.Objectives[0].Note)
		}
	}
}

// TestSlow_FewAnswers: so few answers that chance may have hidden slow ones are no `no`, while the run goes on and at
// its end, and no objective on the recovery passes.
func TestSlow_FewAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers int
		slow    func(i int) bool // takes 500 ms
		want    result.Answer
	}{
		{"four, as before", 4, func(int) bool { return false }, result.Untested},
		{"four, slow", 4, func(int) bool { return true }, result.Untested},
		{"50, as before", 50, func(int) bool { return false }, result.Untested},
		{"100, as before", 100, func(int) bool { return false }, result.No},
		{"100, four of them slow", 100, func(i int) bool { return i%25 == 9 }, result.Untested},
		{"100, slow", 100, func(int) bool { return true }, result.Yes},
	} {
		t.Run(c.name, func(t *testing.T) {
			objectives := parseObjectives(t, "recover < 5s after f", "heal < 5s after f", "recover < 5s after incident")
			g := newFixtureWith(t, measure.Config{Series: oneStep}, objectives...)
			all := perSecond(100, 0, 20*sec, 2*ms, okay)
			for i := range c.answers {
				d := 2 * ms
				if c.slow(i) {
					d = 500 * ms
				}
				all = append(all, request(20*sec+10*ms+9*sec/time.Duration(c.answers)*time.Duration(i), d, okay))
			}
			all = append(all, perSecond(100, 30*sec, 60*sec, 2*ms, okay)...)
			var live *judge.Findings
			look := func() {
				so := judge.Case{SLO: objectives, Loads: []requests.Span{{To: 60 * sec}}}
				f, err := g.interim.Findings(g.Recorder, so)
				if err != nil {
					t.Fatal(err)
				}
				live = f
			}
			in, out := func() { g.Inject("f", "f") }, func() { g.Clear(0) }
			g.play(all, action{20 * sec, in}, action{30 * sec, out}, action{55 * sec, look})
			f := g.finish(judge.Case{SLO: objectives}, 60*sec)
			no := c.want == result.No
			if got := f.Faults[0]; got.Parts.Slower().Answer != c.want || (got.Impact == result.NotImpacted) != no {
				t.Errorf("slower: %+v, %s (%s); want %s", got.Parts.Slower(), got.Impact, got.Note, c.want)
			}
			if got := live.Faults[0]; (got.Impact == result.NotImpacted) != no {
				t.Errorf("live: %s (%s)", got.Impact, got.Note)
			}
			for _, o := range append(f.Objectives, live.Objectives[:2]...) {
				if (o.Verdict == scenarios.Pass) != no {
					t.Errorf("%s: %s (%s)", o.Text, o.Verdict, o.Note)
				}
			}
		})
	}
}

// TestSlow_OfStep: slower answers of one step do not make an objective on the requests of another one inconclusive, and
// they are the impact of the fault for an objective on that step, also if they are few beside all answers.
func TestSlow_OfStep(t *testing.T) {
	for _, c := range []struct {
		every int // request is one of the slower step
		all   scenarios.Verdict
	}{{2, scenarios.Inconclusive}, {30, scenarios.Pass}} {
		objectives := parseObjectives(t, "heal < 5s of read after f", "heal < 5s of list after f", "heal < 5s after f")
		steps := measure.Series{Loads: oneStep.Loads, Steps: []measure.SeriesStep{{Name: "read"}, {Name: "list"}}}
		g := newFixtureWith(t, measure.Config{Series: steps}, objectives...)
		all := perSecond(1000, 0, 60*sec, 2*ms, okay)
		for i := range all {
			if i%c.every != 0 {
				continue
			}
			if between(20*sec, 40*sec)(all[i].Intended) {
				all[i] = request(all[i].Intended, 500*ms, okay)
			}
			all[i].Step = 1
		}
		g.play(all, action{20 * sec, func() { g.Inject("f", "f") }}, action{40 * sec, func() { g.Clear(0) }})
		f := g.finish(judge.Case{SLO: objectives}, 60*sec)
		for i, want := range []scenarios.Verdict{scenarios.Pass, scenarios.Inconclusive, c.all} {
			o := f.Objectives[i]
			open := o.Because.Has(result.SlowUnlimited, result.SlowUnderLimit)
			if o.Verdict != want || want == scenarios.Inconclusive && !open {
				t.Errorf("one of %d slower: %s: %s (%s), want %s", c.every, o.Text, o.Verdict, o.Note, want)
			}
		}
	}
}

// TestSlow_OneStepOfMany: if the answers of one step among many are far slower, it is not certain that the fault made
// answers slower. No objective on all steps fails by them. A step that pauses now and then changes nothing.
func TestSlow_OneStepOfMany(t *testing.T) {
	for _, c := range []struct {
		name string
		slow func(at time.Duration) bool
		want result.Answer
		took time.Duration // of an answer that is slow
	}{
		{"as before", func(time.Duration) bool { return false }, result.No, 0},
		{"slow while the fault is in", between(20*sec, 40*sec), result.Untested, 2 * sec},
		{"slow in most of its seconds", between(22*sec, 38*sec), result.Untested, 2 * sec},
		{"a pause while it is in", between(25*sec, 31*sec), result.No, 2 * sec},
		{"slow all along", func(time.Duration) bool { return true }, result.No, 2 * sec},
		{"slow at times", func(at time.Duration) bool { return at%(10*sec) < 5*sec }, result.No, 2 * sec},
		{"slower by 15 ms", between(20*sec, 40*sec), result.No, 35 * ms},
	} {
		play := func(t *testing.T, require bool) *judge.Findings {
			objectives := parseObjectives(t, "recover < 5s after f", "recover < 5s of list after f")
			steps := measure.Series{Loads: oneStep.Loads, Steps: []measure.SeriesStep{{Name: "list"}, {Name: "report"}}}
			g := newFixtureWith(t, measure.Config{Series: steps, Slow: 5 * sec}, objectives...)
			all := perSecond(100, 0, 80*sec, 2*ms, okay)
			for i := range all {
				if i%33 == 0 {
					took := 20 * ms
					if c.slow(all[i].Intended) {
						took = c.took
					}
					all[i] = request(all[i].Intended, took, okay)
					all[i].Step = 1
				}
			}
			g.play(all, action{20 * sec, func() { g.Inject("f", "f") }}, action{40 * sec, func() { g.Clear(0) }})
			return g.finish(judge.Case{SLO: objectives, Occurrences: []judge.Occurrence{{RequireImpact: require}}}, 80*sec)
		}
		t.Run(c.name, func(t *testing.T) {
			f := play(t, false)
			got := f.Faults[0]
			slower := got.Parts.Slower()
			if slower.Answer != c.want || got.Impact != result.NotImpacted {
				t.Errorf("slower: %s (%s), %s", slower.Answer, slower.Why.Phrase(nil), got.Impact)
			}
			required := scenarios.Fail
			if c.want == result.Untested {
				required = scenarios.Inconclusive
				if !slower.Why.Has(result.SlowerStep) || slower.Why[0].Of != "report" {
					t.Errorf("it says %+v", slower.Why)
				}
			}
			if got := play(t, true).Faults[0].Required.Verdict; got != required {
				t.Errorf("the required impact is %s", got)
			}
			for _, o := range f.Objectives {
				if o.Verdict != scenarios.Pass {
					t.Errorf("%s: %s (%s)", o.Text, o.Verdict, o.Note)
				}
			}
		})
	}
}
