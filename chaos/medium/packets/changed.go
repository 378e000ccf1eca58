package packets

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
)

// stands checks a fault in the network of a unit on another machine, of which no event tells: the unit and its peers
// are where they were.
func (h *heldPackets) stands() error {
	if other, err := h.another(); other && err == nil {
		return fmt.Errorf("%s is another one since: it was replaced, or its network is another", h.Target.Name())
	}
	if h.followed || len(h.at.Others) == 0 || h.at.Made == nil {
		return nil
	}
	for _, is := range h.at.Made() {
		if !slices.Contains(h.Spec.Match.Peers, is) {
			return fmt.Errorf("%s is an address of its peers since, which it does not hit: one of them was replaced", is.Addr())
		}
	}
	return nil
}

// another reports whether the unit is another container now or was restarted, so that the network of
// the fault no longer exists. The error says that this is not known.
func (h *heldPackets) another() (bool, error) {
	net, _ := h.now()
	return h.Target.Another(net.ContainerID())
}

// onRestart injects the fault into the new network of the container, or voids it.
func (h *heldPackets) onRestart(ctx context.Context, container string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	is := h.Target.Contained.ContainerID()
	switch {
	case h.over:
		return "", nil
	case h.net.ContainerID().ID != container:
		if is != h.net.ContainerID() { // onRestart will be called for its own start
			return "", nil
		}
		return h.peerChanged(container, "was started again, with another address")
	case is == h.net.ContainerID():
		return "", nil
	case h.Void:
		return "", fmt.Errorf("%s was started again, and its network with it", h.Target.Name())
	}
	if err := h.refused(ctx); err != nil { // what is protected may share the new network
		return "", err
	}
	h.aim()
	ends := h.endpoints()
	n, err := h.agents.Enter(ctx, h.Target.Contained, h.run)
	if err != nil {
		return "", fmt.Errorf("%s was started again: %w", h.Target.Name(), err)
	}
	h.probeMoved(n)
	held, err := h.injectAgain(n)
	if err != nil && held != nil {
		if cerr := held.Close(); cerr != nil {
			err = chaos.JoinErrors(err, cerr)
		} else {
			held = nil
		}
	}
	if err != nil {
		err = fmt.Errorf("%s was started again, and it can't be injected again: %w", h.Target.Name(), err)
	}
	if held == nil {
		return "", chaos.JoinErrors(err, n.Leave())
	}
	if affected, err := h.held.Affected(); err == nil {
		h.past += h.met(affected)
	}
	for _, l := range h.lines { // they belonged to the previous network
		_ = l.Close()
	}
	h.lines = nil
	_ = h.held.Close() // the kernel removed it with the network
	h.net.Count(-1)
	_ = h.net.Leave()
	n.Count(1)
	h.net, h.held, h.ends = n, held, ends
	if err != nil { // it may be in: the revert closes it
		return "", err
	}
	return fmt.Sprintf("%s was started again: %s", h.Target.Name(), h.Step), nil
}

// onNetworkChange aims the fault at the new links and addresses.
func (h *heldPackets) onNetworkChange(_ context.Context, container string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.over:
		return "", nil
	case h.net.ContainerID().ID != container:
		return h.peerChanged(container, "has another address now")
	case h.Target.Contained.ContainerID() != h.net.ContainerID():
		return "", nil // onRestart will be called for its start, or was
	}
	// A fault on links does not cover a new link. A removed link took its part of the fault with it.
	was := h.ends
	h.ends = h.endpoints()
	if !slices.ContainsFunc(h.ends, func(e string) bool { return !slices.Contains(was, e) }) {
		return "", nil
	}
	h.aim()
	return h.injectInPlace(h.Target.Name() + " has another link now")
}

