package judge_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// The tests below hold onset, recovery and degraded time against a list of requests of which it is
// known which ones failed. What is expected is computed from that list alone.

// truth is what a list of requests says of an outage.
type truth struct {
	first, back time.Duration // first bad request from a time on, and the first good one after the last bad one
	bad         time.Duration // sum of the stretches of bad requests
	failed      int
}

// truthOf reads the truth off requests in the order of their intended time.
func truthOf(all []scenarios.Outcome, from time.Duration) truth {
	out := truth{first: -1}
	begin := time.Duration(-1)
	for i := range all {
		switch o := &all[i]; {
		case o.Intended < from:
		case o.Kind != scenarios.OK:
			out.failed++
			if out.first < 0 {
				out.first = o.Intended
			}
			if begin < 0 {
				begin = o.Intended
			}
		case begin >= 0:
			out.back = o.Intended
			out.bad += o.Intended - begin
			begin = -1
		}
	}
	return out
}

// requestsAt makes an even load of 120 s, of which the requests fail for which bad says so.
func requestsAt(rate float64, bad func(at time.Duration, n int) bool) []scenarios.Outcome {
	var out []scenarios.Outcome
	for n := range int(120 * rate) {
		at := time.Duration(float64(n) / rate * 1e9)
		kind := okay
		if bad(at, n) {
			kind = failure
		}
		out = append(out, request(at, 3*ms, kind))
	}
	return out
}

// played judges a load with a fault.
func played(
	t *testing.T, all []scenarios.Outcome, injected, cleared time.Duration,
) (judge.FaultFinding, result.ObjectiveResult) {
	t.Helper()
	o := parseObjectives(t, "recover < 60s after f")
	g := newFixture(t, oneStep, o...)
	g.play(all, action{injected, func() { g.Inject("f", "f") }}, action{cleared, func() { g.Clear(0) }})
	f := g.finish(judge.Case{SLO: o}, 120*sec)
	return f.Faults[0], f.Objectives[0]
}

// near reports whether two times differ by at most half the time between two requests, or the
// resolution of a mark.
func near(got result.Num, want time.Duration, rate float64) bool {
	return math.Abs(float64(got)-want.Seconds()) <= max(.5/rate, 1./1024)+1e-9
}

// TestOutage_Sharp: an outage in which every request failed is known to the request, at any rate and
// wherever it lies, with an interval of no more than the time between two requests.
func TestOutage_Sharp(t *testing.T) {
	suite.Sequential(t)
	r := rand.New(rand.NewPCG(13, 1))
	draws := 8
	if testing.Short() {
		draws = 3
	}
	for _, rate := range []float64{20, 50, 100, 1000, 2500} {
		least, _, _ := effect.Smallest(rate, scenarios.DefaultLimit) // validate says that a shorter outage may not show
		for i := range draws {
			injected := 60*sec + time.Duration(r.Int64N(int64(sec)))
			from := injected + time.Duration(r.Int64N(int64(2*sec)))
			length := max(500*ms, least) + time.Duration(r.Int64N(int64(6*sec)))
			// not before: harm that begins after a fault is over may have another cause
			cleared := max(from, injected+time.Duration(r.Int64N(int64(8*sec))))
			t.Run(fmt.Sprintf("%g per s %d", rate, i), func(t *testing.T) {
				all := requestsAt(rate, func(at time.Duration, _ int) bool { return at >= from && at < from+length })
				want := truthOf(all, injected)
				f, o := played(t, all, injected, cleared)
				if f.Impact != result.Impacted || !near(f.OnsetAt, want.first, rate) || !near(f.RecoveredAt, want.back, rate) {
					t.Errorf("%s from %v to %v (%s), want %s to %s", f.Impact, f.OnsetAt, f.RecoveredAt, f.Note, want.first, want.back)
				}
				if width := float64(f.RecoveredIn.High - f.RecoveredIn.Low); width > 1/rate+.003+2./1024 { // answered in 3 ms
					t.Errorf("recovered from %v to %v: %g s wide, want 1/%g and 3 ms", f.RecoveredIn.Low, f.RecoveredIn.High, width, rate)
				}
				if back := want.back.Seconds(); float64(f.RecoveredIn.Low) > back || float64(f.RecoveredIn.High) < back-1./1024 {
					t.Errorf("recovered from %v to %v does not hold %g", f.RecoveredIn.Low, f.RecoveredIn.High, back)
				}
				if d := (f.Degraded - want.bad).Abs(); d.Seconds() > max(1/rate, 2./1024) {
					t.Errorf("degraded for %s, want %s", f.Degraded, want.bad)
				}
				if o.Verdict != scenarios.Pass {
					t.Errorf("%s: %s", o.Verdict, o.Note)
				}
			})
		}
	}
}

