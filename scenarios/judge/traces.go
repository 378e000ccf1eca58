package judge

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeTraces judges an objective on the traces of the requests of a phase. As for a share of requests, a pass needs
// the exact 95 % bound of the share to be within the objective.
func judgeTraces(
	o slo.Objective, p phase, count func(from, to time.Duration) (whole, n int64, came bool),
) result.ObjectiveResult {
	r := requests.Unanswered(p.name, result.Note{Kind: result.TracesNone, Phase: p.name})
	if count == nil {
		return r
	}
	whole, n, came := count(p.From, p.To)
	switch {
	case n == 0:
		return r
	case !came: // the target need not send spans at all, or not to here
		r.Because = result.Notes{{Kind: result.SpansNone}}
		return r
	}
	r.Count, r.Because = n, nil
	broken := float64(n-whole) / float64(n)
	r.Measured = result.Num(1 - broken)
	const oneSided = (1 + effect.Confidence) / 2
	r.Low = result.Num(1 - effect.UpperBound(float64(n-whole), float64(n), oneSided))
	r.High = result.Num(1 - effect.LowerBound(float64(n-whole), float64(n), oneSided))
	if !o.Holds(float64(r.Measured)) {
		r.Verdict = scenarios.Fail
		return r
	}
	if need, ok := requests.Need(o); ok && n < need {
		r.Because = result.Notes{{Kind: result.FewTraces, Count: n, Need: need}}
		return r
	}
	if bound, shown := shownShare(o, broken, n); !shown {
		r.Because = result.Notes{{
			Kind: result.TracesNotShown, Value: result.Num(broken), Count: n, High: result.Num(bound),
		}}
		return r
	}
	r.Verdict = scenarios.Pass
	return r
}
