package run

import (
	"context"
	"time"

	"brunt/chaos"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/slo"
)

// observers watch brunt's own health, the resources that the target's units use, metrics and alerts while the load
// runs.
type observers struct {
	session  *session
	plan     *plan.Plan
	log      *events.Log
	requests *requester
	mon      *generatorMonitor
	usage    *observe.Usage    // nil before the load
	observed *observe.Observer // reads nothing before the load
	links    *observe.Links    // nil before the load
	health   result.Generator  // brunt's own health during the load
}

// start begins to watch. t0 must be known.
func (o *observers) start() {
	o.usage = observe.NewUsage(o.session.sys.Units())
	o.mon = newGeneratorMonitor(o.log.Now, o.log.T0(), o.usage.OwnCPU)
	o.observed = observe.New(observe.Run{
		T0: o.log.T0(), Now: o.log.Now, Mask: o.plan.Scenario.Secrets.Mask, Note: o.log.Note, Event: o.log.Event,
		Host: chaos.Host{
			Run: o.session.o.ID, Addresses: o.session.env.Units, Allow: o.plan.MonitoringRules(),
			AskStep: o.requests.ask,
		},
	}, o.plan.Gauges, o.plan.Alerts, o.plan.Watches, o.session.sys.Units())
	o.usage.Watch(o.log.Now)
	o.observed.Watch()
	o.links.Watch(o.log.Now)
	o.session.sys.Measure(o.log.Now)
}

// quiet begins to count the traffic on the links between units before the load. If the run counts calls, it waits as
// long as the count needs.
func (o *observers) quiet(ctx context.Context) error {
	o.links = observe.NewLinks(o.session.sys.Counted(), o.plan.End())
	o.links.Quiet(ctx)
	if !o.plan.CountsCalls() || o.links == nil {
		return nil
	}
	o.log.Event(result.Event{
		Event: "links.quiet", Text: "counting calls without load for " + quantity.FormatDuration(series.QuietFor),
	})
	select {
	case <-time.After(series.QuietFor):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stop ends the watch. It is called when the load is over, so that judging does not count.
func (o *observers) stop() {
	o.usage.Stop()
	o.observed.Stop()
	o.links.Stop()
	o.session.sys.PodWatcher().End()
	if note := o.session.sys.PodWatcher().Note(); note != "" {
		o.log.Note("%s", note)
	}
	o.health = o.mon.Finish()
}

// holds reports whether a condition on a series holds now; known is false without data.
func (o *observers) holds(condition slo.Objective, now time.Duration) (yes, known bool) {
	var v float64
	switch {
	case condition.Metric.Resource == "":
		v, known = o.observed.Latest(condition, now)
	case o.session.sys.PodWatcher() != nil:
		v, known = o.session.sys.PodWatcher().Latest(condition)
	default:
		v, known = o.usage.Latest(condition, now, o.log.Events)
	}
	return known && condition.Holds(v), known
}
