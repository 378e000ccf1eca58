package chaos

import (
	"context"
	"fmt"

	"brunt/chaos/proxy"
	"brunt/scenarios"
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
}

var _ Fault = (*Partition)(nil)

// Check implements [Fault].
func (f *Partition) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	f.check(at, sc, m)
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
func (f *Partition) Touches(from, to string) (hit, http bool) {
	return f.on(from, to) || f.bothWays() && f.back().on(from, to), false
}

// Plan implements [Fault].
func (f *Partition) Plan(_ context.Context, env Env) ([]Step, error) {
	links, err := f.links(env)
	if err != nil {
		return nil, err
	}
	if f.bothWays() {
		back := f.back()
		for _, l := range env.Links {
			if back.on(l.From, l.To) && f.among(links, l) {
				links = append(links, l)
			}
		}
	}
	keep := f.Existing == "keep"
	mode := map[string]proxy.Mode{"reject": proxy.Reject, "reset": proxy.ResetNew}[f.Mode]
	existing := proxy.Cut
	if keep {
		existing = proxy.Keep
	}
	t := &toxic{
		links: links, what: "cut", toxic: proxy.Partition{Mode: mode, Existing: existing}, watch: true, undone: answers,
		prove: func(ctx context.Context, l *Link, before *proxy.Line) (string, error) {
			return f.prove(ctx, l, before, keep)
		},
	}
	if f.Mode != "" && f.Mode != "drop" {
		t.what = "cut by " + f.Mode
	}
	return []Step{t}, nil
}

// among tells whether l is the way back of one of links.
func (f *Partition) among(links []*Link, l *Link) bool {
	for _, k := range links {
		if k.From == l.To && k.To == l.From {
			return true
		}
	}
	return false
}

func (f *Partition) prove(ctx context.Context, l *Link, before *proxy.Line, keep bool) (string, error) {
	fresh, old := proxy.Silent, proxy.Silent
	switch f.Mode {
	case "reject":
		fresh, old = proxy.Refused, proxy.WasReset
	case "reset":
		fresh, old = proxy.WasReset, proxy.WasReset
	}
	got, err := connects(ctx, l)
	if err != nil {
		return "", err
	}
	if got != fresh {
		return "", fmt.Errorf("%w: a new connection is %s, and should be %s", errNoEffect, got, fresh)
	}
	text, err := spared(ctx, before, keep, old)
	return fmt.Sprintf("a new connection is %s, %s", fresh, text), err
}
