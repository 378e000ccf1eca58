package forecast

import (
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A Plan describes a planned run to a forecast.
type Plan struct {
	Scenario *scenarios.Scenario
	Mistakes *syntax.Mistakes // collects the objectives that the run can't decide
	Loads    []Load
	Once     []load.Step // the steps of setup and teardown
	Series   measure.Series
	Every    func(slo.Metric) time.Duration // time between two readings of a series or a link; zero: not known
	Faults   []*timeline.Entry
	Skipped  []string // faults that match no unit, if the guard allows that
	Entry    string   // host:port of relative paths, as far as known
	Scope    chaos.Scope
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
	plan   Plan
	end    time.Duration // when the last load ends
	notes  []string
	doubts []Doubt

	answer time.Duration // the response time that closed loads wait for; zero gives the most requests
}

// Check reports every objective that the run could not decide as a mistake, with the figure that is too small. The
// notes are hints for the author: the smallest outage that the load can show, the stalls that a closed load hides,
// and loads that will run out of ports. The doubts are those by which the run may leave an objective open; each has a
// note.
func (p Plan) Check() (notes []string, doubts []Doubt) {
	c := &check{plan: p}
	for _, l := range p.Loads {
		c.end = max(c.end, l.Schedule.End())
	}
	c.noVerdict()
	c.shedding()
	c.lostWrites()
	c.deliveriesUnasked()
	c.registersUnasked()
	c.uniqueData()
	est := timeline.Estimate(c.coming(), c.end)
	c.readBacks(est)
	c.stopConditions(est)
	c.withinLoad(est)
	c.occurrences(est)
	c.recoveries(est)
	c.insideFault(est)
	c.downMeanwhile(est)
	c.undecidable(est)
	c.slowAnswers(est)
	c.fewAnswers(est)
	c.slightHarm(est)
	c.samples(est)
	c.readings(est)
	c.amplification(est)
	c.closedLoads()
	c.slowUsers(est)
	c.resolution(est)
	return append(c.notes, c.ports()...), c.doubts
}

// A Doubt is why the run may leave an objective open.
type Doubt string

// The doubts.
const (
	Inseparable  Doubt = "inseparable"   // the effect of a fault can't be separated from that of another one
	NoRoom       Doubt = "no_room"       // no hold is free after a fault
	SlightHarm   Doubt = "slight_harm"   // little harm can't be told from chance
	SlowUnknown  Doubt = "slow_unknown"  // too few requests tell which answers are slow
	FewAnswers   Doubt = "few_answers"   // too few requests meet a fault to show that it made none slower
	FailoverOpen Doubt = "failover_open" // a late failover has no hold before the end of the fault
	SlowUsers    Doubt = "slow_users"    // users make too few requests if answers take long
	RecoveryOpen Doubt = "recovery_open" // slight or long harm has no hold after it
	FewReadings  Doubt = "few_readings"  // one reading less of a figure is too few
)

// doubt adds a note that means that the run may leave an objective open.
func (c *check) doubt(why Doubt, note string) {
	c.notes, c.doubts = append(c.notes, note), append(c.doubts, why)
}

// span is a span of the run; its times are offsets from t0.
type span struct{ from, to time.Duration }

// coming lists the faults that will occur, as far as known. A fault that follows one that does not occur does not
// occur either.
func (c *check) coming() []*timeline.Entry {
	return slices.DeleteFunc(slices.Clone(c.plan.Faults),
		func(e *timeline.Entry) bool { return slices.Contains(c.plan.Skipped, e.Name) })
}
