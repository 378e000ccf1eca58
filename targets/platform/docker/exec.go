package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// mostOutput is the number of bytes of a command's output that are kept.
const mostOutput = 64 << 10

// Exec runs a command in a container and waits for its end, as ExecTo does. It returns the exit code and the
// beginning of the output.
func (e *Engine) Exec(ctx context.Context, id string, command []string, env []string) (code int, output string, err error) {
	var out bytes.Buffer
	w := &bounded{to: &out, left: mostOutput}
	code, err = e.ExecTo(ctx, id, command, env, w, w)
	if err != nil {
		return 0, "", err
	}
	return code, strings.TrimSpace(out.String()), nil
}

// ExecTo runs a command in a container and waits for its end. If ctx ends first, the command continues: the engine
// can't end it. Until it has ended, the same command is not run in the container again.
func (e *Engine) ExecTo(ctx context.Context, id string, command, env []string, stdout, stderr io.Writer) (code int, err error) {
	of := id + "\x00" + strings.Join(command, "\x00")
	if err := e.ended(ctx, of); err != nil {
		return 0, err
	}
	made, err := e.api.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, Env: env, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	stream, err := e.api.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	defer stream.Close()
	defer func() {
		if ctx.Err() != nil {
			e.muExecs.Lock()
			defer e.muExecs.Unlock()
			if e.late == nil {
				e.late = map[string]string{}
			}
			e.late[of] = made.ID
		}
	}()
	defer context.AfterFunc(ctx, stream.Close)()
	_, _ = stdcopy.StdCopy(stdout, stderr, stream.Reader)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	i, err := e.api.ContainerExecInspect(ctx, made.ID)
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	if i.Running {
		return 0, fmt.Errorf("the command in container %s has closed its output and goes on", short(id))
	}
	return i.ExitCode, nil
}

// ended returns an error while a command that was given up still runs.
func (e *Engine) ended(ctx context.Context, of string) error {
	e.muExecs.Lock()
	exec, late := e.late[of]
	e.muExecs.Unlock()
	if !late {
		return nil
	}
	if i, err := e.api.ContainerExecInspect(ctx, exec); err == nil && i.Running {
		return errors.New("the command that was run before has not ended yet")
	}
	e.muExecs.Lock()
	defer e.muExecs.Unlock()
	delete(e.late, of)
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
