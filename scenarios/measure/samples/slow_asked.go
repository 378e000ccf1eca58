package samples

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
)

// slowAsked keeps curl commands for the slowest answered requests of every step. A command is built while its request
// is still available. A faster request costs one comparison.
type slowAsked struct {
	once  sync.Once
	steps []slowStep   // allocated once
	taken atomic.Int64 // requests that were kept
}

// slowStep holds the slowest requests of a step. Only bar is read without the lock of the [Set].
type slowStep struct {
	bar  atomic.Int64 // ns; a request that takes no longer is not among the slowest
	kept []slowCurl   // the slowest first, [measure.MostSlow] of them
}

type slowCurl struct {
	intended, response time.Duration
	curl               string // empty: no command can send it
	exported           bool
}

// Keeping a request takes about 50 us. While a target slows down, every request is slower than all before it. These
// are limits on the number of requests that are kept, over all steps together: at first, and per second.
const (
	slowAtFirst   = 500
	slowPerSecond = 50
)

// wants reports whether a request is among the slowest of its step so far.
func (s *slowAsked) wants(o *scenarios.Outcome, steps int) bool {
	if !o.Answered || o.Intended < 0 || o.Step < 0 || int(o.Step) >= steps {
		return false
	}
	return int64(o.Response()) > s.step(o.Step, steps).bar.Load() &&
		s.taken.Load() < slowAtFirst+int64(slowPerSecond*o.End.Seconds())
}

// step returns the entry of step i. steps is the number of all steps.
func (s *slowAsked) step(i int32, steps int) *slowStep {
	s.once.Do(func() { s.steps = make([]slowStep, steps) })
	return &s.steps[i]
}

// keep keeps a request for which wants returned true.
func (s *slowAsked) keep(step *slowStep, one slowCurl) {
	s.taken.Add(1)
	i := slices.IndexFunc(step.kept, func(k slowCurl) bool { return k.response < one.response })
	if i < 0 {
		i = len(step.kept)
	}
	step.kept = slices.Insert(step.kept, i, one)
	if len(step.kept) > measure.MostSlow {
		step.kept = step.kept[:measure.MostSlow]
	}
	if len(step.kept) == measure.MostSlow {
		step.bar.Store(int64(step.kept[measure.MostSlow-1].response))
	}
}

// curl returns the command kept for a request.
func (s *slowStep) curl(intended, response time.Duration) string {
	for _, k := range s.kept {
		if k.intended == intended && k.response == response {
			return k.curl
		}
	}
	return ""
}
