package dryrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/syntax"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/chaos/proc"
	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/targets/platform"
	"brunt/targets/platform/compose"
)

// A Forecast describes what a fault would do, planned before anything runs.
type Forecast struct {
	Fault     string         `json:"fault"`
	Kind      string         `json:"kind"`
	Detect    string         `json:"detect,omitempty"`    // how the team's monitoring is polled
	OneShot   bool           `json:"one_shot,omitempty"`  // it is over as soon as it is done
	Condition bool           `json:"condition,omitempty"` // it holds for the whole run
	Skipped   string         `json:"skipped,omitempty"`   // why no target matches, if that is allowed
	Steps     []ForecastStep `json:"steps"`
	Processes []proc.Process `json:"processes,omitempty"` // processes that it would hit and that brunt did not start

	why   string // why it would fail; empty: it would not
	cause error  // of why, with its secrets
}

// A ForecastStep is one act of a fault.
type ForecastStep struct {
	Step  string   `json:"step,omitempty"`  // name of the step of a group
	After float64  `json:"after,omitempty"` // seconds from the begin of the group
	What  string   `json:"what"`
	Via   string   `json:"via"`
	Units []string `json:"units"`
	Links []string `json:"links,omitempty"` // the links that it would act on, if it acts on links alone, from->to
	Over  bool     `json:"over,omitempty"`  // it is a step of a group that is over as soon as it is done
	Undo  []string `json:"undo,omitempty"`  // how brunt or its watchdog would undo it; empty if it ends with brunt
}

// forecasts plans every fault against units that do not run yet. It opens and tries the same things as a run, so that
// it refuses the same faults; it only reads. in is the cluster of the pods that were found, or nil. wrong is an error
// that would end a run before any fault.
func forecasts(ctx context.Context, p *plan.Plan) (out []Forecast, in *PlannedCluster, wrong error) {
	found := NewContainers(p)
	defer found.Close()
	env := chaos.Env{
		Targets: chaos.Targets{
			Zones: p.Scope.Zones, MaxUnits: p.Scenario.Guard.MaxUnits, Spare: found.Guard().Begin,
			Find: found.Find,
		},
		Occurrence: chaos.Occurrence{Dry: true, Now: func() time.Duration { return 0 }},
	}
	switch {
	case p.Stack.OnPods():
	case p.Stack != nil:
		addStack(&env, p)
		if p.Stack.Platform == platform.Docker {
			wrong = startable(ctx, p.Stack, found)
		}
	default:
		if p.Scope.External != "" || len(p.Scope.Endpoints) == 0 {
			env.Links = append(env.Links, &chaos.Link{From: chaos.LoadName, To: chaos.TargetName})
		}
		if wrong = found.Choose(ctx); wrong == nil {
			env.Units, env.Zones = found.Units(), found.Zones()
			if pods := found.Pods(); pods != nil {
				in = &PlannedCluster{pods.Place.String(), pods.Place.UID}
			}
		}
	}
	for _, e := range p.Scope.Endpoints {
		if e.NoLink == "" {
			env.Links = append(env.Links, &chaos.Link{From: chaos.LoadName, To: e.Name})
		}
	}
	switch {
	case wrong == nil:
	case p.Stack != nil:
		wrong = fmt.Errorf("the target would not be started: %w", wrong)
	default:
		wrong = fmt.Errorf("the target would not be found: %w", wrong)
	}
	capabilities := sync.OnceValue(netns.Capabilities)
	for place, e := range slices.Concat(p.Conditions, p.Faults) {
		f := Forecast{Fault: e.Name, Kind: e.Kind, OneShot: e.OneShot(), Steps: []ForecastStep{}}
		if e.Detect != nil {
			f.Detect = e.Detect.String()
		}
		for _, pid := range e.Traits(p.Scope).PIDs {
			f.Processes = append(f.Processes, proc.ProcessOf(pid))
		}
		f.Condition = place < len(p.Conditions)
		if later := laterOnPods(p, e); later != "" {
			f.onPods(p, e, later)
			out = append(out, f)
			continue
		}
		env.Rand = rand.New(rand.NewPCG(p.Scenario.Seed, uint64(place)<<32))
		var parts []timeline.PlannedPart
		err := possible(ctx, p, e, found, capabilities)
		if err == nil {
			parts, err = e.PlanParts(ctx, env)
		}
		if p.Scenario.Guard.OnNoUnit == "skip" && errors.Is(err, chaos.ErrNoUnit) {
			f.Skipped, parts, err = err.Error(), nil, nil
		}
		if err != nil {
			f.why, f.cause = p.Scenario.Secrets.Mask(err.Error()), err
			out = append(out, f)
			continue
		}
		for _, part := range parts {
			f.add(p, e, &part)
		}
		out = append(out, f)
	}
	return result.Masked(out, p.Scenario.Secrets.Mask), in, wrong
}

// Forecasts plans every condition and every fault before anything runs, in their order. An error would end a run before
// any fault: the target can't be found, so that the forecasts lack its units.
func Forecasts(ctx context.Context, p *plan.Plan) ([]Forecast, error) {
	all, _, wrong := forecasts(ctx, p)
	return all, wrong
}

