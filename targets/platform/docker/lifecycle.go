package docker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Kill sends a signal, named without SIG, to the container's first process. The engine does not restart a container
// that was killed in this way, whatever its restart policy.
func (e *Engine) Kill(ctx context.Context, id, signal string) error {
	_, err := e.api.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "SIG" + signal})
	return failed("killing", id, err)
}

// Stop stops the container and keeps it down. It sends the container's own stop signal, and SIGKILL after grace,
// which is rounded up to whole seconds; without grace, SIGKILL alone.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	if grace <= 0 {
		return e.Kill(ctx, id, "KILL") // the engine does not start a container again that an order has killed
	}
	_, err := e.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: seconds(grace)})
	return failed("stopping", id, err)
}

func seconds(d time.Duration) *int {
	n := int(math.Ceil(d.Seconds()))
	return &n
}

// Start starts a container. It has no effect on a running one.
func (e *Engine) Start(ctx context.Context, id string) error {
	_, err := e.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return failed("starting", id, err)
}

// Restart stops the container like [Engine.Stop], and starts it again.
func (e *Engine) Restart(ctx context.Context, id string, grace time.Duration) error {
	_, err := e.api.ContainerRestart(ctx, id, client.ContainerRestartOptions{Timeout: seconds(grace)})
	return failed("restarting", id, err)
}

// Pause freezes every process of the container. Pausing a paused container is an error.
func (e *Engine) Pause(ctx context.Context, id string) error {
	_, err := e.api.ContainerPause(ctx, id, client.ContainerPauseOptions{})
	return failed("pausing", id, err)
}

// Unpause resumes a paused container. It has no effect on one that is not paused.
func (e *Engine) Unpause(ctx context.Context, id string) error {
	_, err := e.api.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
	if err != nil && strings.Contains(err.Error(), "is not paused") {
		return nil
	}
	return failed("unpausing", id, err)
}

// Remove kills a container and removes it with its anonymous volumes. A missing container is not an
// error.
func (e *Engine) Remove(ctx context.Context, id string) error {
	_, err := e.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if gone(err) || err != nil && strings.Contains(err.Error(), "is already in progress") {
		return nil
	}
	return failed("removing", id, err)
}

// RemoveUnstarted removes a container that has never run. A missing container is not an error; a container that was
// started meanwhile is.
func (e *Engine) RemoveUnstarted(ctx context.Context, id string) error {
	_, err := e.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{RemoveVolumes: true})
	if gone(err) {
		return nil
	}
	return failed("removing", id, err)
}

// failed adds the operation and the container to an error.
func failed(doing, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case gone(err):
		return fmt.Errorf("%s container %s: %w", doing, short(id), ErrGone)
	}
	if away, ok := errors.AsType[awayError](err); ok {
		return fmt.Errorf("%s container %s: no Docker engine answers: %w", doing, short(id), away)
	}
	return fmt.Errorf("%s container %s: %w", doing, short(id), err)
}

// short returns an id as docker ps shows it.
func short(id string) string {
	if len(id) == 64 {
		return id[:12]
	}
	return id
}

// AwaitHealthy waits until a container runs and its health check, if it has one, passes.
func (e *Engine) AwaitHealthy(ctx context.Context, id string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := e.Inspect(ctx, id)
		if err == nil {
			err = c.Healthy()
		}
		if err == nil || errdefs.IsNotFound(err) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
				return ctx.Err()
			}
			return err
		}
	}
}
