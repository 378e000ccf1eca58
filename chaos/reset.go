package chaos

import (
	"context"
	"errors"
	"fmt"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/syntax"
)

// Reset resets every connection that is open on a link, on both sides. New ones
// work.
type Reset struct {
	Edge  `yaml:",inline"`
	Ports Ports `yaml:"ports"` // of packets: only connections to one of these ports; zero is all
}

var (
	_ Fault   = (*Reset)(nil)
	_ OneShot = (*Reset)(nil)
)

// OneShot implements [OneShot].
func (*Reset) OneShot() bool { return true }

// Check implements [Fault].
func (f *Reset) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.checkNetwork(at, netns.Reset, sc, m, "ports")
}

// Plan implements [Fault].
func (f *Reset) Plan(ctx context.Context, env Env) ([]Step, error) {
	const what = "reset all connections"
	if f.byPackets(env.contained) {
		return f.packetPlan(ctx, env, flowConns, f.Ports, packets{
			what: what, spec: netns.Spec{Do: netns.Reset},
			sign: endsSign(),
		})
	}
	return toxicPlan(ctx, &f.Edge, env, &toxic{
		what: what, toxic: toxics.Reset{}, watch: true, undone: answers,
		prove: func(ctx context.Context, _ *Link, before *proxy.Line) (string, error) {
			if before == nil {
				return "", errors.New("no connection could be opened before it, as another fault is on the link")
			}
			if got := fate(ctx, before); got != proxy.WasReset {
				return "", fmt.Errorf("%w: a connection that was open before is %s", errNoEffect, got)
			}
			return "a connection that was open before is reset", nil
		},
	})
}
