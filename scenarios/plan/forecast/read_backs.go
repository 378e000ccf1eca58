package forecast

import (
	"cmp"
	"fmt"
	"slices"

	"brunt/chaos/timeline"
	"brunt/scenarios/ledger"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// ReadBacks returns the times before the first fault and between faults, in which a ledger reads writes back, in the
// order of time.
func ReadBacks(est []timeline.Estimated) (out []ledger.Gap) {
	sorted := slices.SortedStableFunc(slices.Values(est),
		func(a, b timeline.Estimated) int { return cmp.Compare(a.At, b.At) })
	for i, e := range sorted {
		if i == 0 {
			out = append(out, ledger.Gap{Before: e.Name, To: e.At, Rough: e.Rough})
			continue
		}
		last := slices.MaxFunc(sorted[:i], func(a, b timeline.Estimated) int { return cmp.Compare(a.Clear, b.Clear) })
		out = append(out, ledger.Gap{
			After: last.Name, Before: e.Name, Injected: last.At, From: last.Clear, To: max(e.At, last.Clear), Rough: e.Rough,
		})
	}
	return out
}

// readBacks notes the faults between which a ledger has no time to read writes back.
func (c *check) readBacks(est []timeline.Estimated) {
	if len(c.plan.Scenario.Ledgers) == 0 {
		return
	}
	var first *ledger.Gap
	n := 0
	for _, g := range ReadBacks(est) {
		if _, _, ok := g.Reading(); !ok && g.After != "" {
			if n++; n == 1 {
				first = &g
			}
		}
	}
	if n == 0 {
		return
	}
	more := ""
	if n > 1 {
		more = ", and between " + syntax.Amount(n-1, "more pair")
	}
	c.notes = append(c.notes, fmt.Sprintf("there is no time to read writes back between %s and %s%s: a write that is "+
		"lost may then be lost to either, and counts for none. %s after a fault is cleared is enough.", first.After,
		first.Before, more, quantity.FormatDuration(ledger.LeastGap)))
}
