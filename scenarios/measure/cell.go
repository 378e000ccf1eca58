package measure

import (
	"time"

	"brunt/scenarios"
)

// Key identifies the requests that a cell counts.
type Key struct {
	Start  time.Duration // start of the window
	Series int32         // the step, or the iteration of a load
	Set    int32         // number of the set of faults that the requests met
}

// A Cell counts the requests of one key.
type Cell struct {
	Kinds    [scenarios.Kinds]int64
	over     []int64  // by limit: ok answers that exceed it
	lateOver []int64  // by limit: the answers in over that exceed it only by brunt's own time
	Response [3]Times // by kind: ok, shed, error
	Service  [3]Times
	Lag      Times // lag of every request of the load; only in the iteration's cell
	Queue    Times
	Timings  [scenarios.RequestPhases]PhaseTimes
	Resent   Resent
	Causes   []CauseCount
	Bytes    int64
	checks   checks
	Sent     int64
	Attempts int64 // how often requests were written
	Clamped  int64
	own      own
	cut      Cut
	Late     Late
	Slow     int64 // ok answers slower than allowed; see Config.Slow
	Edges    Edges // of a step; not added up over seconds
	During   Events
}

// checks counts the checks of answers; see checksOf.
type checks struct {
	all, failed int64
	wants       wants
}

// wants counts the good answers of steps that say what a complete answer contains, and how many of them lack a part.
type wants struct{ all, partial int64 }

func (w *wants) count(o *scenarios.Outcome) {
	if o.Kind == scenarios.OK && o.Wants {
		w.all++
		if o.Partial {
			w.partial++
		}
	}
}

// own counts the effects of brunt's own time on requests.
type own struct {
	overdue int64         // timeouts that brunt's own time used up; see overdue
	slow    int64         // answers that are slow only by brunt's own time
	skipped int64         // steps skipped because brunt failed to send the step before
	time    time.Duration // sum of brunt's own time in good answers
	most    time.Duration // the longest good answer without brunt's own time
}

// Late holds figures of ok answers that brunt's own time hides.
type Late struct {
	Punctual PhaseTimes // their response times without brunt's own time
	Missed   []Missed   // by fault
}

// Missed counts the ok answers to requests that were due while a fault was active, but that a late brunt was ready to
// send only after it: they did not meet that fault.
type Missed struct {
	Fault int32 // number of the occurrence
	N     int64
}

// miss counts n answers that missed a fault.
func (c *Cell) miss(fault int32, n int64) {
	for i := range c.Late.Missed {
		if c.Late.Missed[i].Fault == fault {
			c.Late.Missed[i].N += n
			return
		}
	}
	c.Late.Missed = append(c.Late.Missed, Missed{fault, n})
}

// An excess is a limit that an answer exceeds.
type excess struct {
	limit int32
	late  bool // it exceeds the limit only by brunt's own time
}

// Events counts what happened in a window to requests of the series, independent of when they were
// intended and which faults they met. It is kept in the cell of the empty set of faults.
type Events struct {
	Sent     int64
	Answered int64
	Ended    int64 // without skipped requests
	Ready    int64 // requests that became ready to be sent, or were over; without skipped requests
}

// A CauseCount counts the requests that failed for one cause.
type CauseCount struct {
	Cause       scenarios.Cause
	N           int64
	First, Last time.Duration // when the requests ended
}

// Offered returns the number of requests that the cell counts.
func (c *Cell) Offered() int64 {
	return c.Kinds[scenarios.OK] + c.Kinds[scenarios.Shed] + c.Kinds[scenarios.Error] + c.Kinds[scenarios.Skipped]
}

// record counts a request. over lists the limits that its answer exceeds; ours is brunt's own time in it.
func (c *Cell) record(o *scenarios.Outcome, over []excess, ours time.Duration, limits int, s *Scratch) {
	c.Kinds[o.Kind]++
	checks, failed := checksOf(o)
	c.checks.all += checks
	c.checks.failed += failed
	c.checks.wants.count(o)
	c.own.count(o, ours)
	c.cut.count(o, over, limits)
	if o.Kind == scenarios.Skipped {
		return
	}
	c.Bytes += o.Bytes
	if o.WasSent {
		c.Sent++
	}
	c.Attempts += o.Written()
	c.Clamped += c.Response[o.Kind].take(o.Response(), s) + c.Service[o.Kind].take(o.Service(), s)
	if o.Kind == scenarios.OK {
		c.Late.Punctual.take(max(0, o.Response()-ours))
	}
	if o.Kind != scenarios.OK {
		over = nil
	}
	for _, x := range over {
		c.overs(limits)[x.limit]++
		if x.late {
			c.lateOver = roomFor(c.lateOver, limits)
			c.lateOver[x.limit]++
		}
	}
	if o.Kind == scenarios.Error {
		c.cause(o.Cause, 1, o.End, o.End)
	}
}

