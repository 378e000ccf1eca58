package measure

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"brunt/scenarios"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Case is what there is to judge once the load is over.
type Case struct {
	SLO     []scenarios.Objective
	Faults  map[string]FaultCase // by the name in the scenario
	Loads   []Span               // when each load could begin iterations
	Warmup  time.Duration
	Hold    time.Duration
	Strict  bool
	Seed    uint64
	Checks  []string // names of checks, by number
	Samples *Samples // nil keeps none
}

// FaultCase is what the verdict needs to know of a fault.
type FaultCase struct {
	RequireImpact bool
	Within        time.Duration
}

// Findings is all that a run's measurements came to.
type Findings struct {
	Phases     []scenarios.Phase
	Cells      []scenarios.Cell
	Errors     []scenarios.ErrorGroup
	Windows    []scenarios.Window
	Objectives []scenarios.ObjectiveResult
	Faults     []FaultFinding // one for each occurrence, in the order of injection
	Lag        scenarios.Lag
	Queue      scenarios.Lag
	LagByPhase map[string]float64 // p99 of lag, seconds
	Offered    int64
	Sent       int64
	Clamped    int64
	Causes     map[scenarios.Cause]int64
	Histograms scenarios.Histograms
	Notes      []string
}

// FaultFinding is what one occurrence of a fault did.
type FaultFinding struct {
	Occurrence
	Answer
	Limit    float64
	Requests int64 // of the load during its phase
}

// Finish sorts what is left, composes the phases and judges the objectives. The
// recorder can't be used afterwards; Close frees its file.
func (r *Recorder) Finish(c Case) (*Findings, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fold()
	r.close(math.MaxInt64)
	if r.err != nil {
		return nil, r.err
	}
	f := &finisher{Recorder: r, c: c, out: &Findings{Causes: map[scenarios.Cause]int64{}, LagByPhase: map[string]float64{}}}
	return f.out, f.finish()
}

// Close frees the recorder's file. Histograms of its findings can't be read then.
func (r *Recorder) Close() error { return r.spill.close() }

// finisher composes the findings.
type finisher struct {
	*Recorder
	c       Case
	out     *Findings
	end     time.Duration // of the judged load
	starts  []time.Duration
	series  map[time.Duration][]Sum // by window, of each series; without histograms
	ended   map[time.Duration]int64
	answers []Answer
	hists   *histograms
	blocks  []*blocks // for the intervals of objectives
}

func (f *finisher) finish() error {
	for _, l := range f.c.Loads {
		f.end = max(f.end, l.To)
	}
	if err := f.gather(); err != nil {
		return err
	}
	for i := range f.faults {
		f.answers = append(f.answers, f.ask(i, f.mainObjective(f.faults[i].Fault)))
	}
	ps := f.phases(f.c.Warmup, f.end, f.answers)
	f.hists = &histograms{}
	sums, err := f.compose(ps)
	if err != nil {
		return err
	}
	for _, p := range ps {
		f.out.Phases = append(f.out.Phases, scenarios.Phase{Name: p.name, Start: scenarios.Sec(p.From), End: scenarios.Sec(p.To)})
	}
	for i, oc := range f.faults {
		ff := FaultFinding{Occurrence: oc, Answer: f.answers[i], Limit: f.limit(oc.Fault)}
		for j, p := range ps {
			if p.name == oc.Name && oc.Name != "" {
				for s := range f.cfg.Steps {
					ff.Requests += sums[j][s].offered()
				}
			}
		}
		f.out.Faults = append(f.out.Faults, ff)
	}
	f.cells(ps, sums)
	f.health(ps, sums)
	f.judge(ps, sums)
	f.out.Histograms = f.hists
	return nil
}

// gather reads every cell once for the counts of each window and series.
func (f *finisher) gather() error {
	f.series = map[time.Duration][]Sum{}
	f.ended = map[time.Duration]int64{}
	n := len(f.cfg.Steps) + len(f.cfg.Loads)
	err := f.spill.each(func(k key, c *cell) error {
		row := f.series[k.start]
		if row == nil {
			row = make([]Sum, n)
			f.series[k.start] = row
		}
		s := c.asSum()
		s.response, s.service = nil, nil
		row[k.series].merge(s)
		if int(k.series) < len(f.cfg.Steps) {
			f.ended[k.start] += c.answered
		}
		return nil
	})
	// a window may have been cut after requests were sorted into its first part
	for _, m := range f.marks {
		if f.series[m] == nil && m < f.end {
			f.series[m] = make([]Sum, n)
		}
	}
	for t := floorSecond(-f.c.Warmup); t < f.end; t += time.Second {
		if f.series[t] == nil {
			f.series[t] = make([]Sum, n)
		}
	}
	f.starts = slices.Sorted(maps.Keys(f.series))
	return err
}

