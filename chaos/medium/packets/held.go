package packets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/netns/remote"
	"brunt/chaos/proc"
	"brunt/chaos/proof"
	"brunt/chaos/rpc"
)

// Baseline is the result of a probe before the fault.
type Baseline struct {
	Probe  netns.Probe
	Result netns.ProbeResult // every probe was answered
	Sized  netns.ProbeResult // of a probe as large as the evidence needs, if that has a Size; zero: not measured
}

// An openLine is a connection that was opened before the fault.
type openLine struct {
	netns.Line
	to netip.Addr
}

// heldPackets is an injected fault on packets.
type heldPackets struct {
	*Step
	before []Baseline
	own    int64 // affected packets that brunt's own probes made

	mu     sync.Mutex
	lines  []openLine
	net    chaos.Handle // the network of the last injection
	ends   []string     // the container's links there
	held   netns.Held
	moved  []netns.Probe // at the new addresses of peers, to repeat before the fault is injected there
	past   int64         // packets that it affected before a restart or a change of addresses
	over   bool          // it is reverted
	left   bool          // net is released
	closed error         // error of the revert
	lost   error         // the process that held it had ended before the revert
}

var _ chaos.Held = (*heldPackets)(nil)

// shown returns the connections and the baselines from before the fault that are still valid.
func (h *heldPackets) shown() ([]openLine, []Baseline) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines, h.before
}

// now returns the injected fault and its network.
func (h *heldPackets) now() (chaos.Handle, netns.Held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.net, h.held
}

// opens bounds the probes before the fault.
const opens = 2 * time.Second

// anyPort is a port on which hardly any program listens. A connection to it is refused at once, which
// counts as an answer.
const anyPort = 9

// probeBefore probes before the fault, and keeps the probes that were answered.
func (h *heldPackets) probeBefore(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, opens)
	defer cancel()
	if h.Evidence.Kind == netns.Query {
		h.try(ctx, h.net, netns.Probe{Kind: netns.Query, Name: h.Evidence.Name})
		return
	}
	toward := h.at.Toward
	if len(h.Spec.Match.Peers) == 0 && !h.at.Outside {
		if g, err := h.net.Gateway(); err == nil && g.IsValid() {
			toward = append([]netip.AddrPort{netip.AddrPortFrom(g, 0)}, toward...)
		}
	}
	toward = h.withPorts(toward)
	for range mostRounds {
		if h.probeEach(ctx, toward); len(h.before) > 0 || len(h.lines) > 0 {
			return
		}
	}
}

// mostRounds is how often peers are probed before the fault if none answered: on a busy machine a moment in which
// nothing ran fails the probes of all of them, and without one that was answered the fault can't be verified.
const mostRounds = 3

// probeEach probes peers, until enough have answered.
func (h *heldPackets) probeEach(ctx context.Context, toward []netip.AddrPort) {
	for _, to := range toward {
		if h.enough() {
			break
		}
		for _, how := range h.probeKinds(to.Addr()) {
			if h.try(ctx, h.net, netns.Probe{Kind: how, To: to, N: proof.Pings}) {
				break
			}
		}
		if to.Port() != anyPort && h.Evidence.Line != nil {
			if l, err := h.open(ctx, to); err == nil {
				h.lines = append(h.lines, openLine{l, to.Addr()})
			}
		}
	}
}

// mostProbed bounds the probed peers; where many pings are needed it is one.
const mostProbed = 2

// enough reports whether no further peers need to be probed.
func (h *heldPackets) enough() bool {
	return len(h.before) >= mostProbed || len(h.before) > 0 && h.Evidence.N > proof.Pings
}

// probeKinds returns the kinds of probe to try at an address. Pings belong to no port.
func (h *heldPackets) probeKinds(at netip.Addr) []netns.ProbeKind {
	virtual := slices.ContainsFunc(h.at.Fronts, func(a netip.AddrPort) bool { return a.Addr() == at })
	switch {
	case h.Evidence.Kind != "":
		return []netns.ProbeKind{h.Evidence.Kind}
	case len(h.Spec.Match.Ports) > 0 || virtual:
		return []netns.ProbeKind{netns.Connect}
	}
	return []netns.ProbeKind{netns.Ping, netns.Connect}
}

// withPorts combines each address with the ports that are hit.
func (h *heldPackets) withPorts(to []netip.AddrPort) []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range to {
		switch ports := h.Spec.Match.Ports; {
		case len(ports) > 0:
			for _, p := range ports {
				out = append(out, netip.AddrPortFrom(a.Addr(), p))
			}
		case a.Port() == 0:
			out = append(out, netip.AddrPortFrom(a.Addr(), anyPort))
		default:
			out = append(out, a)
		}
	}
	return out
}

