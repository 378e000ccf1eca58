package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/victim"
)

// opContinue is the undo of a pause by signals. The name stands in journals: it must never change.
const opContinue = "container.continue"

// stopFor is the time within which the processes of a container must be stopped.
const stopFor = time.Second

// stopped is the step that stops all processes of a container from its node, and the held fault.
type stopped struct {
	unit container.Target
	of   chaos.ContainerID
	left []proc.Identity // processes that were stopped before the fault

	watch *proc.StopWatch
}

// planStopped finds the processes of a container, which must run.
func planStopped(t container.Target, dry bool) (chaos.Step, error) {
	s := &stopped{unit: t, of: t.Contained.ContainerID()}
	if dry && t.PID() == 0 {
		return s, nil
	}
	first, err := container.RunningProcess(t)
	if err != nil {
		return nil, err
	}
	if proc.IsStopped(first.PID) {
		return nil, fmt.Errorf("%s (pid %d) is stopped already, and not by this run", t.Name(), first.PID)
	}
	for _, pid := range container.Processes(s.of.ID) {
		if id, err := proc.Identify(pid); err == nil && proc.IsStopped(pid) {
			s.left = append(s.left, id)
		}
	}
	return s, nil
}

func (s *stopped) String() string  { return "stop all processes of " + s.unit.Name() }
func (s *stopped) Units() []string { return []string{s.unit.Name()} }
func (*stopped) Via() string       { return "signal" }

func (s *stopped) Undo() []chaos.Undo {
	return []chaos.Undo{
		{Op: opContinue, Identity: container.RawOf(s.of), Args: container.RawOf(s.left), Prior: container.RawOf("running")},
	}
}

// each lists the processes that the fault stops.
func (s *stopped) each() []int {
	return slices.DeleteFunc(container.Processes(s.of.ID), func(pid int) bool { return among(s.left, pid) })
}

// among reports whether some contains the process with a PID.
func among(some []proc.Identity, pid int) bool {
	return slices.ContainsFunc(some, func(id proc.Identity) bool { return id.PID == pid && id.Alive() })
}

// Inject implements [chaos.Step]. A process may start others meanwhile, so it repeats until a pass finds no process
// that runs.
func (s *stopped) Inject(ctx context.Context) (chaos.Held, error) {
	sent := map[int]bool{}
	for last := false; !last; {
		last = true
		for _, pid := range s.each() {
			if sent[pid] {
				continue
			}
			sent[pid], last = true, false
			if err := s.stop(pid); err != nil {
				_, rerr := continueContainer(s.of, s.left)
				return nil, chaos.JoinErrors(err, rerr)
			}
		}
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
	}
	if len(sent) == 0 {
		return nil, fmt.Errorf("%s does not run", s.unit.Name())
	}
	var all []proc.Identity
	for _, pid := range s.each() { // the first process of the container is the oldest
		if id, err := proc.Identify(pid); err == nil {
			all = append(all, id)
		}
	}
	s.watch = proc.WatchStopped(all)
	return s, nil
}

func (s *stopped) stop(pid int) error {
	if err := proc.Protect(pid); err != nil {
		return err
	}
	id, err := proc.Identify(pid)
	if err != nil { // it has ended
		return nil //nolint:nilerr // so there is nothing to stop
	}
	if err := container.SignalUnit(s.unit, id, "STOP"); err != nil && !errors.Is(err, proc.ErrEnded) {
		return err
	}
	return nil
}

// Verify implements [chaos.Held]: all processes are stopped, and use no processor.
func (s *stopped) Verify(ctx context.Context) (string, error) {
	still := func() bool {
		return !slices.ContainsFunc(s.each(), func(pid int) bool { return !proc.AllStopped(pid) })
	}
	if err := proc.Await(ctx, stopFor, still, "a process of it still runs"); err != nil {
		return "", fmt.Errorf("%s is not paused: %w", s.unit.Name(), err)
	}
	all, first := s.each(), container.First(s.of.ID)
	if len(all) == 0 || first == 0 {
		return "", fmt.Errorf("%s has ended", s.unit.Name())
	}
	if _, err := container.Still(ctx, s.unit, first, "its processes are stopped"); err != nil {
		return "", err
	}
	if !still() {
		return "", fmt.Errorf("%s goes on running", s.unit.Name())
	}
	return fmt.Sprintf("all processes of the container are stopped (%d), and its first, pid %d, uses no processor",
		len(all), first), nil
}

func (s *stopped) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Ended: func(context.Context) error { return victim.GoneOn(s.watch, s.unit) }}
}

func (s *stopped) Revert(context.Context) (chaos.Outcome, error) {
	s.watch.Close()
	return continueContainer(s.of, s.left)
}

// Gone implements [chaos.Held]: no process is stopped any more.
func (s *stopped) Gone(ctx context.Context) (string, error) {
	runs := func() bool { return !slices.ContainsFunc(s.each(), proc.IsStopped) }
	if err := proc.Await(ctx, stopFor, runs, "a process of it is still stopped"); err != nil {
		return "", fmt.Errorf("%s: %w", s.unit.Name(), err)
	}
	return "all processes of the container go on", nil
}

// continueContainer resumes the processes of a container, except those in left, which were stopped before the fault.
// SIGCONT does nothing to a process that runs, and cancels a stop that has not taken effect yet.
func continueContainer(of chaos.ContainerID, left []proc.Identity) (chaos.Outcome, error) {
	out := chaos.Gone
	var errs []error
	for _, pid := range slices.Backward(container.Processes(of.ID)) {
		id, err := proc.Identify(pid)
		if err != nil || among(left, pid) {
			continue
		}
		switch err := proc.Signal(id, "CONT"); {
		case errors.Is(err, proc.ErrEnded):
		case err != nil:
			errs = append(errs, fmt.Errorf("SIGCONT to pid %d: %w", pid, err))
		default:
			out = chaos.Reverted
		}
	}
	if err := chaos.JoinErrors(errs...); err != nil {
		return chaos.Failed, err
	}
	return out, nil
}

// continueOperation reverts container.pause on the node of a pod.
func continueOperation() chaos.Operation {
	return chaos.Operation{Name: opContinue, Do: func(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
		var of chaos.ContainerID
		var left []proc.Identity
		if err := chaos.JoinErrors(json.Unmarshal(u.Identity, &of), json.Unmarshal(u.Args, &left)); err != nil ||
			of.ID == "" {
			return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, errors.Join(err, errors.New(u.Op)))
		}
		return continueContainer(of, left)
	}}
}
