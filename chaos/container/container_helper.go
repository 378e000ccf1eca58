package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"brunt/chaos"
	"brunt/targets/platform/docker"
)

// opUnhelp is the undo of helpers in an engine: all of a run's are removed.
const opUnhelp = "docker.unhelp"

// helperCommand is what brunt is called with to be a helper in a network.
const helperCommand = "helper"

// ServeNetwork implements [Helped].
func (c *Container) Help(ctx context.Context, run string) (io.ReadWriteCloser, error) {
	is, err := c.Running(ctx)
	if err != nil {
		return nil, err
	}
	return c.Engine.Help(ctx, docker.HelperSpec{
		Run: run, Command: []string{helperCommand}, Network: is.ID,
		Caps: []string{"NET_ADMIN", "NET_RAW", "BPF"}, // rules, qdiscs and queues; pings; programs
	})
}

// Unhelp implements [Helped].
func (c *Container) Unhelp(run string) chaos.Undo { return UnhelpUndo(c.Engine, run) }

func UnhelpUndo(e *docker.Engine, run string) chaos.Undo {
	return chaos.Undo{Op: opUnhelp, Args: RawOf(EngineArgs{Engine: e.Address(), Run: run})}
}

// Listens gives the ports of TCP that its image or its maker says it listens on.
func (c *Container) Listens() []uint16 {
	is, err := c.Asked()
	if err != nil {
		return nil
	}
	var out []uint16
	for _, p := range is.Ports {
		out = append(out, uint16(p))
	}
	return out
}

// unhelp removes all helpers that a run has in an engine, and their image, until nothing is
// found for a while: one that was asked for as brunt died comes a little later.
func unhelp(ctx context.Context, e *docker.Engine, run string) (chaos.Outcome, error) {
	out := chaos.Gone
	for quiet := 0; quiet < 2; quiet++ {
		left, err := e.Unhelp(ctx, run)
		switch {
		case err != nil && ctx.Err() != nil:
			return chaos.Failed, fmt.Errorf("removing helpers: %w", err)
		case err != nil || left.Total() > 0: // what is just being removed can be in the way
			out, quiet = chaos.Reverted, 0
		}
		select {
		case <-ctx.Done():
			return chaos.Failed, errors.Join(err, ctx.Err())
		case <-time.After(chaos.RetryEvery):
		}
	}
	return out, nil
}
