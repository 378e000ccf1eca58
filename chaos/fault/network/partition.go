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

// Partition is the fault network.partition. With direction one-way it drops every packet, there and back, of the
// connections that `from` opened; connections that the other side opens still work. With direction both it hits the
// links in both directions, as far as they are declared.
type Partition struct {
	selector.Edge `yaml:",inline"`
	Direction     string `yaml:"direction,oneof=both|one-way"` // zero is both
	// zero is drop: nothing answers. reject refuses, reset resets
	Mode     string `yaml:"mode,oneof=drop|reject|reset"`
	Existing string `yaml:"existing,oneof=cut|keep"` // what happens to open connections; zero is cut
	// of packets: only connections to one of these ports; zero is all
	Ports selector.Ports `yaml:"ports"`
}

var _ chaos.Fault = (*Partition)(nil)

func (f *Partition) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckNetwork(at, netns.Partition, sc, m, "ports")
	if f.OnDatagrams(sc) {
		const hint = "with neither mode nor existing nothing passes"
		if f.Mode != "" && f.Mode != "drop" {
			m.AddHint(f.Of("mode"), hint, "%s ends connections, and the load sends datagrams to %s", f.Mode, f.To)
		}
		if f.Existing == "keep" {
			m.AddHint(f.Of("existing"), hint, "keep spares open connections, and the load sends datagrams to %s", f.To)
		}
	}
	if f.Direction == "one-way" && (f.From == "" || f.To == "") {
		m.Add(f.Of("direction"), "one way wants both from and to")
	}
}

// back returns the edge in the other direction.
func (f *Partition) back() *selector.Edge {
	return &selector.Edge{Place: f.Place, From: f.To, To: f.From, Pick: f.Pick}
}

// symmetric reports whether links in the other direction are cut too.
func (f *Partition) symmetric() bool { return f.Direction != "one-way" && f.From != "" && f.To != "" }

func (f *Partition) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	shows := cut{fresh: proxy.Silent, old: proxy.Silent, line: wantOutcome("reset or silent", netns.Ended, netns.Stuck)}
	spec := netns.Spec{Do: netns.Partition}
	toxic := toxics.Partition{}
	t := traffic{what: "cut"}
	switch f.Mode {
	case "reject":
		toxic.Mode, shows.fresh, shows.old = toxics.Reject, proxy.Refused, proxy.WasReset
	case "reset":
		toxic.Mode, shows.fresh, shows.old = toxics.ResetNew, proxy.WasReset, proxy.WasReset
	}
	if f.Mode != "" && f.Mode != "drop" {
		t.what, spec.Mode = "cut by "+f.Mode, f.Mode
	}
	if f.Existing == "keep" {
		toxic.Existing, spec.Keep = toxics.Keep, true
		shows.old, shows.line = proxy.Answered, wantOutcome("as it was", netns.Carried)
	}
	flow := selector.FlowConns
	if f.Direction == "one-way" {
		flow = selector.FlowOpened
	}
	if f.symmetric() {
		t.back = f.back()
	}
	t.shows, t.toxic = shows, toxic
	t.packet = packetFault{spec: spec, flow: flow, ports: f.Ports}
	return t.plan(ctx, &f.Edge, env)
}

func (f *Partition) Traits(sc chaos.Scope) chaos.Traits {
	t := packets.Traits(f, &f.Edge, netns.Partition, sc)
	there := t.Touches
	t.Touches = func(from, to string, z chaos.Zones) (hit, http bool) {
		hit, http = there(from, to, z)
		return hit || !t.InNetwork && f.symmetric() && f.back().On(from, to, z), http
	}
	t.Cuts = f.Existing != "keep"
	return t
}

func (*Partition) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.partition", New: func() chaos.Fault { return new(Partition) }, Undo: packets.Operations(),
		Example: "{from: web, to: store, mode: reject}",
		Effect:  chaos.Cut,
		Nature: scenarios.Nature{
			Verb:  "cut",
			Deeds: []scenarios.Deed{scenarios.Severs, scenarios.Silent, scenarios.Mute},
		},
		On:  chaos.OnLinks | chaos.OnPackets,
		Doc: "Cuts services off from each other.",
	}
}
