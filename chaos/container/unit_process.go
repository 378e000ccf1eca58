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

// RunningProcess returns the identity of a unit's present process.
func RunningProcess(u Target) (proc.Identity, error) {
	pid := u.PID()
	if c := u.Container; c != nil && !c.Engine.Address().Local() {
		return proc.Identity{}, fmt.Errorf("%s runs on another machine, %s, where its process can't be signalled from here; "+
			"container.kill and container.pause go through the engine", u.Name(), c.Engine.Address().Host)
	}
	if pid == 0 {
		return proc.Identity{}, chaos.NotRunningError{Unit: u.Name()}
	}
	if err := proc.Protect(pid); err != nil {
		return proc.Identity{}, err
	}
	return proc.Identify(pid)
}

// SignalUnit sends the signal name, without SIG, to the process id of a unit. If the process has ended, the error is
// [proc.ErrEnded].
func SignalUnit(u chaos.Unit, id proc.Identity, name string) error {
	if err := proc.Signal(id, name); err != nil {
		return fmt.Errorf("SIG%s to %s (pid %d): %w", name, u.Name(), id.PID, err)
	}
	return nil
}

// BackAgain waits until a unit runs as another process than was, and is ready.
func BackAgain(ctx context.Context, u chaos.Unit, was proc.Identity, since time.Time) (string, error) {
	last := error(chaos.NotReadyError{Unit: u.Name(), Why: errors.New("it does not run")})
	return AwaitBack(ctx, u, func() (string, error) {
		if pid := u.PID(); pid != 0 {
			id, err := proc.Identify(pid)
			if err == nil && id != was {
				if err = u.Ready(ctx); err == nil {
					return fmt.Sprintf("ready again as pid %d after %s", pid, quantity.FormatSeconds(time.Since(since).Seconds())), nil
				}
				last = chaos.NotReadyError{Unit: u.Name(), Why: err}
			}
		}
		return "", last
	})
}

// checkEvery is the time between two checks of a unit that is to come back.
const checkEvery = 10 * time.Millisecond

// AwaitBack calls check until it says why a unit is back or cannot come back, or until ctx ends. The error of check
// says what is still missing. If that is only the unit's readiness, the error of AwaitBack is a [chaos.NotReadyError].
func AwaitBack(ctx context.Context, u chaos.Unit, check func() (said string, missing error)) (string, error) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	began := time.Now()
	var last error
	for {
		said, err := check()
		if err == nil {
			return said, nil
		}
		if last == nil || ctx.Err() == nil { // a check that the end of the wait cuts short says nothing
			last = err
		}
		select {
		case <-ctx.Done():
			if down, ok := errors.AsType[chaos.NotReadyError](last); ok {
				return "", down.Waited(time.Since(began))
			}
			return "", fmt.Errorf("%s is not back: %w", u.Name(), last)
		case <-tick.C:
		}
	}
}

// How long the proof of a stopped unit watches it, and waits for an answer that must not come.
const (
	watched    = 50 * time.Millisecond
	NoAnswerIn = 250 * time.Millisecond
)

// Still proves for a while that a stopped unit answers nothing and uses no processor. pid is its process; 0 means that
// the process is not visible from here. how says how the unit was stopped. asked reports whether the unit could be
// asked.
func Still(ctx context.Context, u chaos.Unit, pid int, how string) (asked bool, err error) {
	began, cpu := time.Now(), uint64(0)
	if pid != 0 {
		cpu = proc.CPUOf(pid)
	}
	if ask := u.Traits().Ask; ask != nil {
		asked = true
		short, cancel := context.WithTimeout(ctx, NoAnswerIn)
		defer cancel()
		if err := ask(short); err == nil {
			return asked, fmt.Errorf("%s answers, though %s", u.Name(), how)
		}
	}
	select {
	case <-time.After(watched - time.Since(began)):
	case <-ctx.Done():
		return asked, ctx.Err()
	}
	if pid != 0 && proc.CPUOf(pid) > cpu+1 {
		return asked, fmt.Errorf("%s (pid %d) goes on running", u.Name(), pid)
	}
	return asked, nil
}

// Readiness says what a stopped unit answers: its own readiness check, and a request where the check may be a mere
// connection, which the kernel accepts for a stopped process too. It is empty if neither tells.
func Readiness(ctx context.Context, u chaos.Unit) string {
	const by = "its readiness check "
	short, cancel := context.WithTimeout(ctx, NoAnswerIn)
	defer cancel()
	err := u.Ready(short)
	switch ask := u.Traits().Ask; {
	case err != nil && short.Err() != nil:
		return by + "has no answer in " + quantity.FormatDuration(NoAnswerIn)
	case err != nil:
		return by + "fails"
	case ask == nil:
		return ""
	case ask(short) != nil:
		return "a request has no answer in " + quantity.FormatDuration(NoAnswerIn)
	}
	return by + "holds, and a request has an answer"
}
