package dryrun

import (
	"fmt"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/forecast"
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
		switch {
		case e.Entry.Wait.ForOperator():
			about = "when an operator continues it, at the latest after "
		case e.Rough:
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

// expectedReadBacks describes when writes are read back before and between faults, for people.
func expectedReadBacks(p *plan.Plan) (out []string) {
	if len(p.Ledgers) == 0 {
		return nil
	}
	for _, g := range forecast.ReadBacks(timeline.Estimate(p.Faults, p.End())) {
		from, to, ok := g.Reading()
		where := fmt.Sprintf("between %s and %s", g.After, g.Before)
		switch {
		case g.After != "":
		case !ok:
			continue
		default:
			where = "before " + g.Before
		}
		if !ok {
			out = append(out, "no time "+where+": a write that is lost may be lost to either")
			continue
		}
		about := ""
		if g.Rough {
			about = "about "
		}
		out = append(out, fmt.Sprintf("%s%s to %s  %s", about, quantity.FormatDuration(from.Round(time.Millisecond)),
			quantity.FormatDuration(to.Round(time.Millisecond)), where))
	}
	return out
}
