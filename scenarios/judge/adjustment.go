package judge

import (
	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// An Adjustment counts the same requests in another way, and the objective is judged again by that count. The
// measured result may be due to brunt itself, to users who waited, or to a lost worker.
type Adjustment struct {
	Name    string // name of the adjustment
	Counts  string // how the count differs from the measured one
	Changed string // the consequence if the adjustment changes the verdict
}

// OfRequests lists the adjustments of objectives on the requests of a phase, in the order in which they are applied.
func OfRequests() []Adjustment { return described(requestAdjustments) }

// OfFaults lists the adjustments of objectives on faults, in the order in which they are applied.
func OfFaults() []Adjustment { return described(faultAdjustments) }

// An adjusting is an adjustment with the function that applies it.
type adjusting[F any] struct {
	Adjustment
	make F
	of   []scenarios.Verdict // of an objective on faults: the verdicts that it may change; nil is a pass
}

func described[F any](list []adjusting[F]) (out []Adjustment) {
	for _, a := range list {
		out = append(out, a.Adjustment)
	}
	return out
}

// An ask is an objective in a phase, with the requests that it selects there.
type ask struct {
	o        slo.Objective
	p        phase
	i        int // number of the phase
	cells    []measure.Cell
	measured requests.Sum
	punctual requests.Sum // without brunt's own time
}

// requestAdjustments are the adjustments of an objective on requests in a phase, in the order in which they are
// applied.
var requestAdjustments = []adjusting[func(*evaluator, *ask, result.ObjectiveResult) result.ObjectiveResult]{
	{Adjustment: Adjustment{
		"own time",
		"the time that brunt itself added is taken off each answer, and requests that brunt never sent, or had no " +
			"socket for, do not count",
		"brunt decides the objective, and not the target, so it is invalid. A pass that becomes inconclusive is " +
			"inconclusive. If brunt failed at over 1 % of the requests, no pass stands.",
	}, make: (*evaluator).withoutOwnTime},
	{Adjustment: Adjustment{cutName, cutCounts, cutChanged}, make: (*evaluator).withoutCut},
	{Adjustment: Adjustment{
		"missed",
		"requests that were due during a fault, but that brunt sent after it, count as bad in the measured value, and not " +
			"at all in its bound, because they did not meet the fault; `=` is about the requests that met it",
		"a pass in the phase of a fault is invalid",
	}, make: (*evaluator).withMissed},
	{Adjustment: Adjustment{
		"unsent",
		"users of a closed load send nothing while they wait, so the requests that they would have sent are added as " +
			"waiting ones, or a share is taken over time instead of over requests",
		"a pass is inconclusive: the target stalled, and it is unknown how many requests of an open load would have met " +
			"the stall",
	}, make: (*evaluator).withUnsent},
	{Adjustment: Adjustment{
		"lost workers",
		"a lost worker's requests, of which nothing is known, count once as all bad and once as all good",
		"the objective is invalid",
	}, make: (*evaluator).withLost},
	{Adjustment: Adjustment{heldName, heldCounts, heldChanged}, make: (*evaluator).withoutHeld},
}

// withoutOwnTime judges an objective without brunt's own time.
func (e *evaluator) withoutOwnTime(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	return requests.Valid(r, e.punctually(q, q.punctual), &q.measured.Counts)
}

// punctually judges an objective by sum, which is without brunt's own time.
func (e *evaluator) punctually(q *ask, sum requests.Sum) result.ObjectiveResult {
	return e.judgeSum(q.o, q.p, q.i, sum, (*measure.Counts).Punctual)
}

// withMissed judges a pass in the phase of a fault again, if brunt sent requests that were due in the fault after it
// was over. The requests that met the fault must show the objective by themselves, and the measured value must meet it
// even if the others were bad. They do not count in the bound of a share: one of few requests would decide it alone.
// An objective on a fact is about the requests that met the fault.
func (e *evaluator) withMissed(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	if r.Verdict != scenarios.Pass || q.p.name.Kind != slo.FaultPhase {
		return r
	}
	n := min(e.read.missed(q.o, q.p.of), q.punctual.Kinds[scenarios.OK])
	if n == 0 {
		return r
	}
	met, bad := q.punctual, q.punctual
	met.Kinds[scenarios.OK] -= n
	bad.Kinds[scenarios.OK] -= n
	bad.Kinds[scenarios.Error] += n
	bad.Failed += n
	if e.punctually(q, met).Verdict != scenarios.Pass || !q.o.Fact() && !e.meets(q, bad) {
		r.Doubt(result.Note{Kind: result.SentAfter, Count: n, Phase: q.p.name})
	}
	return r
}

// meets reports whether the value of sum meets an objective, whatever its bound. An objective that is relative to a
// reference is decided with the intervals of both.
func (e *evaluator) meets(q *ask, sum requests.Sum) bool {
	r := e.punctually(q, sum)
	if q.o.Relative() {
		return r.Verdict == scenarios.Pass
	}
	return requests.Meets(q.o, float64(r.Measured))
}

// withUnsent judges an objective on closed loads again, with the requests that waiting users did not send; see
// corrected.
func (e *evaluator) withUnsent(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	c, found := e.read.corrected(q.o, q.p, q.cells, float64(r.Measured))
	if !found {
		return r
	}
	v := result.Num(c.v)
	r.Corrected = &v
	if r.Verdict == scenarios.Pass {
		r.Because = result.Notes{c.waited}
		if !c.holds {
			r.Verdict = scenarios.Inconclusive
		}
	}
	return r
}

// withLost judges an objective again with the requests of lost workers, first as bad, then as good.
func (e *evaluator) withLost(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	return e.read.c.Lost.Valid(&e.read.Config.Series, q.o, q.p.Span, r, func(bad, good int64) scenarios.Verdict {
		sum := q.measured
		sum.Kinds[scenarios.Error] += bad
		sum.Kinds[scenarios.OK] += good
		sum.Failed += bad
		return e.judgeSum(q.o, q.p, q.i, sum, asMeasured).Verdict
	})
}
