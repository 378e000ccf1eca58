package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"brunt/chaos/netns"
	"brunt/targets/platform/docker"
)

// opUnhelp is the undo of helpers in an engine: all of a run's are removed.
const opUnhelp = "docker.unhelp"

// helperCommand is what brunt is called with to be a helper in a network.
const helperCommand = "helper"

var _ Helped = (*Container)(nil)

// Help implements [Helped].
func (c *Container) Help(ctx context.Context, run string) (io.ReadWriteCloser, error) {
	is, err := c.running(ctx)
	if err != nil {
		return nil, err
	}
	return c.Engine.Help(ctx, docker.HelperSpec{
		Run: run, Command: []string{helperCommand}, Network: is.ID,
		Caps: []string{"NET_ADMIN", "NET_RAW", "BPF"}, // rules, qdiscs and queues; pings; programs
	})
}

// Unhelp implements [Helped].
func (c *Container) Unhelp(run string) Undo { return unhelpUndo(c.Engine, run) }

func unhelpUndo(e *docker.Engine, run string) Undo {
	return Undo{Op: opUnhelp, Args: rawOf(engineArgs{Engine: e.Address(), Run: run})}
}

// agentOperations revert what agents leave behind.
func agentOperations() Operations {
	return OperationsOf([]Operation{
		{Name: opUnhelp, ByEngine: true, Do: onRun(func(ctx context.Context, e *docker.Engine, args engineArgs) (Outcome, error) {
			return unhelp(ctx, e, args.Run)
		})},
		{Name: opHand, ByEngine: true, Do: doHand, Inner: func(u Undo) []Undo {
			var args handArgs
			if json.Unmarshal(u.Args, &args) != nil {
				return nil
			}
			return args.Undo
		}},
	})
}

// Ready makes what helpers in an engine are made of, if a run will need some: making it
// takes longer than a fault should come late.
func (i *Insides) Ready(ctx context.Context, e *docker.Engine, run string) error {
	if !i.Helper && os.Geteuid() == 0 && docker.Self() == "" {
		return nil
	}
	if err := i.helps(unhelpUndo(e, run)); err != nil {
		return err
	}
	return e.ReadyHelp(ctx, run)
}

// helperIn starts a helper for who takes back what another brunt did to a container. It
// tells whether that one is no more.
func helperIn(ctx context.Context, at docker.Address, id containerID, run string) (h *netns.Helper, gone bool, err error) {
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
		pipe, err = (&Container{Engine: e, Ref: id.ID, Of: Named{Unit: is.Name}}).Help(ctx, run)
	}
	if err != nil {
		return nil, false, errors.Join(err, e.ForgetHelp(context.WithoutCancel(ctx), run), e.Close())
	}
	h, err = netns.NewHelper(ctx, &engined{pipe, e, run})
	return h, false, err
}

// engined is a pipe to a helper whose engine nobody else has open.
type engined struct {
	io.ReadWriteCloser
	e   *docker.Engine
	run string
}

// CloseWrite ends the helper's input.
func (p *engined) CloseWrite() error {
	if half, ok := p.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close implements [io.Closer]: the image that was made for the helper goes as well, unless another
// one has it.
func (p *engined) Close() error {
	err := p.ReadWriteCloser.Close()
	ctx, cancel := context.WithTimeout(context.Background(), endsWithin)
	defer cancel()
	return errors.Join(err, p.e.ForgetHelp(ctx, p.run), p.e.Close())
}

// Listens gives the ports of TCP that its image or its maker says it listens on.
func (c *Container) Listens() []uint16 {
	is, err := c.asked()
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
func unhelp(ctx context.Context, e *docker.Engine, run string) (Outcome, error) {
	out := Gone
	for quiet := 0; quiet < 2; quiet++ {
		left, err := e.Unhelp(ctx, run)
		switch {
		case err != nil && ctx.Err() != nil:
			return Failed, fmt.Errorf("removing helpers: %w", err)
		case err != nil || left.Total() > 0: // what is just being removed can be in the way
			out, quiet = Reverted, 0
		}
		select {
		case <-ctx.Done():
			return Failed, errors.Join(err, ctx.Err())
		case <-time.After(again):
		}
	}
	return out, nil
}
