package slo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"
)

// reachName is the name of the metric of the time until a series reaches a value.
const reachName = "reach"

// A Condition is a comparison that a value of a series has to meet. The zero value means no condition.
type Condition struct {
	Op    string // < <= > >= =
	Value float64
	Unit  Unit
}

// Holds reports whether a value meets the condition.
func (c Condition) Holds(v float64) bool { return Objective{Op: c.Op, Value: c.Value}.Holds(v) }

// scaledName is the name of the metric of the time until a service has a number of ready pods.
const scaledName = "scaled"

// Reaches reports whether the metric is the time until a series meets a condition.
func (m Metric) Reaches() bool { return m.Row().Needs == NeedsReach }

// Scaled reports whether the metric is the time until a service has a number of ready pods.
func (m Metric) Scaled() bool { return m.Name == scaledName }

// scaled parses scaled(SERVICE, NUMBER). ok is false for other metrics.
func (m *metricParser) scaled() (ok bool, err error) {
	inner, found := strings.CutPrefix(m.Text, scaledName+"(")
	r, known := m.table.Row(scaledName)
	if !found || !known {
		return false, nil
	}
	inner, closed := strings.CutSuffix(inner, ")")
	service, number, _ := strings.Cut(inner, ",")
	service = strings.TrimSpace(service)
	n, nerr := strconv.Atoi(strings.TrimSpace(number))
	if !closed || !syntax.IsName(service) || nerr != nil || n < 1 {
		return true, fmt.Errorf("%q: want a service and a number of pods, such as scaled(web, 6)", syntax.Clip(m.Text, 60))
	}
	m.take(r)
	m.Source, m.Resource, m.Until = service, readyFigure, Condition{">=", float64(n), Count}
	return true, nil
}

// reach parses reach(…). ok is false for other metrics.
func (m *metricParser) reach() (ok bool, err error) {
	if ok, err = m.scaled(); ok {
		return ok, err
	}
	inner, found := strings.CutPrefix(m.Text, reachName+"(")
	r, known := m.table.Row(reachName)
	if !found || !known {
		return false, nil
	}
	such := "such as reach(metric(replicas) >= 4)"
	inner, found = strings.CutSuffix(inner, ")")
	if !found {
		return true, fmt.Errorf("%q: want a series and the value that it reaches, %s", syntax.Clip(m.Text, 60), such)
	}
	o, err := m.table.ParseObjective(inner)
	switch {
	case err != nil:
		return true, fmt.Errorf("%q: %w; %s", syntax.Clip(m.Text, 60), err, such)
	case !o.Metric.OfSeries() || o.Metric.Fold != folds[0] && o.Metric.Fold != Worst || o.Metric.Figure().Counted:
		return true, fmt.Errorf("%q: want a figure of a unit, or metric(NAME), and the value that it reaches: %s",
			syntax.Clip(m.Text, 60), such)
	case o.inPhase() || o.isAfter() || o.For != 0 || o.Share != 0 || o.Relative():
		return true, errors.New("only a value can follow the series in reach: " + such)
	}
	m.take(r)
	m.Source, m.Resource, m.Until = o.Metric.Source, o.Metric.Resource, Condition{o.Op, o.Value, o.Metric.Unit}
	return true, nil
}

// operator finds the operator of a short form: the first one outside of parentheses.
func operator(s string) []int {
	for _, at := range opPattern.FindAllStringIndex(s, -1) {
		if before := s[:at[0]]; strings.Count(before, "(") <= strings.Count(before, ")") {
			return at
		}
	}
	return nil
}
