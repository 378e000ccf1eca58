package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Latency delays what passes a link, or the packets of containers. A direction that is
// not written delays a round trip once.
type Latency struct {
	Edge        `yaml:",inline"`
	way         `yaml:",inline"`
	Ports       Ports             `yaml:"ports"`                   // of packets: only those of connections to one of these ports; zero is all
	Delay       quantity.Duration `yaml:"delay,required,positive"` // of every byte, each way that it is on
	Jitter      quantity.Duration `yaml:"jitter"`                  // at most this much more or less, uniform
	Correlation quantity.Share    `yaml:"correlation"`             // of successive delays
}

var _ Fault = (*Latency)(nil)

// Check implements [Fault].
func (f *Latency) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.checkNetwork(at, netns.Latency, sc, m, "ports")
	f.checkWay(f.way, sc, m)
	f.checkJitter(f.Delay, f.Jitter, m)
}

// Plan implements [Fault].
func (f *Latency) Plan(ctx context.Context, env Env) ([]Step, error) {
	dir := f.of(proxy.Forward)
	trips := time.Duration(1)
	if dir == proxy.Both {
		trips = 2
	}
	delay, jitter := trips*f.Delay.D(), trips*f.Jitter.D()
	what := fmt.Sprintf("delay %s", f.Delay)
	if f.Jitter > 0 {
		what += fmt.Sprintf(" ± %s", f.Jitter)
	}
	if f.byPackets(env.contained) {
		s := lateSign(f.Delay.D(), f.Jitter.D()) // a round trip meets each step once
		return f.packetPlan(ctx, env, f.flow(flowOnce), f.Ports, packets{
			what: what + " each packet", sign: s,
			spec: netns.Spec{Do: netns.Latency, Delay: f.Delay.D(), Jitter: f.Jitter.D(), Correlation: float64(f.Correlation)},
		})
	}
	return toxicPlan(ctx, &f.Edge, env, &toxic{
		what:  what,
		toxic: toxics.Latency{Delay: f.Delay.D(), Jitter: f.Jitter.D(), Correlation: float64(f.Correlation), Direction: dir},
		takes: 2 * (delay + jitter),
		prove: func(ctx context.Context, l *Link, _ *proxy.Line) (string, error) {
			return untilClear(ctx, func(pulse *proxy.Pulse) (string, error) {
				t, err := roundTrips(ctx, l)
				if err != nil {
					return "", err
				}
				return t.delayed(delay, jitter, pulse.Late())
			})
		},
		undone: func(ctx context.Context, l *Link) (string, error) {
			rtt, err := roundTrip(ctx, l)
			if err != nil {
				return "", err
			}
			if rtt > f.Delay.D()/2+time.Millisecond {
				return "", fmt.Errorf("a round trip still takes %s", quantity.FormatSeconds(rtt.Seconds()))
			}
			return "a round trip takes " + quantity.FormatSeconds(rtt.Seconds()), nil
		},
	})
}

// leastLate is the least that something late by delay ± jitter takes: no timer ends
// early. Where the jitter is most of the delay, that is next to nothing; then it is what
// one in ten draws and fewer come below.
func leastLate(delay, jitter time.Duration) time.Duration { return max(delay-jitter, delay/5) }

// delayed finds that the slowest of the round trips takes what it should. Where the fault
// does not stay for long enough, it is that they have no answer for as long as it does.
// Late is how late this machine itself was meanwhile.
func (t trips) delayed(delay, jitter, late time.Duration) (string, error) {
	least := leastLate(delay, jitter)
	if t.silent > 0 {
		enough := min(least, silence)
		if t.waited < enough {
			return "", errors.New("there is no time to find its effect")
		}
		found := "a round trip has no answer in " + quantity.FormatSeconds(t.waited.Seconds())
		if t.waited < telling(enough, late) {
			return found, blurred(late)
		}
		return found, nil
	}
	rtt := t.times[len(t.times)/2]
	if delay-jitter < least {
		rtt = t.times[len(t.times)-1]
	}
	found := "a round trip takes " + quantity.FormatSeconds(rtt.Seconds())
	switch {
	case rtt < least:
		return "", fmt.Errorf("%w: %s, and should take %s and more", errNoEffect, found, quantity.FormatSeconds(least.Seconds()))
	case rtt < telling(least, late):
		return found, blurred(late)
	}
	return found, nil
}
