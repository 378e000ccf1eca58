package timeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/scenarios/syntax"
)

// A Group is several faults that are played as one: they have one lane, one recovery and one verdict. Each step is an
// [Entry]. Its Wait is its offset from the begin of the group, and its For the time that it stays; a zero For means
// until the group ends.
type Group struct {
	Steps []*Entry // sorted by their offset
	Brief bool     // every step is a one-shot, and the group ends with them
}

// Check does nothing: each step is checked on its own.
func (g *Group) Check(syntax.Pos, chaos.Scope, *syntax.Mistakes) {}

// Plan returns the steps of all faults of the group.
func (g *Group) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	planned, err := (&Entry{Damage: g}).PlanParts(ctx, env)
	var out []chaos.Step
	for _, p := range planned {
		out = append(out, p.Steps...)
	}
	return out, err
}

// Traits joins the traits of the steps. Units is the largest number of any step: the limit of units applies to each
// step, as it does to each fault.
func (g *Group) Traits(sc chaos.Scope) chaos.Traits {
	out := chaos.Traits{OneShot: g.Brief}
	var of []chaos.Traits
	for _, s := range g.Steps {
		t := s.Traits(sc)
		of = append(of, t)
		out.Units = max(out.Units, t.Units)
		out.Reaches = append(out.Reaches, t.Reaches...)
		out.PIDs = append(out.PIDs, t.PIDs...)
		out.Zones = append(out.Zones, t.Zones...)
		out.Rights = append(out.Rights, t.Rights...)
		out.Finds = out.Finds || t.Finds
		out.Commands = out.Commands || t.Commands
		out.Starts = out.Starts || t.Starts
		out.StaysDown = out.StaysDown || t.StaysDown
		out.InNetwork = out.InNetwork || t.InNetwork
	}
	out.Touches = func(from, to string, z chaos.Zones) (hit, http bool) {
		for _, t := range of {
			if t.Touches != nil {
				h, web := t.Touches(from, to, z)
				hit, http = hit || h, http || h && web
			}
		}
		return hit, http
	}
	out.Try = func(capabilities func() []netns.Capability) error {
		var errs []error
		for _, t := range of {
			if t.Try != nil {
				errs = append(errs, t.Try(capabilities))
			}
		}
		return errors.Join(errs...)
	}
	return out
}

// Parts returns the steps of a group, and for other entries the entry itself.
func (e *Entry) Parts() []*Entry {
	if g, ok := e.Damage.(*Group); ok {
		return g.Steps
	}
	return []*Entry{e}
}

// MustStay returns how long the entry has to stay injected: its `for`, or the whole time of a group, because its steps
// have times of their own. Zero says that a limit may end it at any time.
func (e *Entry) MustStay() time.Duration {
	if _, ok := e.Damage.(*Group); ok {
		return e.Stays()
	}
	return e.For.D()
}

// A PlannedPart is one fault of an entry, with its planned steps.
type PlannedPart struct {
	*Entry
	Steps []chaos.Step
	env   chaos.Env
	seed  uint64 // of its random choices
}

// PlanParts plans every fault of an entry. It only reads. The error names the step of a group that
// can't be planned.
func (e *Entry) PlanParts(ctx context.Context, env chaos.Env) ([]PlannedPart, error) {
	g, group := e.Damage.(*Group)
	if !group {
		steps, err := e.plan(ctx, env)
		return []PlannedPart{{Entry: e, Steps: steps}}, err
	}
	parts := g.parts(env)
	return parts, planAll(ctx, parts)
}

// parts returns the steps of the group before they are planned, each with a seed of its own.
func (g *Group) parts(env chaos.Env) []PlannedPart {
	var out []PlannedPart
	for _, s := range g.Steps {
		env.Choice = s.choice()
		out = append(out, PlannedPart{Entry: s, env: env, seed: env.Rand.Uint64()})
	}
	return out
}

func planAll(ctx context.Context, parts []PlannedPart) error {
	for i := range parts {
		if err := parts[i].again(ctx); err != nil {
			return fmt.Errorf("%s: %w", parts[i].Name, err)
		}
	}
	return nil
}

// again plans the step, each time with the same random choices. It starts without noted roles, those of earlier plans
// included.
func (p *PlannedPart) again(ctx context.Context) (err error) {
	p.env.Rand, p.env.Roles = rand.New(rand.NewPCG(p.seed, 0)), new(chaos.Roles)
	p.Steps, err = p.plan(ctx, p.env)
	return err
}

// plan plans the fault of an entry.
func (e *Entry) plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	env.Kind, env.Fault = e.Kind, e.Damage
	steps, err := e.Damage.Plan(ctx, env)
	if err == nil {
		err = env.Refused(ctx, e.Damage, steps, false)
	}
	return steps, err
}

// LastStep returns the offset of the last step of a group; zero for other entries.
func (e *Entry) LastStep() time.Duration {
	last := time.Duration(0)
	if g, ok := e.Damage.(*Group); ok {
		for _, s := range g.Steps {
			last = max(last, s.Wait.D())
		}
	}
	return last
}

// Lasts returns how long the steps of a group last by themselves, and whether each of them ends by itself.
func (g *Group) Lasts() (most time.Duration, all bool) {
	all = true
	for _, s := range g.Steps {
		all = all && (s.OneShot() || s.For > 0)
		most = max(most, s.Wait.D()+s.For.D())
	}
	return most, all
}

// NewGroup sorts steps by their offset; steps with the same offset stay in their order. lasting says that the group has
// a time of its own.
func NewGroup(steps []*Entry, lasting bool) *Group {
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b *Entry) int { return int(a.Wait.D() - b.Wait.D()) })
	brief := !lasting && !slices.ContainsFunc(steps, func(s *Entry) bool { return !s.OneShot() })
	return &Group{Steps: steps, Brief: brief}
}
