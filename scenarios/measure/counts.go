package measure

import (
	"slices"
	"time"

	"brunt/scenarios"
)

// Counts holds counts of requests, summed over cells.
type Counts struct {
	Kinds    [scenarios.Kinds]int64
	Sent     int64
	Attempts int64   // how often requests were written
	Over     []int64 // by limit
	Timeouts int64
	Checks   int64 // see checksOf
	Failed   int64 // checks that failed
	Wants    int64 // good answers of steps that say what a complete answer contains
	Partial  int64 // good answers that lack a part of that
	// ok answers slower than [Config.Slow] allows; only in counts of cells, because intervals do not count them
	Slow     int64
	Total    time.Duration // sum of the response times of good answers; the next three are of good answers as well
	Most     time.Duration
	SvcTotal time.Duration
	SvcMost  time.Duration
	Response *Tally // response times of good answers
	Service  *Tally
	Own      Own
	Cut      Cut
}

// Cut counts the bad requests that brunt cut off at the end of the run. Each lasted at least as long as it did by then;
// whether it would have been answered is unknown. [Counts.Uncut] leaves them out.
type Cut struct {
	Errors  int64
	Skipped int64   // steps that were skipped after such a request
	Slow    int64   // of Errors: they lasted longer than [Config.Slow] allows
	Over    []int64 // by limit: of Errors, they lasted longer than it
}

// N returns the number of requests.
func (c *Cut) N() int64 { return c.Errors + c.Skipped }

// count adds a request if brunt cut it off. over lists the limits that it exceeded by then.
// [Cell.edge] counts the slow ones.
func (c *Cut) count(o *scenarios.Outcome, over []excess, limits int) {
	switch {
	case o.Cause != scenarios.Unfinished:
		return
	case o.Kind == scenarios.Skipped:
		c.Skipped++
		return
	}
	c.Errors++
	for _, x := range over {
		if !x.late {
			c.Over = roomFor(c.Over, limits)
			c.Over[x.limit]++
		}
	}
}

// merge adds the counts of d.
func (c *Cut) merge(d *Cut) {
	c.Errors, c.Skipped, c.Slow = c.Errors+d.Errors, c.Skipped+d.Skipped, c.Slow+d.Slow
	c.Over = roomFor(c.Over, len(d.Over))
	for i, n := range d.Over {
		c.Over[i] += n
	}
}

// Uncut returns the counts without the requests that brunt cut off, but with those that lasted longer than a limit, by
// its number, as bad. A negative limit means none.
func (s *Counts) Uncut(limit int) *Counts {
	long := int64(0)
	if limit >= 0 && limit < len(s.Cut.Over) {
		long = s.Cut.Over[limit]
	}
	return s.uncut(long)
}

// UncutSlow is Uncut with the limit of slow answers.
func (s *Counts) UncutSlow() *Counts { return s.uncut(s.Cut.Slow) }

func (s *Counts) uncut(bad int64) *Counts {
	out := *s
	left := s.Cut.N() - bad
	out.Kinds[scenarios.Error] -= s.Cut.Errors - bad
	out.Kinds[scenarios.Skipped] -= s.Cut.Skipped
	out.Checks -= left
	out.Failed -= left
	out.Cut = Cut{}
	return &out
}

// Own is the part of counts that brunt itself caused: requests that it never sent, or for which its machine had no
// socket, and the time that its lag and freezes added to other requests. [Counts.Punctual] removes this part.
type Own struct {
	Over     []int64       // by limit: answers that exceed it only by brunt's own time
	Errors   int64         // errors with a cause that is [scenarios.Cause.Own], and overdue timeouts
	Timeouts int64         // overdue timeouts
	Skipped  int64         // steps skipped because brunt failed to send the step before
	Slow     int64         // answers that are slow only by brunt's own time
	Total    time.Duration // brunt's own time in good answers
	Most     time.Duration // the longest good answer without brunt's own time
}

