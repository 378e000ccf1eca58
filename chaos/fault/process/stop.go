package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Stop is the fault process.stop.
type Stop struct {
	selector.Selector `yaml:",inline"`
	// time between SIGTERM and SIGKILL; nil is 5s. 0s sends SIGKILL alone: a crash after which the unit stays down
	Grace        *quantity.Duration `yaml:"grace"`
	Irreversible bool               `yaml:"irreversible"` // allows a process that brunt can't start again
}

// Restart is the fault process.restart. In a pod, an agent sends SIGTERM, and SIGKILL when the grace is over; the node
// starts the container again.
type Restart struct {
	selector.Selector `yaml:",inline"`
	Grace             *quantity.Duration `yaml:"grace"` // time between SIGTERM and SIGKILL; nil is 5s
}

var (
	_ chaos.Fault = (*Stop)(nil)
	_ chaos.Fault = (*Restart)(nil)
)

func (r *Restart) Traits(sc chaos.Scope) chaos.Traits {
	t := r.Selector.Traits(sc)
	t.OneShot = true
	return t
}

func (s *Stop) Traits(sc chaos.Scope) chaos.Traits {
	t := s.Selector.Traits(sc)
	t.Grace = container.GraceOf(s.Grace)
	return t
}

func (s *Stop) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	s.CheckSelector(at, sc, m)
	if s.Selector.PID != 0 && !s.Irreversible {
		m.AddHint(at, "`irreversible: true` says that you know", "brunt can't start process %d again", s.Selector.PID)
	}
}

func (r *Restart) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	r.CheckSelector(at, sc, m)
	if r.Selector.PID != 0 {
		m.Add(at, "brunt can't start process %d again", r.Selector.PID)
	}
}

func (s *Stop) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return stops(ctx, &s.Selector, env, container.GraceOf(s.Grace), false)
}

func (r *Restart) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return stops(ctx, &r.Selector, env, container.GraceOf(r.Grace), true)
}

func stops(
	ctx context.Context, s *selector.Selector, env chaos.Env, grace time.Duration, again bool,
) ([]chaos.Step, error) {
	return s.Steps(ctx, env, func(u container.Target) (chaos.Step, error) {
		if again && container.OnNode(env, u) {
			if s, ok, err := env.ByAgent(ctx, u); ok || err != nil {
				return s, err
			}
			return container.EndStep(u, "TERM", grace), nil
		}
		switch {
		case u.Container == nil:
			return &stop{unit: u, grace: grace, again: again}, nil
		case again: // the engine stops and starts it
			return container.RestartStep(ctx, env, u, grace)
		}
		return container.StopStep(ctx, env, u, grace)
	})
}

// stop is the step that stops one unit, and the held fault.
type stop struct {
	unit    container.Target
	grace   time.Duration
	again   bool // start it again at once
	foreign bool // brunt did not start it, so brunt does not start it again
	id      proc.Identity
	at      time.Time
	done    chan error // result of the stop, and of the start if one follows at once
}

func (s *stop) String() string {
	what := "stop"
	switch {
	case s.again:
		what = "restart"
	case s.grace == 0:
		return fmt.Sprintf("send SIGKILL to %s, and keep it down", s.unit.Name())
	}
	return fmt.Sprintf("%s %s, %s of grace", what, s.unit.Name(), quantity.FormatDuration(s.grace))
}

func (s *stop) Units() []string { return []string{s.unit.Name()} }
func (s *stop) Via() string     { return "signal" }

// Undo implements [chaos.Step]. A unit that brunt started dies with brunt, and then there is nothing to start again.
func (s *stop) Undo() []chaos.Undo { return nil }

// Inject implements [chaos.Step]. It does not wait until the unit has ended; Verify does.
func (s *stop) Inject(ctx context.Context) (chaos.Held, error) {
	id, err := container.RunningProcess(s.unit)
	if err != nil {
		return nil, err
	}
	s.id, s.at, s.done = id, time.Now(), make(chan error, 1)
	ctx = context.WithoutCancel(ctx)
	go func() {
		err := s.unit.Stop(ctx, s.grace)
		if err == nil && s.again {
			err = s.unit.Start(ctx)
		}
		s.done <- err
	}()
	return s, nil
}

