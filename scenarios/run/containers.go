package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/docker"
	"brunt/targets/stack"
)

// fleet is a stack of containers.
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

// A member is a container of a stack.
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

// contained is a container of a stack as faults see it.
func contained(e *docker.Engine, m member, ref, service string) chaos.Unit {
	c := &chaos.Container{Engine: e, Ref: ref, Of: chaos.Named{Unit: m.Name(), Service: service}, Check: m.Ready}
	if m.Asks() {
		return chaos.Asked(c, m.Ask, m.Addr())
	}
	return c
}

// addrOf is where a unit listens; empty is nowhere.
func addrOf[M member](members []M, unit string) string {
	for _, m := range members {
		if m.Name() == unit {
			return m.Addr()
		}
	}
	return ""
}

// getenv is the environment that the plan was compiled in.
func (p *Plan) getenv(name string) string {
	if p.environ == nil { // of a fault alone
		return os.Getenv(name)
	}
	v, _ := p.environ(name)
	return v
}

// open finds the engine of the containers and asks whether it answers.
func (s *system) open(ctx context.Context) (*docker.Engine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine != nil {
		return s.engine, nil
	}
	at, err := docker.Find(s.r.getenv)
	if err != nil {
		return nil, err
	}
	e, err := docker.Open(at, docker.Options{Check: s.r.calls.reach})
	if err != nil {
		return nil, err
	}
	if err := e.Ping(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	s.engine = e
	return e, nil
}

// contain makes a stack of containers. All that is made carries the run's label, by which
// anyone who reads the journal can take it away.
func (s *system) contain(ctx context.Context) error {
	r := s.r
	e, err := s.open(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	o := stack.FleetOptions{
		Run: r.o.ID, Engine: e.API(), Log: r.log, Labels: owned(), Publish: runtime.GOOS != "linux" || !e.Address().Local(),
		Self: func(ctx context.Context) (string, error) {
			labels := owned()
			labels[docker.RunLabel] = r.o.ID
			program, err := docker.SelfPath(r.getenv)
			if err != nil {
				return "", err
			}
			return e.BuildSelf(ctx, "brunt-"+r.o.ID, program, labels)
		},
		Event: func(event, unit, text string) { r.event(result.Event{Event: event, Unit: unit, Text: text}) },
	}
	undo := []chaos.Undo{chaos.FleetUndo(e.Address(), r.o.ID)}
	if r.Stack.Compose != nil {
		// The command first: it must not make more meanwhile.
		undo = []chaos.Undo{chaos.ComposeUndo(e.Address(), stack.ProjectName(r.o.ID)), chaos.StackUndo(r.o.ID)}
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
		// subtle: the engine may be about to follow an order still that nobody waits for any more.
		s.sweep = func(ctx context.Context) error {
			if r.Stack.Compose != nil {
				return chaos.SweepCompose(ctx, e, stack.ProjectName(r.o.ID))
			}
			return chaos.SweepFleet(ctx, e, r.o.ID)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	for _, u := range s.stack.units() {
		if c, ok := chaos.ContainerOf(u); ok {
			addrs := c.Addresses()
			r.gate.own.add(addrs...)
			r.calls.own.add(addrs...)
		}
	}
	if s.entry = s.stack.addr(stack.UnitName(r.Stack.Entry, 0)); s.entry == "" {
		return fmt.Errorf("%w: %s listens nowhere: `ports` says where", ErrNotReady, r.Stack.Entry)
	}
	return s.loadLink(ctx)
}

// project is a stack that Compose has brought up.
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

// chosen reads the names that a target gives containers that run already.
func (c *compiler) chosen(t *scenarios.Target) {
	if t.Units == nil {
		return
	}
	if t.Units.Kind != syntax.Map || len(t.Units.Fields) == 0 {
		c.m.AddHint(t.Units.Pos, "such as {store: {project: shop, service: db}}", "units is a map of names to what selects containers")
		return
	}
	c.plan.Chosen, c.plan.Scope.Found, c.plan.Scope.Zones = map[string]*chaos.Chosen{}, map[string]bool{}, chaos.Zones{}
	for _, f := range t.Units.Fields {
		if !syntax.IsName(f.Key) || f.Key == stack.LoadUnit || f.Key == chaos.TargetName {
			c.m.Add(f.Pos, "%q can't name a service: a-z, 0-9 and -, beginning with a letter, and not load or target", f.Key)
			continue
		}
		one := new(chaos.Chosen)
		before := c.m.Len()
		syntax.Decode(f.Value, one, c.m)
		if c.m.Len() == before {
			one.Check(f.Pos, c.m)
		}
		c.plan.Chosen[f.Key] = one
		c.plan.Scope.Found[f.Key], c.plan.Scope.Services[f.Key] = true, max(1, len(one.Zones))
		for i, zone := range one.Zones { // as many as must be there for each to have one
			c.plan.Scope.Zones[stack.UnitName(f.Key, i)] = zone
		}
	}
}

// reachEngine refuses an engine on another machine that guard.allow.chaos does not name. Which
// engine that is, the environment and Docker's own settings say; it is not connected to.
func (c *compiler) reachEngine() {
	at := syntax.Pos{}
	switch {
	case c.plan.Stack != nil && c.plan.Stack.Platform == stack.Docker:
		at = c.sc.Target.Of(targetKind(&c.sc.Target))
	case len(c.plan.Chosen) > 0:
		at = c.sc.Target.Of("units")
	default:
		i := slices.IndexFunc(c.plan.Faults, func(e *chaos.Entry) bool {
			f, ok := e.Damage.(chaos.Finding)
			return ok && f.Finds()
		})
		if i < 0 {
			return
		}
		at = c.plan.Faults[i].Block.Pos
	}
	c.plan.contained = true
	where, err := docker.Find(c.plan.getenv)
	if err != nil {
		c.m.Add(at, "%v", err)
		return
	}
	u := where.URL()
	if u == nil {
		return
	}
	if c.plan.Stack != nil && !where.Local() {
		c.m.AddHint(at, "a target that runs there is named by its url, and its containers by `units`", "brunt makes containers on this machine alone, and the Docker engine %s is on another", where.Host)
		return
	}
	if err := c.plan.calls.by(nil)(u); err != nil {
		c.m.AddHint(at, "guard: {allow: {chaos: ["+u.Hostname()+"]}} lets brunt break what runs there", "the Docker engine %s is not on this machine: %v", where.Host, err)
	}
}

// find finds containers that brunt did not start.
func (s *system) find(ctx context.Context, q docker.Query) ([]docker.Container, *docker.Engine, error) {
	e, err := s.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := e.List(ctx, q)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range found {
		s.found = append(s.found, found[i].Name)
	}
	return found, e, err
}

// choose finds the containers that the target gives names to.
func (s *system) choose(ctx context.Context) error {
	if !s.r.contained {
		return nil
	}
	if _, err := s.open(ctx); err != nil { // before anything is begun
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	for _, name := range slices.Sorted(maps.Keys(s.r.Chosen)) {
		one := s.r.Chosen[name]
		found, e, err := s.find(ctx, one.Query())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotReady, err)
		}
		if len(found) == 0 && s.r.Scenario.Guard.OnNoUnit != "skip" {
			return fmt.Errorf("%w: %s: %w %s", ErrNotReady, name, chaos.ErrNoUnit, one.Query())
		}
		for i := range found {
			if err := s.r.spare(chaos.ContainerName(found[i].Name)); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrNotReady, name, err)
			}
		}
		for i, u := range one.Units(name, e, found) {
			s.chosen = append(s.chosen, u)
			if len(one.Zones) > 0 {
				if s.zones == nil {
					s.zones = chaos.Zones{}
				}
				s.zones[u.Name()] = one.Zones[i%len(one.Zones)]
			}
		}
	}
	return nil
}

func (s *system) zonesOr(plan chaos.Zones) chaos.Zones {
	if s.zones != nil {
		return s.zones
	}
	return plan
}

// helpers readies what brunt's helpers are made of, where a fault will need one.
func (r *runner) helpers(ctx context.Context) error {
	for _, e := range r.Faults {
		if r.o.NoChaos || !r.inside(e) {
			continue
		}
		engine, err := r.sys.open(ctx)
		if err != nil {
			return err
		}
		return r.insides.Ready(ctx, engine, r.o.ID)
	}
	return nil
}

// inside tells whether a fault is done inside of a container, where it may take a helper.
func (r *runner) inside(e *chaos.Entry) bool {
	f, ok := e.Damage.(chaos.Inside)
	return ok && f.Inside(r.Scope) || r.contained && chaos.Handled(e.Kind)
}

// owned labels what a run makes with whose it is.
func owned() map[string]string {
	return map[string]string{docker.OwnerLabel: strconv.Itoa(os.Geteuid())}
}
