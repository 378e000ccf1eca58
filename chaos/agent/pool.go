package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/netns/remote"
	"brunt/chaos/proxy/child"
	"brunt/chaos/rpc"
	"brunt/targets/platform/containers"
)

var (
	_ chaos.Network = (*netns.Namespace)(nil)
	_ chaos.Network = (*remote.Namespace)(nil)
	_ chaos.Handle  = (*handle)(nil)
	_ chaos.Agents  = (*Pool)(nil)
)

// A Pool holds the agents and the network handles of a run, each as long as a fault needs it.
type Pool struct {
	// Find gives the descriptor of a kind; nil means that no agent injects faults.
	Find func(kind string) (chaos.Descriptor, bool)
	// Always makes agents do the work that brunt could do itself, for tests.
	Always bool
	// Local starts brunt's own process that acts in the networks which brunt may enter; nil means that brunt itself
	// does.
	Local *child.Shared
	// Journal records the agents; nil records nothing.
	Journal chaos.Recorder

	clientsMu sync.Mutex
	clients   map[string]*rpc.Client // by engine and rights

	proxiesMu sync.Mutex
	proxies   map[chaos.ContainerID]*child.Process // in the networks of units on other machines
	past      []*child.Process                     // replaced by later ones

	mu     sync.Mutex
	open   map[chaos.ContainerID]*handle
	agents map[string]*engineAgents // by their undo
}

// engineAgents are the agents of a run in one engine.
type engineAgents struct {
	undo  chaos.Undo
	entry int // number of the journal entry
}

// record records in the journal that there will be agents, before the first is made.
func (i *Pool) record(undo chaos.Undo) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := string(undo.Args)
	if i.agents[key] != nil {
		return nil
	}
	h := &engineAgents{undo: undo}
	if i.Journal != nil {
		var err error
		if h.entry, err = i.Journal.Intent(chaos.Intent{
			What: "agents of brunt in an engine", Undo: []chaos.Undo{undo},
		}); err != nil {
			return err
		}
	}
	if i.agents == nil {
		i.agents = map[string]*engineAgents{}
	}
	i.agents[key] = h
	return nil
}

// OtherRun implements [chaos.Agents]: it returns another run that has a fault in the network of the container; empty:
// none.
func (i *Pool) OtherRun(container string) string {
	if i.Journal == nil || container == "" {
		return ""
	}
	return i.Journal.OtherRun(container)
}

// Close closes the networks that are still open, for example for faults that were planned and not injected. It ends the
// agents, and removes everything that was made for them. No fault may need an agent after that.
func (i *Pool) Close(ctx context.Context) error {
	i.mu.Lock()
	open := slices.Collect(maps.Values(i.open))
	i.open = nil
	i.mu.Unlock()
	var errs []error
	for _, n := range open {
		<-n.ready
		errs = append(errs, n.close())
	}
	errs = append(errs, i.closeProxies(), i.closeClients())
	i.mu.Lock()
	defer i.mu.Unlock()
	for key, h := range i.agents {
		out, err := chaos.OperationsOf(container.SweepOperations()).Revert(ctx, []chaos.Undo{h.undo})
		if err == nil && i.Journal != nil {
			err = i.Journal.Done(h.entry, out)
		}
		if err == nil {
			delete(i.agents, key)
		}
		errs = append(errs, err)
	}
	return chaos.JoinErrors(errs...)
}

// handle is an open network of a unit.
type handle struct {
	chaos.Network
	in      *Pool
	id      chaos.ContainerID
	ready   chan struct{} // closed when the network is open, or could not be opened
	err     error         // of opening
	closing sync.Once
	end     chaos.Undo // undo of an agent's settings; empty Op: it is no agent of an engine, or ends only with brunt
	users   int        // guarded by in.mu
	held    int        // injected faults, guarded by in.mu
}

// Enter returns the network of a unit. It opens the network unless it is open already.
func (i *Pool) Enter(ctx context.Context, u chaos.Contained, run string) (chaos.Handle, error) {
	id := u.ContainerID()
	i.mu.Lock()
	if i.open == nil {
		i.open = map[chaos.ContainerID]*handle{}
	}
	n := i.open[id]
	if n != nil {
		n.users++
		i.mu.Unlock()
		select {
		case <-n.ready:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), n.Leave())
		}
		switch {
		case n.err != nil:
			return nil, errors.Join(n.err, n.Leave())
		case u.Traits().Node != nil && n.ended(): // another agent takes its place
			_ = n.Leave()
			return i.Enter(ctx, u, run)
		}
		return n, nil
	}
	n = &handle{in: i, id: id, ready: make(chan struct{}), users: 1}
	i.open[id] = n
	i.mu.Unlock()
	n.Network, n.err = i.openNetwork(ctx, u, run)
	if _, engines := n.Network.(*remote.Namespace); engines && u.Traits().EndAgent != nil {
		n.end = u.Traits().EndAgent(run)
	}
	close(n.ready)
	if n.err != nil {
		return nil, errors.Join(n.err, n.Leave())
	}
	return n, nil
}

