package docker

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// Logs writes the output of a container since a time, both stdout and stderr, but at most most bytes. Cut reports
// that there was more.
func Logs(ctx context.Context, e *Engine, id string, since time.Time, to io.Writer, most int64) (cut bool, err error) {
	is, err := e.inspect(ctx, id)
	if err != nil {
		return false, fmt.Errorf("inspecting %s: %w", id, err)
	}
	out, err := e.api.ContainerLogs(ctx, id,
		client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Since: since.UTC().Format(time.RFC3339Nano)})
	if err != nil {
		return false, fmt.Errorf("reading the output of %s: %w", id, err)
	}
	defer out.Close()
	w := &upTo{to: to, left: most}
	if is.Config != nil && is.Config.Tty { // one stream, unframed
		_, err = io.Copy(w, out)
	} else {
		_, err = stdcopy.StdCopy(w, w, out)
	}
	if w.cut {
		return true, nil
	}
	return false, err
}

// upTo passes on the beginning of the data that is written to it, and then ends the copy.
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

// Given returns the environment and the command line with which a container was created.
func Given(ctx context.Context, e *Engine, id string) (env, args []string, err error) {
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	i, err := e.inspect(soon, id)
	if err != nil || i.Config == nil {
		return nil, nil, failed("inspecting", id, err)
	}
	return i.Config.Env, append([]string{i.Path}, i.Args...), nil
}
