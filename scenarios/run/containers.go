package run

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/scenarios/result"
	"brunt/targets/platform/docker"
	"brunt/targets/stack"
)

// fleet is a target of containers.
type fleet struct {
	*stack.Fleet
	engine *docker.Engine
}

func (f fleet) addr(unit string) string { return addrOf(f.Units(), unit) }

func (f fleet) units() []chaos.Unit {
	var out []chaos.Unit
	for _, m := range f.Units() {
		out = append(out, contained(f.engine, m, m.ID(), m.Service))
	}
	return out
}

// A member is a container of a target.
type member interface {
	Name() string // of the unit
	Addr() string
	Asks() bool
	Ask(ctx context.Context) error
	Ready(ctx context.Context) error
}

var (
	_ member = (*stack.Member)(nil)
	_ member = (*stack.Part)(nil)
)

// contained is the unit of a container.
func contained(e *docker.Engine, m member, ref, service string) chaos.Unit {
	c := &container.Container{Engine: e, Ref: ref, Of: container.Named{Unit: m.Name(), Service: service}, Check: m.Ready}
	if m.Asks() {
		return container.Asked(c, m.Ask, m.Addr())
	}
	return c
}

// addrOf is the address that a unit listens on; empty if it has none.
func addrOf[M member](members []M, unit string) string {
	for _, m := range members {
		if m.Name() == unit {
			return m.Addr()
		}
	}
	return ""
}

// contain starts the containers of the target. Every object in the engine carries the run's label,
// so that any reader of the journal can remove it.
func (s *system) contain(ctx context.Context) error {
	r := s.r
	e, err := s.Open(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	o := stack.FleetOptions{
		Run: r.o.ID, Engine: e.API(), Log: r.logger, Labels: owned(), Publish: runtime.GOOS != "linux" || !e.Address().Local(),
		Self: func(ctx context.Context) (string, error) {
			labels := owned()
			labels[docker.RunLabel] = r.o.ID
			program, err := docker.SelfPath(r.Getenv)
			if err != nil {
				return "", err
			}
			return e.BuildSelf(ctx, "brunt-"+r.o.ID, program, labels)
		},
		Event: func(event, unit, text string) { r.Event(result.Event{Event: event, Unit: unit, Text: text}) },
	}
	undo := []chaos.Undo{container.FleetUndo(e.Address(), r.o.ID)}
	if r.Stack.Compose != nil {
		// Kill the command first, so that it creates no more objects.
		undo = []chaos.Undo{container.ComposeUndo(e.Address(), stack.ProjectName(r.o.ID)), journal.StackUndo(r.o.ID)}
		s.stack = project{stack.NewProject(*r.Stack, o), e}
	} else {
		f, err := stack.NewFleet(*r.Stack, o)
		if err != nil {
			return err
		}
		s.stack = fleet{f, e}
	}
	if s.journaled, err = r.journal.Intent("", "the containers of the stack", undo); err != nil {
		return err
	}
	if err := s.stack.Up(ctx); err != nil {
		// subtle: the engine may still execute a request whose client has gone.
		s.sweep = func(ctx context.Context) error {
			if r.Stack.Compose != nil {
				return container.SweepCompose(ctx, e, stack.ProjectName(r.o.ID))
			}
			return container.SweepFleet(ctx, e, r.o.ID)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	for _, u := range s.stack.units() {
		if c, ok := container.ContainerOf(u); ok {
			addrs := c.Addresses()
			r.LoadAllowlist.Own.Add(addrs...)
			r.ChaosAllowlist.Own.Add(addrs...)
		}
	}
	if s.entry = s.stack.addr(stack.UnitName(r.Stack.Entry, 0)); s.entry == "" {
		return fmt.Errorf("%w: %s listens nowhere: `ports` says where", errNotReady, r.Stack.Entry)
	}
	return s.loadLink(ctx)
}

// project is a target that Compose has brought up.
type project struct {
	*stack.Project
	engine *docker.Engine
}

func (p project) addr(unit string) string { return addrOf(p.Units(), unit) }

func (p project) units() []chaos.Unit {
	var out []chaos.Unit
	for _, u := range p.Units() {
		out = append(out, contained(p.engine, u, u.Ref(), u.Service))
	}
	return out
}

// helpers prepares the image of the agents, where a fault will need one.
func (r *runner) helpers(ctx context.Context) error {
	for _, e := range r.Faults {
		if r.o.NoChaos || !r.inside(e) {
			continue
		}
		engine, err := r.sys.Open(ctx)
		if err != nil {
			return err
		}
		return r.insides.Ready(ctx, engine, r.o.ID)
	}
	return nil
}

// inside reports whether a fault acts inside a container, where it may need an agent.
func (r *runner) inside(e *chaos.Entry) bool {
	f, ok := e.Damage.(chaos.Inside)
	d, _ := catalog.Find(e.Kind)
	return ok && f.Inside(r.Scope) || r.Contained && d.Agent != nil
}

// owned returns the labels for everything that a run creates.
func owned() map[string]string {
	return map[string]string{docker.OwnerLabel: strconv.Itoa(os.Geteuid())}
}
