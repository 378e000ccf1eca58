package judge

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// An evaluator judges the objectives of a run from its recording, while the run goes on and when it is over:
//
//	cells --tally--> records, sums by phase --answer--> effects of faults --phases--> report --> Findings
//
// When the run is over it reads the cells a second time, for sums that depend on the first reading: recoveries,
// causes of incidents, seconds for intervals, and answers that are slower than in the baseline.
type evaluator struct {
	read    *readings
	effects *effects
	tables  *tables
	out     *Findings
	blocks  map[int][]*requests.Blocks // blocks by phase, for the intervals of objectives
	unheld  [][]measure.Cell           // by phase: sums without the windows of heldWindows; nil without such windows
}

func newEvaluator(r *measure.Recording, c Case) *evaluator {
	if c.Hold <= 0 {
		c.Hold = scenarios.DefaultHold
	}
	if c.Limit <= 0 {
		c.Limit = scenarios.DefaultLimit
	}
	known := make([]Occurrence, len(r.Faults))
	for i := range known {
		known[i] = c.Of(i)
	}
	c.Occurrences = known
	read := &readings{Recording: r, c: c}
	out := &Findings{
		Causes: map[scenarios.Cause]int64{}, LagByPhase: map[slo.Phase]PhaseLag{},
		Starved: map[slo.Phase]float64{},
	}
	return &evaluator{
		read: read, effects: &effects{read: read, asked: map[asked]effect.Answer{}, befores: map[asked]before{}},
		tables: &tables{read: read, out: out}, out: out,
	}
}

// Judge computes the phases of a recording and judges the objectives. It returns an error if measurements cannot be
// read back. Measurements that could not be written to disk are judged from memory, and a note says so.
func Judge(r *measure.Recording, c Case) (*Findings, error) {
	e := newEvaluator(r, c)
	if r.Err != nil {
		e.out.Notes = append(e.out.Notes, r.Err.Error()+"; later measurements were kept in memory and are complete")
	}
	for _, l := range e.read.c.Loads {
		e.read.end = max(e.read.end, l.To)
	}
	t := newTally(e.read)
	err := r.Cells(func(k measure.Key, c *measure.Cell) {
		t.add(r, e.read.c.Blocks, k, c)
		e.out.Clamped += c.Clamped
	})
	if err != nil {
		return nil, err
	}
	lasts := t.lasts()
	e.read.take(t.records)
	e.answer()
	e.effects.incidents = incidents(e.effects)
	ps := e.effects.phases()
	sums := make([][]measure.Cell, len(ps))
	for i, p := range ps {
		if p.numbered() {
			sums[i] = t.of(&e.read.Config, p.number())
		} else {
			sums[i] = newCells(&e.read.Config)
		}
	}
	e.tables.hists = &measure.Histograms{}
	e.effects.testSlowness(t.of(&e.read.Config, measure.PhaseBaseline))
	if err := e.readAgain(ps, sums, e.tables.newRows(lasts)); err != nil {
		return nil, err
	}
	e.effects.finishSlowness()
	e.tables.blockTable(e.tables.blockPhases(), t.blocks)
	e.report(ps, sums)
	e.out.Slowest, err = requests.SlowestRequests(r, e.read.c.TraceID, e.read.c.Samples)
	return e.out, err
}

// answer computes the effect of each occurrence from the records so far.
func (e *evaluator) answer() {
	if e.effects.answers == nil {
		e.read.traffic = e.read.requests()
		e.effects.answers = make([]effect.Answer, len(e.read.Faults))
	}
	for i := range e.read.Faults {
		e.effects.answers[i] = e.effects.ask(i, e.effects.mainObjective(e.read.Faults[i].Fault))
	}
}

// readAgain reads every cell a second time. It adds up the phases without numbers, counts the causes of incidents,
// and fills the blocks for intervals, the test of slower answers, and the rows of windows.
func (e *evaluator) readAgain(ps []phase, sums [][]measure.Cell, w *rows) error {
	e.planBlocks(ps)
	held := e.read.heldWindows()
	if len(held) > 0 {
		for range ps {
			e.unheld = append(e.unheld, newCells(&e.read.Config))
		}
	}
	in, during := indexed(ps), e.effects.bySecond()
	cells := 0
	err := e.read.Cells(func(k measure.Key, c *measure.Cell) {
		for i := range in.Of(k, e.read.Sets[k.Set]) {
			if !ps[i].has(&e.read.History, k) {
				continue
			}
			if !ps[i].numbered() {
				sums[i][k.Series].Add(c)
			}
			if _, left := held[k.Start]; e.unheld != nil && !left {
				e.unheld[i][k.Series].Add(c)
			}
			for _, b := range e.blocks[i] {
				b.Add(&e.read.Config.Series, i, k, c)
			}
		}
		for _, incident := range during[measure.FloorSecond(k.Start)] {
			incident.add(e.effects, k, c)
		}
		for _, s := range e.effects.slow {
			s.test.Add(e.read.Recording, k, c, e.read.late[k.Start])
		}
		w.add(cells, k, c)
		cells++
	})
	w.finish()
	return err
}

