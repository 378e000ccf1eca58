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
	Seconds   Unit = iota // seconds
	ShareOf               // 0 to 1
	PerSecond             // events per second
	Count                 // a whole number
	Plain                 // a number without unit
	Bytes                 // bytes of memory
	Cores                 // cores of processors
	Open                  // unit of a named series, until the value of the objective determines it
)

// A Metric is the metric of an objective.
type Metric struct {
	Text     string  // as written
	Name     string  // the family: p, max, mean, errors, recover …
	Of       string  // "", "ok" or "service": the times that a percentile covers
	Quantile float64 // quantile of p, 0 to 1
	Share    float64 // for burn, the objective; for slices, the share that each slice must reach
	Over     float64 // for a metric of faults, the percentile over occurrences, 0 to 1; 0 means the worst occurrence
	Span     time.Duration
	Unit     Unit

	// for a series, the service, the unit service[i], or a name from `metrics:`; for alert and resolved, the alert;
	// for writes, the ledger, if it is named; for registers, their name, if it is given
	Source   string
	Resource string // for a unit, a name of [Resources]; empty for a series named under `metrics:`
	// aggregation of a series: max, mean, min, last, slope, worst; for counters: increase, ratio, per_request; for a
	// link, which Source then names as from->to: amplification
	Fold    string
	By      string // for a ratio, the counter that Source is divided by, a name from `metrics:`
	PerTime bool   // the metric is a growth, in Unit per second

	Until Condition // for reach, the condition that every series of Source must meet

	row *Row // row by which it was parsed; nil means that Metrics has it
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

// OfLedger reports whether the metric is about writes, so that it is known only after the ledger is read.
func (m Metric) OfLedger() bool { return m.Row().Needs == NeedsLedger }

// OfTraces reports whether the metric is about the traces of requests, so that it is known only after the load.
func (m Metric) OfTraces() bool { return m.Row().Needs == NeedsTraces }

// OfRegister reports whether the metric is about reads and writes of registers.
func (m Metric) OfRegister() bool { return m.Row().Needs == NeedsRegister }

// AfterLoad reports whether the metric is known only when the load is over.
func (m Metric) AfterLoad() bool { return m.OfLedger() || m.OfRegister() || m.OfTraces() }

// OfMonitoring reports whether the metric is measured from a fault until the team's own monitoring or a person at the
// run reacts, or a series reaches a value.
func (m Metric) OfMonitoring() bool {
	n := m.Row().Needs
	return n >= NeedsDetect && n <= NeedsMark
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
			return f / 1000, nil // a bare number in the k6 form is in milliseconds
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

// roundPlain rounds to two digits after the point. It rounds a value between 0 and 1, such as a share, to three
// significant digits of the value or of its distance to 1, so that it is not shown as 0 or 1.
func roundPlain(f float64) float64 {
	digits := 2
	if f > 0 && f < 1 {
		digits = min(15, max(2, 2-int(math.Floor(math.Log10(min(f, 1-f))))))
	}
	p := math.Pow10(digits)
	return math.Round(f*p) / p
}