// endpoints lists the links of the container to networks of its engine.
func (p *Step) endpoints() (out []string) {
	if p.Target.Container == nil {
		return nil
	}
	is, err := p.Target.Container.Describe()
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

// peerChanged aims the fault again if the container is one whose packets are hit and its addresses have
// changed. since describes the change.
func (h *heldPackets) peerChanged(id, since string) (string, error) {
	i := slices.IndexFunc(h.at.Others, func(u container.Target) bool { return u.Contained.ContainerID().ID == id })
	if i < 0 || !h.aim() {
		return "", nil
	}
	return h.injectInPlace(h.at.Others[i].Name() + " " + since)
}

// injectInPlace injects the fault again in the same network.
func (h *heldPackets) injectInPlace(why string) (string, error) {
	if affected, err := h.held.Affected(); err == nil {
		h.past += h.met(affected)
	}
	err := h.held.Close() // first: the mechanism may allow only one instance
	var held netns.Held
	if err == nil {
		h.probeMoved(h.net)
		held, err = h.injectAgain(h.net)
	}
	if held != nil { // with an error too: the revert closes it
		h.held = held
	}
	if err != nil {
		return "", fmt.Errorf("%s, and the fault can't be injected again: %w", why, err)
	}
	return fmt.Sprintf("%s: %s", why, h.Step), nil
}

// aim takes the present addresses of the peers, and drops the baselines at former ones. It reports
// whether any address changed.
func (h *heldPackets) aim() bool {
	if len(h.at.Others) == 0 || h.at.Made == nil {
		return false
	}
	was, is := h.Spec.Match.Peers, h.at.Made()
	if len(is) == 0 || slices.Equal(was, is) { // an empty list would match all peers
		return false
	}
	h.take(is)
	return true
}

// onPlan aims the fault at the peers that a later plan of it has.
func (h *heldPackets) onPlan(ctx context.Context, now chaos.Step) (string, error) {
	next, ok := now.(*Step)
	if !ok {
		return "", nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	spares := h.at.Spares
	switch {
	case h.over || h.Target.Traits().Node == nil:
		return "", nil
	case spares && !slices.Equal(h.at.Spare, next.at.Spare):
		h.at.Spare = next.at.Spare
		if err := h.spareMachine(ctx, h.net); err != nil {
			return "", err
		}
	// an empty list would match all
	case spares, len(next.Spec.Match.Peers) == 0, slices.Equal(h.Spec.Match.Peers, next.Spec.Match.Peers):
		return "", nil
	}
	h.at.Others, h.at.Made, h.at.Fronts, h.at.Links = next.at.Others, next.at.Made, next.at.Fronts, next.at.Links
	if !spares {
		h.take(next.Spec.Match.Peers)
	}
	return h.injectInPlace("its peers are others now")
}

// take aims the fault at peers, and drops the baselines and the connections at former ones.
func (h *heldPackets) take(is []netip.Prefix) {
	was := h.Spec.Match.Peers
	at := func(peers []netip.Prefix, a netip.Addr) bool {
		return slices.ContainsFunc(peers, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	former := func(a netip.Addr) bool { return at(was, a) && !at(is, a) }
	var kept []Baseline
	for _, b := range h.before {
		if !former(b.Probe.To.Addr()) {
			kept = append(kept, b)
			continue
		}
		for _, p := range is {
			if a := p.Addr(); p.IsSingleIP() && a.Is4() == b.Probe.To.Addr().Is4() && !at(was, a) {
				moved := b.Probe
				moved.To = netip.AddrPortFrom(a, moved.To.Port())
				h.moved = append(h.moved, moved)
			}
		}
	}
	h.before = kept
	h.lines = slices.DeleteFunc(slices.Clone(h.lines), func(l openLine) bool {
		if former(l.to) {
			_ = l.Close() // it leads to nothing that is hit now
			return true
		}
		return false
	})
	h.Spec.Match.Peers = is
}

// probeMoved probes the new addresses of peers while the fault is off, as probeBefore did the former ones: the proof
// that follows compares with that.
func (h *heldPackets) probeMoved(in chaos.Network) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*proof.Silence)
	defer cancel()
	for _, l := range h.moved {
		if !h.enough() {
			h.try(ctx, in, l)
		}
	}
	h.moved = nil
}
