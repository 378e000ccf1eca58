package victim

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/selector"
)

// Fault is the common part of the faults on resources: the units that they hit, and the reaction to a restart of a
// unit.
type Fault struct {
	selector.Selector `yaml:",inline"`
	// what happens when a hit unit is started again, its container or its process that brunt supervises; zero is
	// inject: the fault is injected again, fd.exhaust and pids.limit with the same limit. void ends it, and the run is
	// invalid
	OnRestart string `yaml:"on_restart,oneof=inject|void"`
}

// Each makes a step for each selected unit. The step's Plan computes the change for a running unit; in a dry run it is
// not called for a unit that does not run yet.
func (s *Fault) Each(ctx context.Context, env chaos.Env, step func(Victim) Planned) ([]chaos.Step, error) {
	return s.EachAcross(ctx, env, func(container.Target) bool { return true }, step)
}

// EachAcross is [Fault.Each]. lost reports whether a restart of a unit ends the fault on it, so that the fault is
// injected again.
func (s *Fault) EachAcross(
	ctx context.Context, env chaos.Env, lost func(container.Target) bool, step func(Victim) Planned,
) ([]chaos.Step, error) {
	return s.Steps(ctx, env, func(u container.Target) (chaos.Step, error) {
		var first chaos.Step
		again := func(ctx context.Context) (made chaos.Step, err error) {
			made, ok, err := env.ByAgent(ctx, u)
			if !ok && err == nil {
				made, err = one(u, env, step, first)
			}
			if err == nil { // a protected process may have joined the unit since
				err = env.Refused(ctx, env.Fault, []chaos.Step{made}, true)
			}
			return made, err
		}
		in := 0
		if u.Contained == nil {
			in = u.PID()
		}
		made, byAgent, err := env.ByAgent(ctx, u)
		switch {
		case err != nil:
			return nil, err
		case byAgent:
		case env.Dry && u.PID() == 0:
			return step(Victim{Unit: u}), nil
		default:
			if made, err = one(u, env, step, nil); err != nil {
				return nil, err
			}
			first = made
		}
		if !lost(u) {
			return made, nil
		}
		r := &reinjected{Step: made, void: s.OnRestart == "void", note: env.Extend, again: again}
		if u.Contained != nil {
			r.restarts = u.Contained.ContainerID().ID
		} else {
			r.restarts, r.unit, r.in = u.Name(), u, in
		}
		return r, nil
	})
}

// Planned is a step that computes the change that it makes.
type Planned interface {
	chaos.Step
	Plan() error
}

// A keeper is a step whose change counts from what a unit has open or runs. After a restart it keeps the change of the
// unit's first step: a unit that has just begun has less, and could not start with what a new change would leave.
type keeper interface{ Keep(first chaos.Step) }

// one makes the step of one unit, as the unit runs now. First is the step before the unit was started again; nil if it
// was not.
func one(u container.Target, env chaos.Env, step func(Victim) Planned, first chaos.Step) (chaos.Step, error) {
	id, err := container.RunningProcess(u)
	if err != nil {
		return nil, err
	}
	s := step(Victim{Unit: u, ID: id, Groups: env.Groups, Point: env.Point})
	if k, ok := s.(keeper); ok && first != nil {
		k.Keep(first)
	}
	return s, s.Plan()
}

// reinjected is a step on a unit that is injected again after each restart of the unit.
type reinjected struct {
	chaos.Step
	restarts string     // what is started again: the id of a container, or the name of a unit that is a process
	unit     chaos.Unit // that process; nil for a container
	void     bool       // ends the fault instead of injecting it again
	note     func(chaos.Undo) error
	again    func(ctx context.Context) (chaos.Step, error)

	turn sync.Mutex  // held for an injection or a revert, which may wait for the unit
	over bool        // the fault is reverted; guarded by turn
	busy atomic.Bool // it is injected again

	mu   sync.Mutex
	held []chaos.Held // the last one is the injected one
	in   int          // PID of the process that has the last one; zero for a container
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

// put notes a held fault, and the process that has it.
func (r *reinjected) put(h chaos.Held, in int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held, r.in = append(r.held, h), in
}

// hasEnded reports whether the process that had the fault has ended. For a container it is false.
func (r *reinjected) hasEnded() bool {
	r.mu.Lock()
	in := r.in
	r.mu.Unlock()
	return r.unit != nil && r.unit.PID() != in
}

// Verify implements [chaos.Held]. A process may end before its proof: the next one, if there is one, has a proof of its
// own.
func (r *reinjected) Verify(ctx context.Context) (string, error) {
	said, err := r.last().Verify(ctx)
	if err == nil || !r.ends(ctx) {
		return said, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return "", chaos.NotShownError{What: "its effect on " + chaos.PIDName(r.in) + ", which ended before"}
}

func (r *reinjected) Gone(ctx context.Context) (string, error) { return r.last().Gone(ctx) }

func (r *reinjected) Traits() chaos.HeldTraits {
	t := r.last().Traits()
	t.OnRestart = r.onRestart
	if ended := t.Ended; r.unit != nil {
		t.Ended = func(ctx context.Context) error {
			if err := r.left(ctx); err != nil || ended == nil {
				return err
			}
			return ended(ctx)
		}
	}
	return t
}

// againWithin is how long a process may run before the fault is injected into it.
const againWithin = time.Second

// ends reports whether the process that had the fault has ended, or is said so soon: its supervisor names a process
// until it has cleared up after it.
func (r *reinjected) ends(ctx context.Context) bool {
	return r.unit != nil && proc.Await(ctx, againWithin, r.hasEnded, "") == nil
}

// left returns an error if the unit has had another process for a while, into which the fault was not injected, and is
// not injected now.
func (r *reinjected) left(ctx context.Context) error {
	has := func() bool { return r.busy.Load() || r.unit.PID() == 0 || !r.hasEnded() }
	if proc.Await(ctx, againWithin, has, "") == nil || ctx.Err() != nil {
		return nil
	}
	return chaos.ErrRestarted
}

func (r *reinjected) Revert(ctx context.Context) (chaos.Outcome, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
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

// onRestart injects the fault again, or voids it. A process that has ended again meanwhile has no fault to be injected:
// its supervisor starts another one, or it stays down.
func (r *reinjected) onRestart(ctx context.Context, of string) (string, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	if of != r.restarts || r.over || r.unit != nil && !r.hasEnded() {
		return "", nil
	}
	if r.void {
		return "", chaos.ErrRestarted
	}
	if r.unit == nil {
		return r.injectAgain(ctx, 0)
	}
	in := r.unit.PID()
	if in == 0 {
		return "", nil
	}
	r.busy.Store(true)
	defer r.busy.Store(false)
	said, err := r.injectAgain(ctx, in)
	if err != nil && proc.Await(ctx, againWithin, func() bool { return r.unit.PID() != in }, "") == nil {
		return "", nil
	}
	return said, err
}

// injectAgain injects the fault into a unit that was started again, as the process in; zero is a container.
func (r *reinjected) injectAgain(ctx context.Context, in int) (string, error) {
	// Revert remnants first, such as the space that a file takes.
	if _, err := r.last().Revert(ctx); err != nil {
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
		r.put(h, in)
	}
	if err != nil {
		return "", fmt.Errorf("%w; and it can't be taken again: %w", chaos.ErrRestarted, err)
	}
	return s.String(), nil
}
