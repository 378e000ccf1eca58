package packet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/container"
	"brunt/chaos/fault/proxied"
	"brunt/chaos/netns"
)

// Baseline is what was seen before a fault came.
type Baseline struct {
	look netns.Look
	Seen netns.Seen // all of it was answered
}

// heldPackets is a fault on packets that is in.
type heldPackets struct {
	*Packets
	before []Baseline
	own    int64 // packets among those it met that brunt itself made to look

	mu     sync.Mutex
	lines  []netns.Line
	net    chaos.Handle // the network that it was done in last
	ends   []string     // the links of a container there
	held   netns.Held
	past   int64 // packets that it met before the container was started again
	over   bool  // it is taken back
	closed error // of that
}

var (
	_ chaos.Meter        = (*heldPackets)(nil)
	_ chaos.Slow         = (*heldPackets)(nil)
	_ chaos.Restartable  = (*heldPackets)(nil)
	_ chaos.NetworkAware = (*heldPackets)(nil)
)

// shown gives what was seen before the fault came, and not taken away since.
func (h *heldPackets) shown() ([]netns.Line, []Baseline) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines, h.before
}

// now gives what is in, and where.
func (h *heldPackets) now() (chaos.Handle, netns.Held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.net, h.held
}

// opens is how long looking may take before the fault comes.
const opens = 2 * time.Second

// anyPort is one at which hardly anybody listens: what asks there is refused at once,
// which is an answer as good as another.
const anyPort = 9

// look sees what is to be seen before the fault comes, and keeps what has an answer.
func (h *heldPackets) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, opens)
	defer cancel()
	if h.Sign.How == netns.Query {
		h.try(ctx, netns.Look{How: netns.Query, Name: h.Sign.Name})
		return
	}
	toward := h.toward
	if len(h.Spec.Match.Peers) == 0 && !h.outside {
		if g, err := h.net.Gateway(); err == nil && g.IsValid() {
			toward = append([]netip.AddrPort{netip.AddrPortFrom(g, 0)}, toward...)
		}
	}
	for _, to := range h.withPorts(toward) {
		if len(h.before) == mostSeen || len(h.before) > 0 && h.Sign.N > proxied.Pings {
			break
		}
		for _, how := range h.ways() {
			if h.try(ctx, netns.Look{How: how, To: to, N: proxied.Pings}) {
				break
			}
		}
		if to.Port() != anyPort && h.Sign.line != nil {
			if l, err := h.open(ctx, to); err == nil {
				h.lines = append(h.lines, l)
			}
		}
	}
}

// mostSeen bounds how many peers are looked at; where many pings are needed it is one.
const mostSeen = 2

// Capabilities are those by which to look. Pings belong to no port.
func (h *heldPackets) ways() []netns.How {
	switch {
	case h.Sign.How != "":
		return []netns.How{h.Sign.How}
	case len(h.Spec.Match.Ports) > 0:
		return []netns.How{netns.Connect}
	}
	return []netns.How{netns.Ping, netns.Connect}
}

// withPorts gives each address the ports that are hit.
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

// try looks once and keeps the look when all of it was answered. What asks a resolver
// needs no answer before: the fault answers.
func (h *heldPackets) try(ctx context.Context, l netns.Look) bool {
	s, err := h.looks(ctx, h.net, l)
	if err != nil || s.Answered() < s.Sent && l.How != netns.Query {
		return false
	}
	h.before = append(h.before, Baseline{l, s})
	return true
}

// looks makes a look, from inside or from outside.
func (h *heldPackets) looks(ctx context.Context, in chaos.Network, l netns.Look) (netns.Seen, error) {
	if !h.outside {
		return in.Look(ctx, l)
	}
	n, err := agent.OwnNetwork()
	if err != nil {
		return netns.Seen{}, err
	}
	defer n.Close()
	return n.Look(ctx, l)
}