// try probes once and keeps the result if everything was answered. A query needs no answer before the
// fault: the fault answers it.
func (h *heldPackets) try(ctx context.Context, in chaos.Network, l netns.Probe) bool {
	s, err := h.probe(ctx, in, l)
	if err != nil || s.Answered() < s.Sent && l.Kind != netns.Query {
		return false
	}
	b := Baseline{Probe: l, Result: s}
	if h.Evidence.Size > 0 && l.Kind == netns.Ping {
		b.Sized, _ = h.probe(ctx, in, h.again(b)) // a part of it, or none, shows less
	}
	h.before = append(h.before, b)
	return true
}

// probe runs a probe, from inside or from outside.
func (h *heldPackets) probe(ctx context.Context, in chaos.Network, l netns.Probe) (netns.ProbeResult, error) {
	if !h.at.Outside {
		return in.Probe(ctx, l)
	}
	n, err := agent.OwnNetwork()
	if err != nil {
		return netns.ProbeResult{}, err
	}
	defer n.Close()
	return n.Probe(ctx, l)
}

func (h *heldPackets) open(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, proof.Silence)
	defer cancel()
	if !h.at.Outside {
		return h.net.Line(ctx, to)
	}
	n, err := agent.OwnNetwork()
	if err != nil {
		return nil, err
	}
	defer n.Close()
	return n.Line(ctx, to)
}

// again returns the probe to repeat, as large as the evidence needs it.
func (h *heldPackets) again(b Baseline) netns.Probe {
	l := b.Probe
	if h.Evidence.N > 0 {
		l.N = h.Evidence.N
	}
	l.Size, l.Wait, l.Known = h.Evidence.Size, h.Evidence.Wait, h.Evidence.Known
	return l
}

func (h *heldPackets) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{
		Takes: h.Evidence.Takes, Affected: h.affected, OnRestart: h.onRestart, OnNetworkChange: h.onNetworkChange,
		Ended:  h.lifted,
		Lost:   h.lostBefore,
		OnPlan: h.onPlan,
	}
}

// where says where the process is that holds the fault, for its [chaos.HolderEndedError].
func (h *heldPackets) where() string { return "in the network of " + h.Target.Name() }

// lostBefore says that the process had ended before the revert, unless the fault ended with its unit.
func (h *heldPackets) lostBefore() error {
	h.mu.Lock()
	lost := h.lost
	h.mu.Unlock()
	if other, err := h.another(); lost == nil || other && err == nil {
		return nil
	}
	return lost
}

// lifted tells whether the process that holds the fault has ended it at the end of its lease, or another program has
// removed it from the network.
func (h *heldPackets) lifted(ctx context.Context) error {
	_, held := h.now()
	ago, err := remote.Lifted(ctx, held)
	if lost := agent.HolderEnded(h.where(), err); lost != nil {
		return lost
	}
	if h.Target.Traits().Node != nil {
		if err := h.stands(); err != nil {
			return err
		}
	}
	if gone, ok := errors.AsType[netns.RemovedError](err); ok && h.holds(held) {
		return chaos.EndedEarlyError{Unit: h.Target.Name(), What: "lost " + gone.What}
	}
	if err == nil && ago > 0 && h.Step.now != nil {
		return chaos.TakenBackError{At: h.Step.now() - ago, By: "the process that held it"}
	}
	return nil
}

// holds reports whether an injected fault is still that of the unit: it was not reverted or injected again meanwhile,
// and its network is there.
func (h *heldPackets) holds(held netns.Held) bool {
	h.mu.Lock()
	same := h.held == held && !h.over
	h.mu.Unlock()
	other, err := h.another()
	return same && !other && err == nil
}

