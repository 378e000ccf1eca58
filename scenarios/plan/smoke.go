// A smoke run tries a scenario that is being written: does each request work, does each check hold, can each fault be
// injected and taken back? It measures nothing.
//
//	iterations, two a second: each flow in its turn ... and on while the faults are in
//	faults, one after the other:                    |--a--|  |-b-|  |--c--|
//	                                               judged: no error before them; each verified and taken back

package plan

import (
	"fmt"
	"slices"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

const (
	perSecond = 2                         // iterations a second of a load
	longest   = 5 * time.Second           // maximum length of a fault
	between   = time.Second               // time between two faults
	after     = 3 * time.Second           // time after the last fault, and for each unit that may be slow to come back
	healthy   = 5 * time.Second           // length of the phase of a one-shot fault
	objective = "errors = 0% in baseline" // the only objective
)

// ReduceToSmoke returns the plan of a smoke run: each load begins two iterations a second, with its flows in turn.
// When each flow has had its turn, each fault is injected once, one after the other. The only objective is that no
// request fails before the first fault.
func ReduceToSmoke(p *Plan) (*Plan, error) {
	one := p.WithoutRecords()
	sc := one.Scenario
	baseline := time.Duration(0)
	one.Loads = slices.Clone(p.Loads)
	for i := range one.Loads {
		lp := &one.Loads[i]
		switch {
		case lp.Script != nil:
			return nil, fmt.Errorf("load %q is a script: try it by k6 itself, `k6 run --iterations 1`", lp.Name)
		case lp.Schedule.Log != nil:
			return nil, fmt.Errorf("load %q replays a log, whose requests have no turns: try it by `for: 5s`", lp.Name)
		}
		lp.InTurn = true
		baseline = max(baseline, time.Duration(len(lp.Flows))*time.Second/perSecond+thinking(lp))
	}
	baseline += between
	var end time.Duration
	one.Faults, end = inTurn(p.Faults, baseline)
	for i := range one.Loads {
		rate := load.NewProfile(0)
		rate.Add(end, perSecond, perSecond)
		one.Loads[i].Schedule = load.Plan{Rate: rate}
	}
	o, err := slo.ParseObjective(objective)
	if err != nil {
		return nil, err
	}
	o.ID = objective
	sc.SLO, sc.Steady, sc.Stop, sc.Warmup = []slo.Objective{o}, []slo.Objective{o}, nil, 0
	sc.Steady[0].Phase = slo.Phase{}
	one.Smoke = true
	one.Notes = []string{"a smoke run: two iterations a second, each fault once. Nothing is measured, and none of the " +
		"scenario's objectives is judged."}
	return one, nil
}

// inTurn puts faults one after the other, and returns the time at which the last one is over and its unit is back.
func inTurn(faults []*timeline.Entry, baseline time.Duration) (out []*timeline.Entry, end time.Duration) {
	end = baseline
	for i, f := range faults {
		e := *f
		stays := f.Stays()
		if f.Pulse != nil {
			stays = min(stays, f.Pulse.On.D())
		}
		if _, group := f.Damage.(*timeline.Group); !group {
			stays = min(stays, longest)
		}
		e.At, e.After, e.During, e.Trigger, e.Wait = nil, "", "", "", scenarios.Wait{By: quantity.Duration(between)}
		e.Every, e.Repeat, e.Pulse, e.For, e.Detect, e.RequireImpact = 0, 0, nil, quantity.Duration(stays), nil, false
		if i == 0 {
			at := quantity.Duration(baseline)
			e.At, e.Wait = &at, scenarios.Wait{}
		} else {
			e.After = faults[i-1].Name
		}
		end += between + stays
		if e.OneShot() {
			end += f.LastStep() + healthy + after
		}
		out = append(out, &e)
	}
	return out, end + after
}

// thinking returns the longest time that an iteration pauses.
func thinking(lp *Load) time.Duration {
	most := time.Duration(0)
	for _, f := range lp.Flows {
		sum := time.Duration(0)
		for _, s := range f.Steps {
			if s.Call == nil {
				sum += s.Think.Max
			}
		}
		most = max(most, sum)
	}
	return most
}