func (h *heldPackets) open(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, proxied.Silence)
	defer cancel()
	if !h.outside {
		return h.net.Line(ctx, to)
	}
	n, err := agent.OwnNetwork()
	if err != nil {
		return nil, err
	}
	defer n.Close()
	return n.Line(ctx, to)
}

// again makes a look once more, as large as the sign wants it.
func (h *heldPackets) again(b Baseline) netns.Look {
	l := b.look
	if h.Sign.N > 0 {
		l.N = h.Sign.N
	}
	l.Size, l.Wait = h.Sign.size, h.Sign.wait
	return l
}

// Takes implements [Slow].
func (h *heldPackets) Takes() time.Duration { return h.Sign.takes }

// Verify implements [Held]: brunt looks from where the victim is.
func (h *heldPackets) Verify(ctx context.Context) (string, error) {
	lines, looked := h.shown()
	if len(looked) == 0 && len(lines) == 0 && !h.Sign.ends {
		return "", fmt.Errorf("nothing can be seen of it from %s: nobody it is about answered before it came", h.Unit.Name())
	}
	var found []string
	for _, b := range looked {
		text, err := h.proof(ctx, b)
		for again := 1; err != nil && again < proofs && ctx.Err() == nil; again++ {
			text, err = h.proof(ctx, b)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", h.from(b), err)
		}
		found = append(found, h.from(b)+": "+text)
	}
	if h.Sign.ends && len(lines) == 0 {
		_, held := h.now()
		met, err := held.Met()
		switch {
		case err != nil:
			return "", fmt.Errorf("counting what met it: %w", err)
		case met.Hit == 0:
			return "", fmt.Errorf("%w: no connection was open that it could hit", chaos.ErrNoEffect)
		}
		found = append(found, fmt.Sprintf("%d connections that were open before are no more", met.Hit))
	}
	for _, l := range lines {
		text, err := h.fate(ctx, l)
		if err != nil {
			return "", err
		}
		found = append(found, text)
	}
	return strings.Join(found, "; "), nil
}

// proofs is how often the effect is looked for: on a busy machine a look can come to
// nothing.
const proofs = 3

// proof looks once for the effect.
func (h *heldPackets) proof(ctx context.Context, b Baseline) (string, error) {
	net, held := h.now()
	met, err := held.Met()
	if err != nil {
		return "", fmt.Errorf("counting what met it: %w", err)
	}
	now, err := h.looks(ctx, net, h.again(b))
	if err != nil {
		return "", err
	}
	after, err := held.Met()
	if err != nil {
		return "", fmt.Errorf("counting what met it: %w", err)
	}
	h.own += min(after.Packets-met.Packets, most(now))
	if ctx.Err() != nil {
		return "", errors.New("there is no time to find its effect")
	}
	return h.Sign.Prove(b, now, netns.Met{Packets: after.Packets - met.Packets, Hit: after.Hit - met.Hit, Bytes: after.Bytes - met.Bytes})
}

// most is how many packets a look can be, there and back.
func most(s netns.Seen) int64 { return 6 * int64(s.Sent) }

// from says where brunt looks from and to, for people.
func (h *heldPackets) from(b Baseline) string {
	from, to := h.Unit.Name(), b.look.To.Addr().String()
	if h.outside {
		from = "outside"
	}
	switch b.look.How {
	case netns.Query:
		return "a query from " + from
	case netns.Connect:
		to = b.look.To.String()
	}
	return from + " to " + to
}

// Fate finds what became of a connection that was open before.
func (h *heldPackets) fate(ctx context.Context, l netns.Line) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, proxied.Silence)
	defer cancel()
	got, err := l.Fate(ctx)
	if err == nil {
		err = h.Sign.line(got)
	}
	if err != nil {
		return "", fmt.Errorf("a connection that was open before: %w", err)
	}
	return fmt.Sprintf("a connection that was open before is %s", got), nil
}

