package selector

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios/syntax"
)

type named struct{ service, name string }

func (n named) Name() string                              { return n.name }
func (n named) Service() string                           { return n.service }
func (n named) PID() int                                  { return 0 }
func (n named) Ready(context.Context) error               { return nil }
func (n named) Supervised() bool                          { return true }
func (n named) Stop(context.Context, time.Duration) error { return nil }
func (n named) Start(context.Context) error               { return nil }
func (n named) Traits() chaos.UnitTraits                  { return chaos.UnitTraits{} }

func world(seed uint64) chaos.Env {
	return chaos.Env{
		Targets: chaos.Targets{Units: []chaos.Unit{
			named{"posts", "posts[0]"},
			named{"posts", "posts[1]"},
			named{"posts", "posts[2]"},
			named{"posts", "posts[3]"},
			named{"store", "store[0]"},
		}, Links: []*chaos.Link{
			{From: "gateway[0]", To: "posts[0]"},
			{From: "gateway[0]", To: "posts[1]"},
			{From: "posts[0]", To: "store[0]"},
			{From: "posts[1]", To: "store[0]"},
			{From: chaos.LoadName, To: "gateway[0]"},
		}},
		Occurrence: chaos.Occurrence{Rand: rand.New(rand.NewPCG(seed, 0))},
	}
}

var worldScope = chaos.Scope{
	Services: map[string]int{"gateway": 1, "posts": 4, "store": 1},
	Edges: []chaos.EdgeName{
		{From: "gateway", To: "posts"},
		{From: "posts", To: "store"},
		{From: chaos.LoadName, To: "gateway"},
	},
}

func TestSelector(t *testing.T) {
	for _, c := range []struct {
		name string
		sel  Selector
		max  int
		want int
		err  error
	}{
		{"one by default", Selector{Service: "posts"}, 0, 1, nil},
		{"all", Selector{Service: "posts", Pick: Pick{all: true}}, 0, 4, nil},
		{"three", Selector{Service: "posts", Pick: Pick{n: 3}}, 0, 3, nil},
		{"half", Selector{Service: "posts", Pick: Pick{share: .5}}, 0, 2, nil},
		{"a small share is one", Selector{Service: "posts", Pick: Pick{share: .01}}, 0, 1, nil},
		{"a unit", Selector{Unit: "posts[2]"}, 0, 1, nil},
		{"nobody", Selector{Service: "users"}, 0, 0, chaos.ErrNoUnit},
		{"more than there are", Selector{Service: "posts", Pick: Pick{n: 5}}, 0, 0, chaos.ErrNoUnit},
	} {
		t.Run(c.name, func(t *testing.T) {
			units, err := c.sel.units(t.Context(), world(1))
			if len(units) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%v, %v", units, err)
			}
		})
	}
	env := world(1)
	env.MaxUnits = 2
	if _, err := (&Selector{Service: "posts", Pick: Pick{all: true}}).units(t.Context(), env); err == nil ||
		!strings.Contains(err.Error(), "max_units") {
		t.Errorf("the guard's bound is not held: %v", err)
	}
	seen := map[string]bool{}
	for seed := range uint64(50) {
		s := &Selector{Service: "posts"}
		a, _ := s.units(t.Context(), world(seed))
		b, _ := s.units(t.Context(), world(seed))
		if a[0].Name() != b[0].Name() {
			t.Fatalf("seed %d picks %s and %s", seed, a[0].Name(), b[0].Name())
		}
		seen[a[0].Name()] = true
	}
	if len(seen) != 4 {
		t.Errorf("50 seeds pick only among %v", seen)
	}
}