// endOf is the end of the window that begins at start: the next second or cut.
func (f *finisher) endOf(start time.Duration) time.Duration {
	end := floorSecond(start) + time.Second
	i, found := slices.BinarySearch(f.marks, start)
	if found {
		i++
	}
	if i < len(f.marks) && f.marks[i] < end {
		end = f.marks[i]
	}
	return end
}

// slices gives the windows of the judged run as the objective o sees them. Bad are
// errors and skipped, and answers over the limit that o names.
func (f *finisher) slices(o scenarios.Objective) []Slice {
	limit := limitIndex(f.cfg.Limits, o)
	if o.Metric.Span == 0 {
		limit = -1
	}
	var out []Slice
	for _, start := range f.starts {
		if start < 0 || start >= f.end {
			continue
		}
		s := Slice{Start: start, End: f.endOf(start), Ended: f.ended[start], InFlight: f.flight[start]}
		sum := f.cfg.sum(o, f.series[start], 0)
		s.Offered = sum.Offered()
		s.N = s.Offered - sum.Kinds[scenarios.Shed]
		s.Bad = sum.Bad()
		s.Good = sum.Kinds[scenarios.OK]
		if limit >= 0 && limit < len(sum.Over) {
			s.Bad += sum.Over[limit]
			s.Good -= sum.Over[limit]
		}
		out = append(out, s)
	}
	return out
}

// mainObjective is the objective whose view of the fault its record shows: the
// first that is measured from it, else one of all requests.
func (f *finisher) mainObjective(fault string) scenarios.Objective {
	for _, name := range []string{"recover", "heal", "failover", "onset", "degraded", "failed", "area"} {
		for _, o := range f.c.SLO {
			if o.Metric.Name == name && baseName(o.After) == fault {
				return o
			}
		}
	}
	return scenarios.Objective{Metric: scenarios.Metric{Name: "recover"}}
}

// baseName is the fault's name without the number of its occurrence.
func baseName(s string) string {
	for i := range s {
		if s[i] == '#' {
			return s[:i]
		}
	}
	return s
}

// limit is L, the share of bad requests that counts as impact: that of the
// tightest objective on errors or availability that covers the fault, else 1 %.
func (f *finisher) limit(fault string) float64 { return LimitOf(f.c.SLO, fault) }

// LimitOf is L of a fault under the objectives slo. An objective covers a fault
// when it is judged over the run, the fault's phase or its recovery.
func LimitOf(slo []scenarios.Objective, fault string) float64 {
	limit := math.Inf(1)
	for _, o := range slo {
		p := o.PhaseOrRun()
		if p != "run" && baseName(p) != fault && baseName(p) != "recovery/"+fault {
			continue
		}
		switch {
		case o.Metric.Name == "errors" && o.Upper() && o.Value > 0:
			limit = min(limit, o.Value)
		case o.Metric.Name == "availability" && !o.Upper() && o.Value < 1:
			limit = min(limit, 1-o.Value)
		}
	}
	if math.IsInf(limit, 1) {
		return scenarios.DefaultLimit
	}
	return limit
}

// ask finds what occurrence i did, as the objective o sees it.
func (f *finisher) ask(i int, o scenarios.Objective) Answer {
	oc := f.faults[i]
	if oc.Name == "" {
		return Answer{Impact: scenarios.NotInjected, OnsetAt: scenarios.NaN, FailoverAt: scenarios.NaN, RecoveredAt: scenarios.NaN}
	}
	all := f.slices(o)
	q := Question{Slices: all, Injected: oc.Injected, Cleared: math.MaxInt64, Horizon: f.end, Limit: f.limit(oc.Fault), Hold: f.c.Hold}
	if oc.Over {
		q.Cleared = oc.Cleared
	}
	first := f.firstInjection()
	for _, s := range all {
		if s.End <= first {
			q.Baseline = append(q.Baseline, s)
		}
	}
	var next *Occurrence
	for j := range f.faults {
		if g := &f.faults[j]; j != i && g.Name != "" && g.Injected >= oc.Injected && (next == nil || g.Injected < next.Injected) {
			next = g
		}
	}
	if next != nil {
		q.Horizon = min(q.Horizon, next.Injected)
	}
	a := Ask(q)
	f.confound(i, &a, next)
	return a
}

