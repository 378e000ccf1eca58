package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A metric has one value per run for a phase, a load and a step, or for a unit of the target.
//
// To add a metric, add a row to metrics with the function that measures it. Nothing else is needed.
type metric struct {
	Name   string
	Unit   slo.Unit
	Margin float64 // tolerated change: a share of the value, or a difference if the value is itself a share

	higher   bool    // higher is better
	quantile float64 // of a percentile; otherwise zero
	ofUnit   bool    // the step of its place names a unit of the target
	wholeRun bool    // it has values for whole runs only, none for blocks
	mayLack  bool    // a run may lack it without a problem
	oneStep  bool    // a value of zero, which has no ratio, counts as one step; see [value.zero]
	measure  measure
}

// A table lists metrics. The default table of [Options], and the table of records, is [metrics].
type table []metric

// metrics are the compared metrics, in the order of reports. P99 has a wide margin, because it differs by more than a
// tenth between unchanged runs of a minute.
var metrics = table{
	{
		Name: "p50", Unit: slo.Seconds, Margin: .1, quantile: .5,
		measure: percentile(func(t *result.Times) result.Num { return t.P50 }),
	},
	{
		Name: "p90", Unit: slo.Seconds, Margin: .1, quantile: .9,
		measure: percentile(func(t *result.Times) result.Num { return t.P90 }),
	},
	{
		Name: "p95", Unit: slo.Seconds, Margin: .1, quantile: .95,
		measure: percentile(func(t *result.Times) result.Num { return t.P95 }),
	},
	{
		Name: "p99", Unit: slo.Seconds, Margin: .25, quantile: .99,
		measure: percentile(func(t *result.Times) result.Num { return t.P99 }),
	},
	{Name: "errors", Unit: slo.ShareOf, Margin: .005, measure: errorShares},
	{Name: "rate", Unit: slo.PerSecond, Margin: .05, higher: true, measure: closedRates},
	{Name: "recover", Unit: slo.Seconds, Margin: .25, wholeRun: true, oneStep: true, measure: recoveries},
	// A unit that used less than a tick has no value.
	{Name: "cpu", Unit: slo.Cores, Margin: .25, ofUnit: true, mayLack: true, measure: cpuTime},
	{Name: "memory", Unit: slo.Bytes, Margin: .25, ofUnit: true, wholeRun: true, measure: mostMemory},
}

// names lists the metrics of the table.
func (t table) names() []string {
	var out []string
	for i := range t {
		out = append(out, t[i].Name)
	}
	return out
}

// named returns the metric with a name; nil if there is none.
func (t table) named(name string) *metric {
	for i := range t {
		if t[i].Name == name {
			return &t[i]
		}
	}
	return nil
}

// MetricNames lists the metrics that can be compared.
func MetricNames() []string { return metrics.names() }

// WholeRuns reports whether a metric has values for whole runs only, and none for blocks.
func WholeRuns(name string) bool {
	m := metrics.named(name)
	return m != nil && m.wholeRun
}

// ratio reports whether values are compared by their ratio instead of their difference.
func (m *metric) ratio() bool { return m.Unit != slo.ShareOf }

// endless reports whether a value has no place on the scale of changes: it is infinite, or it is zero and compared by
// a ratio.
func (m *metric) endless(v value) bool { return math.IsInf(v.x, 0) || m.zero(v) }

// zero reports whether a value is zero and compared by a ratio. A change from it or to it has no ratio.
func (m *metric) zero(v value) bool { return m.ratio() && v.x <= 0 }

// best reports whether v is the best possible value, which is a time of zero or an infinite rate.
func (m *metric) best(v value) bool { return m.zero(v) != m.higher && m.endless(v) }

// shown converts the mean of values from the scale of changes to a value for readers, which is zero if all of them are.
func (m *metric) shown(mean float64, vs []value) result.Num {
	if allZero(vs) {
		return 0
	}
	return result.Num(m.value(mean))
}

// scaled converts a value to the scale of changes: b is worse than a by scaled(b) - scaled(a).
func (m *metric) scaled(x float64) float64 {
	if m.ratio() {
		x = math.Log(x)
	}
	if m.higher {
		x = -x
	}
	return x
}

// value is the inverse of scaled.
func (m *metric) value(x float64) float64 {
	if m.higher {
		x = -x
	}
	if m.ratio() {
		return math.Exp(x)
	}
	return x
}

// limit converts a margin to the scale of changes. With a margin of 5 %, a rate may fall to 0.95 of its value.
func (m *metric) limit(margin float64) float64 {
	switch {
	case !m.ratio():
		return margin
	case m.higher:
		return -math.Log1p(-margin)
	}
	return math.Log1p(margin)
}

// worse converts a change to the share by which the value is worse, or to the difference if values are shares. It is
// negative for an improvement.
func (m *metric) worse(d float64) float64 {
	switch {
	case !m.ratio():
		return d
	case m.higher:
		return -math.Expm1(-d)
	}
	return math.Expm1(d)
}

// Margins maps the names of metrics to margins.
type Margins map[string]float64

// ParseMargin parses p95=5%, or 5% for every metric, into the margins.
func (m Margins) ParseMargin(s string) error {
	name, text, one := strings.Cut(s, "=")
	if !one {
		name, text = "", s
	}
	share, err := quantity.ParseShare(strings.TrimSpace(text))
	switch {
	case err != nil:
		return fmt.Errorf("margin %q: want a share such as p95=5%%: %w", s, err)
	case share <= 0 || share >= 1:
		return fmt.Errorf("margin %q: it lies between 0%% and 100%%", s)
	}
	known := MetricNames()
	if one && !slices.Contains(known, name) {
		return fmt.Errorf("margin %q: unknown metric; %s", s, orKnown(syntax.DidYouMean(name, known), known))
	}
	for _, n := range known {
		if !one || n == name {
			m[n] = share
		}
	}
	return nil
}

func orKnown(hint string, known []string) string {
	if hint != "" {
		return hint
	}
	return "known are " + strings.Join(known, ", ")
}

// of returns the margin of a metric.
func (m Margins) of(metric *metric) float64 {
	if share, given := m[metric.Name]; given {
		return share
	}
	return metric.Margin
}

// String lists the margins by name.
func (m Margins) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, name+"="+quantity.FormatShare(m[name]))
	}
	return strings.Join(parts, " ")
}

// DefaultMargins returns the default margins.
func DefaultMargins() Margins {
	m := Margins{}
	for i := range metrics {
		m[metrics[i].Name] = metrics[i].Margin
	}
	return m
}
