package measure

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// stepSince counts the judged requests of a step that have ended since the interval began.
type stepSince struct {
	kinds  [scenarios.Kinds]int64
	causes []CauseCount
	took   Times
	phases [scenarios.RequestPhases]time.Duration
	resent int64
}

// count adds a request.
func (s *stepSince) count(o *scenarios.Outcome, sc *Scratch) {
	s.kinds[o.Kind]++
	if o.Kind == scenarios.Skipped {
		return
	}
	s.took.take(o.Response(), sc)
	for i, d := range o.Timings() {
		s.phases[i] += d
	}
	if o.Opening.Resent > 0 {
		s.resent++
	}
	if o.Kind != scenarios.Error {
		return
	}
	s.failed(o.Cause, 1)
}

// failed counts n errors of a cause.
func (s *stepSince) failed(cause scenarios.Cause, n int64) {
	for i := range s.causes {
		if s.causes[i].Cause == cause {
			s.causes[i].N += n
			return
		}
	}
	s.causes = append(s.causes, CauseCount{Cause: cause, N: n})
}

// stepCounts holds the counts of a step in an interval; its causes have no names yet.
type stepCounts struct {
	result.StepInterval
	causes []CauseCount
}

// stepsSince returns the counts of the steps and resets them. It leaves out steps without a name,
// which had no request.
func (r *Recorder) stepsSince() []stepCounts {
	var out []stepCounts
	for i := range r.steps {
		s, step := &r.steps[i], r.cfg.Steps[i]
		if step.Name == "" {
			continue
		}
		s.took.settle(&r.scratch)
		c := stepCounts{
			StepInterval: result.StepInterval{
				Load: r.cfg.Loads[step.Load].Name, Step: step.Name, Kinds: s.kinds, Total: s.took.sum,
				Timings: s.phases, Resent: s.resent,
			},
			causes: s.causes,
		}
		for j, b := range s.took.at {
			low, high := bucketEdges(int(b))
			c.Took = append(c.Took, result.TimeBucket{
				Low: time.Duration(low) * time.Microsecond, High: time.Duration(high) * time.Microsecond, N: s.took.n[j],
			})
		}
		s.took.reset()
		*s = stepSince{took: Times{Tally: s.took.Tally}}
		out = append(out, c)
	}
	return out
}

// Steps returns the counts of every step, with its causes named.
func (s Second) Steps(names scenarios.Causes) []result.StepInterval {
	var out []result.StepInterval
	for _, c := range s.steps {
		for _, n := range c.causes {
			if c.Causes == nil {
				c.Causes = map[string]int64{}
			}
			c.Causes[names.Name(n.Cause)] += n.N
		}
		out = append(out, c.StepInterval)
	}
	return out
}