// confound marks an answer that can't be told apart from another fault's doing.
func (f *finisher) confound(i int, a *Answer, next *Occurrence) {
	oc := f.faults[i]
	why := ""
	for j := range i {
		g := f.faults[j]
		switch {
		case g.Name == "":
		case !g.Over || g.Cleared > oc.Injected:
			why = g.Name + " was in as well"
		case j < len(f.answers) && (f.answers[j].Impact == scenarios.NotRecovered || f.answers[j].Impact == scenarios.Confounded):
			why = g.Name + " had not been recovered from"
		}
	}
	if next != nil && why == "" {
		switch {
		case !oc.Over || next.Injected < oc.Cleared:
			why = next.Name + " was in as well"
		case a.Impact == scenarios.NotRecovered || a.Impact == scenarios.UnknownYet:
			why = next.Name + " was injected before recovery could show"
		}
	}
	if why != "" {
		a.Impact, a.Note = scenarios.Confounded, why
		a.RecoveredAt, a.FailoverAt = scenarios.NaN, scenarios.NaN
	}
}

// maxRows bounds the rows of single steps in a result; beyond it only the sums
// over all steps are kept by the second.
const maxRows = 20_000

// compose reads every cell once more and adds it to the phases it belongs to. The
// result is indexed by phase and series. It makes the rows of windows on its way.
func (f *finisher) compose(ps []phase) ([][]cell, error) {
	n := len(f.cfg.Steps) + len(f.cfg.Loads)
	sums := make([][]cell, len(ps))
	for i := range sums {
		sums[i] = make([]cell, n)
	}
	f.planBlocks(ps)
	w := windows{finisher: f, rows: map[time.Duration][]*cell{}, single: len(f.starts)*(len(f.cfg.Steps)+1) <= maxRows}
	err := f.spill.each(func(k key, c *cell) error {
		for i := range ps {
			if ps[i].has(k, f.sets[k.set]) {
				sums[i][k.series].add(c)
				for _, b := range f.blocks {
					b.add(i, k, c)
				}
			}
		}
		f.out.Clamped += c.clamped
		w.add(k, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	w.flush(math.MaxInt64)
	slices.SortStableFunc(f.out.Windows, func(a, b scenarios.Window) int { return cmp.Compare(a.T, b.T) })
	if !w.single {
		f.out.Notes = append(f.out.Notes, "windows of single steps are left out of result.json, as there are more than 20 000")
	}
	return sums, nil
}

// windows makes the rows of windows. Cells come nearly in the order of time; a
// window is written once those that come are clearly later.
type windows struct {
	*finisher
	rows   map[time.Duration][]*cell
	latest time.Duration
	single bool // rows of single steps as well
}

func (w *windows) add(k key, c *cell) {
	row := w.rows[k.start]
	if row == nil {
		row = make([]*cell, len(w.cfg.Steps)+len(w.cfg.Loads))
		w.rows[k.start] = row
	}
	if row[k.series] == nil {
		row[k.series] = &cell{}
	}
	row[k.series].add(c)
	if k.start > w.latest {
		w.latest = k.start
		if len(w.rows) > 256 {
			w.flush(k.start - 2*w.cfg.Timeout - time.Minute)
		}
	}
}

func (w *windows) flush(before time.Duration) {
	for _, start := range slices.Sorted(maps.Keys(w.rows)) {
		if start >= before {
			return
		}
		w.write(start, w.rows[start])
		delete(w.rows, start)
	}
}

func (w *windows) write(start time.Duration, row []*cell) {
	all := &cell{}
	waits := &cell{}
	for i, c := range row {
		switch {
		case c == nil:
		case i >= len(w.cfg.Steps):
			merge(&waits.lag, c.lag)
			merge(&waits.queue, c.queue)
			waits.lagMost, waits.queMost = max(waits.lagMost, c.lagMost), max(waits.queMost, c.queMost)
		default:
			all.add(c)
		}
	}
	w.row(start, "*", "*", all, waits, true)
	if !w.single {
		return
	}
	for i, c := range row {
		if c == nil || i >= len(w.cfg.Steps) {
			continue
		}
		s := w.cfg.Steps[i]
		w.row(start, w.cfg.Loads[s.Load].Name, s.Name, c, &cell{}, false)
	}
}

func (w *windows) row(start time.Duration, load, step string, c, waits *cell, keep bool) {
	row := scenarios.Window{
		T: scenarios.Sec(start), D: scenarios.Sec(w.endOf(start) - start), Load: load, Step: step,
		Offered: c.offered(), Sent: c.sent, Answered: c.answered, OK: c.kinds[scenarios.OK], Shed: c.kinds[scenarios.Shed],
		Error: c.kinds[scenarios.Error], Skipped: c.kinds[scenarios.Skipped],
		Lag: at99(waits.lag, waits.lagMost), Queue: at99(waits.queue, waits.queMost), Max: scenarios.NaN,
	}
	if load == "*" {
		row.InFlight = w.flight[start]
		if row.Offered == 0 && row.Sent == 0 && row.Answered == 0 && start >= w.end {
			return // the grace, when nothing happened any more
		}
	} else if row.Offered+row.Sent+row.Answered == 0 {
		return
	}
	s := c.asSum()
	row.P50 = scenarios.Num(s.quantile(scenarios.Metric{Name: "p"}, .5))
	row.P95 = scenarios.Num(s.quantile(scenarios.Metric{Name: "p"}, .95))
	row.P99 = scenarios.Num(s.quantile(scenarios.Metric{Name: "p"}, .99))
	if m := max(c.most[scenarios.OK], c.most[scenarios.Error], c.most[scenarios.Shed]); m > 0 {
		row.Max = scenarios.Sec(m)
	}
	for cause, n := range c.causes {
		if row.Kinds == nil {
			row.Kinds = map[string]int64{}
		}
		row.Kinds[cause.Name(w.c.Checks)] += n.n
	}
	if keep {
		row.Hist = w.hists.put(observed(c), start, w.endOf(start)-start)
	}
	w.out.Windows = append(w.out.Windows, row)
}

// observed is the distribution of the response times of all requests that came to
// an end, good or not.
func observed(c *cell) *hdrhistogram.PackedHistogram {
	var h *hdrhistogram.PackedHistogram
	for _, part := range c.response {
		merge(&h, part)
	}
	return h
}

func at99(h *hdrhistogram.PackedHistogram, most time.Duration) scenarios.Num {
	if h == nil {
		return scenarios.NaN
	}
	return scenarios.Num(valueAt(h, rank(.99, h.TotalCount()), most))
}

// cells makes the table of what was measured in each phase.
func (f *finisher) cells(ps []phase, sums [][]cell) {
	for i, p := range ps {
		total := &cell{}
		byLoad := make([]cell, len(f.cfg.Loads))
		for s, step := range f.cfg.Steps {
			total.add(&sums[i][s])
			byLoad[step.Load].add(&sums[i][s])
		}
		f.rows(p, "*", "*", total, p.length())
		for l, load := range f.cfg.Loads {
			span := p.overlap(f.c.Loads[l])
			if p.name == "warmup" {
				span = p.length()
			}
			if len(f.cfg.Loads) > 1 {
				f.rows(p, load.Name, "*", &byLoad[l], span)
			}
			for s, step := range f.cfg.Steps {
				if step.Load == l {
					f.rows(p, load.Name, step.Name, &sums[i][s], span)
				}
			}
			f.rows(p, load.Name, "iteration", &sums[i][len(f.cfg.Steps)+l], span)
		}
	}
	f.errorGroups(ps, sums)
}

// rows writes a row for all outcomes and one for each that occurred.
func (f *finisher) rows(p phase, load, step string, c *cell, span time.Duration) {
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
	s := c.asSum()
	f.out.Cells = append(f.out.Cells, scenarios.Cell{
		Phase: p.name, Load: load, Step: step, Outcome: "*", Count: n, Rate: rate(n), Bytes: c.bytes,
		Hist:     f.hists.put(observed(c), p.From, p.length()),
		Response: f.times(s, scenarios.Metric{Name: "p"}), Service: f.times(s, scenarios.Metric{Name: "p", Of: "service"}),
	})
	for k := scenarios.OK; k < scenarios.Kinds; k++ {
		if c.kinds[k] == 0 {
			continue
		}
		row := scenarios.Cell{Phase: p.name, Load: load, Step: step, Outcome: k.String(), Count: c.kinds[k], Rate: rate(c.kinds[k]), Response: scenarios.NoTimes, Service: scenarios.NoTimes}
		if k != scenarios.Skipped {
			row.Hist = f.hists.put(c.response[k], p.From, p.length())
			row.Response = plainTimes(c.response[k], c.sum[k], c.most[k])
			row.Service = plainTimes(c.service[k], c.svcSum[k], c.svcMost[k])
		}
		f.out.Cells = append(f.out.Cells, row)
	}
}

// times are percentiles as objectives judge them.
func (f *finisher) times(s *Sum, m scenarios.Metric) scenarios.Times {
	at := func(q float64) scenarios.Num { return scenarios.Num(s.quantile(m, q)) }
	o := scenarios.Objective{Metric: m}
	measure := func(name string) scenarios.Num {
		o.Metric.Name = name
		return scenarios.Num(s.measure(o, -1))
	}
	return scenarios.Times{P50: at(.5), P90: at(.9), P95: at(.95), P99: at(.99), P999: at(.999), Max: measure("max"), Mean: measure("mean")}
}

// plainTimes are percentiles of one outcome.
func plainTimes(h *hdrhistogram.PackedHistogram, sum, most time.Duration) scenarios.Times {
	if h == nil {
		return scenarios.NoTimes
	}
	at := func(q float64) scenarios.Num {
		return scenarios.Num(valueAt(h, rank(q, h.TotalCount()), most))
	}
	return scenarios.Times{
		P50: at(.5), P90: at(.9), P95: at(.95), P99: at(.99), P999: at(.999), Max: scenarios.Sec(most),
		Mean: scenarios.Num(sum.Seconds() / float64(h.TotalCount())),
	}
}

// errorGroups lists the errors of the judged run by step and cause, most first.
func (f *finisher) errorGroups(ps []phase, sums [][]cell) {
	run := slices.IndexFunc(ps, func(p phase) bool { return p.name == "run" })
	for s, step := range f.cfg.Steps {
		for cause, n := range sums[run][s].causes {
			f.out.Causes[cause] += n.n
			f.out.Errors = append(f.out.Errors, scenarios.ErrorGroup{
				Kind: cause.Name(f.c.Checks), Load: f.cfg.Loads[step.Load].Name, Step: step.Name, Count: n.n,
				First: scenarios.Sec(n.first), Last: scenarios.Sec(n.last), Sample: f.sample(int32(s), cause),
			})
		}
	}
	slices.SortFunc(f.out.Errors, func(a, b scenarios.ErrorGroup) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Kind, b.Kind))
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
			c := &sums[i][len(f.cfg.Steps)+l]
			merge(&all.lag, c.lag)
			merge(&all.queue, c.queue)
			all.lagMost, all.queMost = max(all.lagMost, c.lagMost), max(all.queMost, c.queMost)
		}
		if p99 := at99(all.lag, all.lagMost); p99.Known() && p.name != "warmup" {
			f.out.LagByPhase[p.name] = float64(p99)
		}
		if p.name != "run" {
			continue
		}
		f.out.Lag, f.out.Queue = lagOf(all.lag, all.lagMost), lagOf(all.queue, all.queMost)
		for s := range f.cfg.Steps {
			f.out.Offered += sums[i][s].offered()
		}
		for start, row := range f.series {
			for s := range f.cfg.Steps {
				if start >= 0 {
					f.out.Sent += row[s].Sent
				}
			}
		}
	}
}

