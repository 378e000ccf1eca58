package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"
)

// A smoke run fails with 3 if a request does before the first fault, and injects nothing then. What fails
// while a fault is in is no failure of the scenario.
func TestSmoke(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wrong" {
			http.Error(w, "no such path", http.StatusNotFound)
		}
	}))
	defer s.Close()
	for _, c := range []struct {
		path, fault string
		verdict     scenarios.Verdict
		code        int
		injected    bool
	}{
		{"/", "network.stall: {to: target}", scenarios.Pass, 0, true},
		{"/wrong", "network.stall: {to: target}", scenarios.Fail, 3, false},
	} {
		p, err := plan.ReduceToSmoke(mustCompile(t, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 60s, timeout: 500ms, flow: [{get: %q}]}}
chaos: {it: {at: 30s, for: 1s, %s}}
slo: [errors < 1%%, recover < 5s after it]
`, s.URL, c.path, c.fault)))
		if err != nil {
			t.Fatal(err)
		}
		res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if res.Verdict != c.verdict || res.ExitCode != c.code || res.Faults[0].Injected.Known() != c.injected ||
			len(res.Objectives) != 1 {
			t.Errorf("%s: %s, exit %d: %s; %+v", c.path, res.Verdict, res.ExitCode, res.Reason, res.Faults[0])
		}
	}
}
