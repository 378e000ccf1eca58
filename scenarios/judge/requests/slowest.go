package requests

import (
	"cmp"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
)

// SlowestRequests lists the slowest requests of each step, of the run and of each fault's phase, the slowest
// first. Their trace ids come from traceID, and their commands from the samples that were kept; either may be nil.
func SlowestRequests(
	f *measure.Recording, traceID func(load int, low uint64) scenarios.TraceID, kept *samples.Set,
) ([]result.SlowRequest, error) {
	var out []result.SlowRequest
	by, err := f.Slowest.ByStep()
	for step, all := range by {
		slices.SortStableFunc(all, func(a, b measure.SlowestOfSet) int { return cmp.Compare(b.Response, a.Response) })
		of := map[int32]int{} // number of requests taken, by fault
		for i, s := range all {
			wanted := i < measure.MostSlow
			for _, n := range f.Sets[s.Set] {
				wanted = wanted || of[n] < measure.MostSlowOfFault
			}
			if !wanted {
				continue
			}
			var faults []string
			for _, n := range f.Sets[s.Set] {
				of[n]++
				faults = append(faults, f.Faults[n].Name)
			}
			row := result.SlowRequest{
				Load: f.Config.Loads[s.Load].Name, Step: f.Config.Steps[step].Name, At: result.Sec(s.At),
				Response: result.Sec(s.Response),
				Outcome:  s.Kind.String(), Status: int(s.Status), Faults: faults,
				Timings: result.NewRequestTimings(s.Timings, s.Response),
			}
			if s.Trace != 0 && traceID != nil {
				row.Trace = traceID(int(s.Load), s.Trace).String()
			}
			if kept != nil {
				row.Curl = kept.Curl(int32(step), s.At, s.Response)
			}
			out = append(out, row)
		}
	}
	return out, err
}
