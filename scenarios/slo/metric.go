package slo

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Unit is what a metric's value is counted in.
type Unit uint8

const (
	Seconds   Unit = iota
	ShareOf        // 0 to 1
	PerSecond      // events per second
	Count          // a whole number
	Plain          // a number without unit
	Bytes          // of memory
	Open           // of a named series, until the value of the objective tells
)

// A Metric is what an objective measures.
type Metric struct {
	Text     string  // as written
	Name     string  // the family: p, max, mean, errors, recover …
	Of       string  // "", "ok" or "service": which times a percentile is over
	Quantile float64 // of p: 0 to 1
	Share    float64 // of burn: the objective; of slices: what each must reach
	Over     float64 // of what is measured from a fault: the percentile over its occurrences, 0 to 1; 0 is the worst
	Span     time.Duration
	Unit     Unit

	Source   string // of a series: the service, the unit service[i], or a name from `metrics:`; of alert and resolved: the alert
	Resource string // of a unit: one of Resources; empty is a series named under `metrics:`
	Fold     string // what is made of a series: max, mean, min, last, slope
	PerTime  bool   // it is a growth: so many of Unit per second
}

type family struct {
	unit   Unit
	after  bool // needs a fault to be measured from
	ledger bool // needs a ledger
}

var families = map[string]family{
	"p":            {unit: Seconds},
	"max":          {unit: Seconds},
	"mean":         {unit: Seconds},
	"errors":       {unit: ShareOf},
	"availability": {unit: ShareOf},
	"shed":         {unit: ShareOf},
	"rate":         {unit: PerSecond},
	"timeouts":     {unit: Count},
	"checks":       {unit: ShareOf},
	"within":       {unit: ShareOf},
	"burn":         {unit: Plain},
	"slices":       {unit: ShareOf},
	"onset":        {unit: Seconds, after: true},
	"failover":     {unit: Seconds, after: true},
	"recover":      {unit: Seconds, after: true},
	"heal":         {unit: Seconds, after: true},
	"detect":       {unit: Seconds, after: true},
	"alert":        {unit: Seconds, after: true},
	"resolved":     {unit: Seconds, after: true},
	"degraded":     {unit: Seconds, after: true},
	"failed":       {unit: Count, after: true},
	"area":         {unit: Seconds, after: true},
	"lost":         {unit: Count, ledger: true},
	"duplicated":   {unit: Count, ledger: true},
	"stale":        {unit: ShareOf, ledger: true},
	"rpo":          {unit: Seconds, ledger: true},
}

// OfFault tells that the metric is measured from a fault, by `after`.
func (m Metric) OfFault() bool { return families[m.Name].after }

// OfLedger tells that the metric is of writes, and known once the ledger was read.
func (m Metric) OfLedger() bool { return families[m.Name].ledger }

// Latency tells that the metric is a time of requests: a percentile, max or mean.
func (m Metric) Latency() bool { return m.Name == "p" || m.Name == "max" || m.Name == "mean" }

// MetricNames lists what an objective can measure, as an author writes it.
func MetricNames() []string {
	return []string{
		"p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "mean", "ok.p95", "service.p95", "errors", "availability", "shed", "rate",
		"timeouts", "checks", "within(200ms)", "burn(99.9%, 1m)", "slices(1s, 99%)", "onset", "failover", "recover", "heal", "detect", "degraded",
		"failed", "area", "recover.p95", "lost", "duplicated", "stale", "rpo", "alert(name)", "resolved(name)", "unit.memory", "metric(name)",
		"slope(unit.fds)",
	}
}

var (
	metricCall   = regexp.MustCompile(`^([a-z]+)\(([^()]*)\)$`)
	quantileText = regexp.MustCompile(`^[0-9]{1,3}(?:\.[0-9]{1,9})?$`)
)

// ParseMetric reads the name of a metric.
func ParseMetric(s string) (Metric, error) {
	m := Metric{Text: oneBlank(s)}
	name := m.Text
	if out, ok, err := m.series(name); ok {
		return out, err
	}
	if of, rest, dotted := strings.Cut(name, "."); dotted && (of == "ok" || of == "service") {
		m.Of, name = of, rest
	}
	if base, num, found := strings.Cut(name, ".p"); found && families[callee(base)].after {
		q, err := m.quantile(num)
		if err != nil {
			return m, err
		}
		m.Over, name = q.Quantile, base
	}
	if call := metricCall.FindStringSubmatch(name); call != nil {
		return m.call(call[1], strings.Split(call[2], ","))
	}
	if num, ok := strings.CutPrefix(name, "p"); ok && num != "" && num[0] >= '0' && num[0] <= '9' {
		return m.quantile(num)
	}
	f, ok := families[name]
	switch {
	case slices.Contains([]string{"p", "within", "burn", "slices"}, name):
		return m, m.usage()
	case name == "alert" || name == "resolved":
		return m.alert(name, nil)
	case !ok:
		return m, m.unknown(name)
	}
	m.Name, m.Unit = name, f.unit
	if m.Of != "" && !m.Latency() {
		return m, fmt.Errorf("%q: only percentiles, max and mean take the prefix ok. or service. before them", syntax.Clip(m.Text, 40))
	}
	return m, nil
}

