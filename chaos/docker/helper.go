package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/pkg/stdcopy"
)

// A HelperSpec says what a helper is to be: a container that runs brunt's own program
// with some of the rights that brunt lacks, for as long as brunt holds its input open.
type HelperSpec struct {
	Run     string   // whose it is
	Command []string // brunt's arguments
	Network string   // the container whose network it is in; empty is none
	HostPID bool     // it sees the processes of the engine's machine
	Caps    []string // what it may do, such as NET_ADMIN; it may nothing else. An engine that is too old to know BPF gives SYS_ADMIN in its stead
	Mounts  []string // of the engine's machine, as -v has them
}

// Help starts a helper. Its image is made of brunt itself, once for the engine. Closing
// what is returned ends its input and waits until the engine has removed it.
func (e *Engine) Help(ctx context.Context, s HelperSpec) (io.ReadWriteCloser, error) {
	img, err := e.helperImage(ctx, s.Run)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{HelperLabel: s.Run, RunLabel: s.Run}
	config := &container.Config{
		Image: img, Cmd: s.Command, Labels: labels, StopSignal: "SIGTERM",
		OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	}
	host := &container.HostConfig{
		AutoRemove: true, ReadonlyRootfs: true, CapDrop: []string{"ALL"}, CapAdd: s.Caps, NetworkMode: "none", Binds: s.Mounts,
		// The engine's own filter of system calls knows bpf(2) only for those who may do
		// everything.
		SecurityOpt: []string{"no-new-privileges", "seccomp=unconfined"},
	}
	if s.Network != "" {
		host.NetworkMode = container.NetworkMode("container:" + s.Network)
	}
	if s.HostPID {
		host.PidMode = "host"
	}
	made, err := e.api.ContainerCreate(ctx, config, host, nil, nil, "")
	if i := slices.Index(s.Caps, "BPF"); i >= 0 && err != nil && strings.Contains(err.Error(), "unknown capability") {
		host.CapAdd = slices.Concat(s.Caps[:i], []string{"SYS_ADMIN"}, s.Caps[i+1:])
		made, err = e.api.ContainerCreate(ctx, config, host, nil, nil, "")
	}
	if gone(err) { // somebody has removed the image
		e.helping.Lock()
		e.helper = ""
		e.helping.Unlock()
		if config.Image, err = e.helperImage(ctx, s.Run); err != nil {
			return nil, err
		}
		made, err = e.api.ContainerCreate(ctx, config, host, nil, nil, "")
	}
	if err != nil {
		return nil, fmt.Errorf("making a helper container: %w", err)
	}
	pipe, err := e.attach(ctx, made.ID)
	if err == nil {
		err = e.Start(ctx, made.ID)
	}
	if err != nil {
		if pipe != nil {
			pipe.stream.Close()
		}
		return nil, errors.Join(fmt.Errorf("starting a helper container: %w", err), e.Remove(context.WithoutCancel(ctx), made.ID))
	}
	return pipe, nil
}

// helperPipe is the input and output of a helper.
type helperPipe struct {
	e      *Engine
	id     string
	stream types.HijackedResponse
	out    *io.PipeReader
	said   *tail // by its standard error
}

func (e *Engine) attach(ctx context.Context, id string) (*helperPipe, error) {
	stream, err := e.api.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	p := &helperPipe{e: e, id: id, stream: stream, out: r, said: &tail{}}
	go func() { // ends with the stream
		_, err := stdcopy.StdCopy(w, p.said, stream.Reader)
		if words := p.said.String(); err == nil && words != "" {
			err = errors.New("the helper says: " + words)
		}
		_ = w.CloseWithError(err)
	}()
	return p, nil
}

// Read implements [io.Reader].
func (p *helperPipe) Read(b []byte) (int, error) { return p.out.Read(b) }

// Write implements [io.Writer].
func (p *helperPipe) Write(b []byte) (int, error) { return p.stream.Conn.Write(b) }

// CloseWrite ends the helper's input.
func (p *helperPipe) CloseWrite() error { return p.stream.CloseWrite() }

// endsWithin is how long a helper may take to end, and the engine to remove it.
const endsWithin = 10 * time.Second

// Close implements [io.Closer].
func (p *helperPipe) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), endsWithin)
	defer cancel()
	_ = p.stream.CloseWrite()
	defer p.stream.Close()
	defer p.out.Close()
	removed, failed := p.e.api.ContainerWait(ctx, p.id, container.WaitConditionRemoved)
	select {
	case <-removed:
		return nil
	case err := <-failed:
		if err == nil || gone(err) {
			return nil
		}
	}
	return p.e.Remove(context.WithoutCancel(ctx), p.id)
}

// tail keeps the end of what is written to it. Only one goroutine does.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 400
	t.b = append(t.b, p...)
	if over := len(t.b) - most; over > 0 {
		t.b = t.b[over:]
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// ReadyHelp makes the image of helpers, so that the first comes as soon as others.
func (e *Engine) ReadyHelp(ctx context.Context, run string) error {
	_, err := e.helperImage(ctx, run)
	return err
}

// helperImage makes the image of helpers, once.
func (e *Engine) helperImage(ctx context.Context, run string) (string, error) {
	e.helping.Lock()
	defer e.helping.Unlock()
	if e.helper != "" {
		return e.helper, nil
	}
	program, err := SelfPath(os.Getenv)
	if err != nil {
		return "", fmt.Errorf("a helper container: %w", err)
	}
	id, err := e.BuildSelf(ctx, "brunt-helper-"+strings.ToLower(run), program, map[string]string{HelperLabel: run, RunLabel: run})
	if err != nil {
		return "", err
	}
	e.helper = id
	return id, nil
}

// ForgetHelp removes the image that a run's helpers are made of, unless one of them is there: for who made
// it to take one thing back, and has no entry in a journal for it.
func (e *Engine) ForgetHelp(ctx context.Context, run string) error {
	e.helping.Lock()
	defer e.helping.Unlock()
	left, err := e.Labelled(ctx, HelperLabel, run)
	if err != nil || len(left.Containers) > 0 {
		return err
	}
	e.helper = ""
	var errs []error
	for _, id := range left.Images {
		_, err := e.api.ImageRemove(ctx, id, image.RemoveOptions{PruneChildren: true})
		if err != nil && !gone(err) && !errdefs.IsConflict(err) { // a conflict is that it is in use by now
			errs = append(errs, fmt.Errorf("removing the image of helpers: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Unhelp removes what is left of a run's helpers in the engine, and their image.
func (e *Engine) Unhelp(ctx context.Context, run string) (Left, error) {
	e.helping.Lock()
	defer e.helping.Unlock()
	e.helper = ""
	return e.RemoveLabelled(ctx, HelperLabel, run)
}
