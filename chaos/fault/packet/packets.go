package packet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"brunt/scenarios/quantity"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/netns"
)

// Packets is a step that breaks what passes the network of a container, in its own
// namespace. It dies with brunt, wherever the kernel or a helper can see to that.
type Packets struct {
	Unit    chaos.Contained
	Spec    netns.Spec
	What    string // what is done, for people
	Sign    Evidence
	via     string // that will do it; empty is not known yet
	undo    []chaos.Undo
	whose   inhabited // that undo is for
	agents  chaos.Agents
	run     string
	Void    bool                   // a restart of the container ends it; else it is done anew
	extend  func(chaos.Undo) error // writes an undo down beside those of the step; nil writes nothing
	toward  []netip.AddrPort       // where to look, besides the gateway; without a port any will do
	outside bool                   // it is seen by looking in from outside, at the unit's own addresses
	others  []chaos.Contained      // whose addresses the peers are; none where those stay what they are
	made    func() []netip.Prefix  // gives the addresses that others have now
}

// A sign is what shows that a fault on packets is in, seen from inside.
type Evidence struct {
	How    netns.How     // zero is pings, or connections where only some ports are hit
	N      int           // pings or connections of one look; zero is pings
	size   int           // bytes of each ping
	wait   time.Duration // for each answer; zero is the look's own
	Name   string        // that is asked for, of a query
	takes  time.Duration // beyond what any look takes
	Prove  func(b Baseline, now netns.Seen, met netns.Met) (string, error)
	Undone func(b Baseline, now netns.Seen) (string, error)
	line   func(netns.Fate) error // what is to become of a connection that was open before; nil is anything
	ends   bool                   // all that shows it is what became of connections, and how many were hit
}

func (p *Packets) String() string  { return p.What + p.toWhom() + " in the network of " + p.Unit.Name() }
func (p *Packets) Units() []string { return []string{p.Unit.Name()} }

func (p *Packets) toWhom() string {
	var out string
	if n := len(p.Spec.Match.Peers); n > 0 {
		var peers []string
		for _, a := range p.Spec.Match.Peers[:min(n, 4)] {
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
	if len(p.Spec.Match.Ports) > 0 {
		out += " on " + portsText(p.Spec.Match.Ports)
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
func (p *Packets) Via() string {
	if p.via == "" {
		return "netns"
	}
	return p.via
}

// Undo implements [Step]. What the kernel takes back when brunt dies must be taken back
// when brunt only hangs, too: then the guard ends it.
func (p *Packets) Undo() []chaos.Undo {
	if p.undo == nil {
		return []chaos.Undo{journal.EndBruntIn(chaos.IDOf(p.Unit))}
	}
	return p.undo
}

// Plan finds which mechanism will do it, without doing it.
func (p *Packets) Plan(ctx context.Context, env chaos.Env) error {
	p.agents, p.run, p.extend = env.Agents, env.Run, env.Extend
	if p.agents == nil {
		p.agents = new(agent.Pool)
	}
	if env.Dry && p.Unit.PID() == 0 { // it does not run yet
		return nil
	}
	if c, ok := container.ContainerOf(p.Unit); ok {
		is, err := c.Now(ctx)
		if err != nil {
			return err
		}
		if is.Shares != "" {
			return fmt.Errorf("%s has no network of its own, but that of %s, whose packets would be hit as well", p.Unit.Name(), is.Shares)
		}
	}
	n, err := p.agents.Enter(ctx, p.Unit, p.run)
	if err != nil {
		return err
	}
	spec, undo, err := n.Prepare(p.Spec)
	if err == nil && undo != nil {
		p.whose = p.inhabitant(n)
		p.undo = []chaos.Undo{p.unqueue(*undo, p.whose)}
	}
	if err = chaos.JoinErrors(err, n.Leave()); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	p.Spec, p.via = spec, spec.Via
	return nil
}

// Inject implements [Step].
func (p *Packets) Inject(ctx context.Context) (chaos.Held, error) {
	n, err := p.agents.Enter(ctx, p.Unit, p.run)
	if err != nil {
		return nil, err
	}
	h := &heldPackets{Packets: p, net: n, ends: endsOf(p.Unit)}
	h.look(ctx)
	if h.held, err = p.set(n); err != nil {
		h.held = nil
		return nil, chaos.JoinErrors(fmt.Errorf("in the network of %s: %w", p.Unit.Name(), err), h.close())
	}
	n.Count(1)
	p.via = h.held.Via()
	return h, nil
}

// set does it. Where the unit was started again since the plan, what was written down is for a network
// that is no more: then it is done as it is when that happens later.
func (p *Packets) set(n chaos.Handle) (netns.Held, error) {
	switch {
	case p.undo == nil || p.inhabitant(n) == p.whose:
		return n.Set(p.Spec)
	case p.Void:
		return nil, errors.New("it was started again just before")
	}
	return p.anew(n)
}

// anew does it in another network, with what takes it back written down before.
func (p *Packets) anew(n chaos.Handle) (netns.Held, error) {
	spec, undo, err := n.Prepare(p.Spec)
	if err == nil && undo != nil && p.extend != nil {
		err = p.extend(p.unqueue(*undo, p.inhabitant(n)))
	}
	if err != nil {
		return nil, err
	}
	return n.Set(spec)
}

func seconds(d time.Duration) string { return quantity.FormatSeconds(d.Seconds()) }