// close takes the fault out and lets go of the network. Twice is harmless.
func (h *heldPackets) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return h.closed
	}
	h.over = true
	var err error
	if h.held != nil {
		err = h.held.Close()
		h.net.Count(-1)
	}
	for _, l := range h.lines {
		_ = l.Close() // it may be gone
	}
	h.closed = chaos.JoinErrors(err, h.net.Leave())
	return h.closed
}

// Revert implements [Held].
func (h *heldPackets) Revert(context.Context) (chaos.Outcome, error) {
	if err := h.close(); err != nil {
		return chaos.Failed, err
	}
	if h.another() {
		return chaos.Gone, nil
	}
	return chaos.Reverted, nil
}

// another tells that the unit is another container by now, or was started again: the
// network that was broken is no more.
func (h *heldPackets) another() bool {
	net, _ := h.now()
	return chaos.IDOf(h.Unit) != net.Whose()
}

// OnRestart implements [Rooted].
func (h *heldPackets) OnRestart(ctx context.Context, container string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	is := chaos.IDOf(h.Unit)
	switch {
	case h.over:
		return "", nil
	case h.net.Whose().ID != container:
		if is != h.net.Whose() { // its own start is still to be told of
			return "", nil
		}
		return h.moved(container, "was started again, with another address")
	case is == h.net.Whose():
		return "", nil
	case h.Void:
		return "", fmt.Errorf("%s was started again, and its network with it", h.Unit.Name())
	}
	h.aim()
	ends := endsOf(h.Unit)
	n, err := h.agents.Enter(ctx, h.Unit, h.run)
	if err != nil {
		return "", fmt.Errorf("%s was started again: %w", h.Unit.Name(), err)
	}
	held, err := h.anew(n)
	if err != nil {
		return "", chaos.JoinErrors(fmt.Errorf("%s was started again, and it can't be done anew: %w", h.Unit.Name(), err), n.Leave())
	}
	if met, err := h.held.Met(); err == nil {
		h.past += met.Packets
	}
	for _, l := range h.lines { // they were of the network that is no more
		_ = l.Close()
	}
	h.lines = nil
	_ = h.held.Close() // the kernel has taken it away with the network
	h.net.Count(-1)
	_ = h.net.Leave()
	n.Count(1)
	h.net, h.held, h.ends = n, held, ends
	return fmt.Sprintf("%s was started again: %s", h.Unit.Name(), h.Packets), nil
}

// OnNetworkChange implements [Aimed].
func (h *heldPackets) OnNetworkChange(_ context.Context, container string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.over:
		return "", nil
	case h.net.Whose().ID != container:
		return h.moved(container, "has another address now")
	case chaos.IDOf(h.Unit) != h.net.Whose():
		return "", nil // its start is still to be told of, or was
	}
	// What is done at its links is not done at one that it has got since. One that is gone took what was done there
	// with it.
	was := h.ends
	h.ends = endsOf(h.Unit)
	if !slices.ContainsFunc(h.ends, func(e string) bool { return !slices.Contains(was, e) }) {
		return "", nil
	}
	h.aim()
	return h.turned(h.Unit.Name() + " has another link now")
}

// endsOf lists the links that a container has to networks of its engine.
func endsOf(u chaos.Unit) (out []string) {
	c, ok := container.ContainerOf(u)
	if !ok {
		return nil
	}
	is, err := c.Asked()
	if err != nil {
		return nil
	}
	for _, n := range is.Networks {
		if n.Endpoint != "" {
			out = append(out, n.Endpoint)
		}
	}
	return out
}

// moved is told that a container has other addresses, maybe, and since when. Where it is one of those whose packets are
// hit, and it has, the fault is aimed anew.
func (h *heldPackets) moved(container, since string) (string, error) {
	i := slices.IndexFunc(h.others, func(u chaos.Contained) bool { return chaos.IDOf(u).ID == container })
	if i < 0 || !h.aim() {
		return "", nil
	}
	return h.turned(h.others[i].Name() + " " + since)
}

