package words

import (
	"fmt"
	"strconv"

	"brunt/scenarios/result"
)

// RepeatSummary summarizes the occurrences of a fault.
func RepeatSummary(r *result.Repeat) string {
	s := fmt.Sprintf("came %d times: %d recovered from, %d with no impact seen", r.Occurrences, r.Impacted, r.NotImpacted)
	if r.StepOutages > 0 {
		s += fmt.Sprintf(" on all requests, %d of these with an outage of one step", r.StepOutages)
	}
	if r.NoOutage > 0 {
		s += fmt.Sprintf(", %d without an outage that were slower or lost writes", r.NoOutage)
	}
	if r.NotRecovered > 0 {
		s += fmt.Sprintf(", %d not recovered from", r.NotRecovered)
	}
	if r.Unknown > 0 {
		s += fmt.Sprintf(", %d not known", r.Unknown)
	}
	return s
}

type namedSpread struct {
	Name   string
	Spread *result.Spread
}

// Spreads lists the figures that at least one occurrence has.
func Spreads(r *result.Repeat) []namedSpread {
	var out []namedSpread
	for _, f := range []namedSpread{
		{"onset", &r.Onset}, {"failover", &r.Failover}, {"recover", &r.Recover}, {"heal", &r.Heal}, {"degraded", &r.Degraded},
	} {
		if f.Spread.N > 0 {
			out = append(out, f)
		}
	}
	return out
}

// SpreadRow returns the number of occurrences that have the figure, its minimum, its percentiles and its maximum.
func SpreadRow(s *result.Spread) []string {
	cell := func(n result.Num) string {
		if !n.Known() {
			return "∞"
		}
		return Seconds(n)
	}
	p95 := "–"
	if s.N >= result.EnoughForSpread(.95) {
		p95 = cell(s.P95)
	}
	return []string{strconv.Itoa(s.N), cell(s.Min), cell(s.Median), p95, cell(s.Max)}
}
