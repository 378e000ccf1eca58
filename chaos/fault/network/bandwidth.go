package network

import (
	"context"
	"fmt"
	"math"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
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
		m.Add(f.Of("rate"), "%s is what a clean link on this machine may carry: at most %s can be distinguished from it",
			f.Rate,
			quantity.Bandwidth(link.MostRate))
	}
	if f.Rate > 0 && f.Rate < 1 {
		m.Add(f.Of("rate"), "a rate of under a byte a second stalls the link; network.stall does that")
	}
}

func (f *Bandwidth) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	rate := float64(f.Rate)
	both := selector.FlowConns
	if f.Via == "tbf" { // tbf limits outgoing packets only
		both = selector.FlowOut
	}
	// Long enough to measure, and at most half a second.
	bulk := int64(math.Min(math.Max(rate/2, 512), 4<<20))
	measure := func(ctx context.Context, l *chaos.Link) (proxy.ProbeResult, error) {
		r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: bulk})
		if err == nil && r.Outcome != proxy.Answered {
			err = link.NotAnswered(r.Outcome)
		}
		if r.Rate == 0 { // everything came back at once
			r.Rate = math.Inf(1)
		}
		return r, err
	}
	// A higher rate means that nothing is limited.
	const most = 1.25
	passes := func(rate float64) string {
		if math.IsInf(rate, 1) {
			return "everything passes at once"
		}
		return quantity.Bandwidth(rate).String() + " pass"
	}
	t := traffic{
		what: "let " + f.Rate.String() + " through", flow: f.Flow(both), ports: f.Ports,
		packets: packets.Step{
			Evidence: rateEvidence(rate), Spec: netns.Spec{Do: netns.Bandwidth, Rate: int64(rate)},
		},
		link: link.Toxic{
			Toxic: toxics.Bandwidth{Rate: int64(rate), Direction: f.DirectionOr(proxy.Both)},
			Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
				return link.UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) {
					got, err := measure(ctx, l)
					if err != nil {
						return "", err
					}
					late := pulse.Late()
					switch {
					case got.Rate > most*rate:
						return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, passes(got.Rate))
					// net of the machine's own delay
					case got.Spread <= late || got.Rate*float64(got.Spread)/float64(got.Spread-late) > most*rate:
						return passes(got.Rate), link.Blurred(late)
					}
					return passes(got.Rate), nil
				})
			},
			Undone: func(ctx context.Context, l *chaos.Link) (string, error) {
				got, err := measure(ctx, l)
				if err != nil {
					return "", err
				}
				// A clean link carries hundreds of megabytes a second. A limit near that cannot be distinguished
				// from it.
				if clear := 1.5 * rate; got.Rate < clear && clear < 100e6 {
					return "", fmt.Errorf("still only %s", passes(got.Rate))
				}
				return passes(got.Rate), nil
			},
		},
	}
	return t.plan(ctx, &f.Edge, env)
}

func (f *Bandwidth) Traits(sc chaos.Scope) chaos.Traits {
	return packets.Traits(f, &f.Edge, netns.Bandwidth, sc)
}

func (*Bandwidth) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.bandwidth", New: func() chaos.Fault { return new(Bandwidth) }, Undo: packets.Operations(),
		Example: "{from: web, to: store, rate: 1Mbit/s}",
		Effect:  chaos.Slow,
		On:      chaos.OnLinks | chaos.OnPackets,
		Doc:     "Limits the bytes per second that pass a link, or enter and leave containers.",
	}
}
