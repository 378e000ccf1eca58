package measure

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Sum is what an objective is judged by: the counts of the requests that it is
// about, in the phase that it is about.
type Sum struct {
	Kinds      [scenarios.Kinds]int64
	Sent       int64
	Over       []int64 // by limit
	Timeouts   int64
	Checks     int64
	Failed     int64 // checks
	Total      time.Duration
	Most       time.Duration
	SvcTotal   time.Duration
	SvcMost    time.Duration
	Iterations int64
	Span       time.Duration // of the load within the phase
	response   *hdrhistogram.PackedHistogram
	service    *hdrhistogram.PackedHistogram
}

// Offered is all requests that were to be made.
func (s *Sum) Offered() int64 { return s.Kinds[0] + s.Kinds[1] + s.Kinds[2] + s.Kinds[3] }

// Bad is the requests that were neither ok nor shed.
func (s *Sum) Bad() int64 { return s.Kinds[scenarios.Error] + s.Kinds[scenarios.Skipped] }

// population is who counts in the metric: good answers alone for ok. and service.,
// else all but the shed.
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

// count adds one request.
func (s *Sum) count(o *scenarios.Outcome, limits []Limit) {
	s.Kinds[o.Kind]++
	s.Checks += int64(o.Checks)
	s.Failed += int64(o.Failed)
	if o.WasSent {
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
	for i, l := range limits {
		if !l.holds(rt, st) {
			s.overs(len(limits))[i]++
		}
	}
}

func (s *Sum) overs(n int) []int64 {
	if s.Over == nil {
		s.Over = make([]int64, n)
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
	merge(&s.response, t.response)
	merge(&s.service, t.service)
}

// sum gives what a cell counts.
func (c *cell) asSum() *Sum {
	s := &Sum{
		Kinds: c.kinds, Over: c.over, Sent: c.sent, Checks: c.checks, Failed: c.failed,
		Total: c.sum[scenarios.OK], Most: c.most[scenarios.OK], SvcTotal: c.svcSum[scenarios.OK], SvcMost: c.svcMost[scenarios.OK],
		response: c.response[scenarios.OK], service: c.service[scenarios.OK],
	}
	if t := c.causes[scenarios.Timeout]; t != nil {
		s.Timeouts = t.n
	}
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

// rank is the place, from 1, of quantile q among n in order: the nearest rank.
func rank(q float64, n int64) int64 {
	return max(1, int64(math.Ceil(q*float64(n)-1e-9)))
}

// quantile is the value at quantile q of the metric's population in seconds; failed
// requests are slower than any answer.
func (s *Sum) quantile(m scenarios.Metric, q float64) float64 {
	h, good := s.response, s.Kinds[scenarios.OK]
	most := s.Most
	if m.Of == "service" {
		h, most = s.service, s.SvcMost
	}
	n := s.population(m)
	if n == 0 {
		return math.NaN()
	}
	r := rank(q, n)
	if r > good {
		return math.Inf(1)
	}
	return valueAt(h, r, most)
}

// valueAt is the r-th smallest value of h in seconds: the middle of its bucket,
// and never more than the largest value seen.
func valueAt(h *hdrhistogram.PackedHistogram, r int64, most time.Duration) float64 {
	if h == nil || h.TotalCount() == 0 {
		return math.NaN()
	}
	if r >= h.TotalCount() {
		return most.Seconds()
	}
	us := h.ValueAtPercentile(100 * (float64(r) - .5) / float64(h.TotalCount()))
	return min(float64(us)/1e6, most.Seconds())
}

// measure gives the measured value of a metric over s; NaN is unknown.
func (s *Sum) measure(o scenarios.Objective, limit int) float64 {
	m := o.Metric
	good := s.Kinds[scenarios.OK]
	switch m.Name {
	case "p":
		return s.quantile(m, m.Quantile)
	case "max":
		if m.Of == "" && s.Bad() > 0 {
			return math.Inf(1)
		}
		if good == 0 {
			return math.NaN()
		}
		if m.Of == "service" {
			return s.SvcMost.Seconds()
		}
		return s.Most.Seconds()
	case "mean":
		if good == 0 {
			return math.NaN()
		}
		if m.Of == "" && s.Bad() > 0 {
			return math.Inf(1)
		}
		if m.Of == "service" {
			return s.SvcTotal.Seconds() / float64(good)
		}
		return s.Total.Seconds() / float64(good)
	case "rate":
		return float64(s.Iterations) / s.Span.Seconds()
	case "timeouts":
		return float64(s.Timeouts)
	}
	bad, n, complement := s.share(o, limit)
	if n == 0 {
		return math.NaN()
	}
	share := float64(bad) / float64(n)
	if complement {
		return 1 - share
	}
	return share
}

// holds tells whether the objective is met by s, counting requests where it is
// about a percentile.
func (s *Sum) holds(o scenarios.Objective, limit int) bool {
	if o.Metric.Name != "p" || limit < 0 {
		return o.Holds(s.measure(o, limit))
	}
	beyond, n, _ := s.share(o, limit)
	within := n - beyond
	met := within >= rank(o.Metric.Quantile, n)
	if o.Upper() {
		return met
	}
	return !met
}

// limitOf is the limit that an objective needs counted, if any.
func limitOf(o scenarios.Objective) (Limit, bool) {
	switch o.Metric.Name {
	case "p":
		at := time.Duration(math.Round(o.Value * 1e9))
		return Limit{At: at, Inclusive: o.Op == "<=" || o.Op == ">", Service: o.Metric.Of == "service"}, true
	case "within":
		return Limit{At: o.Metric.Span, Inclusive: true}, true
	case "recover", "heal", "onset", "failover", "degraded", "failed", "area":
		if o.Metric.Span > 0 {
			return Limit{At: o.Metric.Span, Inclusive: true}, true
		}
	}
	return Limit{}, false
}

// LimitsOf collects the limits that objectives need counted, each once.
func LimitsOf(lists ...[]scenarios.Objective) []Limit {
	var out []Limit
	for _, list := range lists {
		for _, o := range list {
			if l, ok := limitOf(o); ok && !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	return out
}

func limitIndex(limits []Limit, o scenarios.Objective) int {
	l, ok := limitOf(o)
	if !ok {
		return -1
	}
	return slices.Index(limits, l)
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
