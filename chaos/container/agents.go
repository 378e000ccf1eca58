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

// opRemoveAgents is the undo of agents in an engine: it removes all agents of a run.
const opRemoveAgents = "docker.unhelp"

// AgentCommand is brunt's command that runs an agent.
const AgentCommand = "agent"

// StartAgent starts an agent in the container's network and returns its connection.
func (c *Container) StartAgent(ctx context.Context, run string) (io.ReadWriteCloser, error) {
	is, err := c.Running(ctx)
	if err != nil {
		return nil, err
	}
	return c.Engine.Agents().Start(ctx, docker.AgentSpec{
		Run: run, Command: []string{AgentCommand}, Network: is.ID,
		Caps: []string{"NET_ADMIN", "NET_RAW", "BPF"}, // rules, qdiscs and queues; pings; programs
	})
}

// RemoveAgentsUndo returns the undo that removes all agents of a run in an engine.
func RemoveAgentsUndo(e *docker.Engine, run string) chaos.Undo {
	return chaos.Undo{Op: opRemoveAgents, Args: RawOf(EngineArgs{Engine: e.Address(), Run: run})}
}

// Listens returns the declared TCP ports of the container.
func (c *Container) Listens() []uint16 {
	is, err := c.Describe()
	if err != nil {
		return nil
	}
	var out []uint16
	for _, p := range is.Ports {
		out = append(out, uint16(p))
	}
	return out
}

// removeAgents removes all agents of a run in an engine, and their image, until it finds none twice: an
// agent requested just before brunt died may start a little later.
func removeAgents(ctx context.Context, e *docker.Engine, run string) (chaos.Outcome, error) {
	out := chaos.Gone
	for quiet := 0; quiet < 2; quiet++ {
		left, err := e.Agents().Remove(ctx, run)
		switch {
		case err != nil && ctx.Err() != nil:
			return chaos.Failed, fmt.Errorf("removing agents: %w", err)
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
