package packets

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/netns"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
)

// Step is a step on the packets of a container, in its own network namespace. It ends with brunt
// wherever the kernel or an agent can ensure that.
type Step struct {
	Target   container.Target
	Spec     netns.Spec
	What     string // description of the action
	Evidence Evidence
	via      string // mechanism; empty until it is known
	undo     []chaos.Undo
	ends     []chaos.Undo                // of what ends with the process that injects it; nil until the plan
	now      func() time.Duration        // the run's clock
	whose    networkIdentity             // the network of undo
	refused  func(context.Context) error // why the step may not be injected now, or nil
	agents   chaos.Agents
	run      string
	followed bool                    // later plans tell of other peers
	planned  chaos.Handle            // of the unit's network, from the plan to the preparation
	ready    *heldPackets            // from the preparation to the injection
	Void     bool                    // a restart of the container voids the fault; otherwise it is injected again
	extend   func(chaos.Undo) error  // adds an undo to the journal entry of the step; nil writes nothing
	at       selector.InjectionPoint // where it is injected, and where to probe besides the gateway; port 0 is any port
}

// Evidence says how to prove a fault on packets, from inside the network.
type Evidence struct {
	Kind   netns.ProbeKind // kind of probe; zero is pings, or connections if only some ports are hit
	N      int             // pings or connections of one probe; zero is proxied.Pings
	Size   int             // bytes of each ping
	Wait   time.Duration   // for each answer; zero is the probe's default
	Name   string          // name to resolve, for a query
	Known  bool            // as in [netns.Probe]: the mechanism holds outgoing packets
	Takes  time.Duration   // longest time beyond that of any probe
	Prove  func(b Baseline, now netns.ProbeResult, affected netns.Affected) (string, error)
	Undone func(b Baseline, now netns.ProbeResult) (string, error)
	Line   func(netns.Outcome) error // checks the outcome of a connection opened before the fault; nil accepts any
	Ends   bool                      // the only proof is the outcome of connections and how many were hit
}

func (p *Step) String() string {
	return p.What + p.peersText() + " in the network of " + p.Target.Name()
}
func (p *Step) Units() []string { return []string{p.Target.Name()} }

// Links names the links whose packets it hits, for [chaos.Record].
func (p *Step) Links() []string { return p.at.Links }

