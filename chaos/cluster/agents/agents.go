package agents

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/rpc"
	"brunt/scenarios/quantity"
)

// Durations for agents.
const (
	patience = rpc.HeartbeatPatience  // without a connection, until both ends give a conversation up
	startFor = 45 * time.Second       // until an agent must have started
	firstFor = time.Minute            // for which an agent waits for its run
	joinFor  = 10 * time.Second       // to begin a conversation
	readFor  = 2 * time.Second        // for the reader of a pod's end to see how it ended
	pollEach = 100 * time.Millisecond // between two looks at a pod that is starting or ending
)

// Nodes holds the agents of a run. It is safe for concurrent use.
type Nodes struct {
	c       *kube.Cluster
	s       Settings
	journal chaos.Recorder // nil records nothing
	public  ed25519.PublicKey
	private ed25519.PrivateKey

	mu    sync.Mutex
	entry int // number of the journal entry
	noted bool
	on    map[string]*place // by node
}

var _ cluster.Agents = (*Nodes)(nil)

// A place holds the agent of one node.
type place struct {
	mu  sync.Mutex // held while an agent is started
	now joined     // zero: there is no agent
}

// joined is a running agent.
type joined struct {
	pod  string
	main *rpc.Client
}

// New prepares the agents of a run. Their undo is written to the journal before the first agent is made.
func New(c *kube.Cluster, s Settings, journal chaos.Recorder) (*Nodes, error) {
	if s.Key == nil {
		var err error
		if _, s.Key, err = ed25519.GenerateKey(nil); err != nil {
			return nil, err
		}
	}
	public := s.Key.Public().(ed25519.PublicKey)
	return &Nodes{c: c, s: s, journal: journal, public: public, private: s.Key, on: map[string]*place{}}, nil
}

// Ready starts an agent on each of some nodes, and waits until all have started.
func (n *Nodes) Ready(ctx context.Context, nodes []string) error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() { _, errs[i] = n.agent(ctx, node, nil) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// agent returns the agent of a node. It starts one if there is none, or if the present one is ended.
func (n *Nodes) agent(ctx context.Context, node string, ended *rpc.Client) (joined, error) {
	if err := n.note(); err != nil {
		return joined{}, err
	}
	n.mu.Lock()
	p := n.on[node]
	if p == nil {
		p = new(place)
		n.on[node] = p
	}
	n.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.main != nil && p.now.main == ended {
		p.drop()
	}
	if p.now.main != nil {
		return p.now, nil
	}
	var err error
	if p.now, err = n.start(ctx, node); err != nil {
		return joined{}, fmt.Errorf("an agent on the node %s: %w", node, err)
	}
	return p.now, nil
}

// note records in the journal that there will be agents, once.
func (n *Nodes) note() (err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.noted || n.journal == nil {
		return nil
	}
	n.entry, err = n.journal.Intent(chaos.Intent{
		What: "agents of brunt on nodes of " + n.s.Place.String(), Undo: []chaos.Undo{n.s.sweep()},
	})
	n.noted = err == nil
	return err
}

// sysResource is the right to set the limits of another user's processes.
const sysResource = "SYS_RESOURCE"

// start starts an agent on a node. A node that lacks the right sysResource itself can't grant it; the agent then runs
// without it, which suffices for processes of one user.
func (n *Nodes) start(ctx context.Context, node string) (joined, error) {
	at, err := n.startWith(ctx, node, n.settings())
	if err == nil || !strings.Contains(err.Error(), "unable to apply caps") {
		return at, err
	}
	n.mu.Lock()
	n.s.Rights.Caps = slices.DeleteFunc(slices.Clone(n.s.Rights.Caps), func(of string) bool { return of == sysResource })
	n.mu.Unlock()
	return n.startWith(ctx, node, n.settings())
}

func (n *Nodes) settings() Settings {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.s
}

// startWith makes the pod of an agent, and begins the conversation with it.
func (n *Nodes) startWith(ctx context.Context, node string, s Settings) (joined, error) {
	// otherwise an interrupt could leave an unknown pod behind
	making, made := context.WithTimeout(context.WithoutCancel(ctx), startFor)
	pod, err := kube.Pods(n.c, s.Namespace).Create(making, s.pod(node, true,
		program, "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--run", s.Run, keyFlag, hex.EncodeToString(n.public)), false)
	defer made()
	if err != nil {
		return joined{}, s.refused(err)
	}
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	if err := s.await(ctx, n.c, pod.Name, func(running, _ bool) bool { return running }); err != nil {
		// if this fails, it is deleted with the others at the end
		_ = kube.Pods(n.c, s.Namespace).Delete(making, pod.Name, kube.Deletion{UID: string(pod.UID)})
		return joined{}, err
	}
	pipe, err := n.dial(ctx, pod.Name, port, s.Run)
	if err != nil {
		return joined{}, err
	}
	main, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return joined{}, err
	}
	return joined{pod.Name, main}, nil
}

