package victim

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/selector"
)

// Fault is the common part of the faults on resources: the units that they hit, and the reaction to a restart of the
// container.
type Fault struct {
	selector.Selector `yaml:",inline"`
	// what happens when the container of a hit unit restarts; zero is inject: the fault is injected again. void ends
	// it, and the run is invalid
	OnRestart string `yaml:"on_restart,oneof=inject|void"`
}

// Each makes a step for each selected unit. The step's Plan computes the change for a running unit; in a dry run it is
// not called for a unit that does not run yet.
func (s *Fault) Each(ctx context.Context, env chaos.Env, step func(Victim) Planned) ([]chaos.Step, error) {
	return s.EachAcross(ctx, env, true, step)
}

// EachAcross is [Fault.Each]. stays says that the fault outlives a restart of its container.
func (s *Fault) EachAcross(
	ctx context.Context, env chaos.Env, stays bool, step func(Victim) Planned,
) ([]chaos.Step, error) {
	return s.Steps(ctx, env, func(u container.Target) (chaos.Step, error) {
		again := func(ctx context.Context) (made chaos.Step, err error) {
			made, ok, err := env.ByAgent(ctx, u)
			if !ok && err == nil {
				made, err = one(u, env, step)
			}
			if err == nil { // a protected process may have joined the unit since
				err = env.Refused(ctx, env.Fault, []chaos.Step{made}, true)
			}
			return made, err
		}
		made, byAgent, err := env.ByAgent(ctx, u)
		switch {
		case err != nil:
			return nil, err
		case byAgent:
		case env.Dry && u.PID() == 0:
			return step(Victim{Unit: u}), nil
		default:
			if made, err = one(u, env, step); err != nil {
				return nil, err
			}
		}
		if u.Contained == nil || !stays {
			return made, nil
		}
		id := u.Contained.ContainerID().ID
		return &reinjected{Step: made, container: id, void: s.OnRestart == "void", note: env.Extend, again: again}, nil
	})
}

// Planned is a step that computes the change that it makes.
type Planned interface {
	chaos.Step
	Plan() error
}

// one makes the step of one unit, as the unit runs now.
func one(u container.Target, env chaos.Env, step func(Victim) Planned) (chaos.Step, error) {
	id, err := container.RunningProcess(u)
	if err != nil {
		return nil, err
	}
	s := step(Victim{Unit: u, ID: id, Groups: env.Groups, Point: env.Point})
	return s, s.Plan()
}

// reinjected is a step on a container that is injected again after each restart of the container.
type reinjected struct {
	chaos.Step
	container string // its id
	void      bool   // ends the fault instead of injecting it again
	note      func(chaos.Undo) error
	again     func(ctx context.Context) (chaos.Step, error)

	mu   sync.Mutex
	held []chaos.Held // the last one is the injected one
	over bool         // the fault is reverted
}

var _ chaos.Held = (*reinjected)(nil)

func (r *reinjected) Inject(ctx context.Context) (chaos.Held, error) {
	h, err := r.Step.Inject(ctx)
	if h == nil {
		return nil, err
	}
	r.held = []chaos.Held{h}
	return r, err
}

func (r *reinjected) last() chaos.Held {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held[len(r.held)-1]
}

func (r *reinjected) Verify(ctx context.Context) (string, error) { return r.last().Verify(ctx) }

func (r *reinjected) Gone(ctx context.Context) (string, error) { return r.last().Gone(ctx) }

func (r *reinjected) Traits() chaos.HeldTraits {
	t := r.last().Traits()
	t.OnRestart = r.onRestart
	return t
}

func (r *reinjected) Revert(ctx context.Context) (chaos.Outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	out := chaos.None
	var errs []error
	for _, h := range slices.Backward(r.held) {
		o, err := h.Revert(ctx)
		if out == chaos.None || out == chaos.Gone {
			out = o
		}
		errs = append(errs, err)
	}
	return out, chaos.JoinErrors(errs...)
}

// onRestart injects the fault again, or voids it.
func (r *reinjected) onRestart(ctx context.Context, container string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case container != r.container || r.over:
		return "", nil
	case r.void:
		return "", chaos.ErrRestarted
	}
	// Revert remnants first, such as the space that a file takes.
	if _, err := r.held[len(r.held)-1].Revert(ctx); err != nil {
		return "", err
	}
	s, err := r.again(ctx)
	if err != nil {
		return "", fmt.Errorf("%w; and it can't be taken again: %w", chaos.ErrRestarted, err)
	}
	for _, u := range s.Undo() {
		if r.note == nil {
			break
		}
		if err := r.note(u); err != nil {
			return "", err
		}
	}
	h, err := s.Inject(ctx)
	if h != nil { // with an error too: a part may be in
		r.held = append(r.held, h)
	}
	if err != nil {
		return "", fmt.Errorf("%w; and it can't be taken again: %w", chaos.ErrRestarted, err)
	}
	return s.String(), nil
}
