package run

import (
	"time"

	"brunt/chaos"
	"brunt/scenarios/observe"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// observers watch beside the load: brunt's own health, what the target's units use, its metrics and
// its alerts.
type observers struct {
	*session
	mon      *generatorMonitor
	usage    *observe.Usage    // nil before the load
	observed *observe.Observer // reads nothing before the load
	health   result.Generator  // brunt's, of the load
}

// start begins to watch, when t0 is known.
func (o *observers) start() {
	o.mon, o.usage = newGeneratorMonitor(o.Now, o.T0()), observe.NewUsage(o.sys.Units())
	o.observed = observe.New(observe.Run{
		T0: o.T0(), Now: o.Now, Mask: o.Scenario.Secrets.Mask, Note: o.Note, Event: o.Event,
		Host: chaos.Host{
			Run: o.o.ID, Addresses: o.env.Units, Allow: o.MonitoringRules(),
			AskStep: (&requester{session: o.session}).ask,
		},
	}, o.Gauges, o.Alerts, o.Watches, o.sys.Units())
	o.usage.Watch(o.Now)
	o.observed.Watch()
	o.sys.Measure(o.Now)
}

// stop ends what start began. It is called when the load is over, so that the judging does not count.
func (o *observers) stop() {
	o.usage.Stop()
	o.observed.Stop()
	o.sys.PodWatcher().End()
	if note := o.sys.PodWatcher().Note(); note != "" {
		o.Note("%s", note)
	}
	o.health = o.mon.Finish()
}

// holds reports whether a condition on a series holds now; known is false without data.
func (o *observers) holds(condition slo.Objective, now time.Duration) (yes, known bool) {
	var v float64
	switch {
	case condition.Metric.Resource == "":
		v, known = o.observed.Latest(condition, now)
	case o.sys.PodWatcher() != nil:
		v, known = o.sys.PodWatcher().Latest(condition)
	default:
		v, known = o.usage.Latest(condition, now, o.Events)
	}
	return known && condition.Holds(v), known
}
