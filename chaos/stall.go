package chaos

import (
	"context"

	"brunt/chaos/proxy"
	"brunt/scenarios"
)

// Stall holds everything on a link: connections stay, new ones are accepted, and
// nothing passes until it is taken back. Nothing is lost.
type Stall struct {
	Edge `yaml:",inline"`
}

// Blackhole swallows everything on a link: connections stay, new ones are accepted,
// and what is sent is lost.
type Blackhole struct {
	Edge `yaml:",inline"`
}

var (
	_ Fault = (*Stall)(nil)
	_ Fault = (*Blackhole)(nil)
)

// Check implements [Fault].
func (f *Stall) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) { f.check(at, sc, m) }

// Check implements [Fault].
func (f *Blackhole) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) { f.check(at, sc, m) }

// Plan implements [Fault].
func (f *Stall) Plan(ctx context.Context, env Env) ([]Step, error) {
	return toxicPlan(ctx, &f.Edge, env, mute("hold everything", proxy.Stall{}))
}

// Plan implements [Fault].
func (f *Blackhole) Plan(ctx context.Context, env Env) ([]Step, error) {
	return toxicPlan(ctx, &f.Edge, env, mute("swallow everything", proxy.Blackhole{}))
}

// mute is a toxic under which nothing answers, on connections new and old.
func mute(what string, t proxy.Toxic) *toxic {
	return &toxic{what: what, toxic: t, watch: true, prove: fates{proxy.Silent, proxy.Silent}.find, undone: answers}
}
