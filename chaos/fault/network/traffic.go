package network

import (
	"context"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/selector"
)

// A traffic is a fault on the traffic of an edge, in the terms of each medium that may carry it: packets of containers,
// or links with a proxy on them. The edge says which does; see [selector.Edge.ByPackets].
type traffic struct {
	what   string // description of the action
	shows  effect
	packet packetFault
	toxic  proxy.Toxic
	back   *selector.Edge // as in [link.Toxic]
}

// A packetFault is what a fault does to packets.
type packetFault struct {
	spec  netns.Spec
	flow  selector.Flow
	ports selector.Ports // only those of connections to one of these; none is all
	what  string         // what follows the description of the action
}

// An effect is what proves that a fault is in, and that it is over: the same in each medium, by the probes of that.
type effect interface {
	onPackets() packets.Evidence
	onLinks() link.Evidence
}

// plan makes the steps in the medium of the edge.
func (t traffic) plan(ctx context.Context, e *selector.Edge, env chaos.Env) ([]chaos.Step, error) {
	if p := t.packet; e.ByPackets(env.Contained) {
		return packets.Plan(ctx, e, env, p.flow, p.ports, packets.Step{
			What: t.what + p.what, Spec: p.spec, Evidence: t.shows.onPackets(),
		})
	}
	return link.Plan(ctx, e, env, &link.Toxic{
		What: t.what, Toxic: t.toxic, Back: t.back, Evidence: t.shows.onLinks(), Datagrams: onDatagrams(t.shows.onPackets()),
	})
}

// onDatagrams is the evidence on a link of datagrams: that on packets, by datagrams in place of pings.
func onDatagrams(s packets.Evidence) *link.DatagramEvidence {
	return &link.DatagramEvidence{
		N: s.N, Size: s.Size, Wait: s.Wait,
		Prove: func(before, now netns.ProbeResult, hit netns.Affected) (string, error) {
			return s.Prove(packets.Baseline{Result: before}, now, hit)
		},
		Undone: func(before, now netns.ProbeResult) (string, error) {
			return s.Undone(packets.Baseline{Result: before}, now)
		},
	}
}