// otherNames are what other tools call a metric.
var otherNames = map[string]string{
	"avg": "mean", "average": "mean", "med": "p50", "median": "p50", "latency": "p95", "duration": "p95", "http_req_duration": "p95",
	"http_req_failed": "errors", "error_rate": "errors", "failures": "errors", "success": "availability", "uptime": "availability",
	"throughput": "rate", "rps": "rate", "min": "p50", "mttr": "recover", "rto": "recover", "mttd": "detect",
}

// cutLast cuts at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// callee is what stands before a bracket.
func callee(s string) string {
	name, _, _ := strings.Cut(s, "(")
	return name
}

func (m Metric) unknown(name string) error {
	names := MetricNames()
	hint := syntax.DidYouMean(name, names)
	if known := otherNames[name]; known != "" {
		hint = syntax.Suggestion(known)
	}
	switch {
	case strings.Contains(name, "."):
		service, resource, _ := cutLast(name, ".")
		if near := syntax.Nearest(resource, Resources()); near != "" && hint == "" {
			hint = syntax.Suggestion(service + "." + near)
		} else if hint == "" {
			hint = "of a unit there are " + strings.Join(Resources(), ", ")
		}
	case hint == "" && syntax.IsName(name):
		hint = fmt.Sprintf("one that `metrics:` names is written metric(%s); known are %s", name, strings.Join(names, ", "))
	}
	if hint == "" {
		hint = "known are " + strings.Join(names, ", ")
	}
	return fmt.Errorf("unknown metric %q; %s", syntax.Clip(m.Text, 40), hint)
}

func (m Metric) usage() error {
	return fmt.Errorf("%q: want one of p(95), within(200ms), burn(99.9%%, 1m), slices(1s, 99%%)", syntax.Clip(m.Text, 40))
}

func (m Metric) quantile(num string) (Metric, error) {
	q, err := strconv.ParseFloat(num, 64)
	switch {
	case err != nil || !quantileText.MatchString(num):
		return m, m.unknown(m.Text)
	case q == 100:
		return m, fmt.Errorf("%q: the slowest of all is max", syntax.Clip(m.Text, 40))
	case q <= 0 || q > 100:
		return m, fmt.Errorf("%q: a percentile lies between p0 and p100", syntax.Clip(m.Text, 40))
	}
	m.Name, m.Quantile, m.Unit = "p", quantity.Hundredth(num), Seconds
	return m, nil
}

func (m Metric) call(name string, args []string) (Metric, error) {
	for i := range args {
		args[i] = strings.TrimSpace(args[i])
	}
	if name == "alert" || name == "resolved" {
		return m.alert(name, args)
	}
	f, known := families[name]
	want := map[string]int{"p": 1, "within": 1, "burn": 2, "slices": 2}[name]
	if f.after && name != "detect" {
		want = 1
	}
	switch {
	case !known:
		return m, m.unknown(name)
	case want == 0:
		return m, fmt.Errorf("%q: %s takes nothing in brackets", syntax.Clip(m.Text, 40), name)
	case m.Of != "" && name != "p":
		return m, fmt.Errorf("%q: only percentiles, max and mean take the prefix ok. or service. before them", syntax.Clip(m.Text, 40))
	case len(args) != want && f.after:
		return m, fmt.Errorf("%q: want %s or %s(200ms)", syntax.Clip(m.Text, 40), name, name)
	case len(args) != want:
		return m, m.usage()
	case name == "p":
		return m.quantile(args[0])
	}
	span := args[len(args)-1]
	if name == "slices" {
		span = args[0]
	}
	var err error
	if m.Span, err = quantity.ParseDuration(span); err == nil && m.Span <= 0 {
		err = errors.New("its span is more than zero")
	}
	if want == 2 {
		share := args[0]
		if name == "slices" {
			share = args[1]
		}
		var e error
		m.Share, e = quantity.ParseShare(share)
		switch {
		case err != nil:
		case e != nil:
			err = e
		case m.Span%time.Second != 0:
			err = errors.New("its span is whole seconds, from 1s")
		case m.Share <= 0 || name == "burn" && m.Share >= 1:
			err = errors.New("its share lies between 0% and 100%")
		}
	}
	if err != nil {
		return m, fmt.Errorf("%q: %w", syntax.Clip(m.Text, 40), err)
	}
	m.Name, m.Unit = name, f.unit
	return m, nil
}

// ParseValue reads a value in the unit of the metric.
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

// FormatValue writes a measured or target value of the metric for people. What is
// not known is a dash.
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
	return syntax.Decimal(math.Round(f*100) / 100)
}
