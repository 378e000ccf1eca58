package run

import (
	"context"
	"time"

	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"
)

// slack is how much longer than planned a run with conditions may take, its setup included, before a watchdog takes
// them back.
const slack = time.Hour

// holdConditions injects the faults that hold for the whole run of r. They are taken back after teardown.
func holdConditions(ctx context.Context, r *runner) error {
	if len(r.Conditions) == 0 {
		return nil
	}
	held, err := openConditions(ctx, conditionsHost{
		Entries: r.Conditions, Env: r.faults.environment(), Journal: r.protection.Journal, Seed: r.Scenario.Seed,
		SkipNone: r.Scenario.Guard.OnNoUnit == "skip", Longest: r.Takes() + r.TeardownLimit() + slack,
		Awake: r.faults.awake.Check, Event: r.Event,
		Lost: func(why error) { r.cancel(guard.TargetGoneError{How: why.Error()}) },
	})
	if err != nil {
		return err
	}
	r.onClose(func() error {
		r.conditions = held.Release()
		for _, c := range r.conditions {
			if c.Note != "" {
				r.closeNotes = append(r.closeNotes, r.Scenario.Secrets.Mask(syntax.Sentence("the condition "+c.Name+": "+c.Note)))
				continue
			}
			r.closeNotes = append(r.closeNotes, r.Scenario.Secrets.Mask("the condition "+c.Name+" ("+c.Kind+
				") held for the whole run: "+c.Evidence))
		}
		return nil
	})
	return nil
}
