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
	share float64 // for objectives that ask for none
	texts []string
	asked map[string]slo.Objective
	runs  map[string][][]result.Drill
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
	s := &Series{share: share, asked: map[string]slo.Objective{}, runs: map[string][][]result.Drill{}}
	for _, o := range objectives {
		if !o.Drilled() || o.After.Occurrence > 0 {
			continue
		}
		s.texts, s.asked[o.Text] = append(s.texts, o.Text), o
		asked := s.shareOf(o)
		need, ok := statistics.EnoughAbove(nil, asked, alpha)
		switch {
		case !ok:
			return nil, fmt.Errorf("no practical number of runs shows %s", quantity.FormatShare(asked))
		case need > most:
			return nil, fmt.Errorf("to show %s of `%s` takes %d runs in a row, and at most %d are allowed: --at-most %d",
				quantity.FormatShare(asked), o.Text, need, most, 2*need)
		}
	}
	if len(s.texts) == 0 {
		return nil, errors.New("no objective sets a time after a fault that could be met more or less often, such as " +
			"`recover < 10s after FAULT`")
	}
	return s, nil
}

func (s *Series) shareOf(o slo.Objective) float64 {
	if o.Share > 0 {
		return o.Share
	}
	return s.share
}

// Add adds a run.
func (s *Series) Add(r *result.Result) {
	for _, text := range s.texts {
		if drills := drillsOf(r, text); len(drills) > 0 {
			s.runs[text] = append(s.runs[text], drills)
		}
	}
}

// Answers returns what the runs so far show, by objective in the order of the scenario.
func (s *Series) Answers() []Answer {
	var out []Answer
	for _, text := range s.texts {
		share := s.shareOf(s.asked[text])
		out = append(out, Answer{Objective: text, Share: share, Shown: ofRuns(s.runs[text], share)})
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
			_, asked := s.asked[o.Text]
			return !asked && o.Verdict == x.Verdict
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
