package chaos

import (
	"context"

	"brunt/chaos/netns"
	"brunt/scenarios/syntax"
)

// HalfOpen has one side of connections forget them, while the other takes them for open:
// as after a crash of a machine, or a firewall that lost its state. The side is the
// unit, or that of `from`.
type HalfOpen struct {
	Edge  `yaml:",inline"`
	Ports Ports `yaml:"ports"` // only connections to one of these ports; zero is all
}

var _ Fault = (*HalfOpen)(nil)

// Check implements [Fault].
func (f *HalfOpen) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	if f.inPackets(at, netns.HalfOpen, sc, m) {
		f.checkPackets(at, netns.HalfOpen, sc, m)
	}
}

// Touches implements [Linked]: no link is hit.
func (f *HalfOpen) Touches(string, string, Zones) (hit, http bool) { return false, false }

// Plan implements [Fault].
func (f *HalfOpen) Plan(ctx context.Context, env Env) ([]Step, error) {
	return f.packetPlan(ctx, env, flowConns, f.Ports, packets{what: "forget the connections", sign: endsSign(), spec: netns.Spec{Do: netns.HalfOpen}})
}
