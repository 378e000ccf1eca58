package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/rpc"
	"brunt/targets/platform/docker"
)

// A Warden is the guard of a brunt that runs in a container itself: guard and journal are in
// the same one there, and end with it. It is a container beside brunt's, of the same image, that
// is told every line of the journal before what the line says is done. When brunt ends, hangs,
// or takes longer than was meant, it takes back by the engine what is open, and is gone.
//
//	brunt --{"op":"note","args":"{\"op\":\"intent\",…}"}--> warden --unpause--> engine
//
// It may do nothing but ask the engine. What is done in networks and to processes is done by
// helpers, which it starts for that as brunt does.
type RemoteWatchdog struct {
	ID     string // its container
	engine *docker.Engine
	call   *rpc.Client
}

// remoteCommand is what brunt is called with to be a warden.
const remoteCommand = "warden"

// ErrNoRemoteWatchdog tells that there is no place for one: the engine does not know the container that
// brunt runs in, being another one's.
var ErrNoRemoteWatchdog = errors.New("this engine has no container of brunt's")

// StartRemoteWatchdog starts a warden beside the container that brunt runs in, and keeps the engine,
// which is closed with it. After most it takes
// everything back, whether or not brunt lives.
func StartRemoteWatchdog(ctx context.Context, e *docker.Engine, run string, most time.Duration) (*RemoteWatchdog, error) {
	self := docker.Self()
	if self == "" {
		return nil, ErrNoRemoteWatchdog
	}
	if _, err := e.Inspect(ctx, self); errors.Is(err, docker.ErrGone) {
		return nil, ErrNoRemoteWatchdog
	} else if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	paths := []string{program}
	spec := docker.HelperSpec{Run: run, Command: []string{remoteCommand, most.String()}, Beside: self, HostPID: true, EndsWithin: rpc.CloseTimeout}
	if at := e.Address(); at.Socket() {
		socket, err := url.Parse(at.Host)
		if err != nil {
			return nil, err
		}
		paths = append(paths, socket.Path)
	} else {
		spec.Reaches = true
		if at.TLS != "" {
			paths = append(paths, at.TLS)
		}
	}
	if spec.Mounts, err = e.Binds(ctx, self, paths...); err != nil {
		return nil, err
	}
	pipe, err := e.Help(ctx, spec)
	if err != nil {
		return nil, remoteHint(err)
	}
	w := &RemoteWatchdog{engine: e}
	if of, ok := pipe.(interface{ ID() string }); ok {
		w.ID = of.ID()
	}
	if w.call, err = rpc.NewClient(ctx, pipe); err != nil {
		return nil, remoteHint(err)
	}
	if err := w.call.Call(ctx, "reach", remoteAddress{e.Address(), self}, nil); err != nil {
		return nil, remoteHint(chaos.JoinErrors(err, w.call.Close()))
	}
	return w, nil
}

func remoteHint(err error) error {
	return fmt.Errorf("brunt runs in a container, and its guard in one of its own, of the same image, can't be had: %w; brunt has to be in the image or in a mount, and its user to reach the engine, by its socket or, with what TLS takes in a mount, over its networks", err)
}

// Tell tells a line of the journal, and waits until it is known.
func (w *RemoteWatchdog) Tell(line []byte) error {
	if err := w.call.Call(context.Background(), "note", string(line), nil); err != nil {
		return fmt.Errorf("the guard in a container of its own: %w", err)
	}
	return nil
}

// Stop tells the warden that it is not needed any more, and waits for it to end.
func (w *RemoteWatchdog) Stop() error {
	err := w.call.Call(context.Background(), "done", nil, nil)
	if err = errors.Join(err, w.call.Close(), w.engine.Close()); err != nil {
		return fmt.Errorf("the guard in a container of its own did not live to the end: %w", err)
	}
	return nil
}

// remoteMark begins the entry in the environment by which a guard knows of a warden.
const remoteMark = "BRUNT_WARDEN="

