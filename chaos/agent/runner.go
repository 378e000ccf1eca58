package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/rpc"
)

// A runner runs a unit's processes: an engine of this machine, or another machine.
type runner interface {
	// running describes the unit's container, which must run.
	running(ctx context.Context) (life, error)
	// over reports whether that container has ended or was started again.
	over(ctx context.Context, was life) (bool, error)
	// back says why the unit can't come back; its error says what is still missing. If it returns neither, the unit
	// runs. crashed says that the unit has to run as another container.
	back(ctx context.Context, was life, crashed bool) (string, error)
	// agents returns the name of the agents that can inject the fault: units with the same name share an agent.
	agents(ctx context.Context) (string, error)
	// start starts an agent.
	start(ctx context.Context) (*rpc.Client, error)
	// undo returns the undo that makes another agent execute undos.
	undo(was life, undo []chaos.Undo) chaos.Undo
	// revert executes undos that undo returned.
	revert(ctx context.Context, undo []chaos.Undo) (chaos.Outcome, error)
}

// life is a unit's container between two starts.
type life struct {
	chaos.Life
	name  string
	first int  // pid of its first process; 0: the agent finds it
	again bool // its policy starts it again after a crash
}

func (l life) same(o life) bool { return l.ID == o.ID && l.Began.Equal(o.Began) }

// engined is a unit in a container of an engine.
type engined struct {
	in        *Pool
	c         *container.Container
	run, kind string
}

func (e engined) running(ctx context.Context) (life, error) {
	is, err := e.c.Running(ctx)
	return life{chaos.Life{ID: is.ID, Began: is.Started}, is.Name, is.PID, is.Supervised()}, err
}

func (e engined) over(ctx context.Context, was life) (bool, error) {
	is, err := e.c.Engine.Inspect(ctx, was.ID)
	if container.IsGone(err) {
		return true, nil
	}
	return err == nil && (!is.Running || !is.Same(was.ID, was.Began)), err
}

func (e engined) back(ctx context.Context, was life, crashed bool) (string, error) {
	is, err := e.c.Engine.Inspect(ctx, e.c.Ref)
	switch {
	case container.IsGone(err) && !crashed:
		return fmt.Sprintf("container %s is no more", was.name), nil
	case err != nil:
		return "", err
	case crashed && is.Same(was.ID, was.Began):
		return "", errors.New("it has not been started again")
	case !is.Running && !crashed:
		return fmt.Sprintf("container %s has ended since", is.Name), nil
	case !is.Running:
		return "", errors.New("it does not run")
	}
	return "", nil
}

func (e engined) agents(context.Context) (string, error) {
	rights := rightsFor(e.in.Find, e.kind)
	if rights == nil {
		return "", fmt.Errorf("no agent injects %s", e.kind)
	}
	return fmt.Sprint(e.c.Engine.Address().Host, rights.Caps, rights.Cgroups), nil
}

func (e engined) start(ctx context.Context) (*rpc.Client, error) {
	if err := e.in.record(container.RemoveAgentsUndo(e.c.Engine, e.run)); err != nil {
		return nil, err
	}
	return startAgent(ctx, e.c.Engine, e.run, rightsFor(e.in.Find, e.kind))
}

func (e engined) undo(was life, undo []chaos.Undo) chaos.Undo {
	args := agentArgs{Engine: e.c.Engine.Address(), Run: e.run, Kind: e.kind, Undo: undo}
	return chaos.Undo{
		Op: opAgent, Args: container.RawOf(args), Identity: container.RawOf(chaos.ContainerAt(was.ID, was.Began)),
	}
}

func (e engined) revert(ctx context.Context, undo []chaos.Undo) (chaos.Outcome, error) {
	return chaos.OperationsOf(Operations(e.in.Find)).Revert(ctx, undo)
}

// hosted is a unit on another machine.
type hosted struct{ chaos.Node }

func (h hosted) running(ctx context.Context) (life, error) {
	is, err := h.Life(ctx)
	return life{Life: is, name: is.ID, again: true}, err
}

func (h hosted) over(ctx context.Context, was life) (bool, error) {
	is, err := h.running(ctx)
	if errors.Is(err, chaos.ErrNoUnit) {
		return true, nil
	}
	return err == nil && !is.same(was), err
}

// askEvery is the least time between two questions to the machine that runs a unit.
const askEvery = 200 * time.Millisecond

func (h hosted) back(ctx context.Context, was life, crashed bool) (string, error) {
	select {
	case <-time.After(askEvery):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	is, err := h.running(ctx)
	switch {
	case errors.Is(err, chaos.ErrNoUnit) && !crashed:
		return fmt.Sprintf("container %.12s is no more", was.ID), nil
	case err == nil && crashed && is.same(was):
		return "", errors.New("it has not been started again")
	}
	return "", err
}

func (h hosted) agents(ctx context.Context) (string, error) { return h.Agent(ctx) }

func (h hosted) start(ctx context.Context) (*rpc.Client, error) {
	pipe, err := h.LendAgent(ctx)
	if err != nil {
		return nil, err
	}
	c, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, fmt.Errorf("the agent beside it: %w", err)
	}
	return c, nil
}

func (h hosted) undo(_ life, undo []chaos.Undo) chaos.Undo { return h.ByAgent(undo) }

func (h hosted) revert(ctx context.Context, undo []chaos.Undo) (chaos.Outcome, error) {
	return h.Node.Revert(ctx, undo)
}
