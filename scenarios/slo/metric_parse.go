package slo

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

var (
	metricCall   = regexp.MustCompile(`^([a-z_]+(?:\.[a-z]+)?)\(([^()]*)\)$`)
	quantileText = regexp.MustCompile(`^[0-9]{1,3}(?:\.[0-9]{1,9})?$`)
)

// ParseMetric parses the name of a metric in [Metrics].
func ParseMetric(s string) (Metric, error) { return Metrics().ParseMetric(s) }

// ParseMetric parses the name of a metric in the table.
func (t Table) ParseMetric(s string) (Metric, error) {
	p := metricParser{table: t, Metric: Metric{Text: oneBlank(s)}}
	err := p.parse()
	return p.Metric, err
}

// A metricParser parses one metric.
type metricParser struct {
	table Table
	Metric
}

func (m *metricParser) parse() error {
	name := m.Text
	if ok, err := m.reach(); ok {
		return err
	}
	if ok, err := m.series(name); ok {
		return err
	}
	if of, rest, dotted := strings.Cut(name, "."); dotted && (of == "ok" || of == "service") {
		m.Of, name = of, rest
	}
	if base, num, found := strings.Cut(name, ".p"); found {
		if r, known := m.table.Row(callee(base)); known && r.ofFault() {
			if err := m.percentile(num); err != nil {
				return err
			}
			m.Over, m.Quantile, name = m.Quantile, 0, base
		}
	}
	if call := metricCall.FindStringSubmatch(name); call != nil {
		return m.call(call[1], strings.Split(call[2], ","))
	}
	if num, ok := strings.CutPrefix(name, "p"); ok && num != "" && num[0] >= '0' && num[0] <= '9' {
		return m.percentile(num)
	}
	r, ok := m.table.Row(name)
	switch {
	case !ok || name == seriesName:
		return m.unknown(name)
	case r.has(argAlert):
		return m.alert(r, nil)
	case !r.Bare:
		return m.usage()
	}
	m.take(r)
	if m.Of != "" && !m.Latency() {
		return m.noPrefix()
	}
	return nil
}

// noPrefix returns the error of a metric that takes no prefix.
func (m *metricParser) noPrefix() error {
	return fmt.Errorf("%q: the prefixes ok. and service. stand only before response times, such as p95, max and mean",
		syntax.Clip(m.Text, 40))
}

// take sets the metric to the metric of a row.
func (m *metricParser) take(r *Row) {
	m.Name, m.Unit, m.row = r.Name, r.Unit, nil
	if standard, _ := Metrics().Row(r.Name); r != standard {
		m.row = r
	}
}

// cutLast cuts at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// callee returns the text before a parenthesis.
func callee(s string) string {
	name, _, _ := strings.Cut(s, "(")
	return name
}

func (m *metricParser) unknown(name string) error {
	names := m.table.Names()
	hint := syntax.DidYouMean(name, names)
	if known := m.table.alias(name); known != "" {
		hint = syntax.Suggestion(known)
	}
	base, args, call := strings.Cut(m.Text, "(")
	switch {
	case call && hint == "":
		if inner, is := strings.CutPrefix(args, "metric("); is && slices.Contains(folds, base) {
			hint = syntax.Suggestion(base + "(" + strings.TrimSuffix(inner, ")"))
		} else if near := syntax.Nearest(base, m.table.callees()); near != "" && near != base {
			hint = syntax.Suggestion(near + "(" + args)
		}
	case strings.Contains(name, "."):
		service, resource, _ := cutLast(name, ".")
		if near := syntax.Nearest(resource, resources()); near != "" && hint == "" {
			hint = syntax.Suggestion(service + "." + near)
		} else if hint == "" {
			hint = "of a unit there are " + strings.Join(resources(), ", ")
		}
	case hint == "" && syntax.IsName(name):
		hint = fmt.Sprintf("one that `metrics:` names is written metric(%s); known are %s", name, strings.Join(names, ", "))
	}
	if metric, step, of := strings.Cut(m.Text, " of "); of {
		if _, err := m.table.ParseMetric(metric); err != nil {
			return err
		}
		hint = fmt.Sprintf("the step stands last: `%s < … of %s`", metric, step)
	}
	if hint == "" {
		hint = "known are " + strings.Join(names, ", ")
	}
	return fmt.Errorf("unknown metric %q; %s", syntax.Clip(m.Text, 40), hint)
}

