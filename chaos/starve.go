package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Starving is what the faults on what a unit may use have in common: whom they hit, and
// what becomes of them when a container is started again.
type Starving struct {
	Selector  `yaml:",inline"`
	OnRestart string `yaml:"on_restart,oneof=inject|void"` // when a container that is hit is started again, which has everything then that it had at first; zero is inject: the fault is put in anew. void ends it, unjudged
}

// each makes a step for each unit that is hit. Plan finds what is to be done to one that
// runs; it is not called for one that does not run yet, in a dry run.
func (s *Starving) each(ctx context.Context, env Env, step func(victim) planned) ([]Step, error) {
	units, err := s.units(ctx, env)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, u := range units {
		if c, ok := env.takesHand(u); ok {
			again := func() (Step, error) { return byHand(ctx, env, u, c) }
			made, err := again()
			if err != nil {
				return nil, err
			}
			id, _ := c.Container()
			if oom := env.Block.With.Get("oom"); oom != nil && oom.Value == "unit" {
				steps = append(steps, made) // it is over when the container is started again
				continue
			}
			steps = append(steps, &renewed{Step: made, container: id, void: s.OnRestart == "void", note: env.Extend, again: again})
			continue
		}
		if env.Dry && u.PID() == 0 {
			steps = append(steps, step(victim{unit: u}))
			continue
		}
		made, err := one(u, env, step)
		if err != nil {
			return nil, err
		}
		kills := false
		if m, ok := made.(*stressMemory); ok {
			kills = m.kill // and is over when the container is started again
		}
		if c, ok := u.(Contained); ok && !kills {
			id, _ := c.Container()
			if oom := env.Block.With.Get("oom"); oom != nil && oom.Value == "unit" {
				steps = append(steps, made) // it is over when the container is started again
				continue
			}
			steps = append(steps, &renewed{Step: made, container: id, void: s.OnRestart == "void", note: env.Extend, again: func() (Step, error) { return one(u, env, step) }})
			continue
		}
		steps = append(steps, made)
	}
	return steps, nil
}

// planned is a step that finds out what it has to do.
type planned interface {
	Step
	plan() error
}

// one makes the step of one unit, as it runs now.
func one(u Unit, env Env, step func(victim) planned) (Step, error) {
	id, err := runningProcess(u)
	if err != nil {
		return nil, err
	}
	s := step(victim{unit: u, id: id, groups: env.Groups, point: env.point})
	return s, s.plan()
}

// renewed is a step on a container, that is done again when that is started again.
type renewed struct {
	Step
	container string // its id
	void      bool   // instead of doing it again
	note      func(Undo) error
	again     func() (Step, error)

	mu   sync.Mutex
	held []Held // the last is the one that is in
	over bool   // it is taken back
}

var (
	_ Held   = (*renewed)(nil)
	_ Rooted = (*renewed)(nil)
	_ Slow   = (*renewed)(nil)
)

// Inject implements [Step].
func (r *renewed) Inject(ctx context.Context) (Held, error) {
	h, err := r.Step.Inject(ctx)
	if h == nil {
		return nil, err
	}
	r.held = []Held{h}
	return r, err
}

func (r *renewed) last() Held {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held[len(r.held)-1]
}

// Verify implements [Held].
func (r *renewed) Verify(ctx context.Context) (string, error) { return r.last().Verify(ctx) }

// Gone implements [Held].
func (r *renewed) Gone(ctx context.Context) (string, error) { return r.last().Gone(ctx) }

// Takes implements [Slow].
func (r *renewed) Takes() time.Duration {
	if s, ok := r.last().(Slow); ok {
		return s.Takes()
	}
	return 0
}

// Revert implements [Held].
func (r *renewed) Revert(ctx context.Context) (Outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	out := None
	var errs []error
	for _, h := range slices.Backward(r.held) {
		o, err := h.Revert(ctx)
		if out == None || out == Gone {
			out = o
		}
		errs = append(errs, err)
	}
	return out, also(errs...)
}

// errRestarted tells that a container had everything again that was taken from it.
var errRestarted = errors.New("the container was started again, and has everything that it had at first")

// Uprooted implements [Rooted].
func (r *renewed) Uprooted(ctx context.Context, container string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case container != r.container || r.over:
		return "", nil
	case r.void:
		return "", errRestarted
	}
	// What is left of it first, such as the room that a file takes.
	if _, err := r.held[len(r.held)-1].Revert(ctx); err != nil {
		return "", err
	}
	s, err := r.again()
	if err != nil {
		return "", fmt.Errorf("%w; and it can't be taken again: %w", errRestarted, err)
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
	if err != nil {
		return "", fmt.Errorf("%w; and it can't be taken again: %w", errRestarted, err)
	}
	r.held = append(r.held, h)
	return s.String(), nil
}
