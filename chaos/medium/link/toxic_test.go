package link

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
)

// toldToxic is a toxic on a link of which its proxy tells something.
type toldToxic struct {
	proxy.Toxicity
	of proxy.Status
}

func (x toldToxic) Status(context.Context) proxy.Status { return x.of }
func (x toldToxic) Seen() proxy.Traffic                 { return proxy.Traffic{Connections: 1, Forward: 7} }

// toldProxy is the proxy of a link with such toxics.
type toldProxy struct{ chaos.Proxy }

func (toldProxy) Add(proxy.Toxic) (proxy.Toxicity, error) { return toldToxic{}, nil }

// store is a replica of store.
type store struct {
	chaos.Unit
	name string
	pid  atomic.Int32
}

func (s *store) Name() string           { return s.name }
func (s *store) PID() int               { return int(s.pid.Load()) }
func (*store) Traits() chaos.UnitTraits { return chaos.UnitTraits{} }

// TestToxic_Ended: a codec that failed under the toxic ends the fault, which names the link.
func TestToxic_Ended(t *testing.T) {
	links := []*chaos.Link{{From: "web", To: "store"}, {From: "web", To: "cache"}}
	h := &heldToxic{Toxic: &Toxic{Links: links}, in: []proxy.Toxicity{toldToxic{}, toldToxic{}}}
	if err := h.Traits().Ended(t.Context()); err != nil {
		t.Errorf("both are in, and it says %v", err)
	}
	h.in[1] = toldToxic{of: proxy.Status{Broken: "a codec failed"}}
	if err := h.Traits().Ended(t.Context()); err == nil || !strings.Contains(err.Error(), "web->cache: a codec failed") {
		t.Errorf("it says %v", err)
	}
}

// TestToxic_CalleeDown: a toxic on links whose callees do not run is not shown to meet calls, and counts no traffic,
// unless a callee runs at some time while it is on. Links to callees that run count, and so do those beyond the units.
func TestToxic_CalleeDown(t *testing.T) {
	for _, c := range []struct {
		name     string
		pids     [2]int32 // of the replicas of store
		starts   bool     // the first replica runs for a moment while the toxic is on
		to       string   // of one more link, if any
		notShown string
		later    string
		bytes    int64
	}{
		{name: "both run", pids: [2]int32{11, 12}, bytes: 14},
		{name: "one runs", pids: [2]int32{0, 12}, bytes: 7},
		{name: "none runs", notShown: "that calls meet it: store[0], store[1] did not run"},
		{
			name: "one runs later", starts: true, notShown: "that calls meet it: store[0], store[1] did not run",
			later: "a callee ran while it was in", bytes: 7,
		},
		{name: "beyond the units", to: "elsewhere", bytes: 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := chaos.Env{}
			for i, name := range []string{"store[0]", "store[1]"} {
				u := &store{name: name}
				u.pid.Store(c.pids[i])
				env.Units = append(env.Units, u)
				env.Links = append(env.Links, &chaos.Link{From: "web[0]", To: name, Proxy: toldProxy{}})
			}
			if c.to != "" {
				env.Links = append(env.Links, &chaos.Link{From: "web[0]", To: c.to, Proxy: toldProxy{}})
			}
			prove := func(context.Context, *chaos.Link, proxy.Line) (string, error) { return "it is slow", nil }
			steps, err := Plan(t.Context(), &selector.Edge{From: "web[0]"}, env, &Toxic{
				Toxic: toxics.Stall{}, Evidence: Evidence{Prove: prove},
			})
			if err != nil {
				t.Fatal(err)
			}
			h, err := steps[0].Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			text, err := h.Verify(t.Context())
			part, _ := errors.AsType[chaos.NotShownError](err)
			if part.What != c.notShown || !strings.Contains(text, "it is slow") {
				t.Errorf("it shows %q, and %v", text, err)
			}
			if c.starts {
				first := env.Units[0].(*store)
				first.pid.Store(11)
				if err := h.Traits().Ended(t.Context()); err != nil {
					t.Error(err)
				}
				first.pid.Store(0)
			}
			if c.notShown != "" {
				if later := h.Traits().Later(t.Context()); later != c.later {
					t.Errorf("later it says %q, want %q", later, c.later)
				}
			}
			if met := h.Traits().Affected(); met.N != c.bytes {
				t.Errorf("it counts %+v, want %d", met, c.bytes)
			}
		})
	}
}
