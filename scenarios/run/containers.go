package run

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"brunt/chaos"
	"brunt/chaos/catalog"
	chaoscontainer "brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/scenarios/result"
	"brunt/targets/platform"
	"brunt/targets/platform/compose"
	"brunt/targets/platform/container"
	"brunt/targets/platform/docker"
)

// containers is a target of containers, made by brunt or by Compose.
type containers struct {
	*platform.Group
	engine *docker.Engine
}

func (c containers) units() []chaos.Unit {
	var out []chaos.Unit
	for _, u := range c.Units() {
		out = append(out, contained(c.engine, u))
	}
	return out
}

// contained is the unit of a container.
func contained(e *docker.Engine, u *platform.Unit) chaos.Unit {
	c := &chaoscontainer.Container{Engine: e, Ref: u.Ref(), Of: chaoscontainer.Named{Unit: u.Name(), Service: u.Service}, Check: u.Ready}
	if u.Asks() {
		return chaoscontainer.Asked(c, u.Ask, u.Addr())
	}
	return c
}

// contain starts the containers of the target. Every object in the engine carries the run's label,
// so that any reader of the journal can remove it.
func (s *system) contain(ctx context.Context) error {
	r := s.r
	e, err := s.Open(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	publish := runtime.GOOS != "linux" || !e.Address().Local()
	event := func(event, unit, text string) { r.Event(result.Event{Event: event, Unit: unit, Text: text}) }
	var group *platform.Group
	var undo []chaos.Undo
	if r.Stack.Compose != nil {
		// Kill the command first, so that it creates no more objects.
		undo = []chaos.Undo{chaoscontainer.ComposeUndo(e.Address(), compose.ProjectName(r.o.ID)), journal.StackUndo(r.o.ID)}
		group = compose.New(*r.Stack, compose.Options{Run: r.o.ID, Engine: e, Publish: publish, Event: event})
	} else {
		undo = []chaos.Undo{chaoscontainer.FleetUndo(e.Address(), r.o.ID)}
		self := func(ctx context.Context) (string, error) { return r.buildSelf(ctx, e) }
		group, err = container.New(*r.Stack, container.Options{Run: r.o.ID, Engine: e, Labels: owned(), Publish: publish, Self: self, Event: event})
		if err != nil {
			return err
		}
	}
	s.stack = containers{group, e}
	if s.journaled, err = r.journal.Intent(chaos.Intent{What: "the containers of the stack", Undo: undo}); err != nil {
		return err
	}
	if err := s.stack.Up(ctx); err != nil {
		// subtle: the engine may still execute a request whose client has gone.
		s.sweep = func(ctx context.Context) error {
			if r.Stack.Compose != nil {
				return chaoscontainer.SweepCompose(ctx, e, compose.ProjectName(r.o.ID))
			}
			return chaoscontainer.SweepFleet(ctx, e, r.o.ID)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	for _, u := range s.stack.units() {
		if c, ok := chaoscontainer.ContainerOf(u); ok {
			addrs := c.Addresses()
			r.LoadAllowlist.Own.Add(addrs...)
			r.ChaosAllowlist.Own.Add(addrs...)
		}
	}
	if s.entry = s.stack.Addr(platform.UnitName(r.Stack.Entry, 0)); s.entry == "" {
		return fmt.Errorf("%w: %s listens nowhere: `ports` says where", errNotReady, r.Stack.Entry)
	}
	return s.loadLink(ctx)
}

// buildSelf makes an image of brunt itself.
func (r *runner) buildSelf(ctx context.Context, e *docker.Engine) (id string, err error) {
	labels := owned()
	labels[docker.RunLabel] = r.o.ID
	program, err := docker.SelfPath(r.Getenv)
	if err != nil {
		return "", err
	}
	return e.BuildSelf(ctx, "brunt-"+r.o.ID, program, labels)
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