// Unsent returns the number of requests that say nothing about the target, because brunt failed to send them.
func (w *Own) Unsent() int64 { return w.Errors + w.Skipped }

// Punctual returns the counts that a generator without delay would have: without brunt's own time in each request,
// and without requests that brunt failed to send. The distributions stay as they are.
func (s *Counts) Punctual() *Counts {
	out := *s
	w := &s.Own
	out.Kinds[scenarios.Error] -= w.Errors
	out.Kinds[scenarios.Skipped] -= w.Skipped
	out.Timeouts -= w.Timeouts
	out.Checks -= w.Unsent()
	out.Failed -= w.Unsent()
	out.Slow -= w.Slow
	out.Total -= w.Total
	out.Most = w.Most
	if len(w.Over) > 0 {
		out.Over = slices.Clone(s.Over)
	}
	for i, n := range w.Over {
		out.Over[i] -= n
	}
	out.Own = Own{Most: w.Most}
	return &out
}

// merge adds the counts of v.
func (w *Own) merge(v *Own) {
	w.Over = roomFor(w.Over, len(v.Over))
	for i, n := range v.Over {
		w.Over[i] += n
	}
	w.Errors += v.Errors
	w.Timeouts += v.Timeouts
	w.Skipped += v.Skipped
	w.Slow += v.Slow
	w.Total += v.Total
	w.Most = max(w.Most, v.Most)
}

// Offered returns the number of requests that the load offered.
func (s *Counts) Offered() int64 {
	return s.Kinds[scenarios.OK] + s.Kinds[scenarios.Shed] + s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped]
}

// Bad returns the number of requests that were neither ok nor shed.
func (s *Counts) Bad() int64 { return s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped] }

// checksOf returns the number of checks of a request, and how many of them failed. The checks of a bad request
// without a failed check could not be made: the request got no complete answer, or a value to extract was missing.
// Such a request counts as one failed check, and so does an answer whose only fault is its status. So `checks` is 100
// % only if `errors` is 0 %.
func checksOf(o *scenarios.Outcome) (n, failed int64) {
	n, failed = int64(o.Checks), int64(o.Failed)
	if failed == 0 && (o.Kind == scenarios.Error || o.Kind == scenarios.Skipped) {
		return n + 1, 1
	}
	return n, failed
}

// overdue reports whether brunt's own time, by lag or freezes, used up at least a tenth of the timeout of a request
// that then timed out. Such a timeout says nothing about the target, unless the target still had far more time than
// it ever took to answer; see [Recorder.ours]. A step that was skipped because of a timeout is judged like the
// request that timed out.
func overdue(o *scenarios.Outcome, ours time.Duration) bool {
	return o.Cause.Waited() && 10*ours >= o.Response()
}

// count adds one request. over lists the limits that its answer exceeds; ours is brunt's own time in it.
func (s *Counts) count(o *scenarios.Outcome, over []excess, ours time.Duration, limits int) {
	s.Kinds[o.Kind]++
	checks, failed := checksOf(o)
	s.Checks += checks
	s.Failed += failed
	w := wants{s.Wants, s.Partial}
	w.count(o)
	s.Wants, s.Partial = w.all, w.partial
	if o.WasSent && o.Kind != scenarios.Skipped {
		s.Sent++
		s.Attempts += o.Written()
	}
	switch {
	case o.Kind == scenarios.Skipped:
		if o.Cause.Own() || overdue(o, ours) {
			s.Own.Skipped++
		}
	case o.Kind == scenarios.Error && o.Cause.Own():
		s.Own.Errors++
	case o.Cause.Waited():
		s.Timeouts++
		if overdue(o, ours) {
			s.Own.Errors++
			s.Own.Timeouts++
		}
	}
	if o.Kind != scenarios.OK {
		s.Cut.count(o, over, limits)
		return
	}
	rt, st := o.Response(), o.Service()
	s.Total += rt
	s.Most = max(s.Most, rt)
	s.SvcTotal += st
	s.SvcMost = max(s.SvcMost, st)
	s.Own.Total += ours
	s.Own.Most = max(s.Own.Most, rt-ours)
	for _, x := range over {
		s.overs(limits)[x.limit]++
		if x.late {
			s.Own.Over = roomFor(s.Own.Over, limits)
			s.Own.Over[x.limit]++
		}
	}
}

