package measure

import (
	"math"
	"time"

	"brunt/scenarios"
)

// A Sum is what an objective is judged by: the counts of the requests that it is
// about, in the phase that it is about.
type Sum struct {
	Kinds      [scenarios.Kinds]int64
	Sent       int64
	Over       []int64 // by limit
	Timeouts   int64
	Checks     int64         // see checksOf
	Failed     int64         // checks that did not hold
	Total      time.Duration // of good answers, as the next three
	Most       time.Duration
	SvcTotal   time.Duration
	SvcMost    time.Duration
	Iterations int64         // those intended within Span; see rate
	Span       time.Duration // of the load within the phase
	response   *tally        // of good answers
	service    *tally
}

// Offered is all requests that were to be made.
func (s *Sum) Offered() int64 {
	return s.Kinds[scenarios.OK] + s.Kinds[scenarios.Shed] + s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped]
}

// Bad is the requests that were neither ok nor shed.
func (s *Sum) Bad() int64 { return s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped] }

// population is who counts in the metric: all that was offered for shares of it,
// good answers alone for ok. and service., else all but the shed.
//
// `checks` counts checks instead of requests: the share of those that held among
// those that were made, and one for each request whose checks could not be made,
// which did not hold; see checksOf.
//
// `service.p95` is read as the percentile of the service time of good answers:
// requests that failed have no service time that could be compared.
func (s *Sum) population(m scenarios.Metric) int64 {
	switch {
	case m.Name == "rate":
		return s.Iterations
	case m.Name == "errors" || m.Name == "shed" || m.Name == "timeouts":
		return s.Offered()
	case m.Name == "checks":
		return s.Checks
	case m.Of != "":
		return s.Kinds[scenarios.OK]
	}
	return s.Offered() - s.Kinds[scenarios.Shed]
}

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
func (s *Sum) count(o *scenarios.Outcome, over []int32, limits int) {
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

func (s *Sum) overs(n int) []int64 {
	if len(s.Over) < n {
		s.Over = append(s.Over, make([]int64, n-len(s.Over))...)
	}
	return s.Over
}

// merge adds what t counts.
func (s *Sum) merge(t *Sum) {
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
func (c *cell) counts() *Sum {
	return &Sum{
		Kinds: c.kinds, Over: c.over, Sent: c.sent, Checks: c.checks, Failed: c.failed, Timeouts: c.causeOf(scenarios.Timeout),
		Total: c.response[scenarios.OK].sum, Most: c.response[scenarios.OK].most,
		SvcTotal: c.service[scenarios.OK].sum, SvcMost: c.service[scenarios.OK].most,
	}
}

// asSum gives what a settled cell counts. It shares the cell's memory.
func (c *cell) asSum() *Sum {
	s := c.counts()
	s.response, s.service = &c.response[scenarios.OK].tally, &c.service[scenarios.OK].tally
	return s
}

// share gives numerator and denominator of a metric that is a share, or of a
// percentile seen as the share of requests that are not within its value.
// Complement tells that the metric is one minus that share.
func (s *Sum) share(o scenarios.Objective, limit int) (bad, n int64, complement bool) {
	n = s.population(o.Metric)
	over := int64(0)
	if limit >= 0 && limit < len(s.Over) {
		over = s.Over[limit]
	}
	switch o.Metric.Name {
	case "errors":
		return s.Bad(), n, false
	case "availability":
		return s.Bad(), n, true
	case "shed":
		return s.Kinds[scenarios.Shed], n, false
	case "checks":
		return s.Failed, n, true
	case "within":
		return over + s.Bad(), n, true
	}
	if o.Metric.Of != "" {
		return over, n, false
	}
	return over + s.Bad(), n, false
}

// rank is the place, from 1, of quantile q among n in order: the nearest rank. What
// q lost when it was written as a binary fraction does not count.
func rank(q float64, n int64) int64 {
	x := q * float64(n)
	return max(1, int64(math.Ceil(x-1e-12*x-1e-9)))
}

// quantile is the value at quantile q of the metric's population in seconds; failed
// requests are slower than any answer.
func (s *Sum) quantile(m scenarios.Metric, q float64) float64 {
	t, largest := s.response, s.Most
	if m.Of == "service" {
		t, largest = s.service, s.SvcMost
	}
	n := s.population(m)
	if n == 0 {
		return math.NaN()
	}
	r := rank(q, n)
	if r > s.Kinds[scenarios.OK] {
		return math.Inf(1)
	}
	if t == nil {
		return math.NaN()
	}
	return t.valueAt(r, largest)
}

// measure gives the measured value of a metric over s; NaN is unknown. As failed
// requests are slower than any answer, max and mean are infinite with one of them.
func (s *Sum) measure(o scenarios.Objective, limit int) float64 {
	m := o.Metric
	good := s.Kinds[scenarios.OK]
	switch m.Name {
	case "p":
		return s.agree(o, limit, s.quantile(m, m.Quantile))
	case "max", "mean":
		switch {
		case m.Of == "" && s.Bad() > 0:
			return math.Inf(1)
		case good == 0:
			return math.NaN()
		case m.Name == "max" && m.Of == "service":
			return s.SvcMost.Seconds()
		case m.Name == "max":
			return s.Most.Seconds()
		case m.Of == "service":
			return s.SvcTotal.Seconds() / float64(good)
		}
		return s.Total.Seconds() / float64(good)
	case "rate":
		return float64(s.Iterations) / s.Span.Seconds()
	case "timeouts":
		return float64(s.Timeouts)
	}
	if ofSpans(m) {
		return math.NaN()
	}
	bad, n, complement := s.share(o, limit)
	if n == 0 {
		return math.NaN()
	}
	if complement {
		bad = n - bad
	}
	return float64(bad) / float64(n)
}

// ofSpans tells that a metric is made of many spans of the run, and so can't be
// measured from one sum.
func ofSpans(m scenarios.Metric) bool { return m.Name == "burn" || m.Name == "slices" }

// agree moves a percentile read from a histogram to the side of the target that
// the count of requests puts it on, so that no report says `passed: 200.1ms < 200ms`.
func (s *Sum) agree(o scenarios.Objective, limit int, measured float64) float64 {
	if limit < 0 || math.IsNaN(measured) || math.IsInf(measured, 0) {
		return measured
	}
	switch met := s.holds(o, limit); {
	case met == o.Holds(measured):
		return measured
	case o.Holds(o.Value) == met:
		return o.Value
	case met == o.Upper():
		return math.Nextafter(o.Value, 0)
	}
	return math.Nextafter(o.Value, math.Inf(1))
}

// holds tells whether the objective is met by s. Percentiles are decided by
// counting requests, shares as if they were counted: without what a share lost
// when it was written as a binary fraction.
func (s *Sum) holds(o scenarios.Objective, limit int) bool {
	if o.Metric.Name != "p" || limit < 0 {
		return meets(o, s.measure(o, limit))
	}
	beyond, n, _ := s.share(o, limit)
	met := n-beyond >= rank(o.Metric.Quantile, n)
	if o.Upper() {
		return met
	}
	return !met
}

// meets tells whether measured meets the objective. Values that only rounding sets
// apart are equal: 99.9 / 100 is not 0.999.
func meets(o scenarios.Objective, measured float64) bool {
	if math.Abs(measured-o.Value) <= 1e-13*math.Abs(o.Value) {
		measured = o.Value
	}
	return o.Holds(measured)
}

// selects tells whether series i is among those an objective is about.
func (c *Series) selects(o scenarios.Objective, i int) bool {
	iteration := i >= len(c.Steps)
	load := 0
	step := "iteration"
	if iteration {
		load = i - len(c.Steps)
	} else {
		load, step = c.Steps[i].Load, c.Steps[i].Name
	}
	if o.Load != "" && c.Loads[load].Name != o.Load {
		return false
	}
	if o.Step != "" {
		return step == o.Step
	}
	return !iteration
}
