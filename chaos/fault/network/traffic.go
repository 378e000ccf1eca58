package network

import (
	"context"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/selector"
)

// traffic is what a fault does to the traffic of an edge, in the terms of each medium that may carry it: packets of
// containers, or links with a proxy on them. The edge says which does; see [selector.Edge.ByPackets].
type traffic struct {
	what    string
	each    string         // what follows that of packets
	flow    selector.Flow  // of packets
	ports   selector.Ports // of packets
	packets packets.Step
	link    link.Toxic
}

// plan makes the steps in the medium of the edge.
func (t *traffic) plan(ctx context.Context, e *selector.Edge, env chaos.Env) ([]chaos.Step, error) {
	t.packets.What, t.link.What = t.what+t.each, t.what
	if e.ByPackets(env.Contained) {
		return packets.Plan(ctx, e, env, t.flow, t.ports, t.packets)
	}
	return link.Plan(ctx, e, env, &t.link)
}
