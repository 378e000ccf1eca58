package reporters

import (
	"fmt"
	"strconv"

	"brunt/scenarios/result"
)

// repeated says how the occurrences of a fault went.
func repeated(r *result.Repeat) string {
	s := fmt.Sprintf("came %d times: %d recovered from, %d without impact", r.Occurrences, r.Impacted, r.NotImpacted)
	if r.NotRecovered > 0 {
		s += fmt.Sprintf(", %d not recovered from", r.NotRecovered)
	}
	if r.Unknown > 0 {
		s += fmt.Sprintf(", %d not known", r.Unknown)
	}
	return s
}

type namedSpread struct {
	name   string
	spread *result.Spread
}

// spreads lists the figures that any occurrence has.
func spreads(r *result.Repeat) []namedSpread {
	var out []namedSpread
	for _, f := range []namedSpread{
		{"onset", &r.Onset}, {"failover", &r.Failover}, {"recover", &r.Recover}, {"heal", &r.Heal}, {"degraded", &r.Degraded},
	} {
		if f.spread.N > 0 {
			out = append(out, f)
		}
	}
	return out
}

// spreadCells are how many occurrences have the figure, its least, its percentiles and
// its most.
func spreadCells(s *result.Spread) []string {
	cell := func(n result.Num) string {
		if !n.Known() {
			return "∞"
		}
		return seconds(n)
	}
	p95 := "–"
	if s.N >= result.EnoughForSpread(.95) {
		p95 = cell(s.P95)
	}
	return []string{strconv.Itoa(s.N), cell(s.Min), cell(s.Median), p95, cell(s.Max)}
}

// repeats makes the table of faults that came several times.
func (p *page) repeats(list []result.Repeat) {
	if len(list) == 0 {
		return
	}
	t := &table{Head: []string{"fault", "figure", "occurrences with it", "min", "median", "p95", "max"}}
	for i := range list {
		r := &list[i]
		p.Repeated = append(p.Repeated, clean(r.Fault)+" "+repeated(r)+".")
		for _, f := range spreads(r) {
			t.Rows = append(t.Rows, append([]string{clean(r.Fault), f.name}, spreadCells(f.spread)...))
		}
	}
	p.RepeatTable = t
}