// Why says why the fault would fail; empty: it would not.
func (f *Forecast) Why() string { return f.why }

// Is reports whether the fault would fail because of an error.
func (f *Forecast) Is(err error) bool { return errors.Is(f.cause, err) }

// Hits describes what the fault would do, and by what, in one line.
func (f *Forecast) Hits() string {
	var out []string
	for _, s := range f.Steps {
		out = append(out, s.What+"; by "+s.Via)
	}
	return strings.Join(out, "; ")
}

// err returns the error that the fault would fail; nil if it would not.
func (f *Forecast) err() error {
	if f.why == "" {
		return nil
	}
	return fmt.Errorf("fault %q would fail: %s", f.Fault, f.why)
}

// startable returns why the containers of a stack can't be started: no engine answers, or there is no Compose command.
func startable(ctx context.Context, s *platform.Spec, found *Containers) error {
	if _, err := found.Open(ctx); err != nil || s.Compose == nil {
		return err
	}
	_, err := compose.Command(ctx)
	return err
}

// addStack adds the units and links that a run would start.
func addStack(env *chaos.Env, p *plan.Plan) {
	for _, s := range p.Stack.Services {
		for i := range s.Replicas {
			u := futureUnit{s.Name, i, s.Restart != "never"}
			if p.Stack.Platform == platform.Docker {
				env.Units = append(env.Units, futureContainer{u})
			} else {
				env.Units = append(env.Units, u)
			}
		}
	}
	for _, e := range p.Stack.Edges() {
		env.Links = append(env.Links, &chaos.Link{From: e.From, To: e.To})
	}
	env.Links = append(env.Links, &chaos.Link{From: chaos.LoadName, To: syntax.UnitName(p.Stack.Entry, 0)})
}

// possible returns why this machine can't inject a fault: the errors that a run finds before it brings the target up,
// and when it prepares the agents.
func possible(
	ctx context.Context, p *plan.Plan, e *timeline.Entry, found *Containers, capabilities func() []netns.Capability,
) error {
	for _, part := range e.Parts() {
		if err := p.TryFault(part, capabilities); err != nil {
			return err
		}
		if p.NeedsAgent(part) {
			if _, err := found.Open(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds the step of one fault of an entry.
func (f *Forecast) add(p *plan.Plan, e *timeline.Entry, part *timeline.PlannedPart) {
	for _, s := range part.Steps {
		step := ForecastStep{
			What: s.String() + followed(p, part.Entry), Via: s.Via(), Units: s.Units(), Links: chaos.LinksOf(s),
		}
		if part.Entry != e {
			step.Step, step.After, step.Over = part.Name, part.Wait.D().Seconds(), part.OneShot()
		}
		for _, u := range s.Undo() {
			step.Undo = append(step.Undo, u.Op)
		}
		f.Steps = append(f.Steps, step)
	}
}

// followed describes the pods that join during the fault and that it would hit as well.
func followed(p *plan.Plan, e *timeline.Entry) string {
	t, most := e.Traits(p.Scope), p.Scenario.Guard.MaxUnits
	switch {
	case p.Scope.Cluster == nil || !t.Follows || t.OneShot:
		return ""
	case !t.All:
		return "; follow: the pod that comes in its place is hit too"
	case most > 0:
		return fmt.Sprintf("; follow: pods that join are hit too, and more than %d units end it (max_units)", most)
	}
	return "; follow: pods that join are hit too, as many as come (guard.max_units bounds them)"
}

// lines describes the forecast, for people.
func (f *Forecast) lines() []string {
	out := []string{"fault " + f.Fault + " (" + f.Kind + ")"}
	if f.Condition {
		out[0] = "condition " + f.Fault + " (" + f.Kind + ")"
	}
	if f.Detect != "" {
		out = append(out, "  noticed by "+f.Detect)
	}
	if f.Skipped != "" {
		return append(out, "  would be skipped: "+f.Skipped)
	}
	if f.why != "" {
		return append(out, "  would fail: "+f.why)
	}
	of := ""
	for _, s := range f.Steps {
		if s.Step != of {
			of = s.Step
			out = append(out, "  step "+of+", "+quantity.FormatSeconds(s.After)+" after its begin")
		}
		hit := s.Units
		if len(s.Links) > 0 {
			hit = s.Links
		}
		out = append(out, fmt.Sprintf("  %s; by %s, hitting %s", s.What, s.Via, strings.Join(hit, ", ")))
		switch {
		case len(s.Undo) > 0:
		case f.OneShot, s.Over:
			out = append(out, "    nothing to take back: it is over once it is done")
		default:
			out = append(out, "    taken back by: brunt itself; the fault dies with it")
		}
		for _, op := range s.Undo {
			out = append(out, "    taken back by: "+op+", by brunt or by its watchdog")
		}
	}
	return out
}

// same reports whether two values have the same JSON.
func same(a, b any) bool {
	x, xerr := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return xerr == nil && yerr == nil && string(x) == string(y)
}
