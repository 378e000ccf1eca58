package measure

import (
	"time"

	"brunt/scenarios"
)

// Counts is what was counted of the requests of some cells.
type Counts struct {
	Kinds    [scenarios.Kinds]int64
	Sent     int64
	Over     []int64 // by limit
	Timeouts int64
	Checks   int64         // see checksOf
	Failed   int64         // checks that did not hold
	Total    time.Duration // of good answers, as the next three
	Most     time.Duration
	SvcTotal time.Duration
	SvcMost  time.Duration
	response *tally // of good answers
	service  *tally
}

// Offered is all requests that were to be made.
func (s *Counts) Offered() int64 {
	return s.Kinds[scenarios.OK] + s.Kinds[scenarios.Shed] + s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped]
}

// Bad is the requests that were neither ok nor shed.
func (s *Counts) Bad() int64 { return s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped] }

// checksOf is how many checks count for a request, and how many of them did not
// hold. A bad request without a failed check is one whose checks could not be made:
// it was not answered, not whole, not reached, or a value to extract was not in it. A
// check that could not be made did not hold, and one counts for each such request,
// as one does for an answer whose status alone is wrong. So `checks` is 100 % only
// where `errors` is 0 %.
func checksOf(o *scenarios.Outcome) (n, failed int64) {
	n, failed = int64(o.Checks), int64(o.Failed)
	if failed == 0 && (o.Kind == scenarios.Error || o.Kind == scenarios.Skipped) {
		return n + 1, 1
	}
	return n, failed
}

// count adds one request. Over are the limits that its answer was not within.
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

// merge adds what t counts.
func (s *Counts) merge(t *Counts) {
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
	s.response = join(s.response, t.response)
	s.service = join(s.service, t.service)
}

// join gives a tally with what both count; nil counts nothing.
func join(a, b *tally) *tally {
	if b == nil {
		return a
	}
	if a == nil {
		a = &tally{}
	}
	a.merge(b)
	return a
}

// counts gives what a cell counts, without its distributions.
func (c *cell) counts() *Counts {
	return &Counts{
		Kinds: c.kinds, Over: c.over, Sent: c.sent, Checks: c.checks, Failed: c.failed, Timeouts: c.causeOf(scenarios.Timeout),
		Total: c.response[scenarios.OK].sum, Most: c.response[scenarios.OK].most,
		SvcTotal: c.service[scenarios.OK].sum, SvcMost: c.service[scenarios.OK].most,
	}
}

// asSum gives what a settled cell counts. It shares the cell's memory.
func (c *cell) asSum() *Counts {
	s := c.counts()
	s.response, s.service = &c.response[scenarios.OK].tally, &c.service[scenarios.OK].tally
	return s
}
