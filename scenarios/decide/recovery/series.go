package recovery

import (
	"errors"
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/statistics"
)

// A Series is a sequence of runs of one scenario that ends once it is known whether each objective on a time after a
// fault is met often enough. Its bounds hold at all times together, so that it may end after any run.
type Series struct {
	asked []asked // in the order of the scenario
}

// asked is an objective that a series asks, with its answers so far.
type asked struct {
	text  string
	share float64
	runs  [][]result.Drill // the occurrences of each run
}

// An Answer is what a series of runs shows about an objective.
type Answer struct {
	Objective string
	Share     float64
	result.Shown
}

// Verdict returns whether the objective is met by at least the share, or by less; inconclusive means that more runs are
// needed.
func (a *Answer) Verdict() scenarios.Verdict { return a.Shows(a.Share) }

// NewSeries returns a series that asks objectives for a share, where they ask for none with `for`. It returns an error
// if no objective sets a time after a fault, or if a share needs more than most runs, all of which meet the objective.
func NewSeries(objectives []slo.Objective, share float64, most int) (*Series, error) {
	s := new(Series)
	for _, o := range objectives {
		if !o.Drilled() || o.After.Occurrence > 0 {
			continue
		}
		a := asked{text: o.Text, share: shareOf(o, share)}
		need, ok := statistics.EnoughAbove(nil, a.share, alpha)
		switch {
		case !ok:
			return nil, fmt.Errorf("no practical number of runs shows %s", quantity.FormatShare(a.share))
		case need > most:
			return nil, fmt.Errorf("to show %s of `%s` takes %d runs in a row, and at most %d are allowed: --at-most %d",
				quantity.FormatShare(a.share), o.Text, need, most, 2*need)
		}
		s.asked = append(s.asked, a)
	}
	if len(s.asked) == 0 {
		return nil, errors.New("no objective sets a time after a fault that could be met more or less often, such as " +
			"`recover < 10s after FAULT`")
	}
	return s, nil
}

// Add adds a run. It reports whether the run answers an objective.
func (s *Series) Add(r *result.Result) (answers bool) {
	for i := range s.asked {
		a := &s.asked[i]
		if drills := drillsOf(r, a.text); len(drills) > 0 {
			a.runs = append(a.runs, drills)
			answers = answers || slices.ContainsFunc(drills, func(d result.Drill) bool {
				return d.Verdict == scenarios.Pass || d.Verdict == scenarios.Fail
			})
		}
	}
	return answers
}

// Answers returns what the runs so far show, by objective in the order of the scenario.
func (s *Series) Answers() []Answer {
	var out []Answer
	for _, a := range s.asked {
		out = append(out, Answer{Objective: a.text, Share: a.share, Shown: ofRuns(a.runs, a.share)})
	}
	return out
}

// Verdict returns the verdict over all objectives: inconclusive until each is known, unless one is missed too often.
func (s *Series) Verdict() scenarios.Verdict {
	worst := scenarios.Pass
	for _, a := range s.Answers() {
		worst = scenarios.Worse(worst, a.Verdict())
	}
	return worst
}

// Beside returns the verdict of a run apart from the objectives that the series asks, and whether it differs from the
// verdict of the run: each of these is met more or less often, and one run does not decide it.
func (s *Series) Beside(r *result.Result) (v scenarios.Verdict, differs bool) {
	aboutOthers := func(x result.Reason) bool {
		if x.Kind != result.NotHeld {
			return true
		}
		return slices.ContainsFunc(r.Objectives, func(o result.ObjectiveResult) bool {
			asks := slices.ContainsFunc(s.asked, func(a asked) bool { return a.text == o.Text })
			return !asks && o.Verdict == x.Verdict
		})
	}
	v = scenarios.Pass
	for _, x := range r.Reasons {
		if aboutOthers(x) {
			v = scenarios.Worse(v, x.Verdict)
		}
	}
	return v, v != r.Verdict
}
