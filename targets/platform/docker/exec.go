package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// mostOutput is the maximum number of bytes of a command's output that are kept.
const mostOutput = 64 << 10

// Exec runs a command in a container and waits until it ends. If ctx ends first, the command continues, because the
// engine can't end it. Until it has ended, the same command is not run in the container again.
func (e *Engine) Exec(
	ctx context.Context, id string, command, env []string, stdout, stderr io.Writer,
) (code int, err error) {
	of := id + "\x00" + strings.Join(command, "\x00")
	if err := e.late.ended(ctx, e.api, of); err != nil {
		return 0, err
	}
	o := client.ExecCreateOptions{Cmd: command, Env: env, AttachStdout: true, AttachStderr: true}
	made, kept, err := e.late.create(ctx, e.api, id, o)
	if errdefs.IsConflict(err) {
		err = refused("409", []byte(err.Error()))
	}
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	defer func() {
		if ctx.Err() != nil { // the engine may have started it
			e.late.add(of, made)
		}
	}()
	output, end, err := attach(ctx, e, made)
	if kept && err != nil && dropped(ctx, e.api, made) {
		if made, _, err = e.late.create(ctx, e.api, id, o); err == nil {
			output, end, err = attach(ctx, e, made)
		}
	}
	if ctx.Err() != nil {
		if err == nil {
			end()
		}
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	defer end()
	_, _ = stdcopy.StdCopy(stdout, stderr, output)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	i, err := e.api.ExecInspect(ctx, made, client.ExecInspectOptions{})
	if err != nil {
		return 0, failed("running a command in", id, err)
	}
	if i.Running {
		return 0, fmt.Errorf("the command in container %s has closed its output and goes on", short(id))
	}
	return i.ExitCode, nil
}

// dropped reports whether the engine no longer knows an exec. It drops the execs of a container that stops.
func dropped(ctx context.Context, api *client.Client, exec string) bool {
	_, err := api.ExecInspect(ctx, exec, client.ExecInspectOptions{})
	return gone(err)
}

// attach starts an exec. It returns the stream of its output, which ends with ctx, and a function that closes the
// stream.
func attach(ctx context.Context, e *Engine, exec string) (output io.Reader, end func(), err error) {
	conn, output, err := e.upgrade(ctx, path.Join("exec", exec, "start"), nil, `{"Detach": false, "Tty": false}`)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return output, func() {
		stop()
		_ = conn.Close()
	}, nil
}

// upgrade posts a request over a connection of its own, which then becomes a stream to and from a program. It ends when
// the connection is closed. The library's own calls dial past [Options.Check] where the engine speaks TLS.
func (e *Engine) upgrade(
	ctx context.Context, name string, query url.Values, body string,
) (conn net.Conn, output *bufio.Reader, err error) {
	if conn, err = e.dial(ctx); err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	output, err = e.handshake(conn, name, query, body)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, output, nil
}

// handshake sends the request of [Engine.upgrade], and reads the answer.
func (e *Engine) handshake(conn net.Conn, name string, query url.Values, body string) (*bufio.Reader, error) {
	to := url.URL{
		Scheme: "http", Host: client.DummyHost, Path: path.Join("/", e.host.Path, "v"+e.api.ClientVersion(), name),
		RawQuery: query.Encode(),
	}
	if !e.at.Socket() {
		to.Host = e.host.Host
	}
	req, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Connection": {"Upgrade"}, "Upgrade": {"tcp"}}
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		defer resp.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return nil, refused(resp.Status, said)
	}
	return r, nil
}

// refused says why the engine did not start an exec. The engine drops the execs of a container that ends, so an exec
// is unknown if its container ended between the creation and the start.
func refused(status string, said []byte) error {
	var answer struct{ Message string }
	if json.Unmarshal(said, &answer) != nil {
		answer.Message = string(bytes.TrimSpace(said))
	}
	switch {
	case strings.Contains(answer.Message, "No such exec instance"), strings.Contains(answer.Message, "is not running"):
		return errors.New("it ended before the command began")
	case strings.Contains(answer.Message, "is paused"):
		return errors.New("it is paused, and runs no command until it goes on")
	}
	return fmt.Errorf("the engine answered %s: %s", status, answer.Message)
}

// createWithin is how much longer than its caller waits the engine may take to create an exec.
const createWithin = 10 * time.Second

// A creation is an exec that the engine is creating, or has created.
type creation struct {
	done chan struct{} // closed when the engine has answered
	exec string        // valid after done, like err
	err  error
}

// create creates an exec in a container. The engine keeps an exec until the container stops, and has no call that
// removes it. So the creation continues after ctx has ended, and its exec is kept for the next run of the same
// command. Kept reports that the returned exec was kept from an earlier call.
func (l *lateExecs) create(
	ctx context.Context, api *client.Client, id string, o client.ExecCreateOptions,
) (exec string, kept bool, err error) {
	of := fmt.Sprintf("%s %q %q", id, o.Cmd, o.Env)
	c := l.take(of)
	if kept = c != nil; !kept {
		if err := ctx.Err(); err != nil {
			return "", false, err
		}
		c = begin(ctx, api, id, o)
	}
	select {
	case <-c.done:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		l.keep(of, c)
		return "", false, ctx.Err()
	}
	if kept && c.err != nil {
		return l.create(ctx, api, id, o)
	}
	return c.exec, kept, c.err
}

// begin begins to create an exec. It gives up if the engine has not answered [createWithin] after ctx ended.
func begin(ctx context.Context, api *client.Client, id string, o client.ExecCreateOptions) *creation {
	c := &creation{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		create, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(ctx, func() { time.AfterFunc(createWithin, cancel) })()
		made, err := api.ExecCreate(create, id, o)
		c.exec, c.err = made.ID, err
	}()
	return c
}

// lateExecs are commands whose callers gave up: commands that were still running, with the ids of their execs, and
// execs that were never started.
type lateExecs struct {
	mu    sync.Mutex
	ids   map[string]string
	spare map[string]*creation // by container, command and environment
}

// keep keeps an exec that was not started.
func (l *lateExecs) keep(of string, c *creation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spare == nil {
		l.spare = map[string]*creation{}
	}
	l.spare[of] = c
}

// take returns a kept exec, or nil.
func (l *lateExecs) take(of string) *creation {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.spare[of]
	delete(l.spare, of)
	return c
}

func (l *lateExecs) add(of, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = map[string]string{}
	}
	l.ids[of] = id
}

// ended returns an error while a command whose caller gave up still runs.
func (l *lateExecs) ended(ctx context.Context, api *client.Client, of string) error {
	l.mu.Lock()
	id, late := l.ids[of]
	l.mu.Unlock()
	if !late {
		return nil
	}
	if i, err := api.ExecInspect(ctx, id, client.ExecInspectOptions{}); err == nil && i.Running {
		return errors.New("the previous command has not ended yet")
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

// bounded keeps the beginning of the data that is written to it.
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
