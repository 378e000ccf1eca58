package slo

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// seriesName is the name of metrics over a series: figures of a unit, and metrics that a scenario names under
// `metrics:`.
const seriesName = "series"

// OfSeries reports whether the metric is a figure of a unit, or a metric that the scenario names under `metrics:`.
func (m Metric) OfSeries() bool { return m.Name == seriesName }

// OfAlert reports whether the metric is about an alert of the team's own monitoring.
func (m Metric) OfAlert() bool { return m.Row().Needs == NeedsAlert }

// Slope reports whether the metric is the growth of a series.
func (m Metric) Slope() bool { return m.Fold == "slope" }

// Counts reports whether the metric is the growth of a counter in a phase.
func (m Metric) Counts() bool { return slices.Contains(growths, m.Fold) }

// PerRequest reports whether the metric is the growth of a counter per request.
func (m Metric) PerRequest() bool { return m.Fold == perRequest || m.OfLink() }

// OfLink reports whether the metric is the number of calls on a link per request.
func (m Metric) OfLink() bool { return m.Fold == amplification }

// Link returns the ends of the link that the metric is about: services or units.
func (m Metric) Link() (from, to string) {
	from, to, _ = strings.Cut(m.Source, LinkArrow)
	return from, to
}

// OnLink reports whether the metric is about the link between two units.
func (m Metric) OnLink(from, to string) bool {
	a, b := m.Link()
	is := func(end, unit string) bool { return end == unit || end == ServiceOf(unit) }
	return m.OfLink() && is(a, from) && is(b, to)
}

// ServiceOf returns the service of a unit, such as posts for posts[1]; a name that is not of a unit stays.
func ServiceOf(unit string) string {
	service, _, _ := strings.Cut(unit, "[")
	return service
}

// Divided reports whether the metric is the growth of a counter divided by another growth, or by requests.
func (m Metric) Divided() bool { return m.By != "" || m.PerRequest() }

// Worst is the aggregation of figures of a service as a whole that are written without a fold, such as web.ready: the
// worst value of the phase for the objective.
const Worst = "worst"

// folds lists the aggregations of a series; the first is the default.
var folds = []string{"max", "mean", "min", "last", "slope", increase, ratio, perRequest, amplification}

// The aggregations of counters. amplification is of brunt's own counter of the calls on a link.
const (
	increase      = "increase"
	ratio         = "ratio"
	perRequest    = "per_request"
	amplification = "amplification"
)

var growths = []string{increase, ratio, perRequest, amplification}

// LinkArrow stands between the ends of a link.
const LinkArrow = "->"

// unitPattern matches a service, or one of its units, such as posts[1].
const unitPattern = `[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[0-9]{1,4}\])?`

