package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"sync"

	"brunt/chaos/netns"
	"brunt/chaos/rpc"
	"brunt/targets/platform/docker"
)

// A Helped is a unit in a container whose engine can start brunt's helper in the network
// that the unit has: for a brunt that reaches the engine and may not enter namespaces.
type Helped interface {
	Contained
	// Help starts it for a run and gives its input and output. When those are closed it
	// takes back what it did, and ends; the engine removes it then.
	Help(ctx context.Context, run string) (io.ReadWriteCloser, error)
	// Unhelp removes all that helpers of the run are made of, by whoever reads the journal.
	Unhelp(run string) Undo
}

// network is the way into the network of a unit: its namespace, or a helper inside.
type network interface {
	Prepare(netns.Spec) (netns.Spec, *netns.Undo, error)
	Undo(netns.Undo) error
	Set(netns.Spec) (netns.Held, error)
	Look(context.Context, netns.Look) (netns.Seen, error)
	Line(context.Context, netip.AddrPort) (netns.Line, error)
	Gateway() (netip.Addr, error)
	Close() error
}

var (
	_ network = (*netns.Namespace)(nil)
	_ network = (*netns.Helper)(nil)
)

// Insides are the ways into units' networks that a run has open, each for as long as a
// fault needs it.
type Insides struct {
	// Helper has helpers do what brunt could do itself. For tests.
	Helper bool
	// Journal is where it is written down that there are helpers; nil is nowhere.
	Journal *Journal

	handing sync.Mutex
	hands   map[string]*rpc.Client // by engine and rights

	mu      sync.Mutex
	open    map[containerID]*inside
	helping map[string]*helping // by their undo
}

// helping are the helpers of a run in one engine.
type helping struct {
	undo  Undo
	entry int // of the journal
}

// helps writes down that there will be helpers, before the first is made.
func (i *Insides) helps(undo Undo) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := string(undo.Args)
	if i.helping[key] != nil {
		return nil
	}
	h := &helping{undo: undo}
	if i.Journal != nil {
		var err error
		if h.entry, err = i.Journal.Intent("", "helpers of brunt in an engine", []Undo{undo}); err != nil {
			return err
		}
	}
	if i.helping == nil {
		i.helping = map[string]*helping{}
	}
	i.helping[key] = h
	return nil
}

// others gives another run that has a fault in the network of a container too; empty is none.
func (i *Insides) others(container string) string {
	if i.Journal == nil || container == "" {
		return ""
	}
	return i.Journal.network(container)
}

// Close removes what helpers were made of. Nobody may need one any more.
func (i *Insides) Close(ctx context.Context) error {
	errs := []error{i.letGo()}
	i.mu.Lock()
	defer i.mu.Unlock()
	for key, h := range i.helping {
		out, err := agentOperations().Undo(ctx, h.undo)
		if err == nil && i.Journal != nil {
			err = i.Journal.Done(h.entry, out)
		}
		if err == nil {
			delete(i.helping, key)
		}
		errs = append(errs, err)
	}
	return also(errs...)
}

// containerID says which container is meant, between two starts: its namespaces are made
// anew by each.
type containerID struct {
	ID      string `json:"container"`
	Started int64  `json:"started"` // Unix nanoseconds
}

func containerOf(u Contained) containerID {
	id, started := u.Container()
	return containerID{id, started.UnixNano()}
}

// inside is a way into a unit's network.
type inside struct {
	network
	in    *Insides
	id    containerID
	ready chan struct{} // closed when it is open, or could not be opened
	err   error         // of that
	users int           // under in.mu
	held  int           // faults that are in, under in.mu
}

