package container

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Hit is the container that a step acts on. It is the common part of such steps.
type Hit struct {
	Target
	Was containers.Container // container when the step was planned; zero: a dry run, before the container is made
}

// FindHit describes the container of a target, which must run. In a dry run the container may not exist yet.
func FindHit(ctx context.Context, env chaos.Env, t Target) (Hit, error) {
	h := Hit{Target: t}
	if t.Container == nil {
		if env.Dry {
			return h, nil
		}
		return h, fmt.Errorf("%s: %w", t.Name(), ErrNoContainer)
	}
	var err error
	h.Was, err = t.Container.Running(ctx)
	return h, err
}

func (h *Hit) Units() []string { return []string{h.Name()} }

func (h *Hit) Engine() *docker.Engine { return h.Container.Engine }

// Life identifies the container since its last start.
func (h *Hit) Life() Identity {
	return Identity{Container: h.Was.ID, Started: h.Was.Started}
}

// LocalPID returns the pid of the container's first process if it is one of this machine, or 0.
func (h *Hit) LocalPID() int {
	if !h.Engine().Address().Local() || !IsOf(h.Was.PID, h.Was.ID) {
		return 0
	}
	return h.Was.PID
}

// EndedBy returns the early end of the fault by an event of the engine, such as unpause.
func (h *Hit) EndedBy(ctx context.Context, event, what string) error {
	return chaos.EndedEarlyError{
		Unit: h.Name(), What: what, At: h.Engine().Last(ctx, event, h.Was.ID, h.Was.Started),
	}
}

// UndoBy returns the undo of a step, with the prior state of the container.
func (h *Hit) UndoBy(op, prior string, id Identity, args EngineArgs) []chaos.Undo {
	u := chaos.Undo{Op: op, Prior: RawOf(prior)}
	if h.Container != nil {
		args.Engine = h.Engine().Address()
		u.Args, u.Identity = RawOf(args), RawOf(id)
	}
	return []chaos.Undo{u}
}

// orderEvery is the time between two checks of a container that is to be restored.
const orderEvery = 20 * time.Millisecond

// PutBack calls try until it is done, and for at least settle: an order of a dead brunt may still take effect until
// then.
func PutBack(
	ctx context.Context, settle time.Duration, try func() (out chaos.Outcome, done bool, err error),
) (chaos.Outcome, error) {
	for until := time.Now().Add(settle); ; {
		late := !time.Now().Before(until)
		out, done, err := try()
		switch {
		case IsGone(err):
			return chaos.Gone, nil
		case err != nil:
			return chaos.Failed, err
		case done || late:
			return out, nil
		}
		select {
		case <-ctx.Done():
			return chaos.Failed, ctx.Err()
		case <-time.After(orderEvery):
		}
	}
}
