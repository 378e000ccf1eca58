package container

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/scenarios/quantity"
)

// OnNode reports whether a unit is in a container that no engine of this machine runs: the container of a pod. It is
// also true in the agent on that node. It is false for a container that a dry run plans for and that does not exist
// yet.
func OnNode(env chaos.Env, t Target) bool {
	return t.Contained != nil && t.Container == nil && (!env.Dry || t.Traits().Node != nil)
}

// EndStep plans to end the first process of a container from its node: by a signal, and by SIGKILL once the grace is
// over. With an empty signal it sends only SIGKILL, and something else sends the polite signal. With zero grace it
// sends no SIGKILL.
func EndStep(t Target, signal string, grace time.Duration) chaos.Step {
	return &end{unit: t, signal: signal, grace: grace}
}

// end is the step that ends the first process of one container, and the held fault.
type end struct {
	unit   Target
	signal string
	grace  time.Duration
	id     proc.Identity
	at     time.Time
	done   chan error // result of the SIGKILL
}

func (e *end) String() string {
	switch {
	case e.grace == 0:
		return fmt.Sprintf("send SIG%s to %s", e.signal, e.unit.Name())
	case e.signal == "":
		return fmt.Sprintf("send SIGKILL to %s after %s", e.unit.Name(), quantity.FormatDuration(e.grace))
	}
	return fmt.Sprintf("send SIG%s to %s, and SIGKILL after %s", e.signal, e.unit.Name(), quantity.FormatDuration(e.grace))
}

func (e *end) Units() []string       { return []string{e.unit.Name()} }
func (*end) Via() string             { return "signal" }
func (*end) Undo() []chaos.Undo      { return nil }
func (e *end) isOver() bool          { return !e.id.Alive() }
func (e *end) within() time.Duration { return e.grace + proc.EndsWithin }

func (e *end) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: e.within()} }

func (e *end) Inject(ctx context.Context) (chaos.Held, error) {
	id, err := RunningProcess(e.unit)
	if err != nil {
		return nil, err
	}
	e.id, e.at, e.done = id, time.Now(), make(chan error, 1)
	if e.signal != "" {
		if err := SignalUnit(e.unit, id, e.signal); err != nil {
			return nil, err
		}
	}
	if e.grace == 0 {
		return e, nil
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		err := proc.Await(ctx, e.grace, e.isOver, "it still runs")
		if err != nil {
			err = SignalUnit(e.unit, id, "KILL")
		}
		if errors.Is(err, proc.ErrEnded) {
			err = nil
		}
		e.done <- err
	}()
	return e, nil
}

// Verify implements [chaos.Held]: the process is gone.
func (e *end) Verify(ctx context.Context) (string, error) {
	if err := proc.Await(ctx, e.within(), e.isOver, "it still runs"); err != nil {
		select {
		case killed := <-e.done:
			e.done <- nil // for the next call
			err = errors.Join(err, killed)
		default:
		}
		return "", fmt.Errorf("%s has not ended: pid %d: %w", e.unit.Name(), e.id.PID, err)
	}
	return fmt.Sprintf("pid %d ended after %s", e.id.PID, quantity.FormatSeconds(time.Since(e.at).Seconds())), nil
}

func (*end) Revert(context.Context) (chaos.Outcome, error) { return chaos.None, nil }

// Gone implements [chaos.Held]: the runner that started the container again knows that.
func (e *end) Gone(context.Context) (string, error) { return "it has ended", nil }
