package network

import (
	"context"

	"brunt/chaos"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// Stall is the fault network.stall. No data is lost. Between containers, TCP sends the held packets again: open
// connections continue, and new ones wait.
type Stall struct {
	selector.Edge `yaml:",inline"`
	Ports         selector.Ports `yaml:"ports"` // of packets: only those of connections to one of these ports; zero is all
}

// Blackhole is the fault network.blackhole.
type Blackhole struct {
	selector.Edge `yaml:",inline"`
	Ports         selector.Ports `yaml:"ports"` // of packets: only those of connections to one of these ports; zero is all
}

var (
	_ chaos.Fault = (*Stall)(nil)
	_ chaos.Fault = (*Blackhole)(nil)
)

func (f *Stall) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckNetwork(at, netns.Stall, sc, m, "ports")
}

func (f *Blackhole) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckNetwork(at, netns.Blackhole, sc, m, "ports")
}

func (f *Stall) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return mute("hold everything", f.Ports, netns.Stall, toxics.Stall{}).plan(ctx, &f.Edge, env)
}

func (f *Blackhole) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return mute("swallow everything", f.Ports, netns.Blackhole, toxics.Blackhole{}).plan(ctx, &f.Edge, env)
}

// mute is a fault under which nothing is answered on any connection, and none ends.
func mute(what string, ports selector.Ports, do netns.Action, t proxy.Toxic) traffic {
	return traffic{
		what:   what,
		shows:  cut{fresh: proxy.Silent, old: proxy.Silent, line: wantOutcome("silent", netns.Stuck)},
		toxic:  t,
		packet: packetFault{spec: netns.Spec{Do: do}, flow: selector.FlowConns, ports: ports},
	}
}

func (f *Stall) Traits(sc chaos.Scope) chaos.Traits {
	t := packets.Traits(f, &f.Edge, netns.Stall, sc)
	t.Cuts = true
	return t
}

func (*Stall) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.stall", New: func() chaos.Fault { return new(Stall) }, Undo: packets.Operations(),
		Example: "{from: web, to: store}",
		Effect:  chaos.Hangs,
		Nature:  scenarios.Nature{Verb: "stalled", Deeds: []scenarios.Deed{scenarios.Silent, scenarios.Mute}},
		On:      chaos.OnLinks | chaos.OnPackets,
		Doc: "Holds everything on a link: connections stay open, new ones are accepted, and nothing passes until the " +
			"fault ends.",
	}
}

func (f *Blackhole) Traits(sc chaos.Scope) chaos.Traits {
	t := packets.Traits(f, &f.Edge, netns.Blackhole, sc)
	t.Cuts = true
	return t
}

func (*Blackhole) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.blackhole", New: func() chaos.Fault { return new(Blackhole) }, Undo: packets.Operations(),
		Example: "{from: web, to: store}",
		Effect:  chaos.Cut,
		Nature: scenarios.Nature{
			Verb:  "silent",
			Deeds: []scenarios.Deed{scenarios.Severs, scenarios.Silent, scenarios.Mute},
		},
		On:  chaos.OnLinks | chaos.OnPackets,
		Doc: "Drops all data on a link: connections stay open, new ones are accepted, and sent data is lost.",
	}
}