func (p *Step) peersText() string {
	var out string
	if p.at.Spares {
		out = " with all but its own node"
	} else if n := len(p.Spec.Match.Peers); n > 0 {
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

func (p *Step) Via() string {
	if p.via == "" {
		return "netns"
	}
	return p.via
}

// Undo implements [chaos.Step]. What the kernel reverts when brunt dies must also be reverted when
// brunt hangs: the watchdog then asks the process that has injected it, or kills brunt.
func (p *Step) Undo() []chaos.Undo {
	switch {
	case p.undo != nil:
		return p.undo
	case p.ends != nil:
		return p.ends
	}
	return []chaos.Undo{journal.EndBruntIn(p.Target.Contained.ContainerID())}
}

// Plan finds the mechanism to use. It only reads.
func (p *Step) Plan(ctx context.Context, env chaos.Env) error {
	p.agents, p.run, p.extend, p.now, p.followed = env.Agents, env.Run, env.Extend, env.Now, env.Present != nil
	p.refused = func(ctx context.Context) error { return env.Refused(ctx, env.Fault, []chaos.Step{p}, true) }
	if p.agents == nil {
		p.agents = new(agent.Pool)
	}
	if node := p.Target.Traits().Node; node != nil {
		if err := node.Separate(ctx); err != nil {
			return err
		}
	}
	if env.Dry && p.Target.PID() == 0 { // the container does not run yet
		return nil
	}
	if p.Target.Container != nil {
		is, err := p.Target.Container.Now(ctx)
		if err != nil {
			return err
		}
		if is.Shares != "" {
			return fmt.Errorf("%s shares the network of %s, whose packets would be hit as well",
				p.Target.Name(), is.Shares)
		}
	}
	n, err := p.agents.Enter(ctx, p.Target.Contained, p.run)
	if err != nil {
		return err
	}
	p.Spec.Lease = env.Lease()
	if err := p.spareMachine(ctx, n); err != nil {
		return chaos.JoinErrors(err, n.Leave())
	}
	spec, undo, err := n.Prepare(p.Spec)
	if err != nil {
		return fmt.Errorf("%s: %w", p, chaos.JoinErrors(err, n.Leave()))
	}
	if undo != nil {
		p.whose = p.identity(n)
		p.undo = []chaos.Undo{p.unqueue(*undo, p.whose)}
	}
	p.Spec, p.via, p.ends = spec, spec.Via, []chaos.Undo{n.UndoUnder(p.Spec.Lease.Key)}
	if env.Dry {
		return n.Leave()
	}
	p.planned = n // an injection takes it over, or the end of the run closes it
	return nil
}

// spareMachine leaves alone the packets of the machine that the unit is on: its own addresses, and the gateway, which
// is the machine's end of the unit's link in many networks.
func (p *Step) spareMachine(ctx context.Context, n chaos.Network) error {
	host := p.Target.Traits().Node
	if !p.at.Spares || host == nil {
		return nil
	}
	near, err := host.Near(ctx)
	if err != nil {
		return err
	}
	if g, err := n.Gateway(); err == nil && g.IsValid() {
		near = append(near, g)
	}
	spare := slices.Clone(p.at.Spare)
	for _, a := range near {
		spare = append(spare, netip.PrefixFrom(a, a.BitLen()))
	}
	p.Spec.Match.Peers = selector.OutsideOf(spare)
	return nil
}

// enter returns the handle of the plan, or a new one if the unit was restarted since.
func (p *Step) enter(ctx context.Context) (chaos.Handle, error) {
	n := p.planned
	p.planned = nil
	if n != nil && n.ContainerID() == p.Target.Contained.ContainerID() {
		return n, nil
	}
	if n != nil {
		if err := n.Leave(); err != nil {
			return nil, err
		}
	}
	return p.agents.Enter(ctx, p.Target.Contained, p.run)
}

// Prepare enters the network and probes there before the fault.
func (p *Step) Prepare(ctx context.Context) (release func() error, err error) {
	n, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	p.ready = &heldPackets{Step: p, net: n, ends: p.endpoints()}
	p.ready.probeBefore(ctx)
	return func() error { return chaos.JoinErrors(p.ready.close(), n.Leave()) }, nil
}

func (p *Step) Inject(ctx context.Context) (_ chaos.Held, err error) {
	if p.ready == nil {
		if _, err := p.Prepare(ctx); err != nil {
			return nil, err
		}
	}
	h := p.ready
	p.ready = nil
	held, err := p.set(h.net)
	if held != nil {
		h.held = held
		h.net.Count(1)
	}
	switch {
	case err == nil:
	case held != nil: // the network stays open, for the revert
		return h, fmt.Errorf("in the network of %s: %w", p.Target.Name(), err)
	default:
		return nil, chaos.JoinErrors(fmt.Errorf("in the network of %s: %w", p.Target.Name(), err), h.close(), h.net.Leave())
	}
	p.via = h.held.Via()
	return h, nil
}

// set injects the fault. If the unit was restarted since the plan, the planned undo is for a network
// that no longer exists: set then injects as after a later restart.
func (p *Step) set(n chaos.Handle) (netns.Held, error) {
	switch {
	case p.undo == nil || p.identity(n) == p.whose:
		return n.Set(p.Spec)
	case p.Void:
		return nil, errors.New("it was started again just before")
	}
	return p.injectAgain(n)
}

// injectAgain injects the fault into another network, after writing its undo to the journal.
func (p *Step) injectAgain(n chaos.Handle) (netns.Held, error) {
	spec, undo, err := n.Prepare(p.Spec)
	if err == nil && undo != nil && p.extend != nil {
		err = p.extend(p.unqueue(*undo, p.identity(n)))
	}
	if err != nil {
		return nil, err
	}
	return n.Set(spec)
}

// Seconds writes a duration with the units of scenarios, such as 50ms.
func Seconds(d time.Duration) string { return quantity.FormatSeconds(d.Seconds()) }

// OrAffected accepts the count of hit packets as proof where pings cannot show the effect: connections to
// given ports reveal neither copies nor order.
func (s Evidence) OrAffected(what string) Evidence {
	prove := s.Prove
	s.Prove = func(b Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
		if b.Probe.Kind != netns.Connect || affected.Hit == 0 {
			return prove(b, now, affected)
		}
		return fmt.Sprintf("%d packets of brunt's own %s", affected.Hit, what), nil
	}
	return s
}
