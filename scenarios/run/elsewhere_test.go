package run_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// keep serves a store with one copy: PUT /w/ID keeps an id, but for every fourth, which it acknowledges and loses. GET
// /w/ID tells whether it has it.
func keep() error {
	var mu sync.Mutex
	have, n := map[string]bool{}, 0
	return http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), //nolint:gosec // a test
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case r.Method == http.MethodPut:
				n++
				have[r.URL.Path] = n%4 != 0
			case r.URL.Path != "/" && !have[r.URL.Path]:
				http.NotFound(w, r)
			}
		}))
}

// TestLedger_Elsewhere: after a split brain the clients' address leads to one server, and the writes are on another
// one: they are not gone, and nothing says that clients will read them. Writes that no server has are lost.
func TestLedger_Elsewhere(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"units":        `at: ["db[0]"]`,
		"the endpoint": ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, fmt.Sprintf(`version: 1
name: split brain
seed: 7
target: {processes: {db: {command: [%q, role, keep], replicas: 2, ready: {get: /}}}, entry: db}
load:
  main:
    executor: shared-iterations
    vus: 2
    iterations: %d
    flow: [{put: "http://${unit.db[1].addr}/w/${ledger.id}", name: write}]
ledger: {write: write, id: "${ledger.id}", read: {get: "/w/${id}"}, settle: 0s, within: 4s, %s}
slo: [lost < 1, lost <= %d, lost <= %d, stale < 10%%]
`, os.Args[0], written, at, written/4, written), run.Options{State: t.TempDir(), Proxies: self("proxies")})
			l := res.Ledger
			if l.Lost != written/4 || l.Elsewhere != written-written/4 || l.Unsure() != l.Elsewhere || l.Held != 0 ||
				!slices.Equal(l.Holders, []string{"db[1]"}) {
				t.Errorf("%d lost, %d elsewhere (%v), %d held; want %d, the rest at db[1], none", l.Lost, l.Elsewhere, l.Holders,
					l.Held, written/4)
			}
			for i, want := range []scenarios.Verdict{
				scenarios.Fail, scenarios.Inconclusive, scenarios.Pass, scenarios.Fail,
			} {
				if o := &res.Objectives[i]; o.Verdict != want {
					t.Errorf("%s is %s (%s), want %s", o.Text, o.Verdict, o.Note, want)
				}
			}
			if o := &res.Objectives[1]; !strings.Contains(o.Note, "are on db[1], not where clients read") {
				t.Errorf("%s: %q", o.Text, o.Note)
			}
			for _, k := range l.Keys {
				if there := k.Found["db[1]"] > 0; there != (k.State == result.WriteElsewhere) || k.Found["db[0]"] != 0 {
					t.Errorf("%+v", k)
				}
			}
		})
	}
}
