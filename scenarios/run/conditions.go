package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"
)

// slack is the time beyond its planned length, setup included, that a run with conditions may take before a watchdog
// takes the conditions back.
const slack = time.Hour

// conditionsOf describes this run to its conditions: to those that are injected within the warm-up if late is set, else
// to those that hold for the whole run. It returns false if the run has no such condition.
func (r *runner) conditionsOf(late bool) (host conditionsHost, some bool) {
	p := r.plan
	entries := slices.DeleteFunc(slices.Clone(p.Conditions), func(e *timeline.Entry) bool {
		return (e.At.D() < 0) != late
	})
	if len(entries) == 0 {
		return host, false
	}
	return conditionsHost{
		Entries: entries, Late: late, Env: r.faults.environment(), Journal: r.protection.Journal, Seed: p.Scenario.Seed,
		SkipNone: p.Scenario.Guard.OnNoUnit == "skip", Longest: p.Takes() + p.TeardownLimit() + slack,
		Awake: r.faults.awake.Check, Event: r.log.Event, Plays: r.faults.addConditions,
		Lost: func(why error) { r.session.cancel(guard.TargetGoneError{How: why.Error()}) },
	}, true
}

// holdConditions injects the faults that hold for the whole run. They are taken back after teardown.
func (r *runner) holdConditions(ctx context.Context) error {
	host, some := r.conditionsOf(false)
	if !some {
		return nil
	}
	held, err := openConditions(ctx, host)
	if err != nil {
		return err
	}
	r.onClose(func() error {
		released := held.Release()
		r.conditions = append(r.conditions, released...)
		for _, c := range released {
			note := "the condition " + c.Name + " (" + c.Kind + ") held for the whole run: " + c.Evidence
			if c.NotShown != "" {
				note += "; not shown: " + c.NotShown
			}
			if c.Note != "" {
				note = syntax.Sentence("the condition " + c.Name + ": " + c.Note)
			}
			r.closeNotes = append(r.closeNotes, r.plan.Scenario.Secrets.Mask(note))
		}
		return nil
	})
	return nil
}

// holdLate injects the conditions that are due within the warm-up. The returned function is called when the load is
// over: it proves that they are still in, and takes them back. If one can't be injected or proved, the run ends.
func (r *runner) holdLate(ctx context.Context) (release func()) {
	host, some := r.conditionsOf(true)
	if !some {
		return func() {}
	}
	var held *heldConditions
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		var err error
		if held, err = openConditions(ctx, host); err != nil {
			r.session.cancel(guard.TargetGoneError{How: err.Error()})
		}
	}()
	return func() {
		<-opened
		if held == nil {
			return
		}
		still, err := held.timeline.Prove(ctx)
		released := held.Release()
		for i := range released {
			switch c := &released[i]; {
			case err == nil:
				c.Still = still[c.Name]
			case c.Note == "":
				c.Note = fmt.Sprintf("not proved when the load was over: %v", err)
			}
		}
		r.conditions = append(r.conditions, released...)
	}
}