// Verify implements [chaos.Held]: brunt probes from the victim's network.
func (h *heldPackets) Verify(ctx context.Context) (string, error) {
	lines, probed := h.shown()
	if len(probed) == 0 && len(lines) == 0 && !h.Evidence.Ends {
		return "", fmt.Errorf("cannot verify from %s: no probe succeeded before the fault was injected", h.Target.Name())
	}
	var found []string
	for _, b := range probed {
		text, err := h.proof(ctx, b)
		for again := 1; err != nil && again < proofs && ctx.Err() == nil; again++ {
			text, err = h.proof(ctx, b)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", h.from(b), err)
		}
		found = append(found, h.from(b)+": "+text)
	}
	if h.Evidence.Ends && len(lines) == 0 {
		_, held := h.now()
		affected, err := held.Affected()
		switch {
		case err != nil:
			return "", fmt.Errorf("counting the affected packets: %w", err)
		case affected.Hit == 0:
			return "", fmt.Errorf("%w: no connection was open that it could hit", chaos.ErrNoEffect)
		}
		found = append(found, fmt.Sprintf("%d connections that were open before are no more", affected.Hit))
	}
	for _, l := range lines {
		text, err := h.outcome(ctx, l)
		if err != nil {
			return "", err
		}
		found = append(found, text)
	}
	return strings.Join(found, "; "), nil
}

// proofs is the number of attempts to prove the effect: on a busy machine a probe may fail.
const proofs = 3

// proof tries once to prove the effect.
func (h *heldPackets) proof(ctx context.Context, b Baseline) (string, error) {
	net, held := h.now()
	affected, err := held.Affected()
	if err != nil {
		return "", fmt.Errorf("counting the affected packets: %w", err)
	}
	now, err := h.probe(ctx, net, h.again(b))
	if err != nil {
		return "", err
	}
	after, err := held.Affected()
	if err != nil {
		return "", fmt.Errorf("counting the affected packets: %w", err)
	}
	h.own += min(h.met(after)-h.met(affected), h.most(now))
	if ctx.Err() != nil {
		return "", errors.New("there is no time to find its effect")
	}
	return h.Evidence.Prove(b, now, netns.Affected{
		Packets: after.Packets - affected.Packets, Hit: after.Hit - affected.Hit, Bytes: after.Bytes - affected.Bytes,
	})
}

// most returns the largest number of packets that a probe can cause, in both directions. A query counts once.
func (h *heldPackets) most(s netns.ProbeResult) int64 {
	if h.queries() {
		return int64(s.Sent)
	}
	return 6 * int64(s.Sent)
}

// from names the two ends of a probe.
func (h *heldPackets) from(b Baseline) string {
	from, to := h.Target.Name(), b.Probe.To.Addr().String()
	if h.at.Outside {
		from = "outside"
	}
	switch b.Probe.Kind {
	case netns.Query:
		return "a query for " + b.Probe.Name + " from " + from
	case netns.Connect:
		to = b.Probe.To.String()
	}
	return from + " to " + to
}

// outcome checks the outcome of a connection that was opened before the fault.
func (h *heldPackets) outcome(ctx context.Context, l netns.Line) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, proof.Silence)
	defer cancel()
	got, err := l.Outcome(ctx)
	if err == nil {
		err = h.Evidence.Line(got)
	}
	if err != nil {
		return "", fmt.Errorf("a connection that was open before: %w", err)
	}
	return fmt.Sprintf("a connection that was open before is %s", got), nil
}

// close removes the fault. It is safe to call twice, and tries again what failed. The network stays open until Gone.
func (h *heldPackets) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := !h.over
	if !first && h.closed == nil {
		return nil
	}
	h.over = true
	var err error
	if h.held != nil {
		err = h.held.Close()
		if lost := agent.HolderEnded(h.where(), err); lost != nil { // the kernel ends with the process what has no undo
			h.lost = lost
			err = h.revertUndo()
		}
		if first {
			h.net.Count(-1)
		}
	}
	for _, l := range h.lines {
		_ = l.Close() // it may be closed already
	}
	h.closed = err
	return err
}

// revertUndo takes back by the undo what the process that held it has left.
func (h *heldPackets) revertUndo() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), chaos.UndoWithin)
	defer cancel()
	if node := h.Target.Traits().Node; node != nil {
		_, err = node.Revert(ctx, h.undo)
	} else {
		_, err = chaos.OperationsOf(Operations()).Revert(ctx, h.undo)
	}
	return err
}

func (h *heldPackets) Revert(context.Context) (chaos.Outcome, error) {
	if err := h.close(); err != nil {
		return chaos.Failed, err
	}
	if other, err := h.another(); other && err == nil {
		return chaos.Gone, nil
	}
	return chaos.Reverted, nil
}

