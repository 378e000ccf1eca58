package measure

import (
	"time"

	"brunt/scenarios"
)

// Counts holds the counts of requests of some cells.
type Counts struct {
	Kinds    [scenarios.Kinds]int64
	Sent     int64
	Over     []int64 // by limit
	Timeouts int64
	Checks   int64         // see checksOf
	Failed   int64         // checks that failed
	Total    time.Duration // of good answers, as are the next three
	Most     time.Duration
	SvcTotal time.Duration
	SvcMost  time.Duration
	Response *Tally // of good answers
	Service  *Tally
}

// Offered is the number of requests that the load offered.
func (s *Counts) Offered() int64 {
	return s.Kinds[scenarios.OK] + s.Kinds[scenarios.Shed] + s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped]
}

// Bad is the number of requests that were neither ok nor shed.
func (s *Counts) Bad() int64 { return s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped] }

// checksOf is the number of checks of a request, and how many of them failed. The checks of a bad
// request without a failed check could not be made: the request got no complete answer, or a value
// to extract was missing. Such a request counts as one failed check, as does an answer whose only
// fault is its status. So `checks` is 100 % only where `errors` is 0 %.
func checksOf(o *scenarios.Outcome) (n, failed int64) {
	n, failed = int64(o.Checks), int64(o.Failed)
	if failed == 0 && (o.Kind == scenarios.Error || o.Kind == scenarios.Skipped) {
		return n + 1, 1
	}
	return n, failed
}

// count adds one request. Over are the limits that its answer exceeds.
func (s *Counts) count(o *scenarios.Outcome, over []int32, limits int) {
	s.Kinds[o.Kind]++
	checks, failed := checksOf(o)
	s.Checks += checks
	s.Failed += failed
	if o.WasSent && o.Kind != scenarios.Skipped {
		s.Sent++
	}
	if o.Cause == scenarios.Timeout {
		s.Timeouts++
	}
	if o.Kind != scenarios.OK {
		return
	}
	rt, st := o.Response(), o.Service()
	s.Total += rt
	s.Most = max(s.Most, rt)
	s.SvcTotal += st
	s.SvcMost = max(s.SvcMost, st)
	for _, i := range over {
		s.overs(limits)[i]++
	}
}

func (s *Counts) overs(n int) []int64 {
	if len(s.Over) < n {
		s.Over = append(s.Over, make([]int64, n-len(s.Over))...)
	}
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
	s.Timeouts += t.Timeouts
	s.Checks += t.Checks
	s.Failed += t.Failed
	s.Total += t.Total
	s.Most = max(s.Most, t.Most)
	s.SvcTotal += t.SvcTotal
	s.SvcMost = max(s.SvcMost, t.SvcMost)
	s.Response = join(s.Response, t.Response)
	s.Service = join(s.Service, t.Service)
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
		Kinds: c.Kinds, Over: c.over, Sent: c.Sent, Checks: c.checks, Failed: c.failed, Timeouts: c.causeOf(scenarios.Timeout),
		Total: c.Response[scenarios.OK].sum, Most: c.Response[scenarios.OK].Most,
		SvcTotal: c.Service[scenarios.OK].sum, SvcMost: c.Service[scenarios.OK].Most,
	}
}

// CountsWithTimes returns the counts of a settled cell. The result shares the cell's memory.
func (c *Cell) CountsWithTimes() *Counts {
	s := c.Counts()
	s.Response, s.Service = &c.Response[scenarios.OK].Tally, &c.Service[scenarios.OK].Tally
	return s
}
