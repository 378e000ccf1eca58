package result

import (
	"math"

	"brunt/scenarios/slo"
)

// A Cost is what each good request of a phase cost the units of the target. Null is unknown.
type Cost struct {
	Good   int64 `json:"good"`   // good requests of all loads in the phase
	CPU    Num   `json:"cpu"`    // seconds of a core for each good request, of all units together
	Memory Num   `json:"memory"` // bytes, of all units together: the mean over the phase
	Calls  Num   `json:"calls"`  // calls on all links whose calls were read, for each good request
}

// Known reports whether a figure is known.
func (c *Cost) Known() bool { return c.CPU.Known() || c.Memory.Known() || c.Calls.Known() }

// leastSeen is the share of the seconds of a phase in which a figure of each unit must be known.
const leastSeen = .8

// CostIn returns the cost of good requests in a phase. A figure of resources is known if it is known of each unit for
// at least four fifths of the phase; a unit without a process uses nothing. CPU and calls are unknown without a good
// request, and if fewer requests were answered in the phase than four fifths of its good ones.
func (r *Result) CostIn(phase slo.Phase) Cost {
	out := Cost{CPU: NaN, Memory: NaN, Calls: NaN}
	var span *Phase
	for i := range r.Phases {
		if r.Phases[i].Name == phase {
			span = &r.Phases[i]
		}
	}
	if span == nil || !(span.End > span.Start) {
		return out
	}
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Phase == phase && c.Load == "*" && c.Step == "*" && c.Outcome == "ok" {
			out.Good = c.Count
		}
	}
	cpu, memory := r.used(span, func(t *UsageTick) Num { return t.CPU }), r.used(span, func(t *UsageTick) Num {
		if t.Memory < 0 {
			return NaN
		}
		return Num(t.Memory)
	})
	out.Memory = memory
	if out.Good == 0 {
		return out
	}
	if float64(r.answeredIn(span)) < leastSeen*float64(out.Good) {
		return out // most were answered later, as after a fault that froze a unit, and their work was done then
	}
	out.CPU = cpu * (span.End - span.Start) / Num(out.Good)
	calls, read := Num(0), false
	for i := range r.Amplification {
		if a := &r.Amplification[i]; a.Unit == UnitCalls {
			if p := a.In(phase); p != nil {
				calls, read = calls+p.Grew, true
			}
		}
	}
	if read {
		out.Calls = calls / Num(out.Good)
	}
	return out
}

// answeredIn counts the requests that were answered during a span. Without windows it is unbounded.
func (r *Result) answeredIn(span *Phase) int64 {
	if len(r.Windows) == 0 {
		return math.MaxInt64
	}
	n := int64(0)
	for i := range r.Windows {
		w := &r.Windows[i]
		if w.Load == "*" && w.Step == "*" && w.T >= span.Start && w.T < span.End {
			n += w.Answered
		}
	}
	return n
}

// used returns the mean of a figure over a span, added up over all units; unknown if one unit's is.
func (r *Result) used(span *Phase, of func(*UsageTick) Num) Num {
	if len(r.Usage) == 0 {
		return NaN
	}
	sum := Num(0)
	for i := range r.Usage {
		u := &r.Usage[i]
		total, n, all := Num(0), 0, 0
		for j := range u.Seconds {
			t := &u.Seconds[j]
			if t.T <= span.Start || t.T > span.End {
				continue
			}
			all++
			switch v := of(t); {
			case t.Unknown:
			case !t.Running:
				n++
			case v.Known():
				total, n = total+v, n+1
			}
		}
		if n == 0 || float64(n) < leastSeen*float64(all) {
			return NaN
		}
		sum += total / Num(n)
	}
	return sum
}
