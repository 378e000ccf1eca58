package network

import (
	"context"

	"brunt/chaos"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// Reset is the fault network.reset. New connections work.
type Reset struct {
	selector.Edge `yaml:",inline"`
	Ports         selector.Ports `yaml:"ports"` // of packets: only connections to one of these ports; zero is all
}

var _ chaos.Fault = (*Reset)(nil)

func (f *Reset) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckNetwork(at, netns.Reset, sc, m, "ports")
}

func (f *Reset) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return traffic{
		what:   "reset all connections",
		shows:  ended{},
		packet: packetFault{spec: netns.Spec{Do: netns.Reset}, flow: selector.FlowConns, ports: f.Ports},
		toxic:  toxics.Reset{},
	}.plan(ctx, &f.Edge, env)
}

func (f *Reset) Traits(sc chaos.Scope) chaos.Traits {
	t := packets.Traits(f, &f.Edge, netns.Reset, sc)
	t.OneShot = true
	return t
}

func (*Reset) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.reset", New: func() chaos.Fault { return new(Reset) }, Undo: packets.Operations(),
		Example: "{from: web, to: store}",
		Effect:  chaos.Lossy,
		Nature:  scenarios.Nature{Verb: "reset"},
		On:      chaos.OnLinks | chaos.OnPackets,
		Doc:     "Resets every open connection of a link, on both sides.",
	}
}
