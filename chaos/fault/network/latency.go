package network

import (
	"context"
	"fmt"
	"time"

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

// Latency is the fault network.latency. Without a direction, a round trip is delayed once.
type Latency struct {
	selector.Edge `yaml:",inline"`
	link.Directed `yaml:",inline"`
	// of packets: only those of connections to one of these ports; zero is all
	Ports       selector.Ports    `yaml:"ports"`
	Delay       quantity.Duration `yaml:"delay,required,positive"` // of every byte, in each direction hit
	Jitter      quantity.Duration `yaml:"jitter"`                  // the delay varies by at most this much, uniformly
	Correlation quantity.Share    `yaml:"correlation"`             // of successive delays
}

var _ chaos.Fault = (*Latency)(nil)

func (f *Latency) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckNetwork(at, netns.Latency, sc, m, "ports")
	link.CheckDirection(&f.Edge, f.Directed, sc, m)
	f.CheckJitter(f.Delay, f.Jitter, m)
	if f.Delay > 0 && f.Delay.D() < leastDelay {
		m.Add(f.Edge.Of("delay"), "a delay of %s can't be proved: an answer without it may take as long; at least %s",
			f.Delay, quantity.FormatDuration(leastDelay))
	}
}

// leastDelay is the least delay that a round trip shows.
const leastDelay = time.Millisecond

func (f *Latency) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	what := fmt.Sprintf("delay %s", f.Delay)
	if f.Jitter > 0 {
		what += fmt.Sprintf(" ± %s", f.Jitter)
	}
	delay, jitter, correlation := f.Delay.D(), f.Jitter.D(), float64(f.Correlation)
	dir := f.DirectionOr(proxy.Forward)
	return traffic{
		what:  what,
		shows: delayed{delay: delay, jitter: jitter, bothWays: dir == proxy.Both},
		packet: packetFault{
			spec: netns.Spec{Do: netns.Latency, Delay: delay, Jitter: jitter, Correlation: correlation},
			flow: f.Flow(selector.FlowOnce), ports: f.Ports, what: " each packet",
		},
		toxic: toxics.Latency{Delay: delay, Jitter: jitter, Correlation: correlation, Direction: dir},
	}.plan(ctx, &f.Edge, env)
}

func (f *Latency) Traits(sc chaos.Scope) chaos.Traits {
	return packets.Traits(f, &f.Edge, netns.Latency, sc)
}

func (*Latency) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.latency", New: func() chaos.Fault { return new(Latency) }, Undo: packets.Operations(),
		Example: "{from: web, to: store, delay: 100ms}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "slow"},
		On:      chaos.OnLinks | chaos.OnPackets,
		Doc:     "Delays data on a link, or the packets of containers.",
	}
}
