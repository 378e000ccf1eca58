// Package recovery pools the occurrences of a fault over a run and the runs on file, and says with which confidence
// they meet an objective on a time, such as `recover < 5s after crash`.
//
//	result.Result --Drills of its objectives--> Pools --> result.Pool: exact bounds of the run, any-time bounds of all
//	runs on file  --onFile: same scenario, build and environment-^
//
// # Runs are clusters
//
// The occurrences of one run depend on each other: they share the start of the system, its place and its data. So
// there are two statements. The one about a run holds under its conditions, where its occurrences count each; their
// number is fixed by the scenario, so that the bound is Clopper and Pearson's (1934). The one about the build counts
// each run once, by the share of its occurrences that met the objective. That share is a value between 0 and 1 whose
// mean over runs is the share over all occurrences, whatever the dependence within a run, so that
// [statistics.ShareLowest] gives a bound of it without a model. The bound holds at all times together, because the
// number of runs on file is not fixed.
package recovery

import (
	"math"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/statistics"
)

// defaultShare is the share that a pool is held against if its objective asks for none.
const defaultShare = .95

// alpha is the probability that a bound of a share does not hold.
const alpha = 1 - effect.Confidence

// Pools returns how often the occurrences of faults met each objective on a time: in r, and in the runs before it.
// There is a pool for an objective with several occurrences, and for one that asks for a share of them.
func Pools(r *result.Result, before []*result.Result) []result.Pool {
	var out []result.Pool
	for i := range r.Objectives {
		o := &r.Objectives[i]
		asked, ok := o.Asks()
		if !ok || len(o.Drills) == 0 || asked.After.Occurrence > 0 {
			continue
		}
		if p := pool(r, before, o, asked); len(p.Drills) > 1 || p.Asked {
			out = append(out, p)
		}
	}
	return out
}

// shareOf returns the share that an objective asks for, or else another.
func shareOf(o slo.Objective, otherwise float64) float64 {
	if o.Share > 0 {
		return o.Share
	}
	return otherwise
}

func pool(r *result.Result, before []*result.Result, o *result.ObjectiveResult, asked slo.Objective) result.Pool {
	share := shareOf(asked, defaultShare)
	p := result.Pool{
		Objective: o.Text, Fault: asked.After.Fault, Metric: o.Metric, Limit: o.Target, Share: result.Num(share),
		Asked: asked.Share > 0, Instants: instants(o.Drills),
	}
	var runs [][]result.Drill
	for _, b := range append(slices.Clone(before), r) {
		drills := drillsOf(b, o.Text)
		for _, d := range drills {
			p.Drills = append(p.Drills, result.PooledDrill{Run: b.Run, Drill: d})
		}
		if len(drills) > 0 {
			runs = append(runs, drills)
		}
	}
	if len(o.Drills) > 1 || len(runs) == 1 {
		shown := ofRun(o.Drills, share)
		p.Run = &shown
	}
	if len(runs) > 1 {
		shown := ofRuns(runs, share)
		p.All = &shown
	}
	return p
}

// drillsOf returns the occurrences of a run that answer an objective.
func drillsOf(r *result.Result, text string) []result.Drill {
	for i := range r.Objectives {
		if o := &r.Objectives[i]; o.Text == text && o.List == "" {
			return o.Drills
		}
	}
	return nil
}

// count counts the answers of occurrences.
func count(s *result.Shown, drills []result.Drill) (met, missed, unknown int) {
	for _, d := range drills {
		switch {
		case d.Verdict == scenarios.Pass:
			met++
		case d.Verdict == scenarios.Fail:
			missed++
		case d.Verdict == scenarios.Invalid && d.Why == result.Late: // says nothing of the target
			s.Left++
		default:
			unknown++
		}
	}
	s.Met, s.Missed, s.Unknown = s.Met+met, s.Missed+missed, s.Unknown+unknown
	return met, missed, unknown
}

// ofRun returns what the occurrences of one run show of the share under its conditions. An unknown answer may be
// either.
func ofRun(drills []result.Drill, share float64) result.Shown {
	s := result.Shown{Runs: 1}
	met, missed, unknown := count(&s, drills)
	n := float64(met + missed + unknown)
	s.Low = result.Num(effect.LowerBound(float64(met), n, effect.Confidence))
	s.High = result.Num(effect.UpperBound(float64(met+unknown), n, effect.Confidence))
	s.Row = int(effect.EnoughOccurrences(share, 0))
	if float64(s.Low) < share {
		need := int(effect.EnoughOccurrences(share, int64(missed+unknown)))
		s.More, s.Many = max(0, need-int(n)), need == 0
	}
	return s
}

// ofRuns returns what runs show of the share over all runs. Each run counts once, by the share of its occurrences; an
// unknown answer may be either.
func ofRuns(runs [][]result.Drill, share float64) result.Shown {
	var s result.Shown
	var least, most []float64
	for _, drills := range runs {
		met, missed, unknown := count(&s, drills)
		if n := float64(met + missed + unknown); n > 0 {
			least, most = append(least, float64(met)/n), append(most, float64(met+unknown)/n)
		}
	}
	s.Runs = len(least)
	s.Low = result.Num(statistics.ShareLowest(least, alpha))
	s.High = result.Num(statistics.ShareHighest(most, alpha))
	s.Row, _ = statistics.EnoughAbove(nil, share, alpha)
	if float64(s.Low) < share {
		more, ok := statistics.EnoughAbove(least, share, alpha)
		s.More, s.Many = more, !ok
	}
	return s
}

// fewestInstants is the number of injections from which on their phases tell something: four differences within a
// hundredth of a second of a whole one come by chance with a probability of 0.02 to the fourth power.
const fewestInstants = 5

// instants says whether the occurrences of a run hit the same phase of a second.
func instants(drills []result.Drill) result.Instants {
	if len(drills) < fewestInstants {
		return ""
	}
	for i := 1; i < len(drills); i++ {
		gap := float64(drills[i].At - drills[i-1].At)
		if math.Abs(gap-math.Round(gap)) > .01 {
			return result.Apart
		}
	}
	return result.InPhase
}