// callees lists the names of metrics that take arguments in parentheses.
func (t Table) callees() []string {
	out := []string{"p"}
	for _, name := range t.Names() {
		if base, _, call := strings.Cut(name, "("); call {
			out = append(out, base)
		}
	}
	return append(out, folds...)
}

func (m *metricParser) usage() error {
	return fmt.Errorf("%q: want one of p(95), within(200ms), burn(99.9%%, 1m), slices(1s, 99%%)", syntax.Clip(m.Text, 40))
}

func (m *metricParser) percentile(num string) error {
	q, err := strconv.ParseFloat(num, 64)
	switch {
	case err != nil || !quantileText.MatchString(num):
		return m.unknown(m.Text)
	case q == 100:
		return fmt.Errorf("%q: the slowest of all is max", syntax.Clip(m.Text, 40))
	case q <= 0 || q > 100:
		return fmt.Errorf("%q: a percentile lies between p0 and p100", syntax.Clip(m.Text, 40))
	}
	r, known := m.table.Row("p")
	if !known {
		return m.unknown(m.Text)
	}
	m.take(r)
	m.Quantile = quantity.Hundredth(num)
	return nil
}

// call parses a metric with arguments in parentheses.
func (m *metricParser) call(name string, args []string) error {
	for i := range args {
		args[i] = strings.TrimSpace(args[i])
	}
	r, known := m.table.Row(name)
	switch {
	case !known || name == seriesName:
		return m.unknown(name)
	case r.has(argAlert):
		return m.alert(r, args)
	case len(r.Args) == 0:
		return fmt.Errorf("%q: %s takes nothing in brackets", syntax.Clip(m.Text, 40), name)
	case m.Of != "" && name != "p":
		return m.noPrefix()
	case len(args) != len(r.Args) && r.ofFault():
		return fmt.Errorf("%q: want %s or %s(200ms)", syntax.Clip(m.Text, 40), name, name)
	case len(args) != len(r.Args) && r.named() != "":
		return fmt.Errorf("%q: want %s or %s(%s), with the name of %s", syntax.Clip(m.Text, 40), name, name, r.example(),
			r.named())
	case len(args) != len(r.Args):
		return m.usage()
	case r.has(argPercentile):
		return m.percentile(args[0])
	case r.named() != "":
		return m.source(r, args[0])
	}
	m.take(r)
	if err := m.arguments(args); err != nil {
		return fmt.Errorf("%q: %w", syntax.Clip(m.Text, 40), err)
	}
	return nil
}

// source parses a metric of a ledger, or of registers, with a name.
func (m *metricParser) source(r *Row, name string) error {
	if !syntax.IsName(name) {
		return fmt.Errorf("%q: want the name of %s, such as %s(%s)", syntax.Clip(m.Text, 40), r.named(), r.Name,
			r.example())
	}
	m.take(r)
	m.Source = name
	return nil
}

// arguments parses the duration and the share of a metric.
func (m *metricParser) arguments(args []string) (err error) {
	r := m.Row()
	if i := slices.Index(r.Args, argSpan); i >= 0 {
		if m.Span, err = quantity.ParseDuration(args[i]); err == nil && m.Span <= 0 {
			err = errors.New("its span is more than zero")
		}
		if err != nil {
			return err
		}
	}
	i := slices.Index(r.Args, argShare)
	if i < 0 {
		return nil
	}
	m.Share, err = quantity.ParseShare(args[i])
	switch {
	case err != nil:
		return err
	case r.has(argSpan) && m.Span%time.Second != 0:
		return errors.New("its span is whole seconds, from 1s")
	case m.Share <= 0 || r.Budget != nil && m.Share >= 1:
		return errors.New("its share lies between 0% and 100%")
	}
	return nil
}
