package slo

import (
	"fmt"
	"math"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Unit is the unit of a metric's value.
type Unit uint8

const (
	Seconds   Unit = iota // of time
	ShareOf               // 0 to 1
	PerSecond             // events per second
	Count                 // a whole number
	Plain                 // a number without unit
	Bytes                 // bytes of memory
	Cores                 // cores of processors
	Open                  // of a named series, until the value of the objective determines it
)

// A Metric is the metric of an objective.
type Metric struct {
	Text     string  // as written
	Name     string  // the family: p, max, mean, errors, recover …
	Of       string  // "", "ok" or "service": which times a percentile covers
	Quantile float64 // of p: 0 to 1
	Share    float64 // of burn: the objective; of slices: the share that each must reach
	Over     float64 // of a metric of faults: the percentile over occurrences, 0 to 1; 0 is the worst
	Span     time.Duration
	Unit     Unit

	// of a series: the service, the unit service[i], or a name from `metrics:`; of alert and resolved: the alert; of
	// writes: the ledger, if named
	Source   string
	Resource string // of a unit: the name of one of [Resources]; empty is a series named under `metrics:`
	// aggregation of a series: max, mean, min, last, slope, worst; of counters: increase, ratio, per_request
	Fold    string
	By      string // of a ratio: the counter that Source is divided by, a name from `metrics:`
	PerTime bool   // a growth, in Unit per second

	Until Condition // of reach: what every value of Source holds

	row *Row // row that it was parsed by; nil: look it up in Metrics
}

// Row returns the row of the metric in the table; the zero row if there is none.
func (m Metric) Row() *Row {
	if m.row != nil {
		return m.row
	}
	if r, known := Metrics().Row(m.Name); known {
		return r
	}
	return &Row{}
}

// OfFault reports whether the metric is measured from a fault, named by `after`.
func (m Metric) OfFault() bool { return m.Row().ofFault() }

// OfLedger reports whether the metric is about writes, and known after the ledger is read.
func (m Metric) OfLedger() bool { return m.Row().Needs == NeedsLedger }

// OfMonitoring reports whether the metric is measured from a fault until the team's own monitoring
// reacts, or a series reaches a value.
func (m Metric) OfMonitoring() bool {
	n := m.Row().Needs
	return n == NeedsDetect || n == NeedsAlert || n == NeedsReach
}

// Percentile reports whether the metric is a percentile of the times of requests. Requests slower than
// its value are counted to decide it.
func (m Metric) Percentile() bool { return m.Row().has(argPercentile) }

// Latency reports whether the metric is a time of requests: a percentile, max or mean.
func (m Metric) Latency() bool { return m.Row().Times != nil }

// MetricNames lists the metrics of objectives, as an author writes them.
func MetricNames() []string { return Metrics().Names() }

// ParseValue parses a value in the unit of the metric.
func (m Metric) ParseValue(s string) (float64, error) {
	f, bare := syntax.ParseFloat(s)
	switch m.Unit {
	case Seconds:
		if bare && strings.HasPrefix(m.Text, "p(") && f >= 0 && f <= quantity.MaxDuration.Seconds()*1000 {
			return f / 1000, nil // k6 counts in milliseconds
		}
		d, err := quantity.ParseDuration(s)
		return d.Seconds(), err
	case ShareOf:
		return quantity.ParseShare(s)
	case PerSecond:
		return quantity.ParseRate(s)
	case Count:
		if !bare || f < 0 || f != math.Trunc(f) {
			return 0, fmt.Errorf("want a whole number, not %q", syntax.Clip(s, 40))
		}
	default:
		if !bare || f < 0 {
			return 0, fmt.Errorf("want a number, not %q", syntax.Clip(s, 40))
		}
	}
	return math.Abs(f), nil
}

// FormatValue formats a measured or target value of the metric for people. An unknown value is a dash.
func (m Metric) FormatValue(f float64) string {
	switch {
	case math.IsNaN(f):
		return "–"
	case math.IsInf(f, 0):
		return "∞"
	}
	if m.PerTime {
		return m.formatSlope(f)
	}
	switch m.Unit {
	case Bytes:
		return formatSize(f)
	case Seconds:
		return quantity.FormatSeconds(f)
	case ShareOf:
		return quantity.FormatShareBriefly(f)
	case PerSecond:
		return syntax.Decimal(math.Round(f*10)/10) + "/s"
	case Count:
		return syntax.Decimal(math.Round(f))
	}
	return syntax.Decimal(roundPlain(f))
}

// roundPlain rounds to two digits after the point; a value between 0 and 1, such as a share, to three
// digits of it or of its distance to 1, so that neither 0 nor 1 is shown for it.
func roundPlain(f float64) float64 {
	digits := 2
	if f > 0 && f < 1 {
		digits = min(15, max(2, 2-int(math.Floor(math.Log10(min(f, 1-f))))))
	}
	p := math.Pow10(digits)
	return math.Round(f*p) / p
}