// edge records a request in the edges of its cell, and counts it if it is slow: if its response time exceeds slow,
// where zero means no limit. ours is brunt's own time in the request; taken is the part of the response time that
// does not count against slow; second is the second of the intended time.
//
// A request that brunt sent late met the target at that later time, so its mark is the time at which it was ready to
// be sent, or the end of its second.
func (c *Cell) edge(o *scenarios.Outcome, ours, taken, slow, second time.Duration) {
	e := &c.Edges
	at := markOf(o, second)
	lagged := false
	switch o.Kind {
	case scenarios.Shed:
		e.ShedAt(second, at)
	case scenarios.OK:
		if rt := o.Response(); slow > 0 && rt > slow {
			c.Slow++
			if lagged = rt-taken <= slow; !lagged {
				e.SlowAt(second, at)
				return
			}
			c.own.slow++
		}
		e.GoodAt(second, at)
	default:
		if lagged = o.Cause.Own() || overdue(o, ours); !lagged {
			e.BadAt(second, at)
		}
		if o.Cause == scenarios.Unfinished {
			long := slow > 0 && o.Kind == scenarios.Error && o.Response()-taken > slow
			if long {
				c.cut.Slow++
			}
			lagged = !long // bad or not: see Edges.Uncut
		}
	}
	if lagged {
		e.LagAt(second, at)
	}
}

// markOf returns the time of a request in edges; see [Cell.edge].
func markOf(o *scenarios.Outcome, second time.Duration) time.Duration {
	return max(o.Intended, min(o.Intended+o.Lag(), second+time.Second-edgeSlot))
}

// overEdge records an answer in the edges of its cell that exceeds limits, but for those that it exceeds only by
// brunt's own time.
func (c *Cell) overEdge(o *scenarios.Outcome, over []excess, limits []Limit, second time.Duration) {
	for _, x := range over {
		if !x.late && limits[x.limit].Edges {
			c.Edges.OverAt(int(x.limit), second, markOf(o, second))
		}
	}
}

// timings counts the phases of a request.
func (c *Cell) timings(o *scenarios.Outcome) {
	for i, d := range o.Timings() {
		if d > 0 {
			c.Timings[i].take(d)
		}
	}
	if o.Opening.Resent > 0 {
		c.Resent.count(o.Opening.Connect)
	}
}

// count adds a request with brunt's own time in it.
func (w *own) count(o *scenarios.Outcome, ours time.Duration) {
	switch o.Kind {
	case scenarios.OK:
		w.time += ours
		w.most = max(w.most, o.Response()-ours)
	case scenarios.Error:
		if overdue(o, ours) {
			w.overdue++
		}
	case scenarios.Skipped:
		if o.Cause.Own() || overdue(o, ours) {
			w.skipped++
		}
	}
}

// add adds the counts of v.
func (w *own) add(v *own) {
	w.overdue += v.overdue
	w.skipped += v.skipped
	w.slow += v.slow
	w.time += v.time
	w.most = max(w.most, v.most)
}

// overs returns over with room for n limits.
func (c *Cell) overs(n int) []int64 {
	c.over = roomFor(c.over, n)
	return c.over
}

// roomFor returns counts with room for n of them.
func roomFor(counts []int64, n int) []int64 {
	if len(counts) < n {
		counts = append(counts, make([]int64, n-len(counts))...)
	}
	return counts
}

// cause counts n errors of a cause that ended from first to last. A cell has few causes, so
// searching a list is faster than a map.
func (c *Cell) cause(cause scenarios.Cause, n int64, first, last time.Duration) {
	for i := range c.Causes {
		if have := &c.Causes[i]; have.Cause == cause {
			have.N += n
			have.First, have.Last = min(have.First, first), max(have.Last, last)
			return
		}
	}
	c.Causes = append(c.Causes, CauseCount{cause, n, first, last})
}

// causeOf returns the number of errors of a cause.
func (c *Cell) causeOf(cause scenarios.Cause) int64 {
	for i := range c.Causes {
		if c.Causes[i].Cause == cause {
			return c.Causes[i].N
		}
	}
	return 0
}

// waits counts a request's lag and queue.
func (c *Cell) waits(o *scenarios.Outcome, s *Scratch) {
	c.Clamped += c.Lag.take(o.Lag(), s) + c.Queue.take(o.Queue(), s)
}

