package judge_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestJudge_Held: 50 requests a second for 20 s, of which those from 10 to 15 s are slow, time out or fail. Other
// programs held the processors meanwhile, or did not, and brunt's own lag then tells how long a wait was. In rows that
// begin with "slow" answers of over 500 ms are bad.
func TestJudge_Held(t *testing.T) {
	held := []requests.Span{{From: 10 * sec, To: 15 * sec}}
	type wrong func(o *scenarios.Outcome)
	takes := func(d time.Duration) wrong {
		return func(o *scenarios.Outcome) { o.First, o.End = o.Sent+d, o.Sent+d }
	}
	timeout := func(o *scenarios.Outcome) {
		takes(2 * sec)(o)
		o.Kind, o.Cause, o.Status, o.Answered = scenarios.Error, scenarios.Timeout, 0, false
	}
	lateEach := func(list []scenarios.Outcome) { // more than one in twenty of each second
		for i := 0; i < len(list); i += 16 {
			if list[i].Sent == list[i].Intended {
				lateBy(300*ms, list[i:i+1])
			}
		}
	}
	refused := func(o *scenarios.Outcome) { o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(503), 503 }
	broken := func(o *scenarios.Outcome) { o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(500), 500 }
	late504 := func(o *scenarios.Outcome) {
		takes(2 * sec)(o)
		o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(504), 504
	}
	grpc := scenarios.CauseFamily{
		First: scenarios.FirstFamily, Name: func(code int32) string { return strconv.Itoa(int(code)) },
		TimedOut: 4,
	}
	exceeded := func(o *scenarios.Outcome) {
		late504(o)
		o.Cause, o.Status = grpc.Cause(4), 4
	}
	unavailable := func(o *scenarios.Outcome) { o.Kind, o.Cause, o.Status = scenarios.Error, grpc.Cause(14), 14 }
	for _, c := range []struct {
		name, text string
		wrong      wrong
		held       []requests.Span
		lag        time.Duration // of one request in each of the seconds
		more       func(list []scenarios.Outcome)
		want       scenarios.Verdict
	}{
		{"timeouts, and the machine was held", "errors < 1%", timeout, held, 300 * ms, nil, scenarios.Inconclusive},
		{"timeouts, and nothing held the machine", "errors < 1%", timeout, nil, 300 * ms, nil, scenarios.Fail},
		{"timeouts far longer than brunt waited", "errors < 1%", timeout, held, 100 * ms, nil, scenarios.Fail},
		{
			"timeouts, and an earlier time was held", "errors < 1%", timeout,
			[]requests.Span{{To: 5 * sec}},
			300 * ms, nil,
			scenarios.Fail,
		},
		{"answers of 503 do not come from waiting", "errors < 1%", refused, held, 300 * ms, nil, scenarios.Fail},
		{"a balancer's timeouts are answers", "errors < 1%", late504, held, 300 * ms, nil, scenarios.Fail},
		{
			"503 in the second of a balancer's timeout and the next", "errors < 1%", refused, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := 500; i < 750; i += 100 {
					late504(&list[i+20])
				}
			}, scenarios.Fail,
		},
		{"deadlines that a server tells of are answers", "errors < 1%", exceeded, held, 300 * ms, nil, scenarios.Fail},
		{"UNAVAILABLE does not come from waiting", "errors < 1%", unavailable, held, 300 * ms, nil, scenarios.Fail},
		{
			"503 of a circuit breaker, which timeouts opened", "errors < 1%", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := 520; i < 750; i++ {
					list[i] = many(1000, 5*ms, okay)[i]
					refused(&list[i])
				}
			}, scenarios.Fail,
		},
		{
			"ten slow answers in the only second that was not held", "p95 < 300ms", takes(700 * ms),
			[]requests.Span{{To: 19 * sec}},
			300 * ms,
			func(list []scenarios.Outcome) {
				lateEach(list[:950])
				for i := 950; i < 960; i++ {
					takes(700 * ms)(&list[i])
				}
			}, scenarios.Inconclusive,
		},
		{
			"all answers are slow in the two seconds that were not held", "p95 < 300ms", takes(700 * ms),
			[]requests.Span{{To: 18 * sec}},
			300 * ms,
			func(list []scenarios.Outcome) {
				lateEach(list[:900])
				for i := 900; i < 1000; i++ {
					takes(700 * ms)(&list[i])
				}
			}, scenarios.Fail,
		},
		{
			"timeouts before as well", "errors < 1%", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := range 50 {
					timeout(&list[100+i])
				}
			}, scenarios.Fail,
		},
		{
			"one 500 a second among them", "errors < 1%", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := 500; i < 750; i += 50 {
					broken(&list[i])
				}
			}, scenarios.Inconclusive,
		},
		{
			"three 500 a second among them", "errors < 1%", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := 500; i < 750; i += 17 {
					broken(&list[i])
				}
			}, scenarios.Fail,
		},
		{"slow answers", "p95 < 300ms", takes(700 * ms), held, 100 * ms, nil, scenarios.Inconclusive},
		{"answers far slower than brunt waited", "p95 < 300ms", takes(700 * ms), held, 20 * ms, nil, scenarios.Fail},
		{"a wide limit", "p95 < 1s", takes(700 * ms), held, 100 * ms, nil, scenarios.Pass},
		{"within", "within(300ms) > 99%", takes(700 * ms), held, 100 * ms, nil, scenarios.Inconclusive},
		{"too few were refused", "shed > 10%", takes(700 * ms), held, 100 * ms, nil, scenarios.Fail},
		{"a number of timeouts", "timeouts <= 5", timeout, held, 300 * ms, nil, scenarios.Inconclusive},
		{"a number of timeouts, and nothing held the machine", "timeouts <= 5", timeout, nil, 300 * ms, nil, scenarios.Fail},
		{
			"a number of timeouts before as well", "timeouts <= 5", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := range 6 {
					timeout(&list[100+i])
				}
			}, scenarios.Fail,
		},
		{"too few timeouts", "timeouts > 300", timeout, held, 300 * ms, nil, scenarios.Fail},
		{"goodput", "goodput > 45/s", timeout, held, 300 * ms, nil, scenarios.Inconclusive},
		{"goodput, and nothing held the machine", "goodput > 45/s", timeout, nil, 300 * ms, nil, scenarios.Fail},
		{"goodput beside 503", "goodput > 45/s", refused, held, 300 * ms, nil, scenarios.Fail},
		{"more goodput than was asked for", "goodput > 55/s", timeout, held, 300 * ms, nil, scenarios.Fail},
		{"too much goodput", "goodput < 30/s", timeout, held, 300 * ms, nil, scenarios.Fail},
		{"arrivals do not wait", "rate > 55/s", timeout, held, 300 * ms, nil, scenarios.Fail},
		{"a budget burns", "burn(99%, 5s) < 1", timeout, held, 300 * ms, nil, scenarios.Inconclusive},
		{"a budget burns by 503", "burn(99%, 5s) < 1", refused, held, 300 * ms, nil, scenarios.Fail},
		{"recovery", "recover < 1s after f", timeout, held, 300 * ms, nil, scenarios.Inconclusive},
		{"recovery, and nothing held the machine", "recover < 1s after f", timeout, nil, 300 * ms, nil, scenarios.Fail},
		{"recovery from 503", "recover < 1s after f", refused, held, 300 * ms, nil, scenarios.Fail},
		{
			"recovery, and a request was refused when the fault began", "recover < 1s after f", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) { refused(&list[501]) }, scenarios.Inconclusive,
		},
		{
			"recovery, and each fifth request was answered with 500", "recover < 1s after f", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := 500; i < 750; i += 5 {
					broken(&list[i])
				}
			}, scenarios.Fail,
		},
		{"slow: recovery", "recover < 1s after f", takes(900 * ms), held, 50 * ms, nil, scenarios.Inconclusive},
		{"slow: recovery, and shorter waits", "recover < 1s after f", takes(900 * ms), held, 30 * ms, nil, scenarios.Fail},
		{"slow: within less", "within(300ms) > 99%", takes(400 * ms), held, 50 * ms, nil, scenarios.Inconclusive},
		{"slow: within less, and longer answers", "within(300ms) > 99%", takes(900 * ms), held, 50 * ms, nil, scenarios.Fail},
		{
			"slow: 503 of a circuit breaker", "errors < 1%", timeout, held, 300 * ms,
			func(list []scenarios.Outcome) {
				for i := 520; i < 750; i++ {
					list[i] = many(1000, 5*ms, okay)[i]
					refused(&list[i])
				}
			}, scenarios.Fail,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := many(1000, 5*ms, okay)
			for i := 500; i < 750; i++ {
				c.wrong(&list[i])
			}
			step := 50
			if strings.HasPrefix(c.text, "p95") || strings.HasPrefix(c.text, "within") {
				step = 16 // more than one in twenty
			}
			for i := 500; i < 750; i += step {
				lateBy(c.lag, list[i:i+1])
			}
			if c.more != nil {
				c.more(list)
			}
			o := parseObjectives(t, c.text)
			s := oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 2 * sec}}
			config := measure.Config{Series: s}
			if strings.HasPrefix(c.name, "slow: ") {
				config.Slow = 500 * ms
			}
			r := newFixtureWith(t, config, o...)
			r.play(slices.Clone(list), action{10 * sec, func() { r.Inject("f", "f") }}, action{11 * sec, func() { r.Clear(0) }})
			names := scenarios.Causes{Families: []scenarios.CauseFamily{grpc}}
			got := r.finish(judge.Case{SLO: o, Causes: names, Held: c.held, Hold: 2 * sec}, 20*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Fatalf("%s is %s, measured %v (%s); want %s", c.text, got.Verdict, got.Measured, got.Note, c.want)
			}
			if of := got.Because; c.want == scenarios.Inconclusive && (len(of) != 1 || of[0].Kind != result.MachineFails) {
				t.Errorf("the reason is %v", of)
			}
		})
	}
}

