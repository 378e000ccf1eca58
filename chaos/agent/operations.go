package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns/remote"
	"brunt/chaos/proc"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Operations revert the faults that agents leave behind. find returns the descriptor of a kind, with the rights that an
// agent needs for that.
func Operations(find func(kind string) (chaos.Descriptor, bool)) []chaos.Operation {
	return []chaos.Operation{
		clearOperation(),
		{Name: opAgent, ByEngine: true, Do: func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			return undoByAgent(ctx, find, u)
		}, Inner: func(u chaos.Undo) []chaos.Undo {
			var args agentArgs
			if json.Unmarshal(u.Args, &args) != nil {
				return nil
			}
			return args.Undo
		}},
	}
}

// Ready builds the image of an engine's agents before a run that may need them. Building it takes longer than a fault
// may be late.
func (i *Pool) Ready(ctx context.Context, e *docker.Engine, run string) error {
	if !i.Always && os.Geteuid() == 0 && containers.Self() == "" {
		return nil
	}
	if err := i.record(container.RemoveAgentsUndo(e, run)); err != nil {
		return err
	}
	return e.Agents().Prepare(ctx, run)
}

// EnterByAgent starts an agent in the network of a container, to revert a fault of another brunt. gone says that the
// container has ended, or was started again since.
func EnterByAgent(
	ctx context.Context, at containers.Address, id chaos.ContainerID, run string,
) (h *remote.Namespace, gone bool, err error) {
	e, err := docker.Open(at, docker.Options{})
	if err != nil {
		return nil, false, err
	}
	is, err := e.Inspect(ctx, id.ID)
	if errors.Is(err, docker.ErrGone) || err == nil && (!is.Running || is.Started.UnixNano() != id.Started) {
		return nil, true, e.Close()
	}
	var pipe io.ReadWriteCloser
	if err == nil {
		pipe, err = (&container.Container{Engine: e, Ref: id.ID, Of: container.Named{Unit: is.Name}}).StartAgent(ctx, run)
	}
	if err != nil {
		return nil, false, errors.Join(err, e.Agents().Forget(context.WithoutCancel(ctx), run), e.Close())
	}
	h, err = openRemote(ctx, &enginePipe{pipe, e, run})
	return h, false, err
}

// enginePipe is a pipe to an agent, and the engine's client that only this pipe uses.
type enginePipe struct {
	io.ReadWriteCloser
	e   *docker.Engine
	run string
}

// CloseWrite ends the agent's input.
func (p *enginePipe) CloseWrite() error {
	if half, ok := p.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close implements [io.Closer]. It also removes the image that was made for the agent, unless another agent uses
// it.
func (p *enginePipe) Close() error {
	err := p.ReadWriteCloser.Close()
	ctx, cancel := context.WithTimeout(context.Background(), proc.EndsWithin)
	defer cancel()
	return errors.Join(err, p.e.Agents().Forget(ctx, p.run), p.e.Close())
}
