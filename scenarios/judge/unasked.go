package judge

import (
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// Unasked says what a run without objectives found. Such a run has no verdict, because a run whose
// every request fails must not look like one that passed. Good reports that there were requests and
// all of them, with their checks, were good.
func Unasked(cells []result.Cell) (reason string, good bool) {
	n := map[string]int64{}
	for _, c := range cells {
		if c.Phase == "run" && c.Load == "*" && c.Step == "*" {
			n[c.Outcome] = c.Count
		}
	}
	all := n["*"]
	if all == 0 {
		return "No request was made and no objective asks about it.", false
	}
	var found []string
	tell := func(part int64, what string) {
		if part > 0 {
			found = append(found, quantity.FormatShareBriefly(float64(part)/float64(all))+" of requests "+what)
		}
	}
	tell(n[scenarios.Error.String()]+n[scenarios.Skipped.String()], "failed")
	tell(n[scenarios.Shed.String()], "were shed")
	if len(found) == 0 {
		return "Every request and check was good, and no objective asks about anything.", true
	}
	return strings.Join(found, ", ") + " and no objective asks about it.", false
}