// Mark is the entry for the environment of the guard beside brunt, which waits for the warden:
// two that take back the same thing at once could be in each other's way.
func (w *RemoteWatchdog) Mark(at docker.Address) string {
	return remoteMark + string(container.RawOf(remoteAddress{at, w.ID}))
}

type remoteAddress struct {
	Engine docker.Address `json:"engine"`
	ID     string         `json:"id"`
}

// reached tells whether a warden can do what it is there for: the engine says to it where brunt is.
func (at remoteAddress) reached(ctx context.Context) error {
	e, err := docker.Open(at.Engine, docker.Options{})
	if err != nil {
		return err
	}
	_, err = e.Inspect(ctx, at.ID)
	return chaos.JoinErrors(err, e.Close())
}

// awaitRemoteWatchdog waits until the warden that the environment names has ended.
func awaitRemoteWatchdog(ctx context.Context) {
	var at remoteAddress
	if json.Unmarshal([]byte(os.Getenv(strings.TrimSuffix(remoteMark, "="))), &at) != nil {
		return
	}
	e, err := docker.Open(at.Engine, docker.Options{})
	if err != nil {
		return
	}
	defer e.Close()
	_ = proc.Await(ctx, chaos.UndoWithin/2, func() bool {
		_, err := e.Inspect(ctx, at.ID)
		return errors.Is(err, docker.ErrGone)
	}, "")
}

// errLate tells that brunt takes longer than was meant.
var errLate = errors.New("the time that was meant is over")

// RunRemoteWatchdog is the life of a warden: it keeps what lines from in say of a journal, until brunt says
// that all is well. It takes back what is open when in ends, nothing comes for long, or after
// most.
func RunRemoteWatchdog(ctx context.Context, ops chaos.Operations, in io.Reader, out io.Writer, most time.Duration) error {
	var mu sync.Mutex
	var book bytes.Buffer
	well := false
	own, cancel := context.WithTimeoutCause(ctx, most, errLate)
	defer cancel()
	why := rpc.Serve(own, in, out, func(ctx context.Context, op string, args json.RawMessage) (any, error) {
		if op == "reach" {
			var at remoteAddress
			if err := json.Unmarshal(args, &at); err != nil {
				return nil, err
			}
			return nil, at.reached(ctx)
		}
		mu.Lock()
		defer mu.Unlock()
		switch op {
		case "done":
			well = true
			return nil, nil
		case "note":
			var line string
			if err := json.Unmarshal(args, &line); err != nil {
				return nil, err
			}
			book.WriteString(strings.TrimSuffix(line, "\n") + "\n")
			return nil, nil
		}
		return nil, fmt.Errorf("this warden does not know how to %q", op)
	})
	if well {
		return nil
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), revertAllWithin)
	defer cancel()
	return errors.Join(why, revertAll(undo, ops, &book))
}

const (
	revertAllWithin = 10 * time.Minute // for a warden to take everything back: the engine may be down
	revertAllEvery  = time.Second      // after a try that failed
)

// revertAll takes back what a journal has open, the last first, until that is done.
func revertAll(ctx context.Context, ops chaos.Operations, book io.Reader) error {
	s, err := parseJournal("", book)
	if err != nil {
		return err
	}
	for {
		var errs []error
		for i := len(s.Open) - 1; i >= 0; i-- {
			e := s.Open[i]
			e.Undo = slices.DeleteFunc(slices.Clone(e.Undo), func(u chaos.Undo) bool { return !ops[u.Op].ByEngine })
			one, cancel := context.WithTimeout(ctx, ops.Within(e.Undo))
			if _, err := ops.Revert(one, e.Undo); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", e.What, err))
			} else {
				s.Open = slices.Delete(s.Open, i, i+1)
			}
			cancel()
		}
		if len(errs) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errs...)
		case <-time.After(revertAllEvery):
		}
	}
}
