package dryrun

import (
	"fmt"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
)

// expectedTimes describes when each fault is expected, for people.
func expectedTimes(p *plan.Plan) (out []string) {
	defer func() {
		for _, e := range p.Faults {
			if e.Trigger != "" {
				out = append(out, fmt.Sprintf("a time that the script says  %s  %s", e.Name, e.Kind))
			}
		}
	}()
	for _, e := range timeline.Estimate(p.Faults, p.End()) {
		about := ""
		if e.Rough {
			about = "about "
		}
		line := fmt.Sprintf("%s%s  %s  %s", about, quantity.FormatDuration(e.At.Round(time.Millisecond)), e.Name,
			e.Entry.Kind)
		if !e.Entry.OneShot() {
			line += " for " + quantity.FormatDuration(e.Clear-e.At)
		}
		out = append(out, line)
	}
	return out
}
