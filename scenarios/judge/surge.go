package judge

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/impact"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A shedView holds the records with shed requests as errors.
type shedView struct {
	known   bool
	records []record // nil: nothing was shed that no objective covers
}

// withoutShed returns the records with shed requests as errors, except those of loads that an
// objective on shed covers: it says how much of them may be shed. It is nil where no other request
// was shed.
func withoutShed(f *composer) []record {
	if f.shed.known {
		return f.shed.records
	}
	f.shed.known = true
	covered := make([]bool, len(f.Config.Loads))
	for l := range covered {
		covered[l] = slices.ContainsFunc(f.c.SLO, func(o slo.Objective) bool { return o.Metric.Name == "shed" && about(&f.Config.Series, o, l) })
	}
	var records []record
	for i := range f.records {
		r := &f.records[i]
		if int(r.Series) >= len(f.Config.Steps) || r.Kinds[scenarios.Shed] == 0 || covered[f.Config.Steps[r.Series].Load] {
			continue
		}
		if records == nil {
			records = slices.Clone(f.records)
		}
		records[i].Kinds[scenarios.Error] += r.Kinds[scenarios.Shed]
		records[i].Kinds[scenarios.Shed] = 0
	}
	f.shed.records = records
	return records
}

// withShed is the answer a about occurrence i, or the one with shed requests as errors where those
// surged. A load that shed before the fault is held against more than twice of that. Edges of shed
// requests are known to the window.
func withShed(f *composer, i int, o slo.Objective, a impact.Answer) impact.Answer {
	records := withoutShed(f)
	if records == nil || a.BadBefore {
		return a
	}
	g := *f
	g.records = records
	q := questionOn(&g, i, o)
	for j := range q.Slices {
		q.Slices[j].Marks = nil
	}
	var n, bad int64
	for _, s := range q.Baseline {
		n, bad = n+s.N, bad+s.Bad
	}
	if n > 0 && 2*float64(bad) > q.Limit*float64(n) {
		q.Limit = min(.9, q.Limit+2*float64(bad)/float64(n))
	}
	b := impact.Ask(q)
	if b.BadBefore || !b.OnsetAt.Known() {
		return a
	}
	width := result.Sec(b.Resolution)
	if a.OnsetAt.Known() && a.OnsetAt <= b.OnsetAt+width && a.RecoveredAt.Known() && b.RecoveredAt.Known() && b.RecoveredAt <= a.RecoveredAt+width {
		return a // whose edges are exact
	}
	b.Failed = a.Failed
	return b
}
