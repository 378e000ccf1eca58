package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"brunt/chaos"
	"brunt/chaos/selector"
	"brunt/chaos/timeline"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/targets/platform"
)

// electionTime is how long units have for their first election, once the target is ready and setup is over, before the
// time that their question gives them.
const electionTime = 10 * time.Second

// findLeaders asks for the leader of each fault that hits units by their role, before the load begins. So a wrong
// question ends the run at its start, and not when the fault is due. Where guard.on_no_unit is skip, a fault without a
// leader ends no run.
func (f *faults) findLeaders(ctx context.Context) error {
	if f.session.o.NoChaos || f.plan.Scenario.Guard.OnNoUnit == "skip" {
		return nil
	}
	for _, e := range f.plan.Faults {
		for _, part := range e.Parts() {
			if err := f.findLeader(ctx, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// findLeader asks for the leader of one fault, if it hits units by their role.
func (f *faults) findLeader(ctx context.Context, e *timeline.Entry) error {
	if e.Damage == nil || e.Traits(chaos.Scope{}).Asks == nil {
		return nil
	}
	within := electionTime
	if l, ok := e.Traits(chaos.Scope{}).Asks.(*selector.Leader); ok {
		within += l.Within.D()
	}
	var none chaos.LeaderError
	err := platform.Await(ctx, platform.Wait{
		Within: within,
		Ask: func(ctx context.Context) error {
			env := f.environment()
			env.Rand, env.Roles = rand.New(rand.NewPCG(0, 0)), new(chaos.Roles)
			if _, err := e.Damage.Plan(ctx, env); errors.As(err, &none) {
				return none.Err
			}
			return nil // the timeline shows any other error
		},
		Tell: func(err error) {
			f.log.Event(result.Event{
				Event: "target.waiting", Text: fmt.Sprintf("%s finds no leader yet, up to %s: %v", e.Name,
					quantity.FormatDuration(within), err),
			})
		},
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("%s finds no leader, %s after the target was ready: %w; mend its question at %s", e.Name,
		quantity.FormatDuration(within), err, e.Traits(chaos.Scope{}).Asks.Of(""))
}