// Verify implements [chaos.Held]: the process runs no more, and if the unit is to stay down, nothing answers.
func (s *stop) Verify(ctx context.Context) (string, error) {
	gone := func() bool { return !s.id.Alive() }
	if !proc.AwaitEnd(ctx, s.grace+proc.EndsWithin, gone, s.id.Ended) {
		if waited := time.Since(s.at); waited < s.grace {
			return "", fmt.Errorf("%s did not end within %s of SIGTERM; SIGKILL comes after the grace of %s", s.unit.Name(),
				quantity.FormatDuration(waited.Round(100*time.Millisecond)), quantity.FormatDuration(s.grace))
		}
		return "", fmt.Errorf("%s has not ended: pid %d still runs", s.unit.Name(), s.id.PID)
	}
	took := quantity.FormatSeconds(time.Since(s.at).Seconds())
	if s.again {
		return fmt.Sprintf("pid %d ended after %s", s.id.PID, took), nil
	}
	var answers bool
	silent := func() bool { // the kernel accepts connections for a process until it has closed its sockets
		isGone := gone()
		answers = s.unit.Ready(ctx) == nil
		return isGone || !answers
	}
	if _ = proc.Await(ctx, proc.EndsWithin, silent, ""); answers {
		return "", fmt.Errorf("%s still answers its readiness check", s.unit.Name())
	}
	if s.grace == 0 {
		return fmt.Sprintf("pid %d %s %s after SIGKILL, and nothing answers", s.id.PID, endOf(s.id), took), nil
	}
	return fmt.Sprintf("pid %d ended after %s, and nothing answers", s.id.PID, took), nil
}

// endOf says how far the end of a process is that runs no more.
func endOf(id proc.Identity) string {
	if id.Alive() {
		return "ending in the kernel"
	}
	return "gone"
}

func (s *stop) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: s.grace + proc.EndsWithin, Ended: s.started, StaysDown: s.foreign}
}

// started returns an error if something else has started the unit again.
func (s *stop) started(context.Context) error {
	if pid := s.unit.PID(); pid != 0 && !s.again {
		if id, err := proc.Identify(pid); err == nil && id != s.id {
			return chaos.EndedEarlyError{Unit: s.unit.Name(), What: "was started again"}
		}
	}
	return nil
}

// settle waits until the stop has finished.
func (s *stop) settle(ctx context.Context) error {
	select {
	case err := <-s.done:
		s.done <- nil // for the next call
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stop) Revert(ctx context.Context) (chaos.Outcome, error) {
	if err := s.settle(ctx); err != nil {
		return chaos.Failed, err
	}
	if s.again {
		return chaos.None, nil
	}
	switch err := s.unit.Start(ctx); {
	case errors.Is(err, selector.ErrNotStarted):
		s.foreign = true
		return chaos.None, nil
	case err != nil:
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}

func (s *stop) Gone(ctx context.Context) (string, error) {
	if s.foreign {
		return "it stays down, as allowed", nil
	}
	return container.BackAgain(ctx, s.unit, s.id, s.at)
}

func (*Stop) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "process.stop", New: func() chaos.Fault { return new(Stop) },
		Example: "{service: store, grace: 1s}",
		Effect:  chaos.Dies,
		Nature: scenarios.Nature{
			Verb:  "stopped",
			Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down, scenarios.Deaf},
		},
		On:  chaos.OnProcesses,
		Doc: "Stops a unit in good order, or kills it with `grace: 0s`, and keeps it down until the fault ends.",
	}
}

func (*Restart) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "process.restart", New: func() chaos.Fault { return new(Restart) },
		Example: "{service: store}",
		Effect:  chaos.Restarts,
		Nature: scenarios.Nature{
			Verb:  "restarted",
			Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down, scenarios.Deaf},
		},
		Agent: &chaos.Rights{Caps: []string{"KILL"}, Signals: true, Ends: true, Nodes: true},
		On:    chaos.OnProcesses,
		Doc:   "Stops a unit in good order and starts it again at once.",
	}
}