// report composes the findings from the sums of phases by series. It runs when the test of slower answers is done.
func (e *evaluator) report(ps []phase, sums [][]measure.Cell) {
	e.answer()
	for _, p := range ps {
		e.out.Phases = append(e.out.Phases, result.Phase{Name: p.name, Start: result.Sec(p.From), End: result.Sec(p.To)})
	}
	unsteady := e.effects.unsteady()
	for i, oc := range e.read.Faults {
		ff := FaultFinding{
			Occurrence: oc, Answer: e.effects.reported(i), Limit: e.read.c.Limit, Requests: e.read.traffic[i],
			Parts: parts(e.effects, i, ps, sums), Unsteady: unsteady[i],
		}
		ff.SlowLeast, ff.Slow = e.read.Config.SlowRange()
		ff.Required = e.effects.required(i, ff.Answer)
		ff.Unrecovered = e.effects.unrecovered(i, ff.Answer)
		ff.Note = ff.Notes.Phrase(nil)
		ff.Required.Say()
		ff.Unsteady.Say()
		e.out.Faults = append(e.out.Faults, ff)
	}
	for _, in := range e.effects.incidents {
		e.out.Incidents = append(e.out.Incidents, in.row(e.read))
	}
	e.tables.table(ps, sums)
	e.tables.errorGroups(ps, sums)
	e.tables.health(ps, sums)
	e.amplified(ps, sums)
	for _, o := range e.read.c.SLO {
		e.out.Objectives = append(e.out.Objectives, e.judge(o, ps, sums))
	}
	if steady := e.read.c.Steady; steady != nil {
		o := *steady
		o.Phase = slo.Phase{Kind: slo.BaselinePhase}
		e.out.Steady = e.judge(o, ps, sums)
	}
	e.out.Histograms = e.tables.hists
}

// amplified computes the calls on links for each request of the load.
func (e *evaluator) amplified(ps []phase, sums [][]measure.Cell) {
	if len(e.read.c.Links) == 0 {
		return
	}
	var names []slo.Phase
	var spans []requests.Span
	var sent []int64
	for i, p := range ps {
		names, spans = append(names, p.name), append(spans, p.Span)
		sent = append(sent, requests.Sent(&e.read.Config.Series, slo.Objective{}, sums[i]))
	}
	e.out.Amplified = series.Amplifications(e.read.c.Links, names, spans, sent)
}

// judge judges an objective.
func (e *evaluator) judge(o slo.Objective, ps []phase, sums [][]measure.Cell) result.ObjectiveResult {
	var r result.ObjectiveResult
	switch {
	case o.Metric.OfFault():
		r = e.effects.judgeFault(o)
	case o.OfDelivery():
		r = judgeDeliveries(o, e.read.c.Deliveries)
	case o.Metric.OfLedger():
		r = judgeWrites(o, e.read.c.Ledgers)
	case o.Metric.OfTraces():
		r = e.judgePhases(o, ps, func(o slo.Objective, _ int, p phase) result.ObjectiveResult {
			return judgeTraces(o, p, e.read.c.Traces)
		})
	case o.Metric.OfRegister():
		r = judgeRegisters(o, e.read.c.Consistency)
	case o.Metric.OfLink():
		r = e.judgePhases(o, ps, func(o slo.Objective, i int, p phase) result.ObjectiveResult {
			return e.read.c.Lost.Gauge(p.Span, series.JudgeLink(o, p.name, p.Span, e.read.c.Links,
				requests.Sent(&e.read.Config.Series, o, sums[i])))
		})
	case o.Metric.OfSeries():
		r = e.judgePhases(o, ps, func(o slo.Objective, i int, p phase) result.ObjectiveResult {
			return e.read.c.Lost.Gauge(p.Span, series.JudgeGauge(o, p.name, p.Span, e.read.c.Usage, e.read.c.Series,
				requests.Sent(&e.read.Config.Series, o, sums[i])))
		})
	default:
		r = e.judgePhases(o, ps, func(o slo.Objective, i int, p phase) result.ObjectiveResult {
			return e.judgeIn(o, p, i, sums[i])
		})
	}
	judgeResolution(o, &r, e.read.c.Deliveries)
	e.effects.judgeSkipped(o, &r)
	r.ID, r.Text, r.Metric, r.Op, r.Target = o.ID, o.Text, o.Metric.Text, o.Op, requests.RelativeTarget(o, &r)
	r.Asked = &o
	r.Infinite = math.IsInf(float64(r.Measured), 1)
	r.Say()
	return r
}
