package link

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"brunt/chaos"
	"brunt/chaos/chaostest/fakeengine"
	"brunt/chaos/container"
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
		unit: target("web"), id: chaos.ContainerID{ID: "web"}, to: []divertedTo{{target("store"), "store", "store[0]", netip.MustParseAddrPort("10.0.0.3:80")}},
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
