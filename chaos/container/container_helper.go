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

// opUnhelp is the undo of agents in an engine: it removes all agents of a run.
const opUnhelp = "docker.unhelp"

// AgentCommand is brunt's command that runs an agent.
const AgentCommand = "agent"

// Help starts an agent in the container's network and returns its connection.
func (c *Container) Help(ctx context.Context, run string) (io.ReadWriteCloser, error) {
	is, err := c.Running(ctx)
	if err != nil {
		return nil, err
	}
	return c.Engine.Agents().Start(ctx, docker.AgentSpec{
		Run: run, Command: []string{AgentCommand}, Network: is.ID,
		Caps: []string{"NET_ADMIN", "NET_RAW", "BPF"}, // rules, qdiscs and queues; pings; programs
	})
}

// Unhelp returns the undo that removes a run's agents.
func (c *Container) Unhelp(run string) chaos.Undo { return UnhelpUndo(c.Engine, run) }

func UnhelpUndo(e *docker.Engine, run string) chaos.Undo {
	return chaos.Undo{Op: opUnhelp, Args: RawOf(EngineArgs{Engine: e.Address(), Run: run})}
}

// Listens returns the declared TCP ports of the container.
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

// unhelp removes all agents of a run in an engine, and their image, until it finds none twice: an
// agent requested just before brunt died may start a little later.
func unhelp(ctx context.Context, e *docker.Engine, run string) (chaos.Outcome, error) {
	out := chaos.Gone
	for quiet := 0; quiet < 2; quiet++ {
		left, err := e.Agents().Remove(ctx, run)
		switch {
		case err != nil && ctx.Err() != nil:
			return chaos.Failed, fmt.Errorf("removing helpers: %w", err)
		case err != nil || left.Total() > 0: // an object that is being removed may cause the error
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
