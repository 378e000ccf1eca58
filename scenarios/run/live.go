package run

import (
	"sync/atomic"
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
)

// foldEvery is the interval at which samples are sorted into cells.
const foldEvery = 200 * time.Millisecond

// live watches a run while its loads go on, and answers requests for the result so far.
type live struct {
	session   *session
	plan      *plan.Plan
	log       *events.Log
	identity  *Identity
	loads     *loads
	faults    *faults
	observers *observers

	samples   chan chan *result.Result         // requests for the result so far
	over      chan struct{}                    // closed when requests are no longer answered
	header    *result.Result                   // the part of a result that does not change; nil before the first request
	interim   judge.Interim                    // state that one request keeps for the next
	escape    atomic.Pointer[measure.Recorder] // of the escape under way; nil without one
	stopping  bool                             // a stop condition was met
	timetable []result.PlannedFault            // when each fault is planned
}

func newLive(r *runner) *live {
	return &live{
		session: r.session, plan: r.plan, log: r.log, identity: r.identity, loads: r.loads, faults: r.faults,
		observers: r.observers, samples: make(chan chan *result.Result), over: make(chan struct{}),
	}
}

// watch folds, checks stop conditions and reports every second, until the loads are done and the
// faults undone.
func (l *live) watch(done <-chan struct{}) error {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	next := observe.NextSecond(l.log.Now())
	// times since which each holds; 0 means that it does not hold
	stops := make([]time.Duration, len(l.plan.Scenario.Stop))
	defer close(l.over)
	var heap garbage
	defer heap.End()
	if l.session.o.Begun != nil {
		l.session.o.Begun(l.sample)
	}
	if l.session.o.Attended != nil {
		l.session.o.Attended(l.faults.marks.mark)
	}
	for {
		select {
		case <-done:
			err := l.loads.rec.Fold()
			iv, second := l.loads.rec.Interval()
			iv.Last = true
			l.tell(iv, second)
			return err
		case answer := <-l.samples:
			answer <- l.soFar()
			continue
		case <-tick.C:
		}
		if err := l.loads.rec.Fold(); err != nil {
			l.session.cancel(err)
			return err
		}
		heap.Tick()
		now := l.log.Now()
		if now < next {
			continue
		}
		next = observe.NextSecond(now)
		iv, second := l.loads.rec.Interval()
		l.stopConditions(now, second, stops)
		cores := result.Num(0)
		if l.loads.crew != nil {
			cores = l.loads.crew.CPU()
		}
		l.observers.mon.Tick(iv.InFlight, cores)
		l.tell(iv, second)
	}
}

// stopConditions ends the run when a condition has held for its `for`. A second in which no request ended while some
// were in flight continues the previous state.
func (l *live) stopConditions(now time.Duration, second measure.Second, since []time.Duration) {
	if now < 0 {
		return
	}
	for i, o := range l.plan.Scenario.Stop {
		holds, known := false, false
		if o.Metric.OfSeries() {
			holds, known = l.observers.holds(o, now)
		} else {
			holds, known = judge.HoldsIn(second, o)
		}
		switch {
		case !known && second.InFlight > 0 && since[i] != 0:
		case !holds:
			since[i] = 0
			continue
		case since[i] == 0:
			since[i] = max(1, now-time.Second)
		}
		if now-since[i] >= o.For && !l.stopping {
			l.stopping = true
			l.log.Event(result.Event{Event: "run.stop", Text: o.Text})
			l.session.cancel(stopped{o.Text})
		}
	}
}

// tell passes an interval to Options.Live.
func (l *live) tell(iv result.Interval, second measure.Second) {
	l.loads.spans.Flush()
	l.loads.each.Flush()
	if l.session.o.Live == nil {
		return
	}
	marks := map[series.MarkKey]time.Duration{}
	for i := range second.Faults {
		l.faults.marks.addTo(marks, i, second.Faults[i].Name)
	}
	iv.Objectives = judge.VerdictsNow(second, l.plan.Objectives(l.session.o.NoChaos), marks)
	if escape := l.escape.Load(); escape != nil { // its requests belong to no objective and no total
		of := iv
		iv, _ = escape.Interval()
		iv.Objectives, iv.Total, iv.Bad = of.Objectives, of.Total, of.Bad
	}
	iv.End, iv.Phase = l.plan.End(), "run"
	switch {
	case iv.At < 0:
		iv.Phase = "warmup"
	case l.escape.Load() != nil:
		iv.Phase = "escape"
	case iv.At > iv.End:
		iv.Phase = "grace"
	}
	planned := l.faults.planned()
	if len(l.timetable) != len(planned) {
		l.timetable = nil
		for _, e := range planned {
			l.timetable = append(l.timetable, result.PlannedFault{Name: e.Name, Kind: e.Entry.Kind, At: e.At, Clear: e.Clear})
		}
	}
	iv.Timetable = l.timetable
	l.faults.marks.live(&iv)
	for _, e := range planned {
		if e.At > iv.At && (iv.Next == "" || e.At < iv.NextAt) {
			iv.Next, iv.NextAt = e.Name, e.At
		}
	}
	iv.Steps = second.Steps(l.loads.scripts.Causes())
	l.session.o.Live(result.Masked(iv, l.plan.Scenario.Secrets.Mask))
}
