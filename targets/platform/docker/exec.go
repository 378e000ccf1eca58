package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// mostOutput is the number of bytes of a command's output that are kept.
const mostOutput = 64 << 10

// Exec runs a command in a container and waits for its end. It returns the exit code and the
// output. If ctx ends first, the command continues: the engine can't end it.
func (e *Engine) Exec(ctx context.Context, id string, command []string, env []string) (code int, output string, err error) {
	made, err := e.api.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, Env: env, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, "", failed("running a command in", id, err)
	}
	stream, err := e.api.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return 0, "", failed("running a command in", id, err)
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, stream.Close)()
	var out bytes.Buffer
	demultiplex(&out, stream.Reader)
	if ctx.Err() != nil {
		return 0, "", ctx.Err()
	}
	i, err := e.api.ContainerExecInspect(ctx, made.ID)
	if err != nil {
		return 0, "", failed("running a command in", id, err)
	}
	if i.Running {
		return 0, "", fmt.Errorf("the command in container %s has closed its output and goes on", short(id))
	}
	return i.ExitCode, strings.TrimSpace(out.String()), nil
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
