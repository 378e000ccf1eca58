package measure

import (
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// Fold sorts the samples of the shards into cells, and spills the windows whose requests have all
// ended. It is called a few times a second. On a write error the cells stay in memory, which grows
// until the run ends; no data is lost, and Finish can still be called.
func (r *Recorder) Fold() error {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	now := r.cfg.Now()
	if r.cfg.InFlight != nil {
		start, _ := bounds(now, r.windows.marks)
		r.flight[start] = max(r.flight[start], r.cfg.InFlight())
	}
	r.mu.Unlock()
	r.close(now - r.cfg.Timeout - time.Second)
	return r.err
}

// relieve sorts the samples of the shards if one of them is full. Of several callers that wait for it the first sorts.
func (r *Recorder) relieve() {
	r.folding.Lock()
	defer r.folding.Unlock()
	if slices.ContainsFunc(r.shards, (*Shard).full) {
		r.fold()
	}
}

// spare keeps the buffer of a shard for the next shard, unless it has been much larger than needed for a while, as
// after a burst.
func (s *sorter) spare(full []scenarios.Outcome) []scenarios.Outcome {
	const awhile = 50 // number of folds; two of them may follow each other immediately
	if cap(full) <= backlog || len(full) >= cap(full)/8 {
		s.large = 0
		return full
	}
	if s.large++; s.large < awhile {
		return full
	}
	s.large = 0
	return nil
}

// A sorter is the working memory of a fold. Folding is held while it is used.
type sorter struct {
	scratch Scratch
	spent   []scenarios.Outcome // a shard's samples while they are sorted, then its next buffer
	large   int                 // number of folds in a row in which that buffer was much larger than needed
	over    []excess            // limits that the request being sorted exceeds
	freezes []Freeze            // freezes of brunt, as of this fold
	longest []time.Duration     // by series: the longest good answer so far, without brunt's own time
	turn    turn
}

// An archive holds the windows that are closed. Folding is held while it is used.
type archive struct {
	spill *spill
	gone  []*Window // windows being spilled
	base  []Cell    // by series: the closed windows' part of the baseline
	err   error     // the first error of the spill file
}

// atOnce is the number of samples that are sorted between two checks of the clock.
const atOnce = 128

// fold sorts the samples of the shards. Folding is held.
func (r *Recorder) fold() {
	r.turn.begin()
	r.takeLags()
	r.release()
	for _, s := range r.shards {
		full := s.swap(r.spent)
		if r.cfg.Freezes != nil { // after the swap, so that they hold every freeze in which a sample ended
			r.freezes = r.cfg.Freezes()
		}
		r.turn.hurry = r.turn.hurry || len(full) >= backlog
		r.seeLate(full)
		for rest := full; len(rest) > 0; {
			n := min(atOnce, len(rest))
			r.sortAll(rest[:n])
			r.keepAll(rest[:n])
			rest = rest[n:]
			r.turn.end()
		}
		r.spent = r.spare(full)
	}
}

// seeLate notes the lag of requests before any of them is sorted. When brunt stops for a moment, the answers to
// requests that are under way wait to be read, and end before the requests whose lag shows that brunt stopped. Of a
// request that is still under way, [Recorder.Late] tells.
func (r *Recorder) seeLate(samples []scenarios.Outcome) {
	if r.cfg.SlowShare == 0 { // see taken
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range samples {
		o := &samples[i]
		if lag := o.Lag(); lag >= seenLate && o.Step != scenarios.IterationStep && (!r.cfg.Follows || o.End <= r.known) {
			w := r.windows.at(o.Intended)
			w.late = max(w.late, lag)
		}
	}
}

// seenLate is the least lag that [Recorder.seeLate] notes. It is far below [leastAbove].
const seenLate = time.Millisecond

func (r *Recorder) sortAll(samples []scenarios.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range samples {
		if r.cfg.Follows && samples[i].End > r.known {
			r.held = append(r.held, samples[i])
			continue
		}
		r.sort(&samples[i])
	}
}

// keepAll passes requests to Config.Keep.
func (r *Recorder) keepAll(samples []scenarios.Outcome) {
	if r.cfg.Keep == nil {
		return
	}
	r.mu.Lock() // Name replaces the steps
	of := Series{Steps: r.cfg.Steps}
	r.mu.Unlock()
	for i := range samples {
		if s := samples[i].Step; s != scenarios.IterationStep && of.InSums(int(s)) {
			r.cfg.Keep(&samples[i])
		}
	}
}

// sort counts one request in its cells.
func (r *Recorder) sort(o *scenarios.Outcome) {
	series := int(o.Step)
	iteration := o.Step == scenarios.IterationStep
	if iteration {
		series = len(r.cfg.Steps) + int(o.Load)
	}
	r.latest = max(r.latest, o.End)
	set := r.setOf(o)
	w := r.windows.at(o.Intended)
	c := r.windows.cell(w, series, set)
	over := r.over[:0]
	ours := r.ours(o)
	if o.Kind == scenarios.OK {
		r.longest[series] = max(r.longest[series], o.Response()-ours)
	}
	if len(r.cfg.Limits) > 0 && (o.Kind == scenarios.OK || o.Kind == scenarios.Error && o.Cause == scenarios.Unfinished) {
		over = r.beyond(o, ours, over)
	}
	c.record(o, over, ours, len(r.cfg.Limits), &r.scratch)
	if set != 0 && o.Kind == scenarios.OK {
		r.miss(o, c, set)
	}
	r.since[series].count(o, over, ours, len(r.cfg.Limits))
	if o.Kind != scenarios.Skipped {
		r.events(o, w, series, iteration)
	}
	if iteration {
		return
	}
	w.late = max(w.late, o.Lag())
	c.edge(o, ours, r.taken(w, ours), r.cfg.slowOf(series), w.second)
	c.overEdge(o, over, r.cfg.Limits, w.second)
	if o.Kind != scenarios.Skipped {
		c.timings(o)
	}
	if !r.cfg.InSums(series) {
		if o.Intended >= 0 && len(r.steps) > 0 {
			r.steps[series].count(o, &r.scratch)
		}
		return
	}
	r.slow.Add(o, set)
	if r.cfg.SlowShare > 0 && o.Kind == scenarios.OK && o.Intended >= 0 && r.FirstInjection() == Never {
		r.usual[series].take(max(0, o.Response()-ours))
	}
	if o.Intended >= 0 {
		r.offered++
		if o.Kind == scenarios.Error || o.Kind == scenarios.Skipped {
			r.bad++
		}
		if len(r.steps) > 0 {
			r.steps[series].count(o, &r.scratch)
		}
	}
	if o.Kind == scenarios.Skipped {
		return
	}
	r.windows.cell(w, len(r.cfg.Steps)+int(o.Load), set).waits(o, &r.scratch)
	if o.Kind == scenarios.OK {
		_ = r.live.RecordValue(min(max(int64(o.Response()/time.Microsecond), 0), result.HistMax))
	}
	_ = r.lag.RecordValue(min(int64(o.Lag()/time.Microsecond), result.HistMax))
}

// miss counts an answer that missed faults of its set.
func (r *Recorder) miss(o *scenarios.Outcome, c *Cell, set int32) {
	for _, n := range r.Sets[set] {
		if f := &r.Faults[n]; o.Intended < f.Until() && o.Ready >= f.Until() {
			c.miss(n, 1)
		}
	}
}

// beyond lists the limits that an answer exceeds, or a request until it was cut off. ours is brunt's own time in it.
func (r *Recorder) beyond(o *scenarios.Outcome, ours time.Duration, into []excess) []excess {
	response, service := o.Response(), o.Service()
	for i, l := range r.cfg.Limits {
		if !l.holds(response, service) {
			into = append(into, excess{int32(i), l.holds(response-ours, service-(ours-o.Lag()))})
		}
	}
	r.over = into
	return into
}

// ours returns brunt's own time in a request: its lag, and the freezes of brunt from then to its end. For a timeout
// that passed in a freeze it is the whole time: the answer may have come in time, while brunt could not read it. A
// freeze shorter than a tenth of the request does not count in this way: if no answer had come until then, none was
// to be expected in that moment.
//
// It is zero for a timeout before which the target had more than twice the time of the longest good answer of the
// step so far, and over [leastAbove] more than that answer: brunt's own time did not cause this timeout, because the
// request would have timed out without it as well. A target that hangs while brunt is late is down nevertheless.
func (r *Recorder) ours(o *scenarios.Outcome) time.Duration {
	d := o.Lag()
	for i := len(r.freezes) - 1; i >= 0; i-- {
		f := &r.freezes[i]
		if f.To <= o.Ready {
			break
		}
		if o.Cause.Waited() && o.End > f.From && o.End <= f.To && 10*(f.To-f.From) >= o.Response() {
			return max(0, o.Response())
		}
		d += max(0, min(f.To, o.End)-max(f.From, o.Ready))
	}
	d = min(d, max(0, o.Response()))
	if o.Cause.Waited() && d > 0 {
		if longest := r.longestOf(o); longest > 0 && o.Response()-d > max(2*longest, longest+leastAbove) {
			return 0
		}
	}
	return d
}

// longestOf returns the longest good answer so far of the series of a request, without brunt's own time; zero if
// there is none. A skipped step has the times of a step before it in its load, so the longest answer of any step of
// the load counts.
func (r *Recorder) longestOf(o *scenarios.Outcome) (d time.Duration) {
	switch {
	case o.Step == scenarios.IterationStep:
		return r.longest[len(r.cfg.Steps)+int(o.Load)]
	case o.Kind != scenarios.Skipped:
		return r.longest[o.Step]
	}
	for s := range o.Step {
		if r.cfg.Steps[s].Load == int(o.Load) {
			d = max(d, r.longest[s])
		}
	}
	return d
}

// taken returns the time of a request that does not count against a limit of slow answers. For a limit from the
// baseline it includes the largest lag in the request's window: for want of a processor brunt woke up that late, and
// may have read the answer that late, or a target on the same machine may have answered that late. For a limit that
// the scenario sets, only brunt's own time is subtracted.
func (r *Recorder) taken(w *Window, ours time.Duration) time.Duration {
	if r.cfg.SlowShare > 0 {
		ours += w.late
	}
	return ours
}

// events counts the events of a request in the windows in which they happened.
func (r *Recorder) events(o *scenarios.Outcome, w *Window, series int, iteration bool) {
	if o.WasSent && !iteration {
		r.windows.cell(r.windows.near(w, o.Sent), series, 0).During.Sent++
	}
	r.windows.cell(r.windows.near(w, min(max(o.Ready, o.Intended), o.End)), series, 0).During.Ready++
	during := &r.windows.cell(r.windows.near(w, o.End), series, 0).During
	during.Ended++
	if o.Answered && !iteration {
		during.Answered++
	}
}

// close spills the windows that ended before horizon. Folding is held, so no other goroutine uses
// the cells.
func (r *Recorder) close(horizon time.Duration) {
	r.mu.Lock()
	r.gone = r.windows.close(horizon, r.gone[:0])
	r.slow.Pack(func(set int32) bool { return r.isOver(set, horizon) })
	r.mu.Unlock()
	for _, w := range r.gone {
		w.Each(r.spillCell)
		r.mu.Lock()
		r.windows.free(w)
		r.mu.Unlock()
	}
	r.keepError(r.spill.flush())
}

// spillCell spills one cell.
func (r *Recorder) spillCell(k Key, c *Cell) {
	c.Settle(&r.scratch)
	r.mu.Lock()
	base := r.InBaseline(k)
	if len(r.cfg.Totals) > 0 {
		n := c.Counts()
		r.PhasesOf(k, func(p int32) {
			if r.totaled(p) {
				r.closed.add(p, int(k.Series), r.windows.series, n)
			}
		})
	}
	r.mu.Unlock()
	if base {
		r.base[k.Series].Add(c)
	}
	r.keepError(r.spill.write(k, c))
	r.turn.end()
}

// keepError keeps the first error of the spill file.
func (a *archive) keepError(err error) {
	if err != nil && a.err == nil {
		a.err = err
	}
}

// A turn limits how long folding holds the processor. The dispatcher waits for its next arrival in
// the runtime's poller, which runs only when no goroutine can run, so folding sleeps;
// runtime.Gosched is not enough. Measured on one core with 80 000 samples and 2000 arrivals a
// second, the p99.9 of their lag is 0.43 ms without turns, 0.66 with Gosched and 0.25 with sleep.
type turn struct {
	pause time.Duration // zero means that folding never sleeps
	began time.Time
	hurry bool // too many samples wait
}

const (
	longestTurn = 50 * time.Microsecond
	shortPause  = 20 * time.Microsecond
	backlog     = 1 << 15 // number of samples; more than that are sorted in one turn
)

func (t *turn) begin() { t.began, t.hurry = time.Now(), false }

func (t *turn) end() {
	if t.hurry || t.pause == 0 || time.Since(t.began) < longestTurn {
		return
	}
	time.Sleep(t.pause)
	t.began = time.Now()
}
