package run

import (
	"context"
	"time"

	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"
)

// slack is the time beyond its planned length, setup included, that a run with conditions may take before a watchdog
// takes the conditions back.
const slack = time.Hour

// holdConditions injects the faults that hold for the whole run. They are taken back after teardown.
func (r *runner) holdConditions(ctx context.Context) error {
	p := r.plan
	if len(p.Conditions) == 0 {
		return nil
	}
	held, err := openConditions(ctx, conditionsHost{
		Entries: p.Conditions, Env: r.faults.environment(), Journal: r.protection.Journal, Seed: p.Scenario.Seed,
		SkipNone: p.Scenario.Guard.OnNoUnit == "skip", Longest: p.Takes() + p.TeardownLimit() + slack,
		Awake: r.faults.awake.Check, Event: r.log.Event,
		Lost: func(why error) { r.session.cancel(guard.TargetGoneError{How: why.Error()}) },
	})
	if err != nil {
		return err
	}
	r.onClose(func() error {
		r.conditions = held.Release()
		for _, c := range r.conditions {
			note := "the condition " + c.Name + " (" + c.Kind + ") held for the whole run: " + c.Evidence
			if c.Note != "" {
				note = syntax.Sentence("the condition " + c.Name + ": " + c.Note)
			}
			r.closeNotes = append(r.closeNotes, p.Scenario.Secrets.Mask(note))
		}
		return nil
	})
	return nil
}
