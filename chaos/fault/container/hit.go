package container

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/targets/platform/docker"
)

// hit is the container that a step acts on, and the common part of the steps.
type hit struct {
	container.Target
	was docker.Container // when the step was planned; zero: a dry run, before the container is made
}

// find describes the container of a target, which must run. A dry run finds no container that the run is
// to make.
func find(ctx context.Context, env chaos.Env, t container.Target) (hit, error) {
	h := hit{Target: t}
	if t.Container == nil {
		if env.Dry {
			return h, nil
		}
		return h, fmt.Errorf("%s: %w", t.Name(), container.ErrNoContainer)
	}
	var err error
	h.was, err = t.Container.Running(ctx)
	return h, err
}

// Units implements [chaos.Step].
func (h *hit) Units() []string { return []string{h.Name()} }

func (h *hit) engine() *docker.Engine { return h.Container.Engine }

// id identifies the container since its last start.
func (h *hit) id() container.Identity {
	return container.Identity{Container: h.was.ID, Started: h.was.Started}
}

// local returns the pid of the container's first process if it is one of this machine, or 0.
func (h *hit) local() int {
	if !h.engine().Address().Local() || !container.IsOf(h.was.PID, h.was.ID) {
		return 0
	}
	return h.was.PID
}

// undo returns the undo of a step, with the prior state of the container.
func (h *hit) undo(op, prior string, id container.Identity, args container.EngineArgs) []chaos.Undo {
	u := chaos.Undo{Op: op, Prior: container.RawOf(prior)}
	if h.Container != nil {
		args.Engine = h.engine().Address()
		u.Args, u.Identity = container.RawOf(args), container.RawOf(id)
	}
	return []chaos.Undo{u}
}

// orderEvery is the time between two checks of a container that is to be put back.
const orderEvery = 20 * time.Millisecond

// putBack calls try until it is done, and for settle at least: an order of a dead brunt may still take
// effect until then.
func putBack(ctx context.Context, settle time.Duration, try func() (out chaos.Outcome, done bool, err error)) (chaos.Outcome, error) {
	for until := time.Now().Add(settle); ; {
		late := !time.Now().Before(until)
		out, done, err := try()
		switch {
		case container.IsGone(err):
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
