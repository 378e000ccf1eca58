package target

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"brunt/scenarios/syntax"

	"brunt/chaos"
	chaoscontainer "brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/medium/link"
	"brunt/scenarios/result"
	"brunt/targets/platform"
	"brunt/targets/platform/compose"
	"brunt/targets/platform/container"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// containerTarget is a target of containers, made by brunt or by Compose.
type containerTarget struct {
	*platform.Group
	engine *docker.Engine
}

func (c containerTarget) units() []chaos.Unit {
	var out []chaos.Unit
	for _, u := range c.Units() {
		out = append(out, contained(c.engine, u))
	}
	return out
}

// contained returns the unit of a container.
func contained(e *docker.Engine, u *platform.Unit) chaos.Unit {
	c := &chaoscontainer.Container{
		Engine: e, Ref: u.Ref(), Of: chaoscontainer.Named{Unit: u.Name(), Service: u.Service}, Check: u.Ready,
	}
	if u.Asks() {
		c.Answer, c.At = u.Ask, u.Addr()
	}
	return c
}

// contain starts the containers of the target. Every object in the engine carries the run's label,
// so that any reader of the journal can remove it.
func (s *System) contain(ctx context.Context) error {
	h := s.host
	e, err := s.Containers.Open(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	publish := runtime.GOOS != "linux" || !e.Address().Local()
	event := func(event, unit, text string) { h.Log.Event(result.Event{Event: event, Unit: unit, Text: text}) }
	var group *platform.Group
	var undo []chaos.Undo
	if h.Plan.Stack.Compose != nil {
		// Kill the command first, so that it creates no more objects.
		undo = []chaos.Undo{
			chaoscontainer.ComposeUndo(e.Address(), compose.ProjectName(h.Run)), journal.ProcessesUndo(h.Run),
		}
		group = compose.New(s.asking(e), compose.Options{Run: h.Run, Engine: e, Publish: publish, Event: event})
	} else {
		undo = []chaos.Undo{chaoscontainer.ContainersUndo(e.Address(), h.Run)}
		self := func(ctx context.Context) (string, error) { return h.buildSelf(ctx, e) }
		group, err = container.New(s.asking(e),
			container.Options{Run: h.Run, Engine: e, Labels: owned(), Publish: publish, Self: self, Event: event})
		if err != nil {
			return err
		}
	}
	s.group = containerTarget{group, e}
	if s.journaled, err = h.Journal.Intent(chaos.Intent{What: "the containers of the stack", Undo: undo}); err != nil {
		return err
	}
	if err := s.group.Up(ctx); err != nil {
		// subtle: the engine may still execute a request whose client has gone.
		s.sweep = func(ctx context.Context) error {
			if h.Plan.Stack.Compose != nil {
				return chaoscontainer.SweepCompose(ctx, e, compose.ProjectName(h.Run))
			}
			return chaoscontainer.SweepContainers(ctx, e, h.Run)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	for _, u := range s.group.units() {
		if c, ok := chaoscontainer.Of(u); ok {
			addrs := c.Addresses()
			h.Plan.LoadAllowlist.Own.Add(addrs...)
			h.Plan.ChaosAllowlist.Own.Add(addrs...)
			_ = s.host.learn(ctx, c) // an error does not matter: it is asked again before its log is kept
		}
	}
	if s.entry = s.group.Addr(syntax.UnitName(h.Plan.Stack.Entry, 0)); s.entry == "" {
		return fmt.Errorf("%w: %s listens nowhere: `ports` says where", errNotReady, h.Plan.Stack.Entry)
	}
	if s.counters, err = s.countCalls(ctx); err != nil {
		return fmt.Errorf("counting calls between containers: %w", err)
	}
	return s.loadLink(ctx)
}

// countCalls puts counters on links between containers, if the run counts calls there.
func (s *System) countCalls(ctx context.Context) (*link.Counters, error) {
	links := s.host.Plan.CountedContainers()
	if len(links) == 0 {
		return nil, nil
	}
	return link.Count(ctx, s.host.Proxies, links, s.group.units())
}

// buildSelf makes an image of brunt itself.
func (h *Host) buildSelf(ctx context.Context, e *docker.Engine) (id string, err error) {
	labels := owned()
	labels[containers.RunLabel] = h.Run
	program, err := docker.SelfPath(h.Plan.Getenv)
	if err != nil {
		return "", err
	}
	return e.BuildSelf(ctx, "brunt-"+h.Run, program, labels)
}

// owned returns the labels for everything that a run creates.
func owned() map[string]string {
	return map[string]string{containers.OwnerLabel: strconv.Itoa(os.Geteuid())}
}
