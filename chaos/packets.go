package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"brunt/chaos/netns"
	"brunt/scenarios/quantity"
)

// packets is a step that breaks what passes the network of a container, in its own
// namespace. It dies with brunt, wherever the kernel or a helper can see to that.
type packets struct {
	unit    Contained
	spec    netns.Spec
	what    string // what is done, for people
	sign    sign
	via     string // that will do it; empty is not known yet
	undo    []Undo
	whose   inhabited // that undo is for
	insides *Insides
	run     string
	void    bool                  // a restart of the container ends it; else it is done anew
	extend  func(Undo) error      // writes an undo down beside those of the step; nil writes nothing
	toward  []netip.AddrPort      // where to look, besides the gateway; without a port any will do
	outside bool                  // it is seen by looking in from outside, at the unit's own addresses
	others  []Contained           // whose addresses the peers are; none where those stay what they are
	made    func() []netip.Prefix // gives the addresses that others have now
}

// A sign is what shows that a fault on packets is in, seen from inside.
type sign struct {
	how    netns.How     // zero is pings, or connections where only some ports are hit
	n      int           // pings or connections of one look; zero is pings
	size   int           // bytes of each ping
	wait   time.Duration // for each answer; zero is the look's own
	name   string        // that is asked for, of a query
	takes  time.Duration // beyond what any look takes
	prove  func(b before, now netns.Seen, met netns.Met) (string, error)
	undone func(b before, now netns.Seen) (string, error)
	line   func(netns.Fate) error // what is to become of a connection that was open before; nil is anything
	ends   bool                   // all that shows it is what became of connections, and how many were hit
}

func (p *packets) String() string  { return p.what + p.toWhom() + " in the network of " + p.unit.Name() }
func (p *packets) Units() []string { return []string{p.unit.Name()} }

func (p *packets) toWhom() string {
	var out string
	if n := len(p.spec.Match.Peers); n > 0 {
		var peers []string
		for _, a := range p.spec.Match.Peers[:min(n, 4)] {
			if a.IsSingleIP() {
				peers = append(peers, a.Addr().String())
			} else {
				peers = append(peers, a.String())
			}
		}
		if n > len(peers) {
			peers = append(peers, fmt.Sprintf("%d more", n-len(peers)))
		}
		out = " with " + strings.Join(peers, ", ")
	}
	if len(p.spec.Match.Ports) > 0 {
		out += " on " + portsText(p.spec.Match.Ports)
	}
	return out
}

func portsText(ports []uint16) string {
	var out []string
	for _, p := range ports {
		out = append(out, fmt.Sprint(p))
	}
	if len(out) == 1 {
		return "port " + out[0]
	}
	return "ports " + strings.Join(out, ", ")
}

// Via implements [Step].
func (p *packets) Via() string {
	if p.via == "" {
		return "netns"
	}
	return p.via
}

// Undo implements [Step]. What the kernel takes back when brunt dies must be taken back
// when brunt only hangs, too: then the guard ends it.
func (p *packets) Undo() []Undo {
	if p.undo == nil {
		return []Undo{endBruntIn(containerOf(p.unit))}
	}
	return p.undo
}

// plan finds which mechanism will do it, without doing it.
func (p *packets) plan(ctx context.Context, env Env) error {
	p.insides, p.run, p.extend = env.Insides, env.Run, env.Extend
	if p.insides == nil {
		p.insides = new(Insides)
	}
	if env.Dry && p.unit.PID() == 0 { // it does not run yet
		return nil
	}
	if c, ok := ContainerOf(p.unit); ok {
		is, err := c.now(ctx)
		if err != nil {
			return err
		}
		if is.Shares != "" {
			return fmt.Errorf("%s has no network of its own, but that of %s, whose packets would be hit as well", p.unit.Name(), is.Shares)
		}
	}
	n, err := p.insides.enter(ctx, p.unit, p.run)
	if err != nil {
		return err
	}
	spec, undo, err := n.Prepare(p.spec)
	if err == nil && undo != nil {
		p.whose = p.inhabitant(n)
		p.undo = []Undo{p.unqueue(*undo, p.whose)}
	}
	if err = also(err, n.leave()); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	p.spec, p.via = spec, spec.Via
	return nil
}

// Inject implements [Step].
func (p *packets) Inject(ctx context.Context) (Held, error) {
	n, err := p.insides.enter(ctx, p.unit, p.run)
	if err != nil {
		return nil, err
	}
	h := &heldPackets{packets: p, net: n, ends: endsOf(p.unit)}
	h.look(ctx)
	if h.held, err = p.set(n); err != nil {
		h.held = nil
		return nil, also(fmt.Errorf("in the network of %s: %w", p.unit.Name(), err), h.close())
	}
	n.count(1)
	p.via = h.held.Via()
	return h, nil
}

// set does it. Where the unit was started again since the plan, what was written down is for a network
// that is no more: then it is done as it is when that happens later.
func (p *packets) set(n *inside) (netns.Held, error) {
	switch {
	case p.undo == nil || p.inhabitant(n) == p.whose:
		return n.Set(p.spec)
	case p.void:
		return nil, errors.New("it was started again just before")
	}
	return p.anew(n)
}

// anew does it in another network, with what takes it back written down before.
func (p *packets) anew(n *inside) (netns.Held, error) {
	spec, undo, err := n.Prepare(p.spec)
	if err == nil && undo != nil && p.extend != nil {
		err = p.extend(p.unqueue(*undo, p.inhabitant(n)))
	}
	if err != nil {
		return nil, err
	}
	return n.Set(spec)
}

// peersOf are the networks of one address each.
func peersOf(units []Contained) []netip.Prefix {
	var out []netip.Prefix
	for _, u := range units {
		for _, a := range u.Addresses() {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return slices.Compact(out)
}

func seconds(d time.Duration) string { return quantity.FormatSeconds(d.Seconds()) }
