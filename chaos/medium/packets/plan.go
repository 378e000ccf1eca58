package packets

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/selector"
)

// Plan makes the steps of a fault on the packets of an edge, one for each injection point.
func Plan(
	ctx context.Context, e *selector.Edge, env chaos.Env, f selector.Flow, ports []uint16, p Step,
) ([]chaos.Step, error) {
	points, err := e.InjectionPoints(ctx, env, f, ports)
	if err != nil {
		return nil, err
	}
	var steps []chaos.Step
	for i, s := range points {
		if env.Only != nil && !slices.Contains(env.Only, s.Target.Name()) {
			continue
		}
		step := p
		step.Target, step.at, step.Void = s.Target, s, e.OnRestart == "void"
		step.Spec.Via, step.Spec.Direction = e.PacketVia(), s.Dir
		step.Spec.Match = netns.Match{Peers: s.Peers, Ports: s.Ports}
		step.Spec.Seed = seedOf(env.Rand, i)
		peers := s.Peers
		if s.Spares { // its peers are fixed
			step.at.Others, step.at.Made, peers = nil, nil, selector.OutsideOf(s.Spare)
		}
		if len(s.Toward) == 0 {
			step.at.Toward = neighbours(env.Units, peers)
		}
		if !s.Outside { // packets of a unit to itself pass no network
			own := s.Target.Contained.Addresses()
			step.at.Toward = slices.DeleteFunc(slices.Clone(step.at.Toward),
				func(a netip.AddrPort) bool { return slices.Contains(own, a.Addr()) })
		}
		if err := step.Plan(ctx, env); err != nil {
			return nil, err
		}
		steps = append(steps, &step)
	}
	return steps, nil
}

// neighbours returns the addresses of units in some networks, or in any.
func neighbours(units []chaos.Unit, in []netip.Prefix) []netip.AddrPort {
	var out []netip.AddrPort
	for _, u := range container.ResolveAll(units) {
		if u.Contained == nil {
			continue
		}
		for _, a := range selector.TowardUnit(u.Contained) {
			if len(in) == 0 || slices.ContainsFunc(in, func(p netip.Prefix) bool { return p.Contains(a.Addr()) }) {
				out = append(out, a)
			}
		}
	}
	return out
}

// seedOf returns the seed of the random choices of the i-th step.
func seedOf(r *rand.Rand, i int) uint64 {
	if r == nil {
		return uint64(i) + 1
	}
	return r.Uint64()
}
