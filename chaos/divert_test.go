package chaos

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// TestDiverted_Moved holds that a callee which comes back elsewhere voids the fault: nobody is diverted to
// where it is now.
func TestDiverted_Moved(t *testing.T) {
	var at sync.Map
	at.Store("web", "10.0.0.2")
	at.Store("store", "10.0.0.3")
	e := fakeEngine(t, &at)
	web, store := &Container{Engine: e, Ref: "web", Of: Named{Unit: "web"}}, &Container{Engine: e, Ref: "store", Of: Named{Unit: "store"}}
	h := &heldDiverted{step: &diverted{from: []*divertedFrom{{
		unit: web, id: containerID{ID: "web"}, to: []divertedTo{{store, "store", netip.MustParseAddrPort("10.0.0.3:80")}},
	}}}}
	void := func(container, want string) {
		t.Helper()
		said, err := h.Uprooted(t.Context(), container)
		if said != "" || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", container, said, err, want)
		}
	}
	void("store", "") // where it was
	void("web", errRestarted.Error())
	at.Store("store", "10.0.0.4")
	void("other", "")
	void("store", "10.0.0.4:80")
}
