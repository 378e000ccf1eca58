package run

import (
	"math"
	"net/url"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// detect reads how the team's own monitoring is asked whether it has noticed a fault.
func (c *compiler) detect(f *scenarios.Fault) *chaos.Detect {
	if f.Detect == nil {
		return nil
	}
	d := new(chaos.Detect)
	before := c.m.Len()
	syntax.Decode(f.Detect, d, c.m)
	if c.m.Len() > before {
		return d
	}
	scope := c.plan.Scope
	scope.Host = func(u *url.URL) error { // as askable says it; the monitoring is asked without a load's resolve
		if c.plan.gate.by(nil)(u) == nil {
			return nil
		}
		return c.plan.calls.by(nil)(u)
	}
	d.Check(scope, c.m)
	return d
}

// detectable refuses an objective on what the monitoring noticed where nobody asks it,
// or too seldom to show the limit.
func (c *compiler) detectable(o slo.Objective) {
	if o.Metric.Name != "detect" {
		return
	}
	every := time.Duration(math.MaxInt64) // of the scenario's alerts, which are asked for in any case
	for _, a := range c.plan.Alerts {
		every = min(every, a.EveryOr())
	}
	i := slices.IndexFunc(c.plan.Faults, func(e *chaos.Entry) bool { return e.Name == scenarios.FaultOf(o.After) })
	switch {
	case i < 0: // told already
	case c.plan.Faults[i].Detect == nil && len(c.plan.Alerts) == 0:
		c.m.AddHint(o.Pos, `such as alerts: {HighErrorRate: {prometheus: "http://127.0.0.1:9090"}}, or in the fault detect: {get: "http://127.0.0.1:9093/api/v2/alerts", check: {"$": not empty}}`,
			"`%s`: fault %q has no `detect`, which says how the team's monitoring is asked, and the scenario no `alerts`", o.Text, c.plan.Faults[i].Name)
	case c.plan.Faults[i].Detect == nil && result.Num(o.Value).D() < every:
		c.m.Add(o.Pos, "`%s` can't be judged: the alerts are asked for every %s", o.Text, quantity.FormatDuration(every))
	case c.plan.Faults[i].Detect == nil:
	case result.Num(o.Value).D() < c.plan.Faults[i].Detect.EveryOr():
		c.m.Add(o.Pos, "`%s` can't be judged: the monitoring is asked every %s", o.Text, quantity.FormatDuration(c.plan.Faults[i].Detect.EveryOr()))
	}
}

// detection is what the judge is told of a sighting.
func (r *runner) detection(s *chaos.Sighting) judge.Detection {
	d := judge.Detection{At: s.At, NotYet: s.NotYet}
	if s.Err != nil {
		d.Why = r.Scenario.Secrets.Mask(s.Err.Error())
	}
	return d
}

// fillDetect tells what the monitoring noticed of an occurrence.
func (r *runner) fillDetect(rec *result.FaultRecord, c *chaos.Record) {
	s := c.Detect
	switch least := max(0, s.NotYet-c.Injected); {
	case s.Err != nil:
		rec.DetectNote = s.Err.Error()
	case s.Noticed:
		rec.Detect, rec.DetectResolution, rec.DetectNote = result.Sec(s.At-c.Injected), result.Sec(s.At-max(s.NotYet, c.Injected)), s.Text
	default:
		rec.Detect = result.Num(math.Inf(1))
		rec.DetectNote = "not noticed: > " + quantity.FormatSeconds(least.Seconds())
	}
	rec.DetectNote = r.Scenario.Secrets.Mask(rec.DetectNote)
}