// enter opens the network of a unit, or finds it open.
func (i *Insides) enter(ctx context.Context, u Contained, run string) (*inside, error) {
	id := containerOf(u)
	i.mu.Lock()
	if i.open == nil {
		i.open = map[containerID]*inside{}
	}
	n := i.open[id]
	if n != nil {
		n.users++
		i.mu.Unlock()
		select {
		case <-n.ready:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), n.leave())
		}
		if n.err != nil {
			return nil, errors.Join(n.err, n.leave())
		}
		return n, nil
	}
	n = &inside{in: i, id: id, ready: make(chan struct{}), users: 1}
	i.open[id] = n
	i.mu.Unlock()
	n.network, n.err = i.openNetwork(ctx, u, run)
	close(n.ready)
	if n.err != nil {
		return nil, errors.Join(n.err, n.leave())
	}
	return n, nil
}

// leave lets go of the network; the last who does closes it.
func (n *inside) leave() error {
	n.in.mu.Lock()
	n.users--
	last := n.users == 0
	if last && n.in.open[n.id] == n {
		delete(n.in.open, n.id)
	}
	n.in.mu.Unlock()
	if last && n.network != nil {
		return n.Close()
	}
	return nil
}

// count notes that a fault is in, or is out again, and tells how many are in then.
func (n *inside) count(by int) (held int) {
	n.in.mu.Lock()
	defer n.in.mu.Unlock()
	n.held += by
	return n.held
}

// openNetwork enters the unit's namespace, and has the engine help where it may not.
func (i *Insides) openNetwork(ctx context.Context, u Contained, run string) (network, error) {
	id := containerOf(u)
	helped, canHelp := u.(Helped)
	why := errors.New("a helper is asked for")
	if !i.Helper || !canHelp {
		n, err := enterNamespace(u.PID())
		switch {
		case err == nil && containerOf(u) != id:
			_ = n.Close()
			return nil, fmt.Errorf("%w: %s has just been started again", ErrNoUnit, u.Name())
		case err == nil:
			return n, nil
		case errors.Is(err, fs.ErrNotExist) && canHelp && docker.Self() != "" && id.ID != "": // seen from here it has no process
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%w: %s has ended", ErrNoUnit, u.Name())
		case !canHelp || !errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("the network of %s: %w", u.Name(), err)
		}
		why = err
	}
	if err := i.helps(helped.Unhelp(run)); err != nil {
		return nil, err
	}
	pipe, err := helped.Help(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("a helper in the network of %s, as brunt can't go there itself (%w): %w", u.Name(), why, err)
	}
	h, err := netns.NewHelper(ctx, pipe)
	if err != nil {
		return nil, fmt.Errorf("the helper in the network of %s: %w", u.Name(), err)
	}
	return h, nil
}

// enterNamespace opens the network namespace of a process and tries whether it can be
// entered.
func enterNamespace(pid int) (*netns.Namespace, error) {
	if pid == 0 {
		return nil, fs.ErrNotExist
	}
	file := fmt.Sprintf("/proc/%d/ns/net", pid)
	for _, not := range []int{os.Getpid(), 1} {
		own, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", not))
		if is, serr := os.Stat(file); err == nil && serr == nil && os.SameFile(own, is) {
			return nil, errHostNetwork
		}
	}
	n, err := netns.Open(file)
	if err != nil {
		return nil, err
	}
	if err := n.Do(func() error { return nil }); err != nil {
		_ = n.Close()
		return nil, err
	}
	return n, nil
}

// Help is the life of a helper: it breaks the network that it is in as lines on in ask
// for, and takes everything back when in ends.
func Help(ctx context.Context, in io.Reader, out io.Writer) error {
	n, err := netns.Open("/proc/self/ns/net")
	if err != nil {
		return err
	}
	defer n.Close()
	return netns.Help(ctx, n, in, out)
}

// errHostNetwork keeps faults of a container from the machine that it shares the network with.
var errHostNetwork = errors.New("it has no network of its own, but the machine's")

// ownInside looks from where brunt itself is.
func ownInside() (*netns.Namespace, error) {
	n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("looking from brunt's own network: %w", err)
	}
	return n, nil
}