// Leave releases the network; the last user closes it.
func (n *handle) Leave() error {
	n.in.mu.Lock()
	n.users--
	last := n.users == 0
	if last && n.in.open[n.id] == n {
		delete(n.in.open, n.id)
	}
	n.in.mu.Unlock()
	if last {
		return n.close()
	}
	return nil
}

// ended reports whether the agent that holds the network open has ended. No fault gets such a handle.
func (n *handle) ended() bool {
	if _, err := n.Gateway(); !errors.Is(err, rpc.ErrEnded) {
		return false
	}
	n.in.mu.Lock()
	defer n.in.mu.Unlock()
	if n.in.open[n.id] == n {
		delete(n.in.open, n.id)
	}
	return true
}

// close closes the network, unless it is closed already.
func (n *handle) close() (err error) {
	n.closing.Do(func() {
		if n.Network != nil {
			err = n.Close()
		}
	})
	return err
}

func (n *handle) ContainerID() chaos.ContainerID { return n.id }

// Count adds to the number of injected faults and returns the new number.
func (n *handle) Count(by int) (held int) {
	n.in.mu.Lock()
	defer n.in.mu.Unlock()
	n.held += by
	return n.held
}

// openNetwork enters the unit's namespace. If brunt may not enter, it makes the engine start an agent there.
func (i *Pool) openNetwork(ctx context.Context, u chaos.Contained, run string) (chaos.Network, error) {
	id := u.ContainerID()
	unit := u.Traits()
	if unit.Node != nil {
		return elsewhere(ctx, u, run)
	}
	canStart := unit.StartAgent != nil
	why := errors.New("an agent is asked for")
	if !i.Always || !canStart {
		n, err := EnterNamespace(u.PID())
		switch {
		case err == nil && i.Local == nil:
			if n, err = sameContainer(n, u, id); err != nil {
				return nil, err
			}
			return n, nil
		case err == nil:
			_ = n.Close()
			p, err := i.Local.Process(ctx)
			if err != nil {
				return nil, err
			}
			s, err := EnterBy(ctx, p, u, id)
			if err != nil {
				return nil, err
			}
			return s, nil
		// the process is not visible from this container
		case errors.Is(err, fs.ErrNotExist) && canStart && containers.Self() != "" && id.ID != "":
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%w: %s has ended", chaos.ErrNoUnit, u.Name())
		case !canStart || !errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("the network of %s: %w", u.Name(), err)
		}
		why = err
	}
	if err := i.record(unit.RemoveAgents(run)); err != nil {
		return nil, err
	}
	pipe, err := unit.StartAgent(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("an agent in the network of %s, as brunt can't enter it (%w): %w", u.Name(), why, err)
	}
	h, err := openRemote(ctx, pipe)
	if err != nil {
		return nil, fmt.Errorf("the agent in the network of %s: %w", u.Name(), err)
	}
	return h, nil
}

// elsewhere starts an agent in the network of a unit on another machine.
func elsewhere(ctx context.Context, u chaos.Contained, run string) (chaos.Network, error) {
	pipe, err := u.Traits().StartAgent(ctx, run)
	if err != nil {
		return nil, err
	}
	n, err := openRemote(ctx, pipe)
	if err != nil {
		return nil, fmt.Errorf("the agent in the network of %s: %w", u.Name(), err)
	}
	return n, nil
}

// HolderEnded returns the error of a fault that an agent held, from the error of a call of that agent. It is nil unless
// the agent has ended.
func HolderEnded(where string, err error) error {
	if !errors.Is(err, rpc.ErrEnded) {
		return nil
	}
	ended, _ := errors.AsType[rpc.EndedError](err)
	return chaos.HolderEndedError{Where: where, Seen: ended.Seen}
}

// EnterNamespace opens the network namespace of a process and checks that brunt can enter it.
func EnterNamespace(pid int) (*netns.Namespace, error) {
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

// errHostNetwork refuses a fault in the network of a container that shares the machine's network.
var errHostNetwork = errors.New("it has no network of its own, but the machine's")

// OwnNetwork opens the network namespace of brunt itself.
func OwnNetwork() (*netns.Namespace, error) {
	n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("looking from brunt's own network: %w", err)
	}
	return n, nil
}
