package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos/netns"
)

// before is what was seen before a fault came.
type before struct {
	look netns.Look
	seen netns.Seen // all of it was answered
}

// heldPackets is a fault on packets that is in.
type heldPackets struct {
	*packets
	before []before
	own    int64 // packets among those it met that brunt itself made to look

	mu     sync.Mutex
	lines  []netns.Line
	net    *inside  // the network that it was done in last
	ends   []string // the links of a container there
	held   netns.Held
	past   int64 // packets that it met before the container was started again
	over   bool  // it is taken back
	closed error // of that
}

var (
	_ Meter  = (*heldPackets)(nil)
	_ Slow   = (*heldPackets)(nil)
	_ Rooted = (*heldPackets)(nil)
	_ Aimed  = (*heldPackets)(nil)
)

// shown gives what was seen before the fault came, and not taken away since.
func (h *heldPackets) shown() ([]netns.Line, []before) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines, h.before
}

// now gives what is in, and where.
func (h *heldPackets) now() (*inside, netns.Held) {
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
	if h.sign.how == netns.Query {
		h.try(ctx, netns.Look{How: netns.Query, Name: h.sign.name})
		return
	}
	toward := h.toward
	if len(h.spec.Match.Peers) == 0 && !h.outside {
		if g, err := h.net.Gateway(); err == nil && g.IsValid() {
			toward = append([]netip.AddrPort{netip.AddrPortFrom(g, 0)}, toward...)
		}
	}
	for _, to := range h.withPorts(toward) {
		if len(h.before) == mostSeen || len(h.before) > 0 && h.sign.n > pings {
			break
		}
		for _, how := range h.ways() {
			if h.try(ctx, netns.Look{How: how, To: to, N: pings}) {
				break
			}
		}
		if to.Port() != anyPort && h.sign.line != nil {
			if l, err := h.open(ctx, to); err == nil {
				h.lines = append(h.lines, l)
			}
		}
	}
}

// mostSeen bounds how many peers are looked at; where many pings are needed it is one.
const mostSeen = 2

// ways are those by which to look. Pings belong to no port.
func (h *heldPackets) ways() []netns.How {
	switch {
	case h.sign.how != "":
		return []netns.How{h.sign.how}
	case len(h.spec.Match.Ports) > 0:
		return []netns.How{netns.Connect}
	}
	return []netns.How{netns.Ping, netns.Connect}
}

