package measure

import (
	"time"

	"brunt/scenarios"
)

// MostSlow is how many of the slowest requests of a step are kept for each set of faults.
const MostSlow = 5

// Slowest keeps the slowest answered requests of every step, for each set of faults. A faster
// request costs one comparison.
type Slowest struct {
	steps int
	Sets  [][]Slow // by set: MostSlow for each step, the slowest first
}

// A Slow is one of the slowest requests.
type Slow struct {
	Response, At time.Duration
	Trace        uint64
	Load, Status int32
	Kind         scenarios.Kind
	Timings      [scenarios.RequestPhases]time.Duration
}

// add considers a request of a step.
func (s *Slowest) add(o *scenarios.Outcome, set int32) {
	if !o.Answered || o.Intended < 0 {
		return
	}
	for int(set) >= len(s.Sets) {
		s.Sets = append(s.Sets, nil)
	}
	if s.Sets[set] == nil {
		s.Sets[set] = make([]Slow, MostSlow*s.steps)
	}
	kept := s.Sets[set][MostSlow*int(o.Step):][:MostSlow]
	took := o.Response()
	if took <= kept[MostSlow-1].Response {
		return
	}
	i := MostSlow - 1
	for ; i > 0 && kept[i-1].Response < took; i-- {
		kept[i] = kept[i-1]
	}
	kept[i] = Slow{Response: took, At: o.Intended, Trace: o.Trace, Load: o.Load, Status: o.Status, Kind: o.Kind, Timings: o.Timings()}
}
