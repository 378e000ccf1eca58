package judge

import (
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Case holds what Judge needs besides the recording.
type Case struct {
	SLO    []slo.Objective
	Faults map[string]FaultCase // by the name in the scenario
	Loads  []requests.Span      // when each load could begin iterations
	// of a load that is switched between two sides: stretches with cells of their own, in whole seconds
	Blocks  []requests.Span
	Warmup  time.Duration
	Hold    time.Duration // zero is 10 s
	Limit   float64       // share of bad requests above which the load is impacted; zero is 1 %
	Strict  bool
	Causes  scenarios.Causes // names the causes of its requests
	Samples *samples.Set     // nil keeps none
	Ledgers []*result.LedgerRecord

	// TraceID returns the trace id of a request of a load, by its low half; nil means no traces.
	TraceID func(load int, low uint64) scenarios.TraceID

	// NoTraffic says of occurrences, by number, whose fault counts bytes at a link or hook, whether
	// the fault affected no traffic. For other occurrences the requests of the load during the fault
	// decide. The effect of a fault that affected no traffic is unknown.
	NoTraffic map[int]bool

	// Ended is when occurrences, by number, were over, where that was before the end of their phase: a
	// unit that is back at once still has a phase of some seconds.
	Ended map[int]time.Duration

	// Unverified are the occurrences, by number, that were injected and not verified. Their effect
	// is unknown.
	Unverified map[int]bool
	// Partial are those of Unverified that are groups of which a step could not be injected.
	Partial map[int]bool

	series.Reactions

	Usage  []result.UnitUsage // of the target's units
	Series []result.Series    // the scenario's metrics

	Lost *requests.LostWorkers // nil: none

	// Skipped are the occurrences without a matching target, where that is allowed: their effect is
	// unknown.
	Skipped []Skipped
}

// FaultCase is what Judge needs to know about a fault.
type FaultCase struct {
	RequireImpact bool // no objective after or in it passes without an impact
	Group         bool // several faults as one, whose recovery counts from the begin of its incident
}

// Findings holds everything derived from a run's measurements.
type Findings struct {
	Phases     []result.Phase
	Cells      []result.Cell
	Blocks     []result.Block
	Errors     []result.ErrorGroup
	Slowest    []result.SlowRequest
	Windows    []result.Window
	Objectives []result.ObjectiveResult
	Incidents  []result.Incident // of the whole run, once the load is over
	Faults     []FaultFinding    // one for each occurrence, in the order of injection
	Lag        result.Lag
	Queue      result.Lag
	LagByPhase map[slo.Phase]PhaseLag
	// by phase: the share of its requests that brunt never sent or had no socket or port for
	Starved    map[slo.Phase]float64
	Offered    int64
	Sent       int64
	Attempts   int64 // times that they were written
	Clamped    int64
	Causes     map[scenarios.Cause]int64
	Histograms result.Histograms
	Notes      []string
}

// PhaseLag is how late the generator was in a phase, in seconds.
type PhaseLag struct {
	P99 float64
	Low float64 // 95 % lower bound of P99: in a small phase one delay proves nothing
}

// FaultFinding is the effect of one occurrence of a fault.
type FaultFinding struct {
	measure.Occurrence
	effect.Answer
	Limit float64 // L: the share of bad requests, 0 to 1, that counts as impact
	// an answer that takes longer is a bad request; zero: none is; the largest of those of the steps
	Slow      time.Duration
	SlowLeast time.Duration       // the least of those of the steps
	Requests  int64               // of the load during its phase
	Parts     *result.ImpactParts // nil: it was not injected

	// Unsteady describes how the steady state failed before the injection of a fault with an
	// objective; empty where it held. The run fails.
	Unsteady string

	// Required is the reason that require_impact gives the run: its verdict is pass with an impact, fail without one,
	// inconclusive where that is unknown; empty where none is required.
	Required result.Reason
}

// Judge computes the phases of a recording and judges the objectives. It returns an error where
// measurements cannot be read back. Measurements that could not be written were kept in memory, and
// a note says so.
func Judge(r *measure.Recording, c Case) (*Findings, error) {
	f := newComposer(r, c)
	if r.Err != nil {
		f.out.Notes = append(f.out.Notes, r.Err.Error()+"; later measurements were kept in memory and are complete")
	}
	if err := f.finish(); err != nil {
		return nil, err
	}
	return f.out, nil
}

func newComposer(r *measure.Recording, c Case) *composer {
	if c.Hold <= 0 {
		c.Hold = scenarios.DefaultHold
	}
	if c.Limit <= 0 {
		c.Limit = scenarios.DefaultLimit
	}
	read := &readings{Recording: r, c: c}
	out := &Findings{
		Causes: map[scenarios.Cause]int64{}, LagByPhase: map[slo.Phase]PhaseLag{},
		Starved: map[slo.Phase]float64{},
	}
	return &composer{
		readings: read, effects: &effects{readings: read, asked: map[asked]effect.Answer{}},
		tables: &tables{readings: read, out: out},
	}
}

// composer judges the objectives and composes the findings.
type composer struct {
	*readings
	*effects
	*tables
	incidents []*incident
	latencies *requests.SlowdownTest     // nil: no fault was injected
	blocks    map[int][]*requests.Blocks // by phase: for the intervals of objectives
}

func (f *composer) finish() error {
	for _, l := range f.c.Loads {
		f.end = max(f.end, l.To)
	}
	if err := f.gather(); err != nil {
		return err
	}
	f.traffic = f.requests()
	for i := range f.Faults {
		f.answers = append(f.answers, f.ask(i, f.mainObjective(f.Faults[i].Fault)))
	}
	f.incidents = incidents(f.effects)
	ps := f.phases(f.c.Warmup, f.end, f.answers)
	f.hists = &measure.Histograms{}
	f.latencies = requests.NewSlowdownTest(f.Recording, f.base)
	blocks := f.blockPhases()
	sums, err := f.compose(slices.Concat(ps, blocks))
	if err != nil {
		return err
	}
	sums, inBlocks := sums[:len(ps)], sums[len(ps):]
	f.latencies.Finish()
	for i := range f.Faults {
		f.slower = append(f.slower, f.latencies.Slower(i))
		f.tells = append(f.tells, f.latencies.Tells(i))
	}
	for i := range f.Faults {
		f.answers[i] = f.ask(i, f.mainObjective(f.Faults[i].Fault))
	}
	for _, p := range ps {
		f.out.Phases = append(f.out.Phases, result.Phase{Name: p.name, Start: result.Sec(p.From), End: result.Sec(p.To)})
	}
	for i, oc := range f.Faults {
		ff := FaultFinding{
			Occurrence: oc, Answer: f.reported(i), Limit: f.c.Limit, Requests: f.traffic[i],
			Parts: parts(f.effects, i, ps, sums),
		}
		ff.SlowLeast, ff.Slow = f.Config.SlowRange()
		ff.Required = f.required(i, ff.Answer)
		f.out.Faults = append(f.out.Faults, ff)
	}
	for _, in := range f.incidents {
		f.out.Incidents = append(f.out.Incidents, in.row(f.readings))
	}
	f.blockTable(blocks, inBlocks)
	f.table(ps, sums)
	f.errorGroups(ps, sums)
	f.health(ps, sums)
	f.judge(ps, sums)
	f.out.Histograms = f.hists
	f.out.Slowest, err = requests.SlowestRequests(f.Recording, f.c.TraceID, f.c.Samples)
	return err
}

// compose reads every cell once more and adds it to its phases. The result is indexed by phase and
// series. It also makes the rows of windows.
func (f *composer) compose(ps []phase) ([][]measure.Cell, error) {
	n := len(f.Config.Steps) + len(f.Config.Loads)
	sums := make([][]measure.Cell, len(ps))
	for i := range sums {
		sums[i] = make([]measure.Cell, n)
	}
	f.planBlocks(ps)
	w, in, during := f.newRows(), indexed(ps), f.bySecond()
	cells := 0
	err := f.Cells(func(k measure.Key, c *measure.Cell) {
		for i := range in.Of(k, f.Sets[k.Set]) {
			if ps[i].has(k, f.Sets[k.Set]) {
				sums[i][k.Series].Add(c)
				for _, b := range f.blocks[i] {
					b.Add(&f.Config.Series, i, k, c)
				}
			}
		}
		for _, incident := range during[measure.FloorSecond(k.Start)] {
			incident.add(f.effects, k, c)
		}
		if f.latencies != nil {
			f.latencies.Add(f.Recording, k, c, f.late[k.Start])
		}
		f.out.Clamped += c.Clamped
		w.add(cells, k, c)
		cells++
	})
	w.finish()
	return sums, err
}