// TestOutage_Two: the good time between two outages of one fault is not degraded, and recovery comes
// after the second.
func TestOutage_Two(t *testing.T) {
	const injected = 60 * sec
	all := requestsAt(50, func(at time.Duration, _ int) bool {
		at -= injected
		return at >= 200*ms && at < 1770*ms || at >= 8270*ms && at < 12360*ms
	})
	want := truthOf(all, injected)
	f, _ := played(t, all, injected, injected+9*sec)
	if !near(f.RecoveredAt, want.back, 50) || (f.Degraded-want.bad).Abs() > 40*ms {
		t.Errorf("recovered at %v, degraded for %s; want %s, %s", f.RecoveredAt, f.Degraded, want.back, want.bad)
	}
}

// TestOutage_Relapse: bad up to the end, after a time that was good for 19 s, is no harm of the fault, however long the
// recovery had taken: nothing shows that the fault did it.
func TestOutage_Relapse(t *testing.T) {
	const injected = 40 * sec
	for _, took := range []time.Duration{20 * sec, 3 * sec} {
		back := injected + took
		all := requestsAt(100, func(at time.Duration, _ int) bool {
			return at >= injected && at < back || at >= back+19*sec
		})
		f, o := played(t, all, injected, injected+5*sec)
		if f.Impact != result.Impacted || f.RelapsedAt.Known() || o.Verdict != scenarios.Pass {
			t.Errorf("%s, relapsed at %v, %s (%s); want a recovery after %s", f.Impact, f.RelapsedAt, o.Verdict, o.Note, took)
		}
	}
}

// TestOutage_Soft: where errors become more frequent and rarer again, the interval of the recovery is
// wider, and holds the instant at which the share of errors fell in most draws; a bimodal outage, in
// which a third of the requests fails, ends with its last bad request.
func TestOutage_Soft(t *testing.T) {
	const injected = 60 * sec
	draws, held := 60, 0
	if testing.Short() {
		draws = 20
	}
	for i := range draws {
		r := rand.New(rand.NewPCG(13, uint64(i)))
		all := requestsAt(200, func(at time.Duration, _ int) bool {
			return at >= injected && at < injected+5*sec && r.Float64() < .3
		})
		want := truthOf(all, injected)
		f, _ := played(t, all, injected, injected+5*sec)
		if f.Impact != result.Impacted {
			t.Errorf("draw %d: %s", i, f.Impact)
		}
		if !near(f.RecoveredAt, want.back, 200) {
			t.Logf("draw %d: recovered at %v, the last bad request was before %s", i, f.RecoveredAt, want.back)
		}
		if truly := (injected + 5*sec).Seconds(); float64(f.RecoveredIn.Low) <= truly &&
			float64(f.RecoveredIn.High) >= truly-1./200 {
			held++
		}
	}
	if float64(held) < .85*float64(draws) {
		t.Errorf("the interval held the truth in %d of %d draws", held, draws)
	}
}

// TestOutage_Skipped: the steps after a failed one are bad when it was, and make no outage longer.
func TestOutage_Skipped(t *testing.T) {
	series := measure.Series{Loads: oneStep.Loads, Steps: []measure.SeriesStep{{Name: "read"}, {Name: "write"}}}
	o := parseObjectives(t, "recover < 10s after f")
	g := newFixture(t, series, o...)
	const injected, length = 40 * sec, 3 * sec
	var all []scenarios.Outcome
	for _, x := range requestsAt(100, func(at time.Duration,
		_ int,
	) bool {
		return at >= injected && at < injected+length
	}) {
		y := x
		y.Step = 1
		if x.Kind == scenarios.Error { // it hung until its timeout of 5 s
			x.End += 5 * sec
			y.Kind, y.Cause, y.WasSent, y.Answered, y.End = scenarios.Skipped, scenarios.NoCause, false, false, x.End
		}
		all = append(all, x, y)
	}
	slices.SortStableFunc(all, func(a, b scenarios.Outcome) int { return int(min(1, max(-1, a.End-b.End))) })
	g.play(all, action{injected, func() { g.Inject("f", "f") }}, action{injected + length, func() { g.Clear(0) }})
	f := g.finish(judge.Case{SLO: o}, 120*sec).Faults[0]
	if !near(f.RecoveredAt, injected+length, 100) {
		t.Errorf("recovered at %v, want %s", f.RecoveredAt, injected+length)
	}
}

// TestOutage_Stray: a few bad requests right after an outage, or right before it, which the limit
// allows, move neither its end nor its begin.
func TestOutage_Stray(t *testing.T) {
	const injected = 60 * sec
	for _, stray := range []time.Duration{-900 * ms, 3300 * ms, 4200 * ms, 4700 * ms} {
		from := injected + sec
		all := requestsAt(200, func(at time.Duration, _ int) bool {
			return at >= from && at < from+3*sec || at >= from+stray && at < from+stray+10*ms
		})
		f, _ := played(t, all, injected, injected+5*sec)
		if !near(f.RecoveredAt, from+3*sec, 200) || !near(f.OnsetAt, from, 200) {
			t.Errorf("stray errors at %s: from %v to %v, want %s to %s", stray, f.OnsetAt, f.RecoveredAt, from, from+3*sec)
		}
	}
}
