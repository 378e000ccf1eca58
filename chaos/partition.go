package chaos

import (
	"context"
	"slices"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/syntax"
)

// Partition cuts services off from each other.
//
// One way is every packet of the connections that `from` opened, there and back:
// what the other side opens still works. Both ways are the links in both
// directions, as far as they are declared.
type Partition struct {
	Edge      `yaml:",inline"`
	Direction string `yaml:"direction,oneof=both|one-way"` // zero is both
	Mode      string `yaml:"mode,oneof=drop|reject|reset"` // zero is drop: nothing answers. reject refuses, reset resets
	Existing  string `yaml:"existing,oneof=cut|keep"`      // connections that are open already; zero is cut
	Ports     Ports  `yaml:"ports"`                        // of packets: only connections to one of these ports; zero is all
}

var _ Fault = (*Partition)(nil)

// Check implements [Fault].
func (f *Partition) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.checkNetwork(at, netns.Partition, sc, m, "ports")
	if f.Direction == "one-way" && (f.From == "" || f.To == "") {
		m.Add(f.Of("direction"), "one way wants both from and to")
	}
}

// back is the edge in the other direction.
func (f *Partition) back() *Edge {
	return &Edge{Place: f.Place, From: f.To, To: f.From, Pick: f.Pick}
}

// bothWays tells whether links in the other direction are cut too.
func (f *Partition) bothWays() bool { return f.Direction != "one-way" && f.From != "" && f.To != "" }

// Touches implements [Linked].
func (f *Partition) Touches(from, to string, z Zones) (hit, http bool) {
	return f.on(from, to, z) || f.bothWays() && f.back().on(from, to, z), false
}

// Plan implements [Fault].
func (f *Partition) Plan(ctx context.Context, env Env) ([]Step, error) {
	if f.byPackets(env.contained) {
		return f.packets(ctx, env)
	}
	links, err := f.links(ctx, env)
	if err != nil {
		return nil, err
	}
	if f.bothWays() {
		back := f.back()
		for _, l := range env.Links {
			if back.on(l.From, l.To, env.Zones) && slices.ContainsFunc(links, func(k *Link) bool { return k.From == l.To && k.To == l.From }) {
				links = append(links, l)
			}
		}
	}
	t := toxics.Partition{}
	want := fates{proxy.Silent, proxy.Silent}
	switch f.Mode {
	case "reject":
		t.Mode, want = toxics.Reject, fates{proxy.Refused, proxy.WasReset}
	case "reset":
		t.Mode, want = toxics.ResetNew, fates{proxy.WasReset, proxy.WasReset}
	}
	if f.Existing == "keep" {
		t.Existing, want.old = toxics.Keep, proxy.Answered
	}
	return []Step{&toxic{links: links, what: f.what(), toxic: t, watch: true, prove: want.find, undone: answers}}, nil
}

func (f *Partition) what() string {
	if f.Mode != "" && f.Mode != "drop" {
		return "cut by " + f.Mode
	}
	return "cut"
}

// packets makes the steps on packets of containers.
func (f *Partition) packets(ctx context.Context, env Env) ([]Step, error) {
	mode := f.Mode
	if mode == "drop" {
		mode = ""
	}
	line := wantFate("reset or silent", netns.Ended, netns.Stuck)
	if f.Existing == "keep" {
		line = wantFate("as it was", netns.Carried)
	}
	flow := flowConns
	if f.Direction == "one-way" {
		flow = flowOpened
	}
	return f.packetPlan(ctx, env, flow, f.Ports, packets{
		what: f.what(), sign: cutSign(mode != "", line),
		spec: netns.Spec{Do: netns.Partition, Mode: mode, Keep: f.Existing == "keep"},
	})
}
