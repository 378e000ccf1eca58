package network

import (
	"context"
	"slices"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
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
	if f.ByPackets(env.Contained) {
		return f.packets(ctx, env)
	}
	links, err := f.Links(ctx, env)
	if err != nil {
		return nil, err
	}
	if f.symmetric() {
		back := f.back()
		for _, l := range env.Links {
			if back.On(l.From, l.To, env.Zones) &&
				slices.ContainsFunc(links, func(k *chaos.Link) bool { return k.From == l.To && k.To == l.From }) {
				links = append(links, l)
			}
		}
	}
	t := toxics.Partition{}
	want := link.Outcomes{Fresh: proxy.Silent, Old: proxy.Silent}
	switch f.Mode {
	case "reject":
		t.Mode, want = toxics.Reject, link.Outcomes{Fresh: proxy.Refused, Old: proxy.WasReset}
	case "reset":
		t.Mode, want = toxics.ResetNew, link.Outcomes{Fresh: proxy.WasReset, Old: proxy.WasReset}
	}
	if f.Existing == "keep" {
		t.Existing, want.Old = toxics.Keep, proxy.Answered
	}
	cut := &link.Toxic{Links: links, What: f.what(), Toxic: t, Watch: true, Prove: want.Find, Undone: link.Answers}
	return []chaos.Step{cut.Lasting(env)}, nil
}

func (f *Partition) what() string {
	if f.Mode != "" && f.Mode != "drop" {
		return "cut by " + f.Mode
	}
	return "cut"
}

// packets makes the steps on packets of containers.
func (f *Partition) packets(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	mode := f.Mode
	if mode == "drop" {
		mode = ""
	}
	line := wantOutcome("reset or silent", netns.Ended, netns.Stuck)
	if f.Existing == "keep" {
		line = wantOutcome("as it was", netns.Carried)
	}
	flow := selector.FlowConns
	if f.Direction == "one-way" {
		flow = selector.FlowOpened
	}
	return packets.Plan(ctx, &f.Edge, env, flow, f.Ports, packets.Step{
		What: f.what(), Evidence: cutEvidence(mode != "", line),
		Spec: netns.Spec{Do: netns.Partition, Mode: mode, Keep: f.Existing == "keep"},
	})
}

func (f *Partition) Traits(sc chaos.Scope) chaos.Traits {
	t := packets.Traits(f, &f.Edge, netns.Partition, sc)
	t.Touches = func(from, to string, z chaos.Zones) (hit, http bool) {
		return f.On(from, to, z) || f.symmetric() && f.back().On(from, to, z), false
	}
	t.Cuts = f.Existing != "keep"
	return t
}

func (*Partition) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.partition", New: func() chaos.Fault { return new(Partition) }, Undo: packets.Operations(),
		Example: "{from: web, to: store, mode: reject}",
		Effect:  chaos.Cut,
		On:      chaos.OnLinks | chaos.OnPackets,
		Doc:     "Cuts services off from each other.",
	}
}