func (s *Counts) overs(n int) []int64 {
	s.Over = roomFor(s.Over, n)
	return s.Over
}

// Merge adds the counts of t.
func (s *Counts) Merge(t *Counts) {
	for k := range s.Kinds {
		s.Kinds[k] += t.Kinds[k]
	}
	for i, n := range t.Over {
		s.overs(len(t.Over))[i] += n
	}
	s.Sent += t.Sent
	s.Attempts += t.Attempts
	s.Timeouts += t.Timeouts
	s.Checks += t.Checks
	s.Failed += t.Failed
	s.Wants += t.Wants
	s.Partial += t.Partial
	s.Slow += t.Slow
	s.Total += t.Total
	s.Most = max(s.Most, t.Most)
	s.SvcTotal += t.SvcTotal
	s.SvcMost = max(s.SvcMost, t.SvcMost)
	s.Own.merge(&t.Own)
	s.Cut.merge(&t.Cut)
	s.Response = join(s.Response, t.Response)
	s.Service = join(s.Service, t.Service)
}

// AtOnce returns the counts of n good requests that were answered at once.
func AtOnce(n int64) *Counts {
	out := &Counts{Sent: n, Attempts: n, Checks: n}
	out.Kinds[scenarios.OK] = n
	out.Response = &Tally{at: []uint16{0}, n: []int64{n}, Total: n}
	out.Service = out.Response
	return out
}

// join returns a tally with the counts of both; nil is an empty tally.
func join(a, b *Tally) *Tally {
	if b == nil {
		return a
	}
	if a == nil {
		a = &Tally{}
	}
	a.merge(b)
	return a
}

// Counts returns the counts of a cell without its distributions.
func (c *Cell) Counts() *Counts {
	return &Counts{
		Kinds: c.Kinds, Over: c.over, Sent: c.Sent, Attempts: c.Attempts, Checks: c.checks.all, Failed: c.checks.failed,
		Wants: c.checks.wants.all, Partial: c.checks.wants.partial, Slow: c.Slow, Timeouts: c.causeOf(scenarios.Timeout),
		Total: c.Response[scenarios.OK].sum, Most: c.Response[scenarios.OK].Most,
		SvcTotal: c.Service[scenarios.OK].sum, SvcMost: c.Service[scenarios.OK].Most,
		Own: Own{
			Over: c.lateOver, Errors: c.ownErrors(), Timeouts: c.own.overdue, Skipped: c.own.skipped, Slow: c.own.slow,
			Total: c.own.time, Most: c.own.most,
		},
		Cut: c.cut,
	}
}

// ownErrors returns the number of errors that brunt itself caused.
func (c *Cell) ownErrors() int64 {
	n := c.own.overdue
	for i := range c.Causes {
		if c.Causes[i].Cause.Own() {
			n += c.Causes[i].N
		}
	}
	return n
}

// Answers returns the number of errors that are answers, such as those with a status.
func (c *Cell) Answers() (n int64) {
	for i := range c.Causes {
		if c.Causes[i].Cause.OfAnswer() {
			n += c.Causes[i].N
		}
	}
	return n
}

// CountsWithTimes returns the counts of a settled cell. The result shares the cell's memory.
func (c *Cell) CountsWithTimes() *Counts {
	s := c.Counts()
	s.Response, s.Service = &c.Response[scenarios.OK].Tally, &c.Service[scenarios.OK].Tally
	return s
}
