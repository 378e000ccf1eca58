package run

import (
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/result"
)

// foldEvery is how often samples are sorted into cells.
const foldEvery = 200 * time.Millisecond

// watch folds, checks stop conditions and reports every second, until the loads are done and the
// faults undone.
func (r *runner) watch(done <-chan struct{}) error {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	next := observe.NextSecond(r.Now())
	stops := make([]time.Duration, len(r.Scenario.Stop)) // since when each holds; 0 means it does not
	defer close(r.watched)
	if r.o.Begun != nil {
		r.o.Begun(r.Look)
	}
	for {
		select {
		case <-done:
			err := r.rec.Fold()
			iv, second := r.rec.Interval()
			iv.Last = true
			r.tell(iv, second)
			return err
		case answer := <-r.looks:
			answer <- r.soFar()
			continue
		case <-tick.C:
		}
		if err := r.rec.Fold(); err != nil {
			r.cancel(err)
			return err
		}
		now := r.Now()
		if now < next {
			continue
		}
		next = observe.NextSecond(now)
		iv, second := r.rec.Interval()
		r.stopConditions(now, second, stops)
		r.mon.Tick(iv.InFlight)
		r.tell(iv, second)
	}
}

// stopConditions ends the run when a condition has held for its `for`. A second in which nothing
// ended while requests were in flight continues the previous state.
func (r *runner) stopConditions(now time.Duration, second measure.Second, since []time.Duration) {
	if now < 0 {
		return
	}
	for i, o := range r.Scenario.Stop {
		holds, known := false, false
		if o.Metric.OfSeries() {
			holds, known = r.seriesNow(o, now)
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
		if now-since[i] >= o.For && !r.stopping {
			r.stopping = true
			r.Event(result.Event{Event: "run.stop", Text: o.Text})
			r.cancel(stopped{o.Text})
		}
	}
}

// tell passes an interval to Options.Live.
func (r *runner) tell(iv result.Interval, second measure.Second) {
	if r.o.Live == nil {
		return
	}
	iv.Objectives = judge.RunningVerdicts(second, r.Objectives(r.o.NoChaos))
	iv.End, iv.Phase = r.End(), "run"
	if iv.At < 0 {
		iv.Phase = "warmup"
	} else if iv.At > iv.End {
		iv.Phase = "grace"
	}
	if r.timetable == nil {
		for _, e := range r.foreseen {
			r.timetable = append(r.timetable, result.Foreseen{Name: e.Name, Kind: e.Entry.Kind, At: e.At, Clear: e.Clear})
		}
	}
	iv.Timetable = r.timetable
	for _, e := range r.foreseen {
		if e.At > iv.At && (iv.Next == "" || e.At < iv.NextAt) {
			iv.Next, iv.NextAt = e.Name, e.At
		}
	}
	iv.Steps = second.Steps(r.scripts.Checks())
	r.o.Live(iv)
}