// times lists every distribution of the cell.
func (c *Cell) times() [8]*Times {
	return [8]*Times{
		&c.Response[0], &c.Response[1], &c.Response[2], &c.Service[0], &c.Service[1], &c.Service[2], &c.Lag, &c.Queue,
	}
}

// Settle makes the cell ready to be merged or written.
func (c *Cell) Settle(s *Scratch) {
	for _, t := range c.times() {
		t.settle(s)
	}
}

// reset empties the cell and keeps its memory.
func (c *Cell) reset() {
	for _, t := range c.times() {
		t.reset()
		t.sum, t.Most = 0, 0
	}
	for i := range c.Timings {
		c.Timings[i].reset()
	}
	c.Late.Punctual.reset()
	clear(c.over)
	clear(c.lateOver)
	clear(c.cut.Over)
	c.Edges.Reset()
	*c = Cell{
		Edges: c.Edges, over: c.over, lateOver: c.lateOver, cut: Cut{Over: c.cut.Over},
		Response: c.Response, Service: c.Service, Lag: c.Lag,
		Queue:   c.Queue,
		Timings: c.Timings, Causes: c.Causes[:0], Late: Late{c.Late.Punctual, c.Late.Missed[:0]},
	}
}

// trim frees the memory that the requests of a settled cell did not need. Otherwise a cell that is reused would in
// the end have as much memory as its largest use needed.
func (c *Cell) trim() {
	for _, t := range c.times() {
		t.trim()
	}
	for i := range c.Timings {
		c.Timings[i].trim()
	}
	c.Late.Punctual.trim()
}

// Add adds the counts of d. Both cells are settled.
func (c *Cell) Add(d *Cell) {
	from := d.times()
	for i, t := range c.times() {
		t.merge(&from[i].Tally)
	}
	c.addCounts(d)
}

// Gather adds the counts of others. All cells are settled.
func (c *Cell) Gather(others []*Cell, s *Scratch) {
	tallies := make([]*Tally, len(others))
	for i, t := range c.times() {
		for j, d := range others {
			tallies[j] = &d.times()[i].Tally
		}
		t.gather(tallies, s)
	}
	for _, d := range others {
		c.addCounts(d)
	}
}

// addCounts adds the counts of d without its distributions.
func (c *Cell) addCounts(d *Cell) {
	for k := range c.Kinds {
		c.Kinds[k] += d.Kinds[k]
	}
	from := d.times()
	for i, t := range c.times() {
		t.sum += from[i].sum
		t.Most = max(t.Most, from[i].Most)
	}
	for i, n := range d.over {
		c.overs(len(d.over))[i] += n
	}
	c.lateOver = roomFor(c.lateOver, len(d.lateOver))
	for i, n := range d.lateOver {
		c.lateOver[i] += n
	}
	c.own.add(&d.own)
	c.cut.merge(&d.cut)
	for i := range c.Timings {
		c.Timings[i].Add(&d.Timings[i])
	}
	c.Resent.Merge(&d.Resent)
	c.Late.Punctual.Add(&d.Late.Punctual)
	for _, n := range d.Late.Missed {
		c.miss(n.Fault, n.N)
	}
	for _, n := range d.Causes {
		c.cause(n.Cause, n.N, n.First, n.Last)
	}
	c.Bytes += d.Bytes
	c.checks.all += d.checks.all
	c.checks.failed += d.checks.failed
	c.checks.wants.all += d.checks.wants.all
	c.checks.wants.partial += d.checks.wants.partial
	c.Sent += d.Sent
	c.Attempts += d.Attempts
	c.Clamped += d.Clamped
	c.Slow += d.Slow
	c.During.Sent += d.During.Sent
	c.During.Answered += d.During.Answered
	c.During.Ended += d.During.Ended
	c.During.Ready += d.During.Ready
}

// AddWaits adds the lag and queue of d.
func (c *Cell) AddWaits(d *Cell) {
	c.Lag.merge(&d.Lag.Tally)
	c.Queue.merge(&d.Queue.Tally)
	c.Lag.Most, c.Queue.Most = max(c.Lag.Most, d.Lag.Most), max(c.Queue.Most, d.Queue.Most)
}

// Observed returns the distribution of the response times of all requests that ended, good or bad.
func (c *Cell) Observed() *Tally {
	t := &Tally{}
	for i := range c.Response {
		t.merge(&c.Response[i].Tally)
	}
	return t
}

// Cut returns the number of requests that brunt cut off; see [Cut].
func (c *Cell) Cut() int64 { return c.cut.N() }
