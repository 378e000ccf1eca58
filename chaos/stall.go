package chaos

import (
	"context"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/syntax"
)

// Stall holds everything on a link: connections stay, new ones are accepted, and
// nothing passes until it is taken back. Nothing is lost. Of packets it is what TCP sends
// again: connections that are open go on where they were, and new ones wait.
type Stall struct {
	Edge  `yaml:",inline"`
	Ports Ports `yaml:"ports"` // of packets: only those of connections to one of these ports; zero is all
}

// Blackhole swallows everything on a link: connections stay, new ones are accepted,
// and what is sent is lost.
type Blackhole struct {
	Edge  `yaml:",inline"`
	Ports Ports `yaml:"ports"` // of packets: only those of connections to one of these ports; zero is all
}

var (
	_ Fault = (*Stall)(nil)
	_ Fault = (*Blackhole)(nil)
)

// Check implements [Fault].
func (f *Stall) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.checkNetwork(at, netns.Stall, sc, m, "ports")
}

// Check implements [Fault].
func (f *Blackhole) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.checkNetwork(at, netns.Blackhole, sc, m, "ports")
}

// Plan implements [Fault].
func (f *Stall) Plan(ctx context.Context, env Env) ([]Step, error) {
	const what = "hold everything"
	if f.byPackets(env.contained) {
		return f.packetPlan(ctx, env, flowConns, f.Ports, packets{what: what, sign: muteSign(), spec: netns.Spec{Do: netns.Stall}})
	}
	return toxicPlan(ctx, &f.Edge, env, mute(what, toxics.Stall{}))
}

// Plan implements [Fault].
func (f *Blackhole) Plan(ctx context.Context, env Env) ([]Step, error) {
	const what = "swallow everything"
	if f.byPackets(env.contained) {
		return f.packetPlan(ctx, env, flowConns, f.Ports, packets{what: what, sign: muteSign(), spec: netns.Spec{Do: netns.Blackhole}})
	}
	return toxicPlan(ctx, &f.Edge, env, mute(what, toxics.Blackhole{}))
}

// mute is a toxic under which nothing answers, on connections new and old.
func mute(what string, t proxy.Toxic) *toxic {
	return &toxic{what: what, toxic: t, watch: true, prove: fates{proxy.Silent, proxy.Silent}.find, undone: answers}
}

// muteSign shows that nothing answers.
func muteSign() sign { return cutSign(false, wantFate("silent", netns.Stuck)) }
