package run

import (
	"context"
	"errors"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets/platform"
)

// DemoOptions configure a run of the built-in system alone.
type DemoOptions struct {
	With     []string // name=value: its switches, as in `target: {with: …}`
	Policies []*policies.Policy
	Self     []string // brunt's own command line
	State    string   // for the journal
	Watchdog []string // the command line of the watchdog
	Up       func([]DemoUnit)
}

// A DemoUnit is a process of the built-in system.
type DemoUnit struct {
	Name  string
	Addr  string
	PID   int
	Entry bool
}

// Demo runs the built-in system until ctx ends, and cleans up after it.
func Demo(ctx context.Context, o DemoOptions) (err error) {
	m := &syntax.Mistakes{}
	sc := &scenarios.Scenario{Name: "demo", Secrets: &template.Secrets{}, Symbols: &template.Symbols{}}
	sc.Target.Stack, sc.Target.At = "demo", syntax.Pos{File: "brunt demo"}
	plan.CheckTargetPolicies(sc, o.Policies, m)
	b, ok := syntax.Resolve(syntax.Block{Kind: "demo", With: syntax.Arguments(o.With, m)}, platform.Kinds(), m)
	if err := m.Err(); err != nil || !ok {
		return err
	}
	spec := b.Spec(o.Self)
	p := &plan.Plan{Scenario: sc, Stack: &spec}
	r := newRunner(p, Options{State: o.State, Watchdog: o.Watchdog})
	if err := r.protection.Open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.protection.Stop(), r.protection.Journal.Close()) }()
	sys := r.newTarget()
	err = sys.Up(ctx)
	defer func() { err = errors.Join(err, sys.Down(ctx)) }()
	if err != nil {
		if errors.As(err, new(Interrupt)) {
			return nil
		}
		return err
	}
	var units []DemoUnit
	for _, u := range sys.Units() {
		units = append(units, DemoUnit{u.Name(), sys.Addr(u.Name()), u.PID(), u.Service() == spec.Entry})
	}
	o.Up(units)
	<-ctx.Done()
	return nil
}