// TestJudge_HeldBefore: 50 requests a second for 20 s, of which those from 10 to 13 s time out or fail, before a fault
// at 14 s. A run whose steady state did not hold before the fault fails, unless waits explain the timeouts.
func TestJudge_HeldBefore(t *testing.T) {
	held, used := []requests.Span{{From: 10 * sec, To: 13 * sec}}, []requests.Span{{To: 20 * sec}}
	for _, c := range []struct {
		name       string
		cause      scenarios.Cause
		held, used []requests.Span
		want       scenarios.Verdict
	}{
		{"timeouts, and the machine was held", scenarios.Timeout, held, nil, scenarios.Inconclusive},
		{"timeouts, and brunt used its processors", scenarios.Timeout, nil, used, scenarios.Invalid},
		{"timeouts, and nothing held the machine", scenarios.Timeout, nil, nil, scenarios.Fail},
		{"timeouts, and an earlier time was held", scenarios.Timeout, []requests.Span{{To: 5 * sec}}, nil, scenarios.Fail},
		{"answers of 503 do not come from waiting", scenarios.Status(503), held, nil, scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := many(1000, 5*ms, okay)
			for i := 500; i < 800; i += 50 {
				lateBy(300*ms, list[i:i+1])
			}
			for i := 500; i < 650; i++ {
				o := &list[i]
				o.Kind, o.Cause = scenarios.Error, c.cause
				if c.cause == scenarios.Timeout {
					o.First, o.End, o.Answered, o.Status = o.Sent+2*sec, o.Sent+2*sec, false, 0
				}
			}
			o, s := parseObjectives(t, "recover < 1s after f"), oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 2 * sec}}
			r := newFixtureWith(t, measure.Config{Series: s}, o...)
			r.play(list, action{14 * sec, func() { r.Inject("f", "f") }}, action{15 * sec, func() { r.Clear(0) }})
			found := r.finish(judge.Case{SLO: o, Held: c.held, Used: c.used, Hold: 2 * sec}, 20*sec)
			why := found.Faults[0].Unsteady
			if got := found.Objectives[0]; why.Verdict != c.want || got.Verdict != c.want {
				t.Errorf("the run is %s (%s), the objective %s (%s); want %s", why.Verdict, why.Text, got.Verdict, got.Note, c.want)
			}
		})
	}
}