// await waits until a pod is in the wanted state. An error says what the pod waits for.
func (s *Settings) await(ctx context.Context, c *kube.Cluster, pod string, done func(running, ended bool) bool) error {
	began, why := time.Now(), errors.New("it is not there")
	for {
		is, err := kube.Pods(c, s.Namespace).Get(ctx, pod)
		switch {
		case kube.Answered(err):
			return err
		case err != nil && ctx.Err() == nil:
			why = err
		case err == nil:
			running, ended, text, vain := s.state(is)
			if done(running, ended) {
				return nil
			}
			if why = errors.New(text); vain || ended {
				return why
			}
		}
		select {
		case <-time.After(pollEach):
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", quantity.FormatSeconds(time.Since(began).Seconds()), why)
		}
	}
}

// dial begins a conversation at a port of an agent's pod.
func (n *Nodes) dial(ctx context.Context, pod string, at int, name string) (*rpc.LastingConn, error) {
	ctx, cancel := context.WithTimeout(ctx, joinFor)
	defer cancel()
	again := false
	dial := func(ctx context.Context) (net.Conn, error) {
		if again {
			if err := n.gone(ctx, pod); err != nil {
				return nil, err
			}
		}
		again = true
		return n.c.Dial(ctx, n.s.Namespace, pod, at)
	}
	conn, err := rpc.DialLasting(ctx, dial, n.private, rpc.LastingOptions{Name: name, Patience: patience})
	if err != nil {
		return nil, fmt.Errorf("the pod %s runs, and can't be spoken to: %w", pod, err)
	}
	return conn, nil
}

// gone returns [rpc.ErrGone] if the cluster says that the pod of an agent has ended, or ends. The conversation with it
// need not wait for its patience then.
func (n *Nodes) gone(ctx context.Context, pod string) error {
	is, err := kube.Pods(n.c, n.s.Namespace).Get(ctx, pod)
	if kube.Is(err, kube.NotFound) {
		return fmt.Errorf("%w: the pod %s was deleted", rpc.ErrGone, pod)
	}
	if err != nil { // the cluster does not say
		return nil
	}
	if _, ended, why, _ := n.s.state(is); ended {
		return fmt.Errorf("%w: %s", rpc.ErrGone, why)
	}
	return nil
}

// lend begins a separate conversation with the agent of a node. It replaces an agent that has ended.
func (n *Nodes) lend(ctx context.Context, node string, ask lendRequest) (io.ReadWriteCloser, error) {
	var ended *rpc.Client
	for {
		at, err := n.agent(ctx, node, ended)
		if err != nil {
			return nil, err
		}
		said, err := opLend.Of(ctx, at.main.Call, ask)
		if ended == nil && errors.Is(err, rpc.ErrEnded) {
			ended = at.main
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the agent on the node %s: %w", node, err)
		}
		return n.dial(ctx, at.pod, said.Port, said.Name)
	}
}

// drop forgets an agent. The lock is held.
func (p *place) drop() {
	if p.now.main != nil {
		_ = p.now.main.CloseWithin(0) // the pod is deleted anyway
	}
	p.now = joined{}
}

func (n *Nodes) Network(ctx context.Context, pod *kube.Pod) (io.ReadWriteCloser, error) {
	return n.lend(ctx, pod.Spec.NodeName, lendRequest{Pod: pod.Name, UID: string(pod.UID)})
}

func (n *Nodes) Proxies(ctx context.Context, pod *kube.Pod) (io.ReadWriteCloser, error) {
	return n.lend(ctx, pod.Spec.NodeName, lendRequest{Pod: pod.Name, UID: string(pod.UID), Proxies: true})
}

func (n *Nodes) Processes(ctx context.Context, node string) (io.ReadWriteCloser, error) {
	return n.lend(ctx, node, lendRequest{})
}

// Close ends the agents, and removes their pods.
func (n *Nodes) Close(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.on) == 0 {
		return nil
	}
	var ends sync.WaitGroup
	for _, p := range n.on {
		ends.Go(func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.drop()
		})
	}
	ends.Wait()
	n.on = map[string]*place{}
	out, err := n.s.remove(ctx, n.c, "", nil)
	if err == nil && n.noted {
		err = n.journal.Done(n.entry, out)
		n.noted = false
	}
	if err != nil {
		return fmt.Errorf("the agents on nodes of %s: %w; `kubectl delete pod -n %s -l %s` removes them", n.s.Place, err,
			n.s.Namespace,
			strings.ReplaceAll(n.s.selector().Labels, " ", ""))
	}
	return nil
}
