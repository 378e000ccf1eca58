package forecast

import (
	"fmt"
	"slices"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// readLate is how much later than planned a reading may come, so that a phase has one reading less.
const readLate = 500 * time.Millisecond

// readings compares the readings of figures of the target that come within a phase with those that its objectives
// need. It refuses an objective if even the most are too few, and notes one if the fewest are. A phase that lasts until
// the target is good again may be longer than expected, so that an objective on it is only noted.
func (c *check) readings(est []timeline.Estimated) {
	asked := requests.WithReferences(c.plan.Scenario.SLO)
	if len(est) > 0 { // the first injection ends the steady state
		for _, o := range c.plan.Scenario.Steady {
			o.Phase = slo.Phase{Kind: slo.BaselinePhase}
			asked = append(asked[:len(asked):len(asked)], o)
		}
	}
	for _, o := range asked {
		if !o.Metric.OfSeries() || o.Metric.Reaches() {
			continue
		}
		for _, in := range c.phaseSpans(o, est) {
			if !c.read(o, in) {
				break
			}
		}
	}
}

// read reports whether enough readings come within a span. Otherwise it refuses or notes the objective.
func (c *check) read(o slo.Objective, in span) bool {
	need, every := series.Need(o), c.plan.Every(o.Metric)
	lasts := in.to - in.from
	if o.PhaseOrRun().Kind == slo.BaselinePhase {
		lasts += inFlight
	}
	if every <= 0 || (lasts-readLate)/every >= time.Duration(need) {
		return true
	}
	most := int((lasts + every - 1) / every)
	room := fmt.Sprintf("it needs %s of %s, one every %s, and %s (%s to %s) has room for %d",
		syntax.Amount(int(need), "reading"), o.Metric.Source, quantity.FormatDuration(every), o.PhaseOrRun(),
		quantity.Brief(in.from), quantity.Brief(in.to), most)
	mend := c.longer(o, time.Duration(need)*every+readLate)
	if mend == "" {
		mend = "ask about a longer phase"
	}
	if faster := ((lasts - readLate) / time.Duration(need)).Truncate(100 * time.Millisecond); o.Metric.Resource == "" &&
		!o.Metric.OfLink() && faster > 0 {
		mend += ", or every: " + quantity.Brief(faster) + " of the metric"
	}
	if most < int(need) && !c.mayLast(o) {
		c.plan.Mistakes.AddHint(o.Pos, mend, "`%s` can't be judged: %s", o.Text, room)
		return false
	}
	c.doubt(FewReadings, fmt.Sprintf("`%s` may not be decided if a reading comes late: %s: %s.", o.Text, room, mend))
	return false
}

// mayLast reports whether the phase of an objective ends only when the target is good or a unit healthy again.
func (c *check) mayLast(o slo.Objective) bool {
	phase := o.PhaseOrRun()
	return phase.Kind == slo.RecoveryPhase || phase.Kind == slo.FaultPhase &&
		slices.ContainsFunc(c.plan.Faults, func(e *timeline.Entry) bool {
			return e.OneShot() && phase.Includes(slo.ParseOccurrence(e.Name))
		})
}
