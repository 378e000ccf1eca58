package network

import (
	"context"

	"brunt/chaos"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// HalfOpen is the fault network.half_open. The side that forgets is the unit, or the unit of `from`.
type HalfOpen struct {
	selector.Edge `yaml:",inline"`
	Ports         selector.Ports `yaml:"ports"` // only connections to one of these ports; zero is all
}

var _ chaos.Fault = (*HalfOpen)(nil)

func (f *HalfOpen) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	if inPackets(&f.Edge, at, netns.HalfOpen, sc, m) {
		f.CheckPackets(at, netns.HalfOpen, sc, m)
	}
}

func (f *HalfOpen) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return packets.Plan(ctx, &f.Edge, env, selector.FlowConns, f.Ports, packets.Step{
		What: "forget the connections", Evidence: ended{}.onPackets(),
		Spec: netns.Spec{Do: netns.HalfOpen},
	})
}

func (f *HalfOpen) Traits(sc chaos.Scope) chaos.Traits {
	return packets.OnlyPackets(f, &f.Edge, netns.HalfOpen, sc)
}

func (*HalfOpen) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.half_open", New: func() chaos.Fault { return new(HalfOpen) }, Platform: "linux",
		Undo:    packets.Operations(),
		Example: "{from: container/web, to: container/store}",
		Effect:  chaos.Lossy,
		Nature:  scenarios.Nature{Verb: "half open", Deeds: []scenarios.Deed{scenarios.Silent, scenarios.Mute}},
		On:      chaos.OnPackets,
		Doc: "Makes one side of connections forget them while the other keeps them open, as after a crash of a " +
			"machine or a firewall that lost its state.",
	}
}
