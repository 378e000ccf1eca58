package measure

import (
	"time"

	"brunt/scenarios"
)

// key says which requests a cell counts.
type key struct {
	start  time.Duration // of the window
	series int32         // the step, or the iteration of a load
	set    int32         // the faults that the requests' lives overlapped
}

// A cell counts the requests of one key.
type cell struct {
	kinds    [scenarios.Kinds]int64
	over     []int64  // by limit: answers that were ok, but not within it
	response [3]times // by kind: ok, shed, error
	service  [3]times
	lag      times // of every request of the load; in its iteration's cell only
	queue    times
	causes   []causeCount
	bytes    int64
	checks   int64 // see checksOf
	failed   int64 // checks that did not hold
	sent     int64
	clamped  int64
	during   events
}

// events count what happened in a window to requests of the series, whenever they
// were intended and whatever they met. They are kept in the cell of no fault.
type events struct {
	sent     int64
	answered int64
	ended    int64 // the skipped left out
}

type causeCount struct {
	cause       scenarios.Cause
	n           int64
	first, last time.Duration // when the requests ended
}

// offered is how many requests the cell counts.
func (c *cell) offered() int64 {
	return c.kinds[scenarios.OK] + c.kinds[scenarios.Shed] + c.kinds[scenarios.Error] + c.kinds[scenarios.Skipped]
}

// record counts a request. Over are the limits that its answer was not within.
func (c *cell) record(o *scenarios.Outcome, over []int32, limits int, s *scratch) {
	c.kinds[o.Kind]++
	checks, failed := checksOf(o)
	c.checks += checks
	c.failed += failed
	if o.Kind == scenarios.Skipped {
		return
	}
	c.bytes += o.Bytes
	if o.WasSent {
		c.sent++
	}
	c.clamped += c.response[o.Kind].take(o.Response(), s) + c.service[o.Kind].take(o.Service(), s)
	for _, i := range over {
		c.overs(limits)[i]++
	}
	if o.Kind == scenarios.Error {
		c.cause(o.Cause, 1, o.End, o.End)
	}
}

// overs is over with room for n limits.
func (c *cell) overs(n int) []int64 {
	if len(c.over) < n {
		c.over = append(c.over, make([]int64, n-len(c.over))...)
	}
	return c.over
}

// cause counts n errors of a cause that ended from first to last. There are few
// causes in a cell, so that a list is searched faster than a map.
func (c *cell) cause(cause scenarios.Cause, n int64, first, last time.Duration) {
	for i := range c.causes {
		if have := &c.causes[i]; have.cause == cause {
			have.n += n
			have.first, have.last = min(have.first, first), max(have.last, last)
			return
		}
	}
	c.causes = append(c.causes, causeCount{cause, n, first, last})
}

// causeOf is how many errors are of a cause.
func (c *cell) causeOf(cause scenarios.Cause) int64 {
	for i := range c.causes {
		if c.causes[i].cause == cause {
			return c.causes[i].n
		}
	}
	return 0
}

// waits counts a request's lag and queue.
func (c *cell) waits(o *scenarios.Outcome, s *scratch) {
	c.clamped += c.lag.take(o.Lag(), s) + c.queue.take(o.Queue(), s)
}

// times goes over every distribution of the cell.
func (c *cell) times() [8]*times {
	return [8]*times{
		&c.response[0], &c.response[1], &c.response[2], &c.service[0], &c.service[1], &c.service[2], &c.lag, &c.queue,
	}
}

// settle makes the cell ready to be merged or written.
func (c *cell) settle(s *scratch) {
	for _, t := range c.times() {
		t.settle(s)
	}
}

// reset empties the cell and keeps its memory.
func (c *cell) reset() {
	for _, t := range c.times() {
		t.reset()
		t.sum, t.most = 0, 0
	}
	clear(c.over)
	*c = cell{over: c.over, response: c.response, service: c.service, lag: c.lag, queue: c.queue, causes: c.causes[:0]}
}

// add takes over what d counts. Both are settled.
func (c *cell) add(d *cell) {
	from := d.times()
	for i, t := range c.times() {
		t.merge(&from[i].tally)
	}
	c.addCounts(d)
}

// gather takes over what others count. All are settled.
func (c *cell) gather(others []*cell, s *scratch) {
	tallies := make([]*tally, len(others))
	for i, t := range c.times() {
		for j, d := range others {
			tallies[j] = &d.times()[i].tally
		}
		t.gather(tallies, s)
	}
	for _, d := range others {
		c.addCounts(d)
	}
}

// addCounts takes over what d counts but for its distributions.
func (c *cell) addCounts(d *cell) {
	for k := range c.kinds {
		c.kinds[k] += d.kinds[k]
	}
	from := d.times()
	for i, t := range c.times() {
		t.sum += from[i].sum
		t.most = max(t.most, from[i].most)
	}
	for i, n := range d.over {
		c.overs(len(d.over))[i] += n
	}
	for _, n := range d.causes {
		c.cause(n.cause, n.n, n.first, n.last)
	}
	c.bytes += d.bytes
	c.checks += d.checks
	c.failed += d.failed
	c.sent += d.sent
	c.clamped += d.clamped
	c.during.sent += d.during.sent
	c.during.answered += d.during.answered
	c.during.ended += d.during.ended
}

// addWaits takes over lag and queue of d.
func (c *cell) addWaits(d *cell) {
	c.lag.merge(&d.lag.tally)
	c.queue.merge(&d.queue.tally)
	c.lag.most, c.queue.most = max(c.lag.most, d.lag.most), max(c.queue.most, d.queue.most)
}

// observed is the distribution of the response times of all requests that came to
// an end, good or not.
func (c *cell) observed() *tally {
	t := &tally{}
	for i := range c.response {
		t.merge(&c.response[i].tally)
	}
	return t
}
