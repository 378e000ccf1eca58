package link

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest/fakeengine"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
)

// TestDiverted_Moved checks that a callee that returns at another address voids the fault: connections
// there are not diverted.
func TestDiverted_Moved(t *testing.T) {
	var at sync.Map
	at.Store("web", "10.0.0.2")
	at.Store("store", "10.0.0.3")
	e := fakeengine.New(t, &at)
	target := func(name string) container.Target {
		return container.Resolve(&container.Container{Engine: e, Ref: name, Of: container.Named{Unit: name}})
	}
	h := &heldDiverted{step: &diverted{from: []*divertedFrom{{
		unit: target("web"), id: chaos.ContainerID{ID: "web"},
		to: []divertedTo{{target("store"), "store", "store[0]", netip.MustParseAddrPort("10.0.0.3:80")}},
	}}}}
	void := func(container, want string) {
		t.Helper()
		said, err := h.onRestart(t.Context(), container)
		if said != "" || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", container, said, err, want)
		}
	}
	void("store", "") // at its old address
	void("web", chaos.ErrRestarted.Error())
	at.Store("store", "10.0.0.4")
	void("other", "")
	void("store", "10.0.0.4:80")
}

// straightSpace is the network of a caller whose diversion was removed: connections open, and come to no proxy.
type straightSpace struct{}

func (straightSpace) Line(context.Context, netip.AddrPort) (netns.Line, error) {
	return straightLine{}, nil
}

type straightLine struct{ netns.Line }

func (straightLine) Close() error { return nil }

// quietProxy has accepted no connection.
type quietProxy struct{}

func (quietProxy) Traffic(context.Context) (proxy.Traffic, error) { return proxy.Traffic{}, nil }

// TestDiverted_GoneAtOnce checks that the proof for ten callers of ten callees takes no longer than that for one.
func TestDiverted_GoneAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(heldDiverted)
		for i := range 100 {
			at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 80)
			h.diversions = append(h.diversions, diversion{
				&chaos.Link{From: "web", To: "store"}, quietProxy{}, straightSpace{}, at, nil,
			})
		}
		began := time.Now()
		if err := h.goStraight(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < comesWithin || took > 2*comesWithin {
			t.Errorf("the proof takes %s; each waits for %s", took, comesWithin)
		}
	})
}