var (
	unitFigure = regexp.MustCompile(`^(` + unitPattern + `)\.([a-z]+)$`)
	linkEnd    = regexp.MustCompile(`^` + unitPattern + `$`)
	alertName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// IsAlertName reports whether s is a valid name of an alert: letters, digits, _ and -, not
// beginning with a digit or -.
func IsAlertName(s string) bool { return alertName.MatchString(s) }

// AlertNameSchema is the schema of the names of alerts.
func AlertNameSchema() syntax.Schema { return syntax.Schema{"pattern": alertName.String()} }

// ofUnit parses SERVICE.RESOURCE or SERVICE[i].RESOURCE.
func (m Metric) ofUnit(s string) (Metric, bool) {
	parts := unitFigure.FindStringSubmatch(s)
	if parts == nil || !slices.Contains(resources(), parts[2]) {
		return m, false
	}
	m.Name, m.Source, m.Resource, m.Fold = seriesName, parts[1], parts[2], folds[0]
	if m.Figure().Whole {
		m.Fold = Worst
	}
	m.Unit = m.Figure().Unit
	return m, true
}

// series parses a metric of a series: posts.memory, metric(NAME), or mean(…) of either. ok is false for other
// metrics.
func (m *metricParser) series(s string) (ok bool, err error) {
	out, ok, err := m.Metric.series(s)
	if ok && err == nil {
		m.Metric = out
	}
	return ok, err
}

// series parses a metric of a series; ok is false for other metrics.
func (m Metric) series(s string) (out Metric, ok bool, err error) {
	if out, ok := m.ofUnit(s); ok {
		return out, true, nil
	}
	call := metricCall.FindStringSubmatch(s)
	if call == nil {
		return m, false, nil
	}
	fold, arg := call[1], strings.TrimSpace(call[2])
	if fold == "metric" {
		fold = folds[0]
	} else if !slices.Contains(folds, fold) {
		return m, false, nil
	}
	if slices.Contains(growths, fold) {
		out, err = m.growth(fold, arg)
		return out, true, err
	}
	if out, ok = m.ofUnit(arg); ok && call[1] == "metric" {
		return out, true, fmt.Errorf("%q: a figure of a unit stands alone: %s", syntax.Clip(m.Text, 40), syntax.Clip(arg, 40))
	}
	if !ok {
		if !syntax.IsName(arg) && call[1] == "metric" {
			return m, true, fmt.Errorf("%q: want a name from `metrics:`, such as metric(queue-depth)", syntax.Clip(m.Text, 40))
		}
		if !syntax.IsName(arg) {
			return m, true, fmt.Errorf("%q: want a figure of a unit, such as %s(posts.memory), or a name from `metrics:`, "+
				"such as "+
				"%s(queue-depth)", syntax.Clip(m.Text, 40), call[1], call[1])
		}
		out, ok = m, true
		out.Name, out.Source, out.Unit = seriesName, arg, Open
	}
	out.Fold = fold
	switch {
	case out.Figure().Counted:
		return out, ok, fmt.Errorf("%q: %s are counted over the phase; write %s", syntax.Clip(m.Text, 40), out.Resource,
			syntax.Clip(arg, 40))
	case fold == "slope":
		out.PerTime = true
	case out.Unit == Count && fold == "mean":
		out.Unit = Plain
	}
	return out, ok, nil
}

// growth parses increase(NAME), ratio(NAME, NAME), per_request(NAME) or amplification(FROM -> TO).
func (m Metric) growth(fold, arg string) (Metric, error) {
	if fold == amplification {
		return m.link(arg)
	}
	names := strings.Split(arg, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	want, such := 1, fold+"(calls)"
	if fold == ratio {
		want, such = 2, fold+"(hits, lookups)"
	}
	if len(names) != want || !syntax.IsName(names[0]) || !syntax.IsName(names[len(names)-1]) {
		noun := map[int]string{1: "the name of a counter", 2: "the names of two counters"}[want]
		return m, fmt.Errorf("%q: want %s from `metrics:`, such as %s", syntax.Clip(m.Text, 40), noun, such)
	}
	m.Name, m.Unit, m.Fold, m.Source = seriesName, Open, fold, names[0]
	if fold == ratio {
		m.By = names[1]
	}
	return m, nil
}

// link parses the link of amplification(FROM -> TO).
func (m Metric) link(arg string) (Metric, error) {
	from, to, _ := strings.Cut(arg, LinkArrow)
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if !linkEnd.MatchString(from) || !linkEnd.MatchString(to) {
		return m, fmt.Errorf("%q: want a link between two services or units, such as amplification(posts -> store)",
			syntax.Clip(m.Text, 40))
	}
	m.Name, m.Unit, m.Fold, m.Source = seriesName, Plain, amplification, from+LinkArrow+to
	return m, nil
}

// alert parses alert(NAME) or resolved(NAME).
func (m *metricParser) alert(r *Row, args []string) error {
	if len(args) != 1 || !IsAlertName(args[0]) {
		return fmt.Errorf("%q: want the name of one of the `alerts:`, such as %s(HighErrorRate)", syntax.Clip(m.Text, 40),
			r.Name)
	}
	m.take(r)
	m.Source = args[0]
	return nil
}

// parseOpen parses a value of a series whose unit depends on the value: 256MiB, 200ms, 1%, 5/s or
// a number. Values are in the base units of Prometheus: bytes, seconds, shares of 1, and events
// per second.
func parseOpen(s string) (float64, Unit, error) {
	s = strings.TrimSpace(s)
	if f, bare := syntax.ParseFloat(s); bare && f >= 0 {
		return math.Abs(f), Plain, nil
	}
	switch {
	case s == "":
	case strings.HasSuffix(s, "%"):
		f, err := quantity.ParseShare(s)
		return f, ShareOf, err
	case strings.HasSuffix(s, "B"):
		n, err := quantity.ParseSize(s)
		return float64(n), Bytes, err
	case strings.Contains(s, "/"):
		f, err := quantity.ParseRate(s)
		return f, PerSecond, err
	}
	if d, err := quantity.ParseDuration(s); err == nil {
		return d.Seconds(), Seconds, nil
	}
	return 0, Plain, fmt.Errorf("want a number, or a value such as 256MiB, 200ms, 1%% or 5/s, not %q", syntax.Clip(s, 40))
}

// parseSlope parses the growth of a series per time: 1/m, 2MiB/h, 0.5%/m.
func parseSlope(s string, of Unit) (float64, Unit, error) {
	i := strings.LastIndexByte(s, '/')
	such := map[Unit]string{Bytes: "1MiB/m", Open: "1/m or 1MiB/m"}[of]
	if such == "" {
		such = "1/m"
	}
	wrong := fmt.Errorf("want how much a time, such as %s, not %q", such, syntax.Clip(s, 40))
	if i < 0 {
		return 0, of, wrong
	}
	per := 0.0
	for _, u := range quantity.TimeUnits() {
		if u.Name == strings.TrimSpace(s[i+1:]) {
			per = u.Seconds
		}
	}
	f, unit, err := parseOpen(s[:i])
	switch {
	case per == 0, err != nil, unit == PerSecond:
		return 0, of, wrong
	case of == Open:
	case of == Bytes:
		if unit != Bytes && f != 0 {
			return 0, of, wrong
		}
		unit = Bytes
	case unit != Plain:
		return 0, of, wrong
	default:
		unit = of
	}
	return f / per, unit, nil
}

// Read parses a value in the unit of the metric. If the unit depends on the value, it sets the
// unit of the metric.
func (m *Metric) Read(s string) (f float64, err error) {
	switch {
	case m.PerTime:
		f, m.Unit, err = parseSlope(s, m.Unit)
	case m.Unit == Open:
		f, m.Unit, err = parseOpen(s)
	case m.Unit == Bytes:
		var n int64
		n, err = quantity.ParseSize(s)
		f = float64(n)
	default:
		return m.ParseValue(s)
	}
	return f, err
}

// formatSize formats bytes with three digits in a suitable unit.
func formatSize(f float64) string {
	for _, u := range []struct {
		suffix string
		bytes  float64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if math.Abs(f) >= u.bytes {
			return quantity.Figures(f/u.bytes) + u.suffix
		}
	}
	if f == 0 {
		return "0B"
	}
	return quantity.Figures(f) + "B"
}

// formatSlope formats a growth per second in a suitable time unit.
func (m Metric) formatSlope(f float64) string {
	plain := m
	plain.PerTime = false
	if plain.Unit == Count {
		plain.Unit = Plain
	}
	least := .1 // least value in the unit, so that two digits are shown
	switch plain.Unit {
	case Bytes:
		least = 1024
	case Seconds, ShareOf:
		least = 1e-3
	}
	units := quantity.TimeUnits()
	unit := units[len(units)-1]
	for _, u := range units {
		if math.Abs(f)*u.Seconds >= least || f == 0 {
			unit = u
			break
		}
	}
	if f == 0 {
		unit = units[1]
	}
	return plain.FormatValue(f*unit.Seconds) + "/" + unit.Name
}

// A Resource is a figure of a unit, which objectives name as SERVICE.RESOURCE.
type Resource struct {
	Name         string
	Unit         Unit
	Counted      bool // it is counted over the phase; otherwise it has a value in each second
	OfContainers bool // it is known only for containers and pods
	// it belongs to a service as a whole; for a lower bound, the lowest value of the phase is the worst
	Whole     bool
	OfPods    bool // it is known only for pods
	NotOfPods bool // it is not known for pods
}

// readyFigure is the figure for the number of ready pods of a service.
const readyFigure = "ready"

// UnitsFigure is the figure for the number of running units of a service: processes or containers.
const UnitsFigure = "units"

// Resources lists the figures of a unit. UnitUsage.Points in package result reads them.
func Resources() []Resource {
	return []Resource{
		{Name: "cpu", Unit: Cores},
		{Name: "memory", Unit: Bytes},
		{Name: "fds", Unit: Count, NotOfPods: true},
		{Name: "threads", Unit: Count, NotOfPods: true},
		{Name: "restarts", Unit: Count, Counted: true},
		{Name: "ooms", Unit: Count, Counted: true, OfContainers: true},
		{Name: UnitsFigure, Unit: Count, Whole: true, NotOfPods: true},
		{Name: readyFigure, Unit: Count, Whole: true, OfPods: true},
		{Name: "replicas", Unit: Count, Whole: true, OfPods: true},
		{Name: "pending", Unit: Count, Whole: true, OfPods: true},
	}
}

// resources lists the names of the figures of a unit.
func resources() (names []string) {
	for _, r := range Resources() {
		names = append(names, r.Name)
	}
	return names
}

// Figure returns the figure of a unit that the metric measures. It returns the zero value for other metrics.
func (m Metric) Figure() Resource {
	for _, r := range Resources() {
		if r.Name == m.Resource {
			return r
		}
	}
	return Resource{}
}