// TestJudge_HeldSteady: 50 requests a second for 20 s take 700 ms each, and a condition of the steady state did not
// hold, so that no fault was injected. It is open if waits explain that.
func TestJudge_HeldSteady(t *testing.T) {
	all := []requests.Span{{To: 20 * sec}}
	for _, c := range []struct {
		name       string
		held, used []requests.Span
		want       scenarios.Verdict
	}{
		{"the machine was held", all, nil, scenarios.Inconclusive},
		{"brunt used its processors", nil, all, scenarios.Invalid},
		{"nothing held the machine", nil, nil, scenarios.Fail},
		{"two seconds were held", []requests.Span{{To: 2 * sec}}, nil, scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := many(1000, 5*ms, okay)
			for i := range list {
				list[i].First, list[i].End = list[i].Sent+700*ms, list[i].Sent+700*ms
			}
			for i := 0; i < 1000; i += 16 {
				lateBy(100*ms, list[i:i+1])
			}
			r := newFixtureWith(t, measure.Config{Series: oneStep})
			r.play(list)
			steady := parseObjectives(t, "p95 < 300ms")[0]
			found := r.finish(judge.Case{Steady: &steady, Held: c.held, Used: c.used, Hold: 2 * sec}, 20*sec)
			if got := found.Steady; got.Verdict != c.want {
				t.Errorf("the condition is %s, measured %v (%s); want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}

// TestJudge_Overloaded: 50 requests a second for 20 s, of which those from 10 to 15 s time out, are slow or fail. brunt
// used its processors, and was late in most seconds while they waited, or it was not.
func TestJudge_Overloaded(t *testing.T) {
	used, late := []requests.Span{{From: 9 * sec, To: 20 * sec}}, 400*ms
	timeout := func(o *scenarios.Outcome) {
		o.First, o.End = o.Sent+8*sec, o.Sent+8*sec
		o.Kind, o.Cause, o.Status, o.Answered = scenarios.Error, scenarios.Timeout, 0, false
	}
	slow := func(o *scenarios.Outcome) { o.First, o.End = o.Sent+3*sec, o.Sent+3*sec }
	refused := func(o *scenarios.Outcome) { o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(503), 503 }
	for _, c := range []struct {
		name, text string
		wrong      func(*scenarios.Outcome)
		used       []requests.Span
		crowded    []requests.Span
		lag        time.Duration // of one request in each of the seconds
		seconds    int           // in which it was late, from 10 s on
		want       scenarios.Verdict
	}{
		{"timeouts", "errors < 1%", timeout, used, nil, late, 10, scenarios.Invalid},
		{"late in three seconds", "errors < 1%", timeout, used, nil, late, 3, scenarios.Fail},
		{"late by less than a busy moment", "errors < 1%", timeout, used, nil, 50 * ms, 10, scenarios.Fail},
		{"brunt had little to do", "errors < 1%", timeout, nil, nil, late, 10, scenarios.Fail},
		{"brunt was busy before", "errors < 1%", timeout, []requests.Span{{To: 9 * sec}}, nil, late, 10, scenarios.Fail},
		{"late by a tenth on a crowded machine", "errors < 1%", timeout, nil, used, 900 * ms, 10, scenarios.Invalid},
		{"late by less on a crowded machine", "errors < 1%", timeout, nil, used, late, 10, scenarios.Fail},
		{"answers of 503 do not come from waiting", "errors < 1%", refused, used, nil, late, 10, scenarios.Fail},
		{"slow answers", "p95 < 300ms", slow, used, nil, late, 10, scenarios.Invalid},
		{"slow answers, and brunt had little to do", "p95 < 300ms", slow, nil, nil, late, 10, scenarios.Fail},
		{"recovery", "recover < 1s after f", timeout, used, nil, late, 10, scenarios.Invalid},
		{"recovery, and brunt had little to do", "recover < 1s after f", timeout, nil, nil, late, 10, scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := many(1000, 5*ms, okay)
			for i := 500; i < 750; i++ {
				c.wrong(&list[i])
			}
			for i := 500; i < 500+50*c.seconds; i += 50 {
				lateBy(c.lag, list[i:i+1])
			}
			o, s := parseObjectives(t, c.text), oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 8 * sec}}
			r := newFixtureWith(t, measure.Config{Series: s}, o...)
			r.play(list, action{10 * sec, func() { r.Inject("f", "f") }}, action{11 * sec, func() { r.Clear(0) }})
			got := r.finish(judge.Case{SLO: o, Used: c.used, Contested: c.crowded, Hold: 2 * sec}, 20*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Fatalf("%s is %s, measured %v (%s); want %s", c.text, got.Verdict, got.Measured, got.Note, c.want)
			}
			of := got.Because
			if c.want == scenarios.Invalid && (len(of) != 1 || of[0].Kind != result.OwnLoadFails || got.Why != result.Late) {
				t.Errorf("the reason is %v, %v", of, got.Why)
			}
		})
	}
}

// slowLate returns 50 requests a second for 20 s. Those from 10 to 15 s take 700 ms, and brunt is late by lag for
// more than one in twenty of these.
func slowLate(lag time.Duration) []scenarios.Outcome {
	list := many(1000, 5*ms, okay)
	for i := 500; i < 750; i++ {
		list[i].First, list[i].End = list[i].Sent+700*ms, list[i].Sent+700*ms
	}
	for i := 500; i < 750; i += 16 {
		lateBy(lag, list[i:i+1])
	}
	return list
}

// TestJudge_Waited: 50 requests a second for 20 s, of which those from 10 to 15 s take 700 ms, while other programs
// hold the processors. Whether that explains it, the waits of the target's units tell, and not brunt's own lag, if they
// are known.
func TestJudge_Waited(t *testing.T) {
	for _, c := range []struct {
		name       string
		waited     time.Duration // in a span of the longest answer
		own, known bool
		lag        time.Duration
		want       scenarios.Verdict
	}{
		{"the units waited for all of it", 700 * ms, true, true, ms, scenarios.Inconclusive},
		{"the units waited, and brunt did to read it", 600 * ms, true, true, 100 * ms, scenarios.Inconclusive},
		{"the units hardly waited", 200 * ms, true, true, 100 * ms, scenarios.Fail},
		{"the machine's tasks waited, and brunt did", 700 * ms, false, true, 100 * ms, scenarios.Inconclusive},
		{"the machine's tasks waited, and brunt did not", 700 * ms, false, true, ms, scenarios.Fail},
		{"no task of the machine waited for as long", 200 * ms, false, true, 100 * ms, scenarios.Fail},
		{"the waits are unknown, and brunt waited", 0, false, false, 100 * ms, scenarios.Inconclusive},
		{"the waits are unknown, and brunt did not wait", 0, true, false, ms, scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := slowLate(c.lag)
			o := parseObjectives(t, "p95 < 300ms")
			r := newFixture(t, oneStep, o...)
			r.play(list)
			got := r.finish(judge.Case{
				SLO: o, Held: []requests.Span{{From: 10 * sec, To: 15 * sec}},
				Waited: func(from, to, most time.Duration) (time.Duration, bool, bool) {
					if from < 10*sec-most || to > 16*sec || most < 600*ms || most > 710*ms {
						return 0, c.own, c.known
					}
					return c.waited, c.own, c.known
				},
			}, 20*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Errorf("%s, measured %v (%s), want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}

// TestJudge_HeldNarrowly: 50 requests a second for 20 s, of which those from 10 to 15 s take 518 ms, or longer, while
// other programs hold the processors. A wait that is as long as an answer is over the limit leaves open whether it is.
func TestJudge_HeldNarrowly(t *testing.T) {
	held := []requests.Span{{From: 10 * sec, To: 15 * sec}}
	for _, c := range []struct {
		name   string
		text   string
		took   time.Duration
		waited time.Duration // in a span of the longest answer
		held   []requests.Span
		also   time.Duration // that some requests before take
		want   scenarios.Verdict
	}{
		{"waits of the excess", "p95 < 500ms", 518 * ms, 20 * ms, held, 0, scenarios.Inconclusive},
		{"waits of less than the excess", "p95 < 500ms", 518 * ms, 10 * ms, held, 0, scenarios.Fail},
		{"waits of the excess, and nothing held the machine", "p95 < 500ms", 518 * ms, 20 * ms, nil, 0, scenarios.Fail},
		{"waits of a part of a larger excess", "p95 < 500ms", 900 * ms, 300 * ms, held, 0, scenarios.Fail},
		{"as slow before, when nothing held the machine", "p95 < 500ms", 518 * ms, 20 * ms, held, 518 * ms, scenarios.Fail},
		{"the largest answer", "max < 500ms", 518 * ms, 20 * ms, held, 0, scenarios.Inconclusive},
		{"a limit that is far away", "p95 < 1s", 518 * ms, 20 * ms, held, 0, scenarios.Pass},
		{"a lower bound", "p95 > 600ms", 518 * ms, 20 * ms, held, 0, scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := many(1000, 5*ms, okay)
			for i := range list {
				took := c.took
				switch {
				case i >= 200 && i < 300 && c.also > 0:
					took = c.also
				case i < 500 || i >= 750:
					continue
				}
				list[i].First, list[i].End = list[i].Sent+took, list[i].Sent+took
			}
			o := parseObjectives(t, c.text)
			r := newFixture(t, oneStep, o...)
			r.play(list)
			got := r.finish(judge.Case{
				SLO: o, Held: c.held,
				Waited: func(_, _, _ time.Duration) (time.Duration, bool, bool) { return c.waited, true, true },
			}, 20*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Errorf("%s, measured %v (%s), want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}

// TestJudge_Light: 50 requests a second for 20 s, of which those from 10 to 15 s take 700 ms. Other programs hold the
// processors meanwhile, and tasks of the target's unit waited for all of it. That explains no such answer where the
// unit uses as little processor time as brunt, has it as brunt has it, and brunt was hardly late.
func TestJudge_Light(t *testing.T) {
	for _, c := range []struct {
		name  string
		peers bool
		cores float64 // of the unit; brunt uses a tenth of a core
		lag   time.Duration
		want  scenarios.Verdict
	}{
		{"as light as brunt", true, .1, 10 * ms, scenarios.Fail},
		{"lighter than brunt, which was late", true, .01, 100 * ms, scenarios.Inconclusive},
		{"ten times as busy as brunt", true, 1, 10 * ms, scenarios.Inconclusive},
		{"of another priority", false, .1, 10 * ms, scenarios.Inconclusive},
		{"its processor time is not known", true, math.NaN(), 10 * ms, scenarios.Inconclusive},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := slowLate(c.lag)
			own, usage := usedBeside(c.cores)
			o := parseObjectives(t, "p95 < 300ms")
			r := newFixture(t, oneStep, o...)
			r.play(list)
			got := r.finish(judge.Case{
				SLO: o, Held: []requests.Span{{From: 10 * sec, To: 15 * sec}}, Peers: c.peers, Generator: own,
				Usage: usage,
				Waited: func(_, _, most time.Duration) (time.Duration, bool, bool) {
					return most, true, true
				},
			}, 20*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Errorf("%s, measured %v (%s), want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}

// TestJudge_HeldMessages: each of 50 requests a second for 20 s sends a message of the delivery "order". Messages from
// 10 to 15 s take 2 s, as they wait for the work on those before them. Other programs hold the processors meanwhile,
// and brunt, which is as light as the target, waits 10 ms each time.
func TestJudge_HeldMessages(t *testing.T) {
	held := []requests.Span{{From: 10 * sec, To: 15 * sec}}
	for _, c := range []struct {
		name       string
		text       string
		sent       time.Duration // how long requests from 10 to 15 s take
		waited     time.Duration // in a span of the longest answer or message
		own, known bool
		held       []requests.Span
		want       scenarios.Verdict
	}{
		{"the units waited", "p95 < 500ms of order", 5 * ms, 2 * sec, true, true, held, scenarios.Inconclusive},
		{"a share", "within(500ms) > 95% of order", 5 * ms, 2 * sec, true, true, held, scenarios.Inconclusive},
		{"the machine's tasks waited", "p95 < 500ms of order", 5 * ms, 2 * sec, false, true, held, scenarios.Inconclusive},
		{"the waits are unknown", "p95 < 500ms of order", 5 * ms, 0, false, false, held, scenarios.Inconclusive},
		{"the units hardly waited", "p95 < 500ms of order", 5 * ms, 500 * ms, true, true, held, scenarios.Fail},
		{"nothing held the machine", "p95 < 500ms of order", 5 * ms, 2 * sec, true, true, nil, scenarios.Fail},
		{"requests, by their excess", "p95 < 500ms of read", 550 * ms, 50 * ms, true, true, held, scenarios.Inconclusive},
		{"requests, by less", "p95 < 500ms of read", 550 * ms, 30 * ms, true, true, held, scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := slowLate(10 * ms)
			for i := range list {
				o := &list[i]
				message := *o
				message.Step = 1
				if i >= 500 && i < 750 {
					o.First, o.End = o.Sent+c.sent, o.Sent+c.sent
					message.First, message.End = o.Sent+2*sec, o.Sent+2*sec
				}
				list = append(list, message)
			}
			own, usage := usedBeside(.1)
			o := parseObjectives(t, c.text)
			r := newFixture(t, measure.Series{
				Loads: oneStep.Loads, Steps: append(slices.Clone(oneStep.Steps), measure.SeriesStep{Name: "order", Part: true}),
			}, o...)
			r.play(list)
			got := r.finish(judge.Case{
				SLO: o, Held: c.held, Peers: true, Generator: own, Usage: usage,
				Deliveries: []*result.DeliveryRecord{{Name: "order"}},
				Waited:     func(_, _, _ time.Duration) (time.Duration, bool, bool) { return c.waited, c.own, c.known },
			}, 20*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Errorf("%s, measured %v (%s), want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}

// usedBeside returns what brunt uses for 20 s, a tenth of a core, and what a unit uses meanwhile.
func usedBeside(cores float64) (own []result.GeneratorTick, usage []result.UnitUsage) {
	unit := result.UnitUsage{Unit: "web[0]"}
	for s := range 21 {
		own = append(own, result.GeneratorTick{T: result.Num(s), CPU: .1})
		unit.Seconds = append(unit.Seconds, result.UsageTick{T: result.Num(s), CPU: result.Num(cores)})
	}
	return own, []result.UnitUsage{unit}
}

// TestJudge_HeldAttempts: 50 requests a second for 20 s, of which those from 10 to 15 s have no answer within 5 s.
// Other programs hold the processors meanwhile, and the units waited for all of it. Where an attempt may take only
// 400 ms, waits of that length explain that all attempts failed.
func TestJudge_HeldAttempts(t *testing.T) {
	for _, c := range []struct {
		name         string
		attempt, lag time.Duration
		want         scenarios.Verdict
	}{
		{"one attempt", 0, 100 * ms, scenarios.Fail},
		{"attempts of 400 ms", 400 * ms, 100 * ms, scenarios.Inconclusive},
		{"attempts of 400 ms, and brunt was hardly late", 400 * ms, 10 * ms, scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := slowLate(c.lag)
			for i := 500; i < 750; i++ {
				list[i].Kind, list[i].Cause, list[i].End = scenarios.Error, scenarios.Timeout, list[i].Sent+5*sec
			}
			own, usage := usedBeside(.1)
			o, s := parseObjectives(t, "errors < 1%"), oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 5 * sec, Attempt: c.attempt}}
			r := newFixtureWith(t, measure.Config{Series: s}, o...)
			r.play(list)
			got := r.finish(judge.Case{
				SLO: o, Held: []requests.Span{{From: 10 * sec, To: 20 * sec}}, Peers: true, Generator: own,
				Usage:  usage,
				Waited: func(_, _, most time.Duration) (time.Duration, bool, bool) { return most, true, true },
			}, 20*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Errorf("%s, measured %v (%s), want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}

// TestJudge_HeldUsers: ten users ask for 20 s, each again 10 ms after its answer, and wait for 700 ms from 10 to 15 s.
// While other programs hold the processors, that explains why they send less, unless they send as little besides.
func TestJudge_HeldUsers(t *testing.T) {
	held := []requests.Span{{From: 10 * sec, To: 15 * sec}}
	for _, c := range []struct {
		text string
		held []requests.Span
		lag  time.Duration
		want scenarios.Verdict
	}{
		{"rate > 700/s", held, 100 * ms, scenarios.Inconclusive},
		{"rate > 700/s", nil, 100 * ms, scenarios.Fail},
		{"rate > 700/s", held, 20 * ms, scenarios.Fail},
		{"rate > 900/s", held, 100 * ms, scenarios.Fail},
		{"rate < 500/s", held, 100 * ms, scenarios.Fail},
		{"goodput > 700/s", held, 100 * ms, scenarios.Inconclusive},
		{"goodput > 700/s", nil, 100 * ms, scenarios.Fail},
		{"goodput > 900/s", held, 100 * ms, scenarios.Fail},
	} {
		list := usersAsk(10, 20*sec, func(_ int, at time.Duration) (time.Duration, scenarios.Kind) {
			if at >= 10*sec && at < 15*sec {
				return 700 * ms, okay
			}
			return 2 * ms, okay
		})
		slices.SortStableFunc(list, func(a, b scenarios.Outcome) int { return int(a.Intended - b.Intended) })
		var all []scenarios.Outcome
		second := 9 * sec
		for _, o := range list {
			one := []scenarios.Outcome{o}
			if o.Intended >= second+sec && second < 14*sec {
				second += sec
				lateBy(c.lag, one)
			}
			all = append(all, one[0], iteration(one[0]))
		}
		o := parseObjectives(t, c.text)
		closed := oneStep
		closed.Loads = []measure.SeriesLoad{{Name: "browse", Closed: true, Users: 10, Timeout: 2 * sec}}
		r := newFixtureWith(t, measure.Config{Series: closed}, o...)
		r.play(all)
		got := r.finish(judge.Case{SLO: o, Held: c.held}, 20*sec).Objectives[0]
		if got.Verdict != c.want {
			t.Errorf("%s, held %v, lag %s: %s, measured %v (%s), want %s", c.text, c.held, c.lag, got.Verdict, got.Measured,
				got.Note, c.want)
		}
	}
}

// TestJudge_HeldAway: 50 requests a second for 30 s. A fault crashes a unit at 10 s, which is away until it listens
// again, and each request meanwhile is refused. If other programs hold the processors meanwhile, and brunt waited for
// long as well, a lack of processors may explain why the unit started so late, and how long it was away is not certain.
func TestJudge_HeldAway(t *testing.T) {
	for _, c := range []struct {
		name  string
		until time.Duration // from which on the unit is back; 30 s: never
		held  []requests.Span
		lag   time.Duration // of one request in each second
		well  bool          // brunt saw no unit away
		waits time.Duration // of the unit, which is away until a second before it listens, and then starts
		want  scenarios.Verdict
	}{
		{
			"it starts late on a held machine",
			14 * sec,
			[]requests.Span{{From: 9 * sec, To: 15 * sec}},
			500 * ms, false, 0, scenarios.Inconclusive,
		},
		{
			"it starts late, and the load ends soon after",
			29 * sec,
			[]requests.Span{{To: 30 * sec}},
			1900 * ms, false, 0, scenarios.Inconclusive,
		},
		{"it starts late on a quiet machine", 14 * sec, nil, 500 * ms, false, 0, scenarios.Fail},
		{
			"it starts late beside two that spin",
			14 * sec,
			[]requests.Span{{To: 30 * sec}},
			30 * ms, false, 0, scenarios.Fail,
		},
		{"it never starts on a quiet machine", 30 * sec, nil, 0, false, 0, scenarios.Fail},
		{
			"it never starts beside two that spin",
			30 * sec,
			[]requests.Span{{To: 30 * sec}},
			30 * ms, false, 0, scenarios.Fail,
		},
		{
			"the machine was held for half of the time",
			14 * sec,
			[]requests.Span{{From: 9 * sec, To: 12 * sec}},
			500 * ms, false, 0, scenarios.Fail,
		},
		{
			"it waits for a part of the time in which it starts",
			14 * sec,
			[]requests.Span{{From: 9 * sec, To: 15 * sec}},
			30 * ms, false, 2 * sec, scenarios.Inconclusive,
		},
		{
			"it waits for a part of the time, and starts late without that",
			14 * sec,
			[]requests.Span{{From: 9 * sec, To: 15 * sec}},
			30 * ms, false, 500 * ms, scenarios.Fail,
		},
		{"it waits, and nothing held the machine", 14 * sec, nil, 30 * ms, false, 2 * sec, scenarios.Fail},
		{
			"it refuses although it is there",
			14 * sec,
			[]requests.Span{{From: 9 * sec, To: 15 * sec}},
			500 * ms, true, 0, scenarios.Fail,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := many(1500, 5*ms, okay)
			for i := range list {
				if at := list[i].Intended; at >= 10*sec && at < c.until {
					list[i].Kind, list[i].Cause, list[i].Status = scenarios.Error, scenarios.Refused, 0
				}
			}
			if c.lag > 0 {
				for i := 500; i < 1500; i += 50 {
					lateBy(c.lag, list[i:i+1])
				}
			}
			o := parseObjectives(t, "recover < 3s after f")
			s := oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 2 * sec}}
			r := newFixtureWith(t, measure.Config{Series: s}, o...)
			r.play(list, action{10 * sec, func() { r.Inject("f", "f") }}, action{11 * sec, func() { r.Clear(0) }})
			k := judge.Case{SLO: o, Held: c.held, Hold: 2 * sec}
			if !c.well {
				away := requests.Span{From: 10 * sec, To: c.until - time.Duration(min(c.waits, sec))}
				if c.until == 30*sec {
					away.To = measure.Never
				}
				k.Occurrences = []judge.Occurrence{{Hit: []string{"web[0]"}, Unwell: []requests.Span{away}}}
			}
			k.UnitWaits = func(_ string, in requests.Span) time.Duration { return min(c.waits, in.Length()) }
			got := r.finish(k, 30*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Errorf("%s, measured %v (%s), want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}
