package network

import (
	"context"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Bandwidth is the fault network.bandwidth.
type Bandwidth struct {
	selector.Edge `yaml:",inline"`
	link.Directed `yaml:",inline"`
	// in each direction, shared by all connections; via tbf only for outgoing packets
	Rate quantity.Bandwidth `yaml:"rate,required,positive"`
	// of packets: only those of connections to one of these ports; zero is all
	Ports selector.Ports `yaml:"ports"`
}

var _ chaos.Fault = (*Bandwidth)(nil)

func (f *Bandwidth) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckNetwork(at, netns.Bandwidth, sc, m, "ports")
	link.CheckDirection(&f.Edge, f.Directed, sc, m)
	if f.Rate > link.MostRate {
		m.Add(f.Of("rate"), "a clean link on this machine may carry %s: a limit can be told from it only up to %s",
			f.Rate,
			quantity.Bandwidth(link.MostRate))
	}
	if f.Rate > 0 && f.Rate < 1 {
		m.Add(f.Of("rate"), "a rate of under a byte a second stalls the link; network.stall does that")
	}
}

func (f *Bandwidth) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	both := selector.FlowConns
	if f.Via == "tbf" { // tbf limits outgoing packets only
		both = selector.FlowOut
	}
	return traffic{
		what:  "let " + f.Rate.String() + " through",
		shows: limited{rate: float64(f.Rate)},
		packet: packetFault{
			spec: netns.Spec{Do: netns.Bandwidth, Rate: int64(f.Rate)}, flow: f.Flow(both), ports: f.Ports,
		},
		toxic: toxics.Bandwidth{Rate: int64(f.Rate), Direction: f.DirectionOr(proxy.Both)},
	}.plan(ctx, &f.Edge, env)
}

func (f *Bandwidth) Traits(sc chaos.Scope) chaos.Traits {
	return packets.Traits(f, &f.Edge, netns.Bandwidth, sc)
}

func (*Bandwidth) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.bandwidth", New: func() chaos.Fault { return new(Bandwidth) }, Undo: packets.Operations(),
		Eases:   []string{"rate"},
		Example: "{from: web, to: store, rate: 1Mbit/s}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "narrow"},
		On:      chaos.OnLinks | chaos.OnPackets,
		Doc:     "Limits the bytes per second that pass a link, or enter and leave containers.",
	}
}
