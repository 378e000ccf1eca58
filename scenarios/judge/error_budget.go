package judge

import (
	"time"

	"brunt/scenarios/slo"
)

// spans returns the requests of a phase that objective o selects, over time, after applying view as.
func spans(f *readings, o slo.Objective, p phase, as view) slo.Spans {
	out := slo.Spans{From: p.From, To: p.To}
	list := f.slicesAs(f.run(), o, f.cellsOf(p), as)
	dark := f.dark(o, list)
	for i, s := range list {
		slice := slo.Slice{
			Start: s.Start, End: s.End, Offered: s.Offered, Bad: s.Bad, Good: s.Good, Blocked: dark[i],
		}
		if s.Marks != nil {
			slice.Requests = func(do func(at time.Duration, bad bool)) {
				for _, m := range s.Marks(nil) {
					do(m.At, m.Bad)
				}
			}
		}
		out.Slices = append(out.Slices, slice)
	}
	return out
}
