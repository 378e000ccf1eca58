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
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// A RemoteWatchdog is the watchdog of a brunt that runs in a container, where a child and the journal would end with
// the container. It is a container beside brunt's, of the same image. It receives every line of the journal before
// brunt does what the line says. When brunt ends, hangs, or exceeds its time limit, it reverts the open entries through
// the engine, and exits.
//
//	brunt --{"op":"tell","args":"{\"op\":\"intent\",…}"}--> watchdog --unpause--> engine
//
// It can only call the engine. For undos in networks and on processes it starts agents, as brunt does.
type RemoteWatchdog struct {
	ID     string // its container
	engine *docker.Engine
	call   *rpc.Client
}

// The operations of a remote watchdog.
const (
	opReach rpc.Op[remoteAddress, rpc.None] = "reach" // asks whether it reaches the engine
	opTell  rpc.Op[string, rpc.None]        = "tell"  // sends a line of the journal
	opHere  rpc.Op[rpc.None, rpc.None]      = "here"  // asks whether it is alive
	opWell  rpc.Op[rpc.None, rpc.None]      = "well"  // says that the run has ended, and that nothing is to be reverted
)

// remoteCommand is brunt's command that runs a remote watchdog.
const remoteCommand = "remote-watchdog"

// ErrNoRemoteWatchdog says that a remote watchdog cannot run: this engine does not know the container
// that brunt runs in.
var ErrNoRemoteWatchdog = errors.New("this engine has no container of brunt's")

// StartRemoteWatchdog starts a watchdog beside the container that brunt runs in. The result owns the engine, and closes
// it in Stop. When the duration most has passed, the watchdog reverts everything, even if brunt lives.
func StartRemoteWatchdog(
	ctx context.Context, e *docker.Engine, run string, most time.Duration,
) (*RemoteWatchdog, error) {
	self := containers.Self()
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
	spec := docker.AgentSpec{
		Run: run, Command: []string{remoteCommand, most.String()}, Beside: self, HostPID: true, EndsWithin: rpc.CloseTimeout,
	}
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
	pipe, err := e.Agents().Start(ctx, spec)
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
	if _, err := opReach.Of(ctx, w.call.Call, remoteAddress{e.Address(), self}); err != nil {
		return nil, remoteHint(chaos.JoinErrors(err, w.call.Close()))
	}
	return w, nil
}

func remoteHint(err error) error {
	return fmt.Errorf("brunt runs in a container, and its watchdog cannot be started in another container of the same "+
		"image: %w; brunt must be in the image or "+
		"in a mount, and its user must reach the engine by its socket or, with the TLS files in a mount, over its networks",
		err)
}

// Tell sends a line of the journal, and waits until the watchdog has it.
func (w *RemoteWatchdog) Tell(line []byte) error {
	if _, err := opTell.Of(context.Background(), w.call.Call, string(line)); err != nil {
		return fmt.Errorf("the watchdog in a container of its own: %w", err)
	}
	return nil
}

// Gone reports whether the watchdog has given brunt up, because brunt stood still for longer than GivenUp. The watchdog
// has then reverted all that it can, and ended. Gone waits while the watchdog is reverting.
func (w *RemoteWatchdog) Gone(ctx context.Context) bool {
	_, err := opHere.Of(ctx, w.call.Call, rpc.None{})
	return err != nil
}

// GivenUp is the time from the last heartbeat of brunt after which the watchdog gives brunt up.
const GivenUp = rpc.HeartbeatPatience

// Stop tells the watchdog that it is no longer needed, and waits for it to end.
func (w *RemoteWatchdog) Stop() error {
	_, err := opWell.Of(context.Background(), w.call.Call, rpc.None{})
	if err = errors.Join(err, w.call.Close(), w.engine.Close()); err != nil {
		return fmt.Errorf("the watchdog in a container of its own ended before the run: %w", err)
	}
	return nil
}

// remoteMark begins the environment entry that names the remote watchdog to the local one.
const remoteMark = "BRUNT_REMOTE_WATCHDOG="

// Mark returns the environment entry for the local watchdog, with which that waits for the remote one: two watchdogs
// that revert the same fault at once could disturb each other.
func (w *RemoteWatchdog) Mark(at containers.Address) string {
	return remoteMark + string(container.RawOf(remoteAddress{at, w.ID}))
}

type remoteAddress struct {
	Engine containers.Address `json:"engine"`
	ID     string             `json:"id"`
}

// reached reports whether a remote watchdog can work: the engine must know brunt's container.
func (at remoteAddress) reached(ctx context.Context) error {
	e, err := docker.Open(at.Engine, docker.Options{})
	if err != nil {
		return err
	}
	_, err = e.Inspect(ctx, at.ID)
	return chaos.JoinErrors(err, e.Close())
}

// awaitRemoteWatchdog waits until the remote watchdog that the environment names has ended.
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

// errLate says that brunt exceeded its time limit.
var errLate = errors.New("brunt exceeded its time limit")

// RunRemoteWatchdog is the main function of a remote watchdog: it keeps the journal lines from in
// until brunt reports success. It reverts the open entries when in ends, when in is silent for too
// long, or after most.
func RunRemoteWatchdog(
	ctx context.Context, ops chaos.Operations, in io.Reader, out io.Writer, most time.Duration,
) error {
	var mu sync.Mutex
	var book bytes.Buffer
	well := false
	own, cancel := context.WithTimeoutCause(ctx, most, errLate)
	defer cancel()
	locked := func(do func()) (rpc.None, error) {
		mu.Lock()
		defer mu.Unlock()
		do()
		return rpc.None{}, nil
	}
	why := rpc.Serve(own, in, out, rpc.Join(
		opReach.By(func(ctx context.Context, at remoteAddress) (rpc.None, error) { return rpc.None{}, at.reached(ctx) }),
		opHere.By(func(context.Context, rpc.None) (rpc.None, error) { return locked(func() {}) }),
		opWell.By(func(context.Context, rpc.None) (rpc.None, error) { return locked(func() { well = true }) }),
		opTell.By(func(_ context.Context, line string) (rpc.None, error) {
			return locked(func() { book.WriteString(strings.TrimSuffix(line, "\n") + "\n") })
		}),
	))
	if well {
		return nil
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), revertAllWithin)
	defer cancel()
	return errors.Join(why, revertAll(undo, ops, &book))
}

const (
	revertAllWithin = 10 * time.Minute // time in which a remote watchdog must revert everything: the engine may be down
	revertAllEvery  = time.Second      // pause after a failed attempt
)

// revertAll reverts the open entries of a journal, the last first, and retries until all are reverted.
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