// turned has the fault be done anew in the network that it is in.
func (h *heldPackets) turned(why string) (string, error) {
	if met, err := h.held.Met(); err == nil {
		h.past += met.Packets
	}
	err := h.held.Close() // first: what it is done by may be there only once
	var held netns.Held
	if err == nil {
		held, err = h.anew(h.net)
	}
	if err != nil {
		return "", fmt.Errorf("%s, and the fault can't be aimed anew: %w", why, err)
	}
	h.held = held
	return fmt.Sprintf("%s: %s", why, h.Packets), nil
}

// aim takes the addresses that the peers have now, and forgets what was seen at those that they have no more. It
// tells whether any has changed.
func (h *heldPackets) aim() bool {
	if len(h.others) == 0 || h.made == nil {
		return false
	}
	was, is := h.Spec.Match.Peers, h.made()
	if len(is) == 0 || slices.Equal(was, is) { // no peers would be all
		return false
	}
	at := func(peers []netip.Prefix, a netip.Addr) bool {
		return slices.ContainsFunc(peers, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	h.before = slices.DeleteFunc(slices.Clone(h.before), func(b Baseline) bool { return at(was, b.look.To.Addr()) && !at(is, b.look.To.Addr()) })
	h.Spec.Match.Peers = is
	return true
}

// Gone implements [Held]. On a busy machine a look can go wrong for a moment, so it is
// Made again for as long as ctx allows. While another fault is in the same network, be it another
// run's, there is no telling.
func (h *heldPackets) Gone(ctx context.Context) (string, error) {
	over := h.Unit.Name() + " has ended or was started again, and its network with it"
	n, err := h.agents.Enter(ctx, h.Unit, h.run)
	switch {
	case errors.Is(err, chaos.ErrNoUnit):
		return over, nil
	case err != nil && h.another():
		return over, nil
	case err != nil:
		return "", err
	case h.another():
		return over, n.Leave()
	}
	text, err := h.cleared(ctx, n)
	return text, chaos.JoinErrors(err, n.Leave())
}

func (h *heldPackets) cleared(ctx context.Context, n chaos.Handle) (string, error) {
	var found []string
	_, looked := h.shown()
	for _, b := range looked {
		for {
			text, err := h.clear(ctx, n, b)
			if err == nil {
				found = append(found, h.from(b)+": "+text)
				break
			}
			if n.Count(0) > 0 {
				return "it is off, and another fault is in the network of " + h.Unit.Name(), nil
			}
			if run := h.agents.OtherRun(n.Whose().ID); run != "" {
				return fmt.Sprintf("it is off, and another run, %s, has a fault in the network of %s", run, h.Unit.Name()), nil
			}
			if h.another() {
				return h.Unit.Name() + " was started again, and its network with it", nil
			}
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("%s: %w", h.from(b), err)
			case <-time.After(proxied.Silence):
			}
		}
	}
	if len(found) == 0 {
		return "it is off, and nobody answered before it either", nil
	}
	return strings.Join(found, "; "), nil
}

// clear looks once whether the fault is gone.
func (h *heldPackets) clear(ctx context.Context, n chaos.Network, b Baseline) (string, error) {
	l := h.again(b)
	l.N = max(proxied.Pings, l.N)
	ctx, cancel := context.WithTimeout(ctx, max(proxied.LooksFor, 4*l.Wait+h.Sign.takes))
	defer cancel()
	now, err := h.looks(ctx, n, l)
	if err != nil {
		return "", err
	}
	return h.Sign.Undone(b, now)
}

// Met implements [Meter]: the packets of others than brunt.
func (h *heldPackets) Affected() chaos.Traffic {
	t := chaos.Traffic{Unit: "packets"}
	_, held := h.now()
	if met, err := held.Met(); err == nil {
		t.N = max(0, h.past+met.Packets-h.own)
	}
	return t
}

// median is the middle of the times of a look.
func median(s netns.Seen) time.Duration {
	if len(s.Times) == 0 {
		return 0
	}
	return s.Times[len(s.Times)/2]
}
