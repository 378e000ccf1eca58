package requests

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// Unasked says what a run without objectives found. Such a run has no verdict, because a run whose
// every request fails must not look like one that passed. The verdict is [scenarios.None], or invalid
// where brunt failed at all that were not good. Good reports that there were requests and all of
// them, with their checks and writes, were good.
func Unasked(
	cells []result.Cell, errors []result.ErrorGroup, ledgers []*result.LedgerRecord,
) (v scenarios.Verdict, reason string, good bool) {
	n := map[string]int64{}
	for _, c := range cells {
		if c.Phase == "run" && c.Load == "*" && c.Step == "*" {
			n[c.Outcome] = c.Count
		}
	}
	all := n["*"]
	if all == 0 {
		return scenarios.None, "No request was made and no objective asks about it.", false
	}
	own := int64(0)
	for _, g := range errors {
		if slices.ContainsFunc(scenarios.OwnCauses(), func(c scenarios.Cause) bool { return g.Kind == c.String() }) {
			own += g.Count
		}
	}
	if own > 0 && own == n[scenarios.Error.String()] && n[scenarios.Shed.String()] == 0 {
		return scenarios.Invalid, fmt.Sprintf(OwnLag+" or without a socket for %d of %d requests.", own, all), false
	}
	var found []string
	tell := func(part int64, what string) {
		if part > 0 {
			found = append(found, quantity.FormatShareBriefly(float64(part)/float64(all))+" of requests "+what)
		}
	}
	tell(n[scenarios.Error.String()]+n[scenarios.Skipped.String()], "failed")
	tell(n[scenarios.Shed.String()], "were shed")
	for _, l := range ledgers {
		of := ""
		if l.Name != "" {
			of = " of " + l.Name
		}
		if l.Wrong() > 0 {
			found = append(found, fmt.Sprintf("%d acknowledged writes%s were lost, duplicated or stale", l.Wrong(), of))
		} else if !l.Read {
			found = append(found, "the writes"+of+" were not read back")
		}
	}
	if len(found) == 0 {
		return scenarios.None, "Every request and check was good, and no objective asks about anything.", true
	}
	return scenarios.None, strings.Join(found, ", ") + " and no objective asks about it.", false
}
