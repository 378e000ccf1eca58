package measure

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
)

// table lists what was measured in each phase.
func (f *finisher) table(ps []phase, sums [][]cell) {
	for i, p := range ps {
		total := &cell{}
		byLoad := make([]cell, len(f.cfg.Loads))
		for s, step := range f.cfg.Steps {
			total.add(&sums[i][s])
			byLoad[step.Load].add(&sums[i][s])
		}
		span := func(loads []Span) time.Duration {
			if p.name == "warmup" {
				return p.length()
			}
			return p.covered(loads)
		}
		f.outcomes(p, "*", "*", total, span(f.c.Loads))
		for l, load := range f.cfg.Loads {
			span := span(f.c.Loads[l : l+1])
			if len(f.cfg.Loads) > 1 {
				f.outcomes(p, load.Name, "*", &byLoad[l], span)
			}
			for s, step := range f.cfg.Steps {
				if step.Load == l {
					f.outcomes(p, load.Name, step.Name, &sums[i][s], span)
				}
			}
			f.outcomes(p, load.Name, "iteration", &sums[i][len(f.cfg.Steps)+l], span)
		}
	}
}

// outcomes writes a row for all outcomes and one for each that occurred. The rate
// is what the row counts over the time that the load ran within the phase.
func (f *finisher) outcomes(p phase, load, step string, c *cell, span time.Duration) {
	n := c.offered()
	if n == 0 && load != "*" {
		return
	}
	rate := func(n int64) scenarios.Num {
		if span <= 0 {
			return scenarios.NaN
		}
		return scenarios.Num(float64(n) / span.Seconds())
	}
	s := &sum{Counts: *c.asSum()}
	f.out.Cells = append(f.out.Cells, scenarios.Cell{
		Phase: p.name, Load: load, Step: step, Outcome: "*", Count: n, Rate: rate(n), Bytes: c.bytes,
		Hist:     f.hists.put(c.observed(), p.From, p.length()),
		Response: s.times(scenarios.Metric{Name: "p"}), Service: s.times(scenarios.Metric{Name: "p", Of: "service"}),
	})
	for k := range scenarios.Kinds {
		if c.kinds[k] == 0 {
			continue
		}
		row := scenarios.Cell{Phase: p.name, Load: load, Step: step, Outcome: k.String(), Count: c.kinds[k], Rate: rate(c.kinds[k]), Response: scenarios.NoTimes, Service: scenarios.NoTimes}
		if k != scenarios.Skipped {
			row.Hist = f.hists.put(&c.response[k].tally, p.From, p.length())
			row.Response, row.Service = c.response[k].plain(), c.service[k].plain()
		}
		f.out.Cells = append(f.out.Cells, row)
	}
}

// times are percentiles as objectives judge them.
func (s *sum) times(m scenarios.Metric) scenarios.Times {
	at := func(q float64) scenarios.Num { return scenarios.Num(s.quantile(m, q)) }
	measure := func(name string) scenarios.Num {
		m.Name = name
		return scenarios.Num(s.measure(scenarios.Objective{Metric: m}, -1))
	}
	return scenarios.Times{P50: at(.5), P90: at(.9), P95: at(.95), P99: at(.99), P999: at(.999), Max: measure("max"), Mean: measure("mean")}
}

// errorGroups lists the errors of the judged run by step and cause, most first.
func (f *finisher) errorGroups(ps []phase, sums [][]cell) {
	run := slices.IndexFunc(ps, func(p phase) bool { return p.name == "run" })
	for s, step := range f.cfg.Steps {
		for _, n := range sums[run][s].causes {
			f.out.Causes[n.cause] += n.n
			f.out.Errors = append(f.out.Errors, scenarios.ErrorGroup{
				Kind: n.cause.Name(f.c.Checks), Load: f.cfg.Loads[step.Load].Name, Step: step.Name, Count: n.n,
				First: scenarios.Sec(n.first), Last: scenarios.Sec(n.last), Sample: f.sample(int32(s), n.cause),
			})
		}
	}
	slices.SortFunc(f.out.Errors, func(a, b scenarios.ErrorGroup) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Load, b.Load), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Kind, b.Kind))
	})
}

func (f *finisher) sample(step int32, cause scenarios.Cause) *scenarios.Sample {
	if f.c.Samples == nil {
		return nil
	}
	return f.c.Samples.First(step, cause)
}

// health gives the generator's lag and queue over the run and in each phase.
func (f *finisher) health(ps []phase, sums [][]cell) {
	for i, p := range ps {
		all := &cell{}
		for l := range f.cfg.Loads {
			all.addWaits(&sums[i][len(f.cfg.Steps)+l])
		}
		if p99 := all.lag.quantile(.99); p99.Known() && p.name != "warmup" {
			f.out.LagByPhase[p.name] = PhaseLag{P99: float64(p99), Low: float64(all.lag.quantile(lowerRank(all.lag.total, .99)))}
		}
		f.starved(p, sums[i])
		if p.name != "run" {
			continue
		}
		f.out.Lag, f.out.Queue = all.lag.waits(), all.queue.waits()
		for s := range f.cfg.Steps {
			f.out.Offered += sums[i][s].offered()
			f.out.Sent += sums[i][s].sent
		}
	}
}

// starved notes the share of a phase's requests that this machine had no room for.
func (f *finisher) starved(p phase, sums []cell) {
	var offered, own int64
	for s := range f.cfg.Steps {
		offered += sums[s].offered()
		for _, n := range sums[s].causes {
			if n.cause.Own() {
				own += n.n
			}
		}
	}
	if own > 0 && p.name != "warmup" {
		f.out.Starved[p.name] = float64(own) / float64(offered)
	}
}