// Gone implements [chaos.Held]. On a busy machine a probe may fail, so it is repeated until ctx ends.
// While another fault is in the same network, even one of another run, the result is unknown. After a
// revert it releases the handle that the fault has had since its plan.
func (h *heldPackets) Gone(ctx context.Context) (string, error) {
	over := h.Target.Name() + " has ended or was started again, and its network with it"
	net, _ := h.now()
	other, err := h.Target.AwaitAnother(ctx, net.ContainerID())
	if err != nil {
		return "", err // the handle stays, for a caller that asks again
	}
	n, err := h.last(ctx)
	switch {
	case errors.Is(err, chaos.ErrNoUnit):
		return over, nil
	case err != nil && other:
		return over, nil
	case err != nil:
		return "", err
	case other || h.ended(ctx):
		return over, n.Leave()
	}
	text, err := h.cleared(ctx, n)
	return text, chaos.JoinErrors(err, n.Leave())
}

// last returns the handle of the fault, for its last use. While the fault is injected, or if the handle is
// released already, it returns another one.
func (h *heldPackets) last(ctx context.Context) (chaos.Handle, error) {
	h.mu.Lock()
	if h.over && !h.left {
		defer h.mu.Unlock()
		h.left = true
		return h.net, nil
	}
	h.mu.Unlock()
	return h.agents.Enter(ctx, h.Target.Contained, h.run)
}

// ended reports whether the unit no longer runs. Its network then has no links, though the handle keeps
// it.
func (h *heldPackets) ended(ctx context.Context) bool {
	if h.Target.Container != nil {
		is, err := h.Target.Container.Now(ctx)
		return container.IsGone(err) || err == nil && !is.Running
	}
	if h.Target.Traits().Node != nil { // of another machine: another tells
		return false
	}
	_, err := proc.Identify(h.Target.PID())
	return errors.Is(err, fs.ErrNotExist)
}

func (h *heldPackets) cleared(ctx context.Context, n chaos.Handle) (string, error) {
	var found []string
	_, probed := h.shown()
	for _, b := range probed {
		for {
			text, err := h.clear(ctx, n, b)
			if err == nil {
				found = append(found, h.from(b)+": "+text)
				break
			}
			if errors.Is(err, rpc.ErrEnded) {
				return "the process that held it has ended, and the fault with it", nil
			}
			if n.Count(0) > 0 {
				return "it is off, and another fault is in the network of " + h.Target.Name(), nil
			}
			if run := h.agents.OtherRun(n.ContainerID().ID); run != "" {
				return fmt.Sprintf("it is off, and another run, %s, has a fault in the network of %s", run, h.Target.Name()), nil
			}
			if other, err := h.another(); other && err == nil {
				return h.Target.Name() + " was started again, and its network with it", nil
			}
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("%s: %w", h.from(b), err)
			case <-time.After(proof.Silence):
			}
		}
	}
	if len(found) == 0 {
		return "the fault is removed, and no probe succeeded before it either", nil
	}
	return strings.Join(found, "; "), nil
}

// clear probes once whether the fault is gone.
func (h *heldPackets) clear(ctx context.Context, n chaos.Network, b Baseline) (string, error) {
	l := h.again(b)
	l.N = max(proof.Pings, l.N)
	ctx, cancel := context.WithTimeout(ctx, max(proof.ProofWithin, 4*l.Wait+h.Evidence.Takes))
	defer cancel()
	now, err := h.probe(ctx, n, l)
	if err != nil {
		return "", err
	}
	return h.Evidence.Undone(b, now)
}

// affected returns the packets that the fault affects, or the queries. It excludes brunt's own.
func (h *heldPackets) affected() chaos.Traffic {
	t := chaos.Traffic{Unit: "packets"}
	if h.queries() {
		t.Unit = "queries"
	}
	_, held := h.now()
	if affected, err := held.Affected(); err == nil {
		t.N = max(0, h.past+h.met(affected)-h.own)
	}
	return t
}

// queries reports whether the fault acts on queries for names.
func (h *heldPackets) queries() bool { return h.Evidence.Kind == netns.Query }

// met returns the count of packets that met the fault. Of queries, these are the ones for its names. Of a share and of
// a rate, these are the ones that were drawn, or that waited.
func (h *heldPackets) met(a netns.Affected) int64 {
	if h.queries() || h.Spec.Share > 0 || h.Spec.Do == netns.Bandwidth {
		return a.Hit
	}
	return a.Packets
}

// Fastest returns the shortest of the times of a probe.
func Fastest(s netns.ProbeResult) time.Duration {
	if len(s.Times) == 0 {
		return 0
	}
	return s.Times[0]
}

// Median returns the median of the times of a probe.
func Median(s netns.ProbeResult) time.Duration {
	if len(s.Times) == 0 {
		return 0
	}
	return s.Times[len(s.Times)/2]
}
