package docker

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Logs writes what a container has printed since a time, on both of its outputs, and at most that many
// bytes. Cut says that there was more.
func Logs(ctx context.Context, e *Engine, id string, since time.Time, to io.Writer, most int64) (cut bool, err error) {
	is, err := e.inspect(ctx, id)
	if err != nil {
		return false, fmt.Errorf("inspecting %s: %w", id, err)
	}
	out, err := e.api.ContainerLogs(ctx, id,
		container.LogsOptions{ShowStdout: true, ShowStderr: true, Since: since.UTC().Format(time.RFC3339Nano)})
	if err != nil {
		return false, fmt.Errorf("reading the output of %s: %w", id, err)
	}
	defer out.Close()
	w := &upTo{to: to, left: most}
	if is.Config != nil && is.Config.Tty { // one stream, as it stands
		_, err = io.Copy(w, out)
	} else {
		_, err = stdcopy.StdCopy(w, w, out)
	}
	if w.cut {
		return true, nil
	}
	return false, err
}

// upTo writes the beginning of what is written to it, and ends the copy after that.
type upTo struct {
	to   io.Writer
	left int64
	cut  bool
}

func (u *upTo) Write(p []byte) (int, error) {
	n := min(int64(len(p)), u.left)
	written, err := u.to.Write(p[:n])
	u.left -= int64(written)
	if err == nil && n < int64(len(p)) {
		u.cut, err = true, io.ErrShortWrite
	}
	return written, err
}

// Given returns the environment and the command line that a container was made with.
func Given(ctx context.Context, e *Engine, id string) (env, args []string, err error) {
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	i, err := e.inspect(soon, id)
	if err != nil || i.Config == nil {
		return nil, nil, failed("inspecting", id, err)
	}
	return i.Config.Env, append([]string{i.Path}, i.Args...), nil
}