func lagOf(h *hdrhistogram.PackedHistogram, most time.Duration) scenarios.Lag {
	if h == nil {
		return scenarios.Lag{}
	}
	at := func(q float64) scenarios.Num { return scenarios.Num(valueAt(h, rank(q, h.TotalCount()), most)) }
	return scenarios.Lag{P50: at(.5), P99: at(.99), Max: scenarios.Sec(most)}
}

// histograms keeps the histograms of a result by number.
type histograms struct{ list []scenarios.HistogramInfo }

func (h *histograms) put(hist *hdrhistogram.PackedHistogram, start, span time.Duration) int {
	if hist == nil || hist.TotalCount() == 0 {
		return 0
	}
	h.list = append(h.list, scenarios.HistogramInfo{N: len(h.list) + 1, Start: start, Span: span, HDR: hist})
	return len(h.list)
}

// Get implements [scenarios.Histograms].
func (h *histograms) Get(n int) (*hdrhistogram.PackedHistogram, error) {
	if n < 1 || n > len(h.list) {
		return nil, nil
	}
	return h.list[n-1].HDR, nil
}

// All implements [scenarios.Histograms].
func (h *histograms) All() iter.Seq2[scenarios.HistogramInfo, error] {
	return func(yield func(scenarios.HistogramInfo, error) bool) {
		for _, i := range h.list {
			if !yield(i, nil) {
				return
			}
		}
	}
}
