package forecast

import (
	"slices"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/syntax"
)

// A Plan describes a planned run to a forecast.
type Plan struct {
	Scenario *scenarios.Scenario
	Mistakes *syntax.Mistakes // collects the objectives that the run can't decide
	Loads    []Load
	Once     []load.Step // the steps of setup and teardown
	Series   measure.Series
	Faults   []*timeline.Entry
	Skipped  []string // faults that match no unit, if the guard allows that
	Entry    string   // host:port of relative paths, as far as known
}

// A Load is a load with its schedule and its steps.
type Load struct {
	*scenarios.Load
	Schedule load.Plan
	Flows    []load.Flow
	Scripted bool // a k6 script makes its requests, whose number is not known beforehand
}

// check is a forecast in progress.
type check struct {
	plan  Plan
	end   time.Duration // when the last load ends
	notes []string

	answer time.Duration // the response time that closed loads wait for; zero gives the most requests
}

// Check reports every objective that the run could not decide as a mistake, with the figure that is too small. The
// notes are hints for the author: the smallest outage that the load can show, the stalls that a closed load hides,
// and loads that will run out of ports.
func (p Plan) Check() (notes []string) {
	c := &check{plan: p}
	for _, l := range p.Loads {
		c.end = max(c.end, l.Schedule.End())
	}
	c.noVerdict()
	c.shedding()
	c.lostWrites()
	c.registersUnasked()
	c.uniqueData()
	est := timeline.Estimate(c.coming(), c.end)
	c.readBacks(est)
	c.stopConditions(est)
	c.withinLoad(est)
	c.occurrences(est)
	c.recoveries(est)
	c.insideFault(est)
	c.undecidable(est)
	c.slowAnswers(est)
	c.fewAnswers(est)
	c.slightHarm(est)
	c.samples(est)
	c.amplification(est)
	c.closedLoads()
	c.slowUsers(est)
	c.resolution(est)
	return append(c.notes, c.ports()...)
}

// span is a span of the run; its times are offsets from t0.
type span struct{ from, to time.Duration }

// coming lists the faults that will occur, as far as known. A fault that follows one that does not occur does not
// occur either.
func (c *check) coming() []*timeline.Entry {
	return slices.DeleteFunc(slices.Clone(c.plan.Faults),
		func(e *timeline.Entry) bool { return slices.Contains(c.plan.Skipped, e.Name) })
}