// withPorts gives each address the ports that are hit.
func (h *heldPackets) withPorts(to []netip.AddrPort) []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range to {
		switch ports := h.spec.Match.Ports; {
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
	h.before = append(h.before, before{l, s})
	return true
}

// looks makes a look, from inside or from outside.
func (h *heldPackets) looks(ctx context.Context, in network, l netns.Look) (netns.Seen, error) {
	if !h.outside {
		return in.Look(ctx, l)
	}
	n, err := ownInside()
	if err != nil {
		return netns.Seen{}, err
	}
	defer n.Close()
	return n.Look(ctx, l)
}

func (h *heldPackets) open(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	if !h.outside {
		return h.net.Line(ctx, to)
	}
	n, err := ownInside()
	if err != nil {
		return nil, err
	}
	defer n.Close()
	return n.Line(ctx, to)
}

// again makes a look once more, as large as the sign wants it.
func (h *heldPackets) again(b before) netns.Look {
	l := b.look
	if h.sign.n > 0 {
		l.N = h.sign.n
	}
	l.Size, l.Wait = h.sign.size, h.sign.wait
	return l
}

// Takes implements [Slow].
func (h *heldPackets) Takes() time.Duration { return h.sign.takes }

// Verify implements [Held]: brunt looks from where the victim is.
func (h *heldPackets) Verify(ctx context.Context) (string, error) {
	lines, looked := h.shown()
	if len(looked) == 0 && len(lines) == 0 && !h.sign.ends {
		return "", fmt.Errorf("nothing can be seen of it from %s: nobody it is about answered before it came", h.unit.Name())
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
	if h.sign.ends && len(lines) == 0 {
		_, held := h.now()
		met, err := held.Met()
		switch {
		case err != nil:
			return "", fmt.Errorf("counting what met it: %w", err)
		case met.Hit == 0:
			return "", fmt.Errorf("%w: no connection was open that it could hit", errNoEffect)
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
func (h *heldPackets) proof(ctx context.Context, b before) (string, error) {
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
	return h.sign.prove(b, now, netns.Met{Packets: after.Packets - met.Packets, Hit: after.Hit - met.Hit, Bytes: after.Bytes - met.Bytes})
}

// most is how many packets a look can be, there and back.
func most(s netns.Seen) int64 { return 6 * int64(s.Sent) }

// from says where brunt looks from and to, for people.
func (h *heldPackets) from(b before) string {
	from, to := h.unit.Name(), b.look.To.Addr().String()
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

// fate finds what became of a connection that was open before.
func (h *heldPackets) fate(ctx context.Context, l netns.Line) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	got, err := l.Fate(ctx)
	if err == nil {
		err = h.sign.line(got)
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
		h.net.count(-1)
	}
	for _, l := range h.lines {
		_ = l.Close() // it may be gone
	}
	h.closed = also(err, h.net.leave())
	return h.closed
}

// Revert implements [Held].
func (h *heldPackets) Revert(context.Context) (Outcome, error) {
	if err := h.close(); err != nil {
		return Failed, err
	}
	if h.another() {
		return Gone, nil
	}
	return Reverted, nil
}

// another tells that the unit is another container by now, or was started again: the
// network that was broken is no more.
func (h *heldPackets) another() bool {
	net, _ := h.now()
	return containerOf(h.unit) != net.id
}

// Uprooted implements [Rooted].
func (h *heldPackets) Uprooted(ctx context.Context, container string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	is := containerOf(h.unit)
	switch {
	case h.over:
		return "", nil
	case h.net.id.ID != container:
		if is != h.net.id { // its own start is still to be told of
			return "", nil
		}
		return h.moved(container, "was started again, with another address")
	case is == h.net.id:
		return "", nil
	case h.void:
		return "", fmt.Errorf("%s was started again, and its network with it", h.unit.Name())
	}
	h.aim()
	ends := endsOf(h.unit)
	n, err := h.insides.enter(ctx, h.unit, h.run)
	if err != nil {
		return "", fmt.Errorf("%s was started again: %w", h.unit.Name(), err)
	}
	held, err := h.anew(n)
	if err != nil {
		return "", also(fmt.Errorf("%s was started again, and it can't be done anew: %w", h.unit.Name(), err), n.leave())
	}
	if met, err := h.held.Met(); err == nil {
		h.past += met.Packets
	}
	for _, l := range h.lines { // they were of the network that is no more
		_ = l.Close()
	}
	h.lines = nil
	_ = h.held.Close() // the kernel has taken it away with the network
	h.net.count(-1)
	_ = h.net.leave()
	n.count(1)
	h.net, h.held, h.ends = n, held, ends
	return fmt.Sprintf("%s was started again: %s", h.unit.Name(), h.packets), nil
}

// Moved implements [Aimed].
func (h *heldPackets) Moved(_ context.Context, container string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.over:
		return "", nil
	case h.net.id.ID != container:
		return h.moved(container, "has another address now")
	case containerOf(h.unit) != h.net.id:
		return "", nil // its start is still to be told of, or was
	}
	// What is done at its links is not done at one that it has got since. One that is gone took what was done there
	// with it.
	was := h.ends
	h.ends = endsOf(h.unit)
	if !slices.ContainsFunc(h.ends, func(e string) bool { return !slices.Contains(was, e) }) {
		return "", nil
	}
	h.aim()
	return h.turned(h.unit.Name() + " has another link now")
}

// endsOf lists the links that a container has to networks of its engine.
func endsOf(u Unit) (out []string) {
	c, ok := ContainerOf(u)
	if !ok {
		return nil
	}
	is, err := c.asked()
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
	i := slices.IndexFunc(h.others, func(u Contained) bool { return containerOf(u).ID == container })
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
	return fmt.Sprintf("%s: %s", why, h.packets), nil
}

// aim takes the addresses that the peers have now, and forgets what was seen at those that they have no more. It
// tells whether any has changed.
func (h *heldPackets) aim() bool {
	if len(h.others) == 0 || h.made == nil {
		return false
	}
	was, is := h.spec.Match.Peers, h.made()
	if len(is) == 0 || slices.Equal(was, is) { // no peers would be all
		return false
	}
	at := func(peers []netip.Prefix, a netip.Addr) bool {
		return slices.ContainsFunc(peers, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	h.before = slices.DeleteFunc(slices.Clone(h.before), func(b before) bool { return at(was, b.look.To.Addr()) && !at(is, b.look.To.Addr()) })
	h.spec.Match.Peers = is
	return true
}

// Gone implements [Held]. On a busy machine a look can go wrong for a moment, so it is
// made again for as long as ctx allows. While another fault is in the same network, be it another
// run's, there is no telling.
func (h *heldPackets) Gone(ctx context.Context) (string, error) {
	over := h.unit.Name() + " has ended or was started again, and its network with it"
	n, err := h.insides.enter(ctx, h.unit, h.run)
	switch {
	case errors.Is(err, ErrNoUnit):
		return over, nil
	case err != nil && h.another():
		return over, nil
	case err != nil:
		return "", err
	case h.another():
		return over, n.leave()
	}
	text, err := h.cleared(ctx, n)
	return text, also(err, n.leave())
}

func (h *heldPackets) cleared(ctx context.Context, n *inside) (string, error) {
	var found []string
	_, looked := h.shown()
	for _, b := range looked {
		for {
			text, err := h.clear(ctx, n, b)
			if err == nil {
				found = append(found, h.from(b)+": "+text)
				break
			}
			if n.count(0) > 0 {
				return "it is off, and another fault is in the network of " + h.unit.Name(), nil
			}
			if run := h.insides.others(n.id.ID); run != "" {
				return fmt.Sprintf("it is off, and another run, %s, has a fault in the network of %s", run, h.unit.Name()), nil
			}
			if h.another() {
				return h.unit.Name() + " was started again, and its network with it", nil
			}
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("%s: %w", h.from(b), err)
			case <-time.After(silence):
			}
		}
	}
	if len(found) == 0 {
		return "it is off, and nobody answered before it either", nil
	}
	return strings.Join(found, "; "), nil
}

// clear looks once whether the fault is gone.
func (h *heldPackets) clear(ctx context.Context, n network, b before) (string, error) {
	l := h.again(b)
	l.N = max(pings, l.N)
	ctx, cancel := context.WithTimeout(ctx, max(looksFor, 4*l.Wait+h.sign.takes))
	defer cancel()
	now, err := h.looks(ctx, n, l)
	if err != nil {
		return "", err
	}
	return h.sign.undone(b, now)
}

// Met implements [Meter]: the packets of others than brunt.
func (h *heldPackets) Met() Traffic {
	t := Traffic{Unit: "packets"}
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
