package child_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/proxy"
	"brunt/scenarios/suite"
)

// TestDescriptors plays 2000 short faults on a link: neither brunt nor the process of its proxies keeps a descriptor of
// a fault.
func TestDescriptors(t *testing.T) {
	suite.Long(t)
	const some, all = 200, 2000
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(s.Close)
	at := s.Listener.Addr().String()
	own, err := proxy.Start(proxy.Config{Upstream: func() string { return at }, Seed: 1, HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	p, other := start(t)
	for name, on := range map[string]chaos.Proxy{"in brunt": own, "in a process": other} {
		t.Run(name, func(t *testing.T) {
			w := chaostest.World{
				Scope: chaos.Scope{
					Services: map[string]int{"web": 1, "store": 1}, Edges: []chaos.EdgeName{{From: "web", To: "store"}},
				},
				Env: chaos.Env{
					Targets:    chaos.Targets{Links: []*chaos.Link{{From: "web[0]", To: "store[0]", Proxy: on}}},
					Occurrence: chaos.Occurrence{Now: func() time.Duration { return time.Second }},
				},
			}
			early := 0
			for i := range all {
				yaml := []string{"http.error: {from: web, to: store}", "network.reset: {from: web, to: store}"}[i%2]
				if i%20 == 0 {
					yaml = "network.latency: {from: web, to: store, delay: 5ms}"
				}
				play(t, yaml, w)
				if i+1 == some {
					early = descriptors(t, os.Getpid()) + descriptors(t, p.ID().PID)
				}
			}
			late := 0
			if !suite.Within(5*time.Second, func() bool {
				late = descriptors(t, os.Getpid()) + descriptors(t, p.ID().PID)
				return late <= early
			}) {
				t.Errorf("%d descriptors are open after %d faults, and %d after %d", late, all, early, some)
			}
			t.Logf("%d descriptors after %d faults, %d after %d", early, some, late, all)
		})
	}
}

// play injects a fault and takes it back, with both proofs. A proof is unknown where the machine is too busy.
func play(t *testing.T, yaml string, w chaostest.World) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, s := range chaostest.Plan(t, yaml, w) {
		h, err := s.Inject(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, verr := h.Verify(ctx)
		_, rerr := h.Revert(ctx)
		_, gerr := h.Gone(ctx)
		for _, err := range []error{verr, rerr, gerr} {
			if err != nil && !errors.Is(err, chaos.ErrNoAnswer) {
				t.Fatalf("%s: %v", yaml, err)
			}
		}
	}
}

// descriptors counts the descriptors of a process.
func descriptors(t *testing.T, pid int) int {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
