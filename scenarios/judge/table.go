package judge

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// tables writes the rows of result.json.
type tables struct {
	read  *readings
	out   *Findings
	hists *measure.Histograms
}

// table lists the measurements of each phase.
func (f *tables) table(ps []phase, sums [][]measure.Cell) {
	for i, p := range ps {
		total, waits := &measure.Cell{}, &measure.Cell{}
		for l := range f.read.Config.Loads {
			waits.AddWaits(&sums[i][len(f.read.Config.Steps)+l])
		}
		byLoad := make([]measure.Cell, len(f.read.Config.Loads))
		for s, step := range f.read.Config.Steps {
			if f.read.Config.InSums(s) {
				total.Add(&sums[i][s])
				byLoad[step.Load].Add(&sums[i][s])
			}
		}
		span := func(loads []requests.Span) time.Duration {
			if p.name.Kind == slo.WarmupPhase {
				return p.Length()
			}
			return p.Covered(loads)
		}
		f.outcomes(p, "*", "*", total, &waits.Lag, span(f.read.c.Loads))
		for l, load := range f.read.Config.Loads {
			span, lag := span(f.read.c.Loads[l:l+1]), &sums[i][len(f.read.Config.Steps)+l].Lag
			if len(f.read.Config.Loads) > 1 {
				f.outcomes(p, load.Name, "*", &byLoad[l], lag, span)
			}
			for s, step := range f.read.Config.Steps {
				if step.Load == l {
					f.outcomes(p, load.Name, step.Name, &sums[i][s], lag, span)
				}
			}
			f.outcomes(p, load.Name, "iteration", &sums[i][len(f.read.Config.Steps)+l], lag, span)
		}
	}
}

// blockPhases returns the blocks of the case as phases, on which there are no objectives.
func (f *tables) blockPhases() (out []phase) {
	for _, span := range f.read.c.Blocks {
		out = append(out, phase{slo.Phase{Kind: slo.RunPhase}, span, ofNone})
	}
	return out
}

// blockTable lists the measurements of each block.
func (f *tables) blockTable(ps []phase, sums [][]measure.Cell) {
	for i, p := range ps {
		f.table(ps[i:i+1], sums[i:i+1])
		f.out.Blocks = append(f.out.Blocks, result.Block{
			Start: result.Sec(p.From), End: result.Sec(p.To), Cells: f.out.Cells,
		})
		f.out.Cells = nil
	}
}

// outcomes writes a row for all outcomes and one for each outcome that occurred. The rate is the count of the row
// divided by the time that the load ran within the phase. lag has the lag of the requests.
func (f *tables) outcomes(p phase, load, step string, c *measure.Cell, lag *measure.Times, span time.Duration) {
	n := c.Offered()
	if n == 0 && load != "*" {
		return
	}
	rate := func(n int64) result.Num {
		if span <= 0 {
			return result.NaN
		}
		return result.Num(float64(n) / span.Seconds())
	}
	s := &requests.Sum{Counts: *c.CountsWithTimes()}
	response := s.Times(slo.Metric{Name: "p"})
	f.out.Cells = append(f.out.Cells, result.Cell{
		Phase: p.name, Load: load, Step: step, Outcome: "*", Count: n, Rate: rate(n), Bytes: c.Bytes, Timings: c.TimingsOf(),
		Resent:   c.ResentOf(),
		Hist:     f.hists.Put(c.Observed(), p.From, p.Length()),
		Lagged:   lag.Lagged(&response),
		Cut:      cutOff(&s.Counts),
		Response: response, Service: s.Times(slo.Metric{Name: "p", Of: "service"}),
	})
	for k := range scenarios.Kinds {
		if c.Kinds[k] == 0 {
			continue
		}
		row := result.Cell{
			Phase: p.name, Load: load, Step: step, Outcome: k.String(), Count: c.Kinds[k], Rate: rate(c.Kinds[k]),
			Response: result.NoTimes, Service: result.NoTimes,
		}
		if k != scenarios.Skipped {
			row.Hist = f.hists.Put(&c.Response[k].Tally, p.From, p.Length())
			row.Response, row.Service = c.Response[k].Plain(), c.Service[k].Plain()
			if k == scenarios.OK {
				row.Lagged = lag.Lagged(&row.Response)
			}
		}
		f.out.Cells = append(f.out.Cells, row)
	}
}

// cutOff tells of the requests that brunt cut off; nil if it cut off none.
func cutOff(c *measure.Counts) *result.CutOff {
	if c.Cut.N() == 0 {
		return nil
	}
	rest := requests.Sum{Counts: *c.Uncut(-1)}
	return &result.CutOff{Count: c.Cut.N(), Response: rest.Times(slo.Metric{Name: "p"})}
}

// errorGroups lists the errors of the judged run by step and cause, most frequent first.
func (f *tables) errorGroups(ps []phase, sums [][]measure.Cell) {
	run := phaseOf(ps, slo.Phase{Kind: slo.RunPhase})
	for s, step := range f.read.Config.Steps {
		for _, n := range sums[run][s].Causes {
			if f.read.Config.InSums(s) {
				f.out.Causes[n.Cause] += n.N
			}
			f.out.Errors = append(f.out.Errors, result.ErrorGroup{
				Kind: f.read.c.Causes.Name(n.Cause), Load: f.read.Config.Loads[step.Load].Name, Step: step.Name, Count: n.N,
				First: result.Sec(n.First), Last: result.Sec(n.Last), Part: step.Part, Init: step.Init,
				TimedOut: f.read.c.Causes.TimedOut(n.Cause),
				Sample:   f.read.c.Samples.First(int32(s), n.Cause),
			})
		}
	}
	slices.SortFunc(f.out.Errors, func(a, b result.ErrorGroup) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Load, b.Load), cmp.Compare(a.Step, b.Step),
			cmp.Compare(a.Kind, b.Kind))
	})
}

// health returns the generator's lag and queue over the run and in each phase.
func (f *tables) health(ps []phase, sums [][]measure.Cell) {
	for i, p := range ps {
		all := &measure.Cell{}
		for l := range f.read.Config.Loads {
			all.AddWaits(&sums[i][len(f.read.Config.Steps)+l])
		}
		if p99 := all.Lag.Quantile(.99); p99.Known() && p.name.Kind != slo.WarmupPhase {
			f.out.LagByPhase[p.name] = PhaseLag{
				P99: float64(p99), Low: float64(all.Lag.Quantile(effect.LowerRank(all.Lag.Total, .99))),
			}
		}
		if share := requests.Starved(&f.read.Config, sums[i]); share > 0 && p.name.Kind != slo.WarmupPhase {
			f.out.Starved[p.name] = share
		}
		if p.name.Kind != slo.RunPhase {
			continue
		}
		f.out.Lag, f.out.Queue = all.Lag.Waits(), all.Queue.Waits()
		for s := range f.read.Config.Steps {
			if f.read.Config.InSums(s) {
				f.out.Offered += sums[i][s].Offered()
				f.out.Sent += sums[i][s].Sent
				f.out.Attempts += sums[i][s].Attempts
				f.out.Own += sums[i][s].Counts().Own.Errors
			}
		}
	}
}
