package requests

import (
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// A Sum holds the counts of the requests that an objective selects in a phase.
type Sum struct {
	measure.Counts
	Iterations int64         // iterations intended within Span; see rate
	Span       time.Duration // time of the load within the phase
}

// Punctual returns s without brunt's own time; see [measure.Counts.Punctual].
func (s *Sum) Punctual() *Sum {
	return &Sum{Counts: *s.Counts.Punctual(), Iterations: s.Iterations, Span: s.Span}
}

// WithBadOf returns the counts of s by kind as if only those requests were bad that are bad in part, which is a part of
// s. Times and checks stay as they are.
func (s *Sum) WithBadOf(part *Sum) Sum {
	out := *s
	for _, k := range []scenarios.Kind{scenarios.Error, scenarios.Skipped} {
		out.Kinds[scenarios.OK] += out.Kinds[k] - part.Kinds[k]
		out.Kinds[k] = part.Kinds[k]
	}
	return out
}

// Population returns the number of requests that count in a metric: all offered ones for a share of them, good
// answers for ok. and service., otherwise all but shed ones.
//
// `checks` counts checks instead of requests. A request whose checks could not be made counts as
// one check that did not hold; see measure.Counts.
//
// `service.p95` is the percentile of the service time of good answers, because failed requests have no service time
// that could be compared.
func (s *Sum) Population(m slo.Metric) int64 {
	if !m.Latency() {
		if row := m.Row(); row.Count != nil {
			_, n := row.Count(s.row(-1))
			return n
		}
	}
	switch {
	case m.Row().Rate != nil:
		_, n := m.Row().Rate(s.row(-1))
		return n
	case m.Of != "":
		return s.Kinds[scenarios.OK]
	}
	return s.Offered() - s.Kinds[scenarios.Shed]
}

// row returns the counts in the form that the rows of [slo.Metrics] use.
func (s *Sum) row(limit int) slo.Counts {
	c := slo.Counts{
		OK: s.Kinds[scenarios.OK], Shed: s.Kinds[scenarios.Shed], Error: s.Kinds[scenarios.Error],
		Skipped:  s.Kinds[scenarios.Skipped],
		Timeouts: s.Timeouts, Sent: s.Sent, Attempts: s.Attempts, Checks: s.Checks, Failed: s.Failed,
		Wants: s.Wants, Partial: s.Partial,
		Iterations: s.Iterations, Span: s.Span,
	}
	if limit >= 0 && limit < len(s.Over) {
		c.Over = s.Over[limit]
	}
	return c
}

// Share returns numerator and denominator of a metric that is a share, or of a percentile as the share of requests
// that exceed its value. complement reports that the metric is one minus that share.
func (s *Sum) Share(o slo.Objective, limit int) (bad, n int64, complement bool) {
	c := s.row(limit)
	if row := o.Metric.Row(); row.Count != nil {
		bad, n = row.Count(c)
		return bad, n, row.Better == slo.HigherIsBetter
	}
	n = s.Population(o.Metric)
	if o.Metric.Of != "" {
		return c.Over, n, false
	}
	return c.Over + c.Bad(), n, false
}

// Quantile returns the value at quantile q of the metric's population, in seconds. Failed requests count as slower
// than any answer.
func (s *Sum) Quantile(m slo.Metric, q float64) float64 {
	t, largest := s.Response, s.Most
	if m.Of == "service" {
		t, largest = s.Service, s.SvcMost
	}
	n := s.Population(m)
	if n == 0 {
		return math.NaN()
	}
	r := measure.Rank(q, n)
	if r > s.Kinds[scenarios.OK] {
		return math.Inf(1)
	}
	if t == nil {
		return math.NaN()
	}
	return t.ValueAt(r, largest)
}

// Measure returns the value of a metric over s; NaN means unknown. Failed requests count as slower than any answer,
// so max and mean are infinite if there is one.
func (s *Sum) Measure(o slo.Objective, limit int) float64 {
	switch row := o.Metric.Row(); {
	case row.Times != nil:
		return s.agree(o, limit, row.Times(o.Metric, s.timesOf(o.Metric)))
	case row.Rate != nil:
		v, _ := row.Rate(s.row(limit))
		return v
	default:
		return row.Of(s.row(limit))
	}
}

// timesOf returns the times in the form that the rows of [slo.Metrics] use.
func (s *Sum) timesOf(m slo.Metric) slo.Times {
	t := slo.Times{
		At: func(q float64) float64 { return s.Quantile(m, q) }, OK: s.Kinds[scenarios.OK], Bad: s.Bad(),
		Most: s.Most.Seconds(), Sum: s.Total.Seconds(),
	}
	if m.Of == "service" {
		t.Most, t.Sum = s.SvcMost.Seconds(), s.SvcTotal.Seconds()
	}
	if m.Of != "" { // the metric is about good answers alone
		t.Bad = 0
	}
	return t
}

// OfSpans reports whether a metric is computed over spans of time, and so cannot be measured
// from one sum.
func OfSpans(m slo.Metric) bool { return m.Row().Spans != nil }

// agree moves a percentile that was read from a histogram to the side of the target that the count of requests shows,
// so that no report says `passed: 200.1ms < 200ms`.
func (s *Sum) agree(o slo.Objective, limit int, measured float64) float64 {
	if limit < 0 || math.IsNaN(measured) || math.IsInf(measured, 0) {
		return measured
	}
	switch met := s.Holds(o, limit); {
	case met == o.Holds(measured):
		return measured
	case o.Holds(o.Value) == met:
		return o.Value
	case met == o.Upper():
		return math.Nextafter(o.Value, 0)
	}
	return math.Nextafter(o.Value, math.Inf(1))
}

// Holds reports whether s meets the objective. Percentiles are decided by counting requests, shares without the
// rounding error of binary fractions.
func (s *Sum) Holds(o slo.Objective, limit int) bool {
	if !o.Metric.Percentile() || limit < 0 {
		return Meets(o, s.Measure(o, limit))
	}
	beyond, n, _ := s.Share(o, limit)
	met := n-beyond >= measure.Rank(o.Metric.Quantile, n)
	if o.Upper() {
		return met
	}
	return !met
}

// Meets reports whether measured meets the objective. Values that differ only by rounding are equal:
// 99.9 / 100 is not 0.999.
func Meets(o slo.Objective, measured float64) bool {
	if math.Abs(measured-o.Value) <= 1e-13*math.Abs(o.Value) {
		measured = o.Value
	}
	return o.Holds(measured)
}
