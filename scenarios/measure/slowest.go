package measure

import (
	"cmp"
	"slices"
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

// slowest lists the slowest requests of each step: of the run, and of each fault's phase,
// the slowest first.
func (f *finisher) slowest() []scenarios.SlowRequest {
	const mostOfFault = 3
	type one struct {
		slow
		set int
	}
	var out []scenarios.SlowRequest
	for step := range f.cfg.Steps {
		var all []one
		for set, list := range f.slow.sets {
			if list == nil {
				continue
			}
			for _, s := range list[mostSlow*step:][:mostSlow] {
				if s.response > 0 {
					all = append(all, one{s, set})
				}
			}
		}
		slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(b.response, a.response) })
		of := map[int32]int{} // how many of each fault were taken
		for i, s := range all {
			wanted := i < mostSlow
			for _, n := range f.sets[s.set] {
				wanted = wanted || of[n] < mostOfFault
			}
			if !wanted {
				continue
			}
			var faults []string
			for _, n := range f.sets[s.set] {
				of[n]++
				faults = append(faults, f.faults[n].Name)
			}
			row := scenarios.SlowRequest{
				Load: f.cfg.Loads[s.load].Name, Step: f.cfg.Steps[step].Name, At: scenarios.Sec(s.at), Response: scenarios.Sec(s.response),
				Outcome: s.kind.String(), Status: int(s.status), Faults: faults,
			}
			if s.trace != 0 && f.c.TraceID != nil {
				row.Trace = f.c.TraceID(int(s.load), s.trace).String()
			}
			if f.c.Samples != nil {
				row.Curl = f.c.Samples.Curl(int32(step), s.at, s.response)
			}
			out = append(out, row)
		}
	}
	return out
}
