package chaos

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos/proxy"
	"brunt/scenarios"
)

// Latency delays what passes a link.
type Latency struct {
	Edge        `yaml:",inline"`
	way         `yaml:",inline"`
	Delay       scenarios.Duration `yaml:"delay,required,positive"`
	Jitter      scenarios.Duration `yaml:"jitter"`      // at most this much more or less, uniform
	Correlation scenarios.Share    `yaml:"correlation"` // of successive delays
}

var _ Fault = (*Latency)(nil)

// Check implements [Fault].
func (f *Latency) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	f.check(at, sc, m)
	if f.Jitter > f.Delay {
		m.Add(f.Of("jitter"), "the jitter %s is more than the delay %s, and no delay is negative", f.Jitter, f.Delay)
	}
}

// Plan implements [Fault].
func (f *Latency) Plan(_ context.Context, env Env) ([]Step, error) {
	dir := f.of(proxy.Forward)
	trips := time.Duration(1)
	if dir == proxy.Both {
		trips = 2
	}
	least := trips*(f.Delay.D()-f.Jitter.D()) - time.Millisecond
	what := fmt.Sprintf("delay %s", f.Delay)
	if f.Jitter > 0 {
		what += fmt.Sprintf(" ± %s", f.Jitter)
	}
	return toxicPlan(&f.Edge, env, &toxic{
		what:  what,
		toxic: proxy.Latency{Delay: f.Delay.D(), Jitter: f.Jitter.D(), Correlation: float64(f.Correlation), Direction: dir},
		prove: func(ctx context.Context, l *Link, _ *proxy.Line) (string, error) {
			rtt, err := roundTrip(ctx, l)
			if err != nil {
				return "", err
			}
			if rtt < least {
				return "", fmt.Errorf("%w: a round trip takes %s, and should take %s more than without it", errNoEffect, scenarios.FormatSeconds(rtt.Seconds()), f.Delay)
			}
			return "a round trip takes " + scenarios.FormatSeconds(rtt.Seconds()), nil
		},
		undone: func(ctx context.Context, l *Link) (string, error) {
			rtt, err := roundTrip(ctx, l)
			if err != nil {
				return "", err
			}
			if rtt > f.Delay.D()/2+time.Millisecond {
				return "", fmt.Errorf("a round trip still takes %s", scenarios.FormatSeconds(rtt.Seconds()))
			}
			return "a round trip takes " + scenarios.FormatSeconds(rtt.Seconds()), nil
		},
	})
}
