package compare

import (
	"iter"
	"math"
	"slices"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A measure calls put with each value of a metric in a run, and the place where it was measured. A value of NaN is
// ignored.
type measure func(m *metric, s sample, put func(place, value))

// A sample is a run, or a block of a run, that is measured.
type sample struct {
	*result.Result
	least float64 // least number of requests above a percentile: [beyond] or [beyondBlock]
}

// cells returns the cells that are compared. It skips the warm-up and whole iterations.
func (s sample) cells() iter.Seq2[place, *result.Cell] {
	return func(yield func(place, *result.Cell) bool) {
		for i := range s.Cells {
			c := &s.Cells[i]
			if c.Phase.Kind == slo.WarmupPhase || c.Step == "iteration" {
				continue
			}
			if !yield(place{c.Phase, c.Load, c.Step}, c) {
				return
			}
		}
	}
}

// percentile measures a percentile of the response times.
func percentile(of func(*result.Times) result.Num) measure {
	return func(m *metric, s sample, put func(place, value)) {
		for at, c := range s.cells() {
			lagged := s.least < beyond && slices.Contains(c.Lagged, m.Name)
			if c.Outcome == "*" && float64(c.Count)*(1-m.quantile) >= s.least/2 && !lagged {
				v := value{x: orInfinite(of(&c.Response)), n: c.Count}
				if c.Cut != nil {
					v.cut, v.rest = c.Cut.Count, orInfinite(of(&c.Cut.Response))
				}
				put(at, v)
			}
		}
	}
}

// errorShares measures the share of errors and skipped steps, as an objective on errors counts them.
func errorShares(_ *metric, s sample, put func(place, value)) {
	type counts struct{ all, bad, cut int64 }
	shares := map[place]*counts{}
	for at, c := range s.cells() {
		if shares[at] == nil {
			shares[at] = &counts{}
		}
		switch c.Outcome {
		case "*":
			if shares[at].all = c.Count; c.Cut != nil {
				shares[at].cut = c.Cut.Count
			}
		case "error", "skipped":
			shares[at].bad += c.Count
		}
	}
	for at, c := range shares {
		if c.all > 0 {
			v := value{x: float64(c.bad) / float64(c.all), n: c.all, k: c.bad, cut: c.cut}
			if c.cut > 0 {
				v.rest = float64(c.bad-c.cut) / math.Max(1, float64(c.all-c.cut))
			}
			put(at, v)
		}
	}
}

// closedRates measures the rate of good answers of closed loads; it is 0 if there is no good answer. The rate of an
// open load is given by its schedule, so it is not measured. Requests that brunt cut off may have been good answers.
func closedRates(_ *metric, s sample, put func(place, value)) {
	all := map[place]*result.Cell{}
	good := map[place]bool{}
	for at, c := range s.cells() {
		switch {
		case !closed(s.Result, c.Load):
		case c.Outcome == "*": // unless there is a cell of good ones
			all[at] = c
		case c.Outcome == "ok":
			put(at, rateWith(value{x: float64(c.Rate), n: c.Count}, all[at]))
			good[at] = true
		}
	}
	for at, c := range all {
		if !good[at] {
			put(at, rateWith(value{}, c))
		}
	}
}

// rateWith adds to a rate of good answers what it is if the requests that brunt cut off were good answers too.
func rateWith(v value, all *result.Cell) value {
	if all != nil && all.Cut != nil && all.Count > 0 {
		v.cut, v.rest = all.Cut.Count, v.x+float64(all.Rate)*float64(all.Cut.Count)/float64(all.Count)
	}
	return v
}

// recoveries measures the time until recovery from each fault. It has no value for a fault that made answers slower
// if no limit says which answers are slow, because it is unknown how long that lasted, and none for a fault of which it
// is not certain whether it did.
func recoveries(_ *metric, s sample, put func(place, value)) {
	for i := range s.Faults {
		f := &s.Faults[i]
		at := place{f.Phase(), "*", "*"}
		switch {
		case f.NoOutage() && f.Parts.Slower().Answer == result.Yes && (!(f.Slow > 0) || f.SlowFrom != "" && far(f.Parts)):
		case f.Impact == result.NotImpacted && f.Parts != nil && f.Parts.Slower().Answer == result.Untested:
		case f.Impact == result.Impacted, f.Impact == result.NotImpacted:
			step := max(float64(f.Resolution), 1e-3)
			v := value{x: float64(f.Recover), n: f.Traffic, s: step}
			if v.x <= 0 {
				v.x, v.zero = step, true
			}
			put(at, v)
		case f.Impact == result.NotRecovered:
			put(at, value{x: math.Inf(1), n: f.Traffic})
		}
	}
}

// far reports whether answers took far longer than in the baseline. Then a limit derived from the baseline does not
// tell how long they were slow.
func far(p *result.ImpactParts) bool {
	return float64(p.P50) > effect.FarAbove(float64(p.P50Before)) || float64(p.P95) > effect.FarAbove(float64(p.P95Before))
}

// ofUnit returns the place of a figure of a unit.
func ofUnit(u *result.UnitUsage) place { return place{slo.Phase{Kind: slo.RunPhase}, "*", u.Unit} }

// cpuTime measures the mean number of cores that each unit used.
func cpuTime(_ *metric, s sample, put func(place, value)) {
	for i := range s.Usage {
		if u := &s.Usage[i]; u.CPU > 0 {
			put(ofUnit(u), value{x: float64(u.CPU), n: int64(len(u.Seconds)), s: tickOf / float64(max(1, len(u.Seconds)))})
		}
	}
}

// mostMemory measures the peak memory of each unit.
func mostMemory(_ *metric, s sample, put func(place, value)) {
	for i := range s.Usage {
		if u := &s.Usage[i]; u.Memory > 0 {
			put(ofUnit(u), value{x: float64(u.Memory), n: int64(len(u.Seconds)), s: 4096})
		}
	}
}
