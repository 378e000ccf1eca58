package chaos

import (
	"context"
	"net/netip"
	"slices"

	"brunt/chaos/netns"
)

// packetPlan makes the steps of a fault on the packets of an edge, one for each spot.
func (e *Edge) packetPlan(ctx context.Context, env Env, f flow, ports []uint16, p packets) ([]Step, error) {
	spots, err := e.spots(ctx, env, f, ports)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for i, s := range spots {
		step := p
		step.unit, step.outside, step.void = s.unit, s.outside, e.OnRestart == "void"
		step.others, step.made = s.others, s.made
		step.spec.Via, step.spec.Direction = e.packetVia(), s.dir
		step.spec.Match = netns.Match{Peers: s.peers, Ports: s.ports}
		step.spec.Seed = env.seed(i)
		if step.toward = s.toward; len(s.toward) == 0 {
			step.toward = neighbours(env, s.peers)
		}
		if !s.outside { // what one says to oneself passes no network
			own := s.unit.Addresses()
			step.toward = slices.DeleteFunc(slices.Clone(step.toward), func(a netip.AddrPort) bool { return slices.Contains(own, a.Addr()) })
		}
		if err := step.plan(ctx, env); err != nil {
			return nil, err
		}
		steps = append(steps, &step)
	}
	return steps, nil
}

// neighbours are the units at some addresses, or at any.
func neighbours(env Env, in []netip.Prefix) []netip.AddrPort {
	var out []netip.AddrPort
	for _, u := range env.Units {
		c, ok := u.(Contained)
		if !ok {
			continue
		}
		for _, a := range towardUnit(c) {
			if len(in) == 0 || slices.ContainsFunc(in, func(p netip.Prefix) bool { return p.Contains(a.Addr()) }) {
				out = append(out, a)
			}
		}
	}
	return out
}

// seed is that of what is random in the i-th step.
func (env *Env) seed(i int) uint64 {
	if env.Rand == nil {
		return uint64(i) + 1
	}
	return env.Rand.Uint64()
}
