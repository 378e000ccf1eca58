package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"brunt/chaos"
	"brunt/targets/platform/docker"
)

// Names of the undos of agents in an engine.
const (
	opRemoveAgents = "docker.unhelp" // removes all agents of a run
	// opEndAgent removes the agents in the network of a container, and thereby their settings there
	opEndAgent = "docker.outside"
)

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

// agentIdentity identifies the settings of a run's agents in the network of a container.
type agentIdentity struct {
	chaos.ContainerID
	Run string `json:"run"`
}

// endAgentUndo returns the undo of the settings of a run's agents in the network of a container: it removes the agents.
// The kernel reverts their settings when they end; settings that it does not revert have undos of their own.
func endAgentUndo(e *docker.Engine, run string, of chaos.ContainerID) chaos.Undo {
	return chaos.Undo{
		Op: opEndAgent, Args: RawOf(EngineArgs{Engine: e.Address(), Run: run}), Identity: RawOf(agentIdentity{of, run}),
	}
}

// inNetwork returns the container of an undo by [endAgentUndo], or "".
func inNetwork(u chaos.Undo) string {
	var of agentIdentity
	_ = json.Unmarshal(u.Identity, &of)
	return of.ID
}

// endAgent removes the agents of a run in the network of a container.
func endAgent(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	of := inNetwork(u)
	if of == "" {
		return chaos.Failed, fmt.Errorf("%w: %q names no container", chaos.ErrDamaged, u.Identity)
	}
	return onRun(func(ctx context.Context, e *docker.Engine, args EngineArgs) (chaos.Outcome, error) {
		return untilNone(ctx, func() (docker.Left, error) { return e.Agents().RemoveInside(ctx, args.Run, of) })
	})(ctx, u)
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
	return untilNone(ctx, func() (docker.Left, error) { return e.Agents().Remove(ctx, run) })
}

// untilNone removes agents until it finds none twice.
func untilNone(ctx context.Context, remove func() (docker.Left, error)) (chaos.Outcome, error) {
	out := chaos.Gone
	for quiet := 0; quiet < 2; quiet++ {
		left, err := remove()
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
