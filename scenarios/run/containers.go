package run

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"brunt/chaos"
	"brunt/chaos/docker"
	"brunt/scenarios"
	"brunt/targets/stack"
)

// fleet is a stack of containers.
type fleet struct {
	*stack.Fleet
	engine *docker.Engine
}

func (f fleet) addr(unit string) string {
	for _, m := range f.Units() {
		if m.Name() == unit {
			return m.Addr()
		}
	}
	return ""
}

func (f fleet) units() []chaos.Unit {
	var out []chaos.Unit
	for _, m := range f.Units() {
		c := &chaos.Container{Engine: f.engine, Ref: m.ID(), Of: chaos.Named{Unit: m.Name(), Service: m.Service}, Check: m.Ready}
		if m.Asks() {
			out = append(out, &chaos.AskedContainer{Container: c, Answer: m.Ask, At: m.Addr()})
		} else {
			out = append(out, c)
		}
	}
	return out
}

// getenv is the environment that the plan was compiled in.
func (p *Plan) getenv(name string) string {
	v, _ := p.environ(name)
	return v
}

// open finds the engine of the containers and asks whether it answers.
func (s *system) open(ctx context.Context) (*docker.Engine, error) {
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
	f, err := stack.NewFleet(*r.Stack, stack.FleetOptions{
		Run: r.o.ID, Engine: e.API(), Log: r.log, Publish: runtime.GOOS != "linux" || !e.Address().Local(),
		Self: func(ctx context.Context) (string, error) {
			program, err := docker.SelfPath(r.getenv)
			if err != nil {
				return "", err
			}
			return e.BuildSelf(ctx, "brunt-"+r.o.ID, program, map[string]string{docker.RunLabel: r.o.ID})
		},
		Event: func(event, unit, text string) { r.event(scenarios.Event{Event: event, Unit: unit, Text: text}) },
	})
	if err != nil {
		return err
	}
	if s.journaled, err = r.journal.Intent("", "the containers of the stack", []chaos.Undo{chaos.FleetUndo(e.Address(), r.o.ID)}); err != nil {
		return err
	}
	s.stack = fleet{f, e}
	if err := f.Up(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	for _, m := range f.Units() {
		r.gate.own.add(m.Addresses()...)
		r.calls.own.add(m.Addresses()...)
	}
	s.entry = s.stack.addr(stack.UnitName(r.Stack.Entry, 0))
	return s.loadLink(ctx)
}