func TestZones(t *testing.T) {
	zones := chaos.Zones{"posts[0]": "a", "posts[1]": "b", "posts[2]": "a", "posts[3]": "b", "gateway[0]": "b"}
	env := func(seed uint64) chaos.Env {
		e := world(seed)
		e.Zones = zones
		return e
	}
	for _, c := range []struct {
		sel  Selector
		want string
	}{
		{Selector{Zone: "a"}, "posts[0] posts[2]"},
		{Selector{Zone: "b", Service: "posts"}, "posts[1] posts[3]"},
		{Selector{Zone: "b", Service: "store"}, ""},
		{Selector{Zone: "c"}, ""},
	} {
		units, err := c.sel.units(t.Context(), env(1))
		var names []string
		for _, u := range units {
			names = append(names, u.Name())
		}
		if got := strings.Join(names, " "); got != c.want || (c.want == "") != errors.Is(err, chaos.ErrNoUnit) {
			t.Errorf("%s: %q, %v, want %q", c.sel.Matching(), got, err, c.want)
		}
	}
	if units, err := (&Selector{Zone: "a", Pick: Pick{n: 1}}).units(t.Context(), env(1)); len(units) != 1 {
		t.Errorf("one of a zone is %v, %v", units, err)
	}
	for _, c := range []struct {
		edge Edge
		want string
	}{
		{Edge{Zone: "b"}, "gateway[0]->posts[0] posts[1]->store[0] load->gateway[0]"},
		{Edge{Zone: "a"}, "gateway[0]->posts[0] posts[0]->store[0]"},
		{Edge{From: "zone/b", To: "zone/a"}, "gateway[0]->posts[0]"},
		{Edge{From: "zone/b", To: "posts"}, "gateway[0]->posts[0] gateway[0]->posts[1]"},
		{Edge{From: "zone/a", To: "zone/b"}, ""},
		{Edge{To: "zone/"}, ""},
	} {
		links, err := c.edge.Links(t.Context(), env(1))
		var names []string
		for _, l := range links {
			names = append(names, l.Name())
		}
		if got := strings.Join(names, " "); got != c.want || (c.want == "") != errors.Is(err, chaos.ErrNoUnit) {
			t.Errorf("%s: %q, %v, want %q", c.edge.Describe(), got, err, c.want)
		}
	}
}

func TestEdge(t *testing.T) {
	one := syntax.Place{}
	for _, c := range []struct {
		name string
		edge Edge
		want string
	}{
		{"from and to", Edge{From: "posts", To: "store"}, "posts[0]->store[0] posts[1]->store[0]"},
		{"units", Edge{From: "posts[1]", To: "store"}, "posts[1]->store[0]"},
		{"to alone", Edge{To: "posts"}, "gateway[0]->posts[0] gateway[0]->posts[1]"},
		{"from the load", Edge{From: "load"}, "load->gateway[0]"},
		{"all of a unit's", Edge{Unit: "posts[0]"}, "gateway[0]->posts[0] posts[0]->store[0]"},
		{"all of a service's one", Edge{Service: "store"}, "posts[0]->store[0] posts[1]->store[0]"},
		{"the other way there is none", Edge{From: "store", To: "posts"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.edge.Place = one
			links, err := c.edge.Links(t.Context(), world(1))
			var names []string
			for _, l := range links {
				names = append(names, l.Name())
			}
			if got := strings.Join(names, " "); got != c.want || (c.want == "") != errors.Is(err, chaos.ErrNoUnit) {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
	links, err := (&Edge{Service: "posts"}).Links(t.Context(), world(3))
	if err != nil || len(links) != 2 || !strings.Contains(links[0].Name()+links[1].Name(), "posts[") {
		t.Errorf("one replica's links are %v, %v", links, err)
	}
}

func TestEdgeCheck(t *testing.T) {
	for _, c := range []struct {
		edge Edge
		want string
	}{
		{Edge{From: "posts", To: "store"}, ""},
		{Edge{From: "load", To: "gateway"}, ""},
		{Edge{}, "want from and to"},
		{Edge{From: "post", To: "store"}, `did you mean "posts"?`},
		{
			Edge{From: "gateway", To: "store"},
			"no link is declared from gateway to store; declared are gateway -> posts, load -> gateway, posts -> store",
		},
		{Edge{From: "posts[7]", To: "store"}, "posts has 4 replicas, counted from 0"},
		{Edge{From: "posts", To: "load"}, "where links begin"},
		{Edge{From: "posts", To: "10.0.0.1:5432"}, "only declared links"},
		{Edge{Service: "posts", From: "gateway"}, "not several"},
	} {
		var m syntax.Mistakes
		c.edge.CheckEdge(syntax.Pos{}, worldScope, &m)
		got := ""
		if err := m.Err(); err != nil {
			got = err.Error()
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.edge, got, c.want)
		}
	}
}
