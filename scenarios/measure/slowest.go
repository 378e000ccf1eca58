package measure

import (
	"time"

	"brunt/scenarios"
)

// mostSlow is how many of the slowest requests of a step are kept, for each set of faults
// that requests met.
const mostSlow = 5

// slowest keeps the slowest answered requests of every step, for each set of faults. A
// request that is not among them costs one comparison.
type slowest struct {
	steps int
	sets  [][]slow // by set: mostSlow for each step, the slowest first
}

// A slow is one of them.
type slow struct {
	response, at time.Duration
	trace        uint64
	load, status int32
	kind         scenarios.Kind
}

// add takes up a request of a step.
func (s *slowest) add(o *scenarios.Outcome, set int32) {
	if !o.Answered || o.Intended < 0 {
		return
	}
	for int(set) >= len(s.sets) {
		s.sets = append(s.sets, nil)
	}
	if s.sets[set] == nil {
		s.sets[set] = make([]slow, mostSlow*s.steps)
	}
	kept := s.sets[set][mostSlow*int(o.Step):][:mostSlow]
	took := o.Response()
	if took <= kept[mostSlow-1].response {
		return
	}
	i := mostSlow - 1
	for ; i > 0 && kept[i-1].response < took; i-- {
		kept[i] = kept[i-1]
	}
	kept[i] = slow{response: took, at: o.Intended, trace: o.Trace, load: o.Load, status: o.Status, kind: o.Kind}
}
