package measure

import (
	"cmp"
	"slices"

	"brunt/scenarios"
)

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
