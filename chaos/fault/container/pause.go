package container

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/docker"
)

// Pause is the fault container.pause.
type Pause struct {
	selector.Selector `yaml:",inline"`
}

var _ chaos.Fault = (*Pause)(nil)

// Check implements [Fault].
func (p *Pause) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&p.Selector, at, sc, m)
}

// Plan implements [Fault].
func (p *Pause) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	units, err := p.Units(ctx, env)
	if err != nil {
		return nil, err
	}
	var steps []chaos.Step
	for _, u := range units {
		s := &pause{unit: u}
		var ok bool
		if s.c, ok = container.Of(u); ok {
			if s.was, err = s.c.Running(ctx); err != nil {
				return nil, err
			}
		} else if !env.Dry {
			return nil, fmt.Errorf("%s: %w", u.Name(), container.ErrNoContainer)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// pause is the step that pauses one container, and the held fault.
type pause struct {
	unit chaos.Unit
	c    *container.Container
	was  docker.Container
}

func (p *pause) String() string  { return "pause " + p.unit.Name() }
func (p *pause) Units() []string { return []string{p.unit.Name()} }
func (p *pause) Via() string     { return "freezer" }

func (p *pause) id() container.ContainerIdentity {
	return container.ContainerIdentity{Container: p.was.ID, Started: p.was.Started}
}

// Undo implements [Step].
func (p *pause) Undo() []chaos.Undo {
	u := chaos.Undo{Op: opUnpause, Prior: container.RawOf("running")}
	if p.c != nil {
		u.Args, u.Identity = container.RawOf(container.EngineArgs{Engine: p.c.Engine.Address(), Settle: chaos.RetryEvery}), container.RawOf(p.id())
	}
	return []chaos.Undo{u}
}

// Inject implements [Step].
func (p *pause) Inject(ctx context.Context) (chaos.Held, error) {
	if err := p.c.Still(ctx, p.was); err != nil {
		return nil, err
	}
	return p, p.c.Engine.Pause(context.WithoutCancel(ctx), p.was.ID)
}

// Verify implements [Held]: the container uses no processor any more, and what can be
// Asked does not answer.
func (p *pause) Verify(ctx context.Context) (string, error) {
	local := p.c.Engine.Address().Local() && container.IsOf(p.was.PID, p.was.ID)
	cpu := uint64(0)
	if local {
		cpu = proc.CPUOf(p.was.PID)
	}
	began := time.Now()
	evidence := "the engine has paused it"
	if ask := p.unit.Traits().Ask; ask != nil {
		short, cancel := context.WithTimeout(ctx, 5*Quiet)
		defer cancel()
		if err := ask(short); err == nil {
			return "", fmt.Errorf("%s answers, though it was paused", p.unit.Name())
		}
		evidence = "a request has no answer"
	}
	select {
	case <-time.After(Quiet - time.Since(began)):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if local && proc.CPUOf(p.was.PID) > cpu+1 {
		return "", fmt.Errorf("%s (pid %d) goes on running", p.unit.Name(), p.was.PID)
	}
	if local {
		evidence += ", and its first process uses no processor"
	}
	is, err := p.c.Engine.Inspect(ctx, p.was.ID)
	switch {
	case err != nil:
		return "", err
	case !is.Paused:
		return "", fmt.Errorf("%s is not paused any more", p.unit.Name())
	}
	return fmt.Sprintf("container %s: %s", is.Name, evidence), nil
}

// Traits implements [chaos.Held].
func (*pause) Traits() chaos.HeldTraits { return chaos.HeldTraits{} }

// Revert implements [Held].
func (p *pause) Revert(ctx context.Context) (chaos.Outcome, error) {
	return unpauseContainer(ctx, p.c.Engine, p.id(), 0)
}

// Gone implements [Held]: the container runs, and its readiness check is good.
func (p *pause) Gone(ctx context.Context) (string, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		is, err := p.c.Engine.Inspect(ctx, p.was.ID)
		switch {
		case container.IsGone(err):
			return fmt.Sprintf("container %s is no more", p.was.Name), nil
		case err == nil && !is.Started.Equal(p.was.Started):
			return fmt.Sprintf("container %s was started again since", is.Name), nil
		case err == nil && is.Paused:
			err = errors.New("it is still paused")
		case err == nil && !is.Running:
			return fmt.Sprintf("container %s has ended since", is.Name), nil
		case err == nil:
			if err = chaos.ReadySoon(ctx, p.unit); err == nil {
				return fmt.Sprintf("container %s runs and is ready", is.Name), nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s is not back: %w", p.unit.Name(), err)
		case <-tick.C:
		}
	}
}

// unpauseContainer resumes a container that brunt paused. It changes nothing if the container was started again
// since. Settle is how long an order of a dead brunt may still take to take effect.
func unpauseContainer(ctx context.Context, e *docker.Engine, id container.ContainerIdentity, settle time.Duration) (chaos.Outcome, error) {
	out := chaos.Reverted
	for until := time.Now().Add(settle); ; {
		is, err := e.Inspect(ctx, id.Container)
		switch {
		case container.IsGone(err):
			return chaos.Gone, nil
		case err != nil:
			return chaos.Failed, err
		case !is.Started.Equal(id.Started), !is.Running:
			return chaos.Gone, nil
		case is.Paused:
			if err := e.Unpause(ctx, id.Container); err != nil {
				return chaos.Failed, err
			}
		}
		if !time.Now().Before(until) {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return chaos.Failed, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Describe implements [chaos.Described].
func (*Pause) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "container.pause", New: func() chaos.Fault { return new(Pause) }, Undo: operations(),
		Doc: "Pauses every process of a container by the engine's freezer: its connections stay open, and nothing answers on them.",
	}
}
