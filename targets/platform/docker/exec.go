package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
)

// mostOutput is the number of bytes of a container's output that are kept.
const mostOutput = 64 << 10

// Exec runs a command in a container and waits for its end. If ctx ends first, the command continues: the engine
// can't end it. Until it has ended, the same command is not run in the container again.
func (e *Engine) Exec(ctx context.Context, id string, command, env []string, stdout, stderr io.Writer) (code int, err error) {
	of := id + "\x00" + strings.Join(command, "\x00")
	if err := e.late.ended(ctx, e.api, of); err != nil {
		return 0, err
	}
	made, err := e.late.create(ctx, e.api, id, container.ExecOptions{Cmd: command, Env: env, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	defer func() {
		if ctx.Err() != nil { // the engine may have started it
			e.late.add(of, made)
		}
	}()
	stream, err := e.api.ContainerExecAttach(ctx, made, container.ExecAttachOptions{})
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, stream.Close)()
	_, _ = stdcopy.StdCopy(stdout, stderr, stream.Reader)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	i, err := e.api.ContainerExecInspect(ctx, made)
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	if i.Running {
		return 0, fmt.Errorf("the command in container %s has closed its output and goes on", short(id))
	}
	return i.ExitCode, nil
}

// createWithin is how much longer than its caller waits the engine may take to create an exec.
const createWithin = 2 * time.Second

// create creates an exec in a container. The engine keeps an exec until the container is removed, and has no call
// that removes it. So one that is created after ctx has ended is kept for the next run of the same command.
func (l *lateExecs) create(ctx context.Context, api *client.Client, id string, o container.ExecOptions) (exec string, err error) {
	of := fmt.Sprintf("%s %q %q", id, o.Cmd, o.Env)
	if exec = l.take(of); exec != "" {
		return exec, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	create, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(createWithin, cancel) })()
	made, err := api.ContainerExecCreate(create, id, o)
	if err == nil && ctx.Err() != nil {
		l.keep(of, made.ID)
		err = ctx.Err()
	}
	return made.ID, err
}

// lateExecs are the commands that were given up: those that were still running, with the ids of their runs, and the
// execs that were created and not started.
type lateExecs struct {
	mu    sync.Mutex
	ids   map[string]string
	spare map[string]string // by container, command and environment
}

// keep keeps an exec that was not started.
func (l *lateExecs) keep(of, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spare == nil {
		l.spare = map[string]string{}
	}
	l.spare[of] = id
}

// take returns an exec that was kept, or "".
func (l *lateExecs) take(of string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.spare[of]
	delete(l.spare, of)
	return id
}

func (l *lateExecs) add(of, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = map[string]string{}
	}
	l.ids[of] = id
}

// ended returns an error while a command that was given up still runs.
func (l *lateExecs) ended(ctx context.Context, api *client.Client, of string) error {
	l.mu.Lock()
	id, late := l.ids[of]
	l.mu.Unlock()
	if !late {
		return nil
	}
	if i, err := api.ContainerExecInspect(ctx, id); err == nil && i.Running {
		return errors.New("the command that was run before has not ended yet")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ids, of)
	return nil
}

// demultiplex splits the engine's stream of stdout and stderr and keeps the beginning of both.
func demultiplex(to *bytes.Buffer, from io.Reader) {
	w := &bounded{to: to, left: mostOutput}
	_, _ = stdcopy.StdCopy(w, w, from)
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	to   *bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.to.Write(p[:n])
	b.left -= n
	return len(p), nil
}
