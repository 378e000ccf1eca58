package series

import (
	"math"
	"time"

	"brunt/scenarios/result"
)

// carried is how long a sample remains valid for whether a unit runs, if the next sample is late.
const carried = time.Second

// unitsOf returns the number of running units of a service, second by second. The number is unknown in seconds in
// which one of them has no sample that says whether it runs.
func unitsOf(service string, usage []result.UnitUsage) []series {
	var of []*result.UnitUsage
	end := time.Duration(0)
	for i := range usage {
		u := &usage[i]
		if u.Service != service || u.OfPod() {
			continue
		}
		of = append(of, u)
		if n := len(u.Seconds); n > 0 {
			end = max(end, u.Seconds[n-1].T.D())
		}
	}
	if len(of) == 0 {
		return nil
	}
	out, next := series{of: service, every: time.Second}, make([]int, len(of))
	for second := time.Duration(0); second <= end; second += time.Second {
		at, n := second, 0.
		for i, u := range of {
			for next[i] < len(u.Seconds) && u.Seconds[next[i]].T.D() < second+time.Second {
				next[i]++
			}
			if next[i] == 0 {
				n = math.NaN()
				continue
			}
			last := &u.Seconds[next[i]-1]
			at = max(at, last.T.D())
			switch {
			case last.Unknown, second-last.T.D() >= carried:
				n = math.NaN()
			case last.Running:
				n++
			}
		}
		out.points = append(out.points, result.Point{T: result.Sec(at), V: result.Num(n)})
	}
	return []series{out}
}
