package k6

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Tally sums up the script's metrics in bounded memory, like k6 does at the end of a test. It is not safe for
// concurrent use.
type Tally struct {
	series     []*Series
	byName     map[string]*Series
	thresholds []*limit
}

// A Series is a metric, or a submetric that a threshold uses.
type Series struct {
	sketch
	name, typ, contains string
	of                  map[string]string // required tags of its samples; nil: all samples
	base                string            // the metric of a submetric; empty: it is a whole metric
}

// A limit is a threshold.
type limit struct {
	expression
	series, source string
	abort          bool
	delay          time.Duration
}

// mostMetrics bounds the number of metrics of a script.
const mostMetrics = 1000

// NewTally returns an empty tally.
func NewTally() *Tally { return &Tally{byName: map[string]*Series{}} }

// Limit adds a threshold on a metric, which is named as in the script: NAME, or NAME{tag:value,…}.
func (t *Tally) Limit(metric, source string, abort bool, delay time.Duration) error {
	e, err := parseExpression(source)
	if err != nil {
		return fmt.Errorf("%s: %w", metric, err)
	}
	base, tags, err := parseSelector(metric)
	if err != nil {
		return err
	}
	t.thresholds = append(t.thresholds, &limit{expression: e, series: metric, source: source, abort: abort, delay: delay})
	if tags != nil && t.byName[metric] == nil {
		s := &Series{name: metric, base: base, of: tags}
		t.byName[metric] = s
		t.series = append(t.series, s)
	}
	return nil
}

// parseSelector splits NAME{tag:value,…}.
func parseSelector(metric string) (base string, tags map[string]string, err error) {
	base, rest, part := strings.Cut(metric, "{")
	if !part {
		return metric, nil, nil
	}
	rest, closed := strings.CutSuffix(strings.TrimSpace(rest), "}")
	if !closed {
		return "", nil, fmt.Errorf("the threshold on %q lacks its closing }", metric)
	}
	tags = map[string]string{}
	for pair := range strings.SplitSeq(rest, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, ":")
		unquote := func(s string) string { return strings.Trim(strings.TrimSpace(s), `"'`) }
		tags[unquote(k)] = unquote(v)
	}
	return strings.TrimSpace(base), tags, nil
}

// Metric returns the series of a metric and of its submetrics. The caller adds a sample to those that take its tags.
// It is nil if there are too many metrics.
func (t *Tally) Metric(name, typ, contains string) []*Series {
	whole := t.byName[name]
	if whole == nil {
		if len(t.series) >= mostMetrics {
			return nil
		}
		whole = &Series{name: name, typ: typ, contains: contains}
		t.byName[name] = whole
		t.series = append(t.series, whole)
	}
	out := []*Series{whole}
	for _, s := range t.series {
		if s.base == name {
			s.typ, s.contains = typ, contains
			out = append(out, s)
		}
	}
	return out
}

// Takes reports whether a sample with these tags belongs to the series.
func (s *Series) Takes(tag func(name string) (string, bool)) bool {
	for k, want := range s.of {
		if v, ok := tag(k); !ok || v != want {
			return false
		}
	}
	return true
}

// Whole reports whether the series takes every sample of its metric.
func (s *Series) Whole() bool { return s.of == nil }

// Add adds a sample.
func (s *Series) Add(v float64) {
	if s.typ == "rate" && v != 0 { // a rate counts samples that are not zero
		v = 1
	}
	s.add(v)
}

// Sum returns all metrics and thresholds. Elapsed is the time since the start of the test.
func (t *Tally) Sum(elapsed time.Duration) (all []Metric, thresholds []Threshold) {
	for _, s := range t.series {
		if s.count > 0 {
			all = append(all, s.metric(elapsed))
		}
	}
	slices.SortFunc(all, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	for _, l := range t.thresholds {
		r := Threshold{Metric: l.series, Source: l.source, What: l.text(), Op: l.op, Target: l.target, Holds: true}
		if s := t.byName[l.series]; s != nil && s.count > 0 && l.fits(s.typ) {
			r.Count, r.Measured = s.count, s.measure(l.expression, elapsed)
			r.Holds = l.holds(r.Measured)
			r.Abort = l.abort && !r.Holds && elapsed >= l.delay
		}
		thresholds = append(thresholds, r)
	}
	return all, thresholds
}

// Misfits lists thresholds with an aggregation that the type of their metric does not have.
func (t *Tally) Misfits() (out []string) {
	for _, l := range t.thresholds {
		if s := t.byName[l.series]; s != nil && s.typ != "" && !l.fits(s.typ) {
			out = append(out, fmt.Sprintf("the threshold %q is on %s, a %s, which can say %s", l.source, l.series, s.typ,
				strings.Join(strings.Fields(whats[s.typ]), ", ")))
		}
	}
	return out
}

func (s *Series) metric(elapsed time.Duration) Metric {
	m := Metric{
		Name: s.name, Type: s.typ, Contains: s.contains, Count: s.count, Sum: s.sum, Last: s.last, Min: s.min,
		Max: s.max, Rate: s.rate(elapsed),
	}
	if s.typ == "trend" {
		q := s.quantiles(.5, .9, .95, .99)
		m.P50, m.P90, m.P95, m.P99 = q[0], q[1], q[2], q[3]
	}
	return m
}

// rate returns the rate per second of a counter, or the share of a rate.
func (s *Series) rate(elapsed time.Duration) float64 {
	switch {
	case s.typ == "counter" && elapsed > 0:
		return s.sum / elapsed.Seconds()
	case s.typ == "rate" && s.count > 0:
		return s.sum / float64(s.count)
	}
	return 0
}

func (s *Series) measure(e expression, elapsed time.Duration) float64 {
	switch e.what {
	case "count":
		return s.sum
	case "rate":
		return s.rate(elapsed)
	case "value":
		return s.last
	case "avg":
		return s.sum / float64(s.count)
	case "min":
		return s.min
	case "max":
		return s.max
	case "med":
		return s.quantiles(.5)[0]
	}
	return s.quantiles(e.percentile / 100)[0]
}
