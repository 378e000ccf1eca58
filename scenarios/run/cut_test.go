package run_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// slowServer answers its first 20 requests at once, and the others never.
func slowServer(t *testing.T) string {
	var n atomic.Int64
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if n.Add(1) > 20 {
			select {
			case <-r.Context().Done():
			case <-over:
			}
		}
	}))
	t.Cleanup(func() { close(over); s.Close() })
	return s.URL
}

// TestCutOff: requests that brunt itself cuts off are no failure of the target, however its load ends. What they lasted
// is one.
func TestCutOff(t *testing.T) {
	t.Parallel()
	const open = "executor: constant-arrival-rate, rate: 40/s, duration: 2s"
	const closed = "executor: per-vu-iterations, vus: 20, iterations: 4, max_duration: 2s"
	for name, c := range map[string]struct {
		load string
		stop time.Duration // zero means never
		want scenarios.Verdict
		says string
	}{
		"after the grace":    {open, 0, scenarios.Invalid, "set `grace` to the timeout, 30s"},
		"vegeta":             {"engine: vegeta, " + open, 0, scenarios.Invalid, "set `grace` to the timeout, 30s"},
		"after max_duration": {closed, 0, scenarios.Invalid, "set `grace` to the timeout, 30s"},
		"after Ctrl-C":       {open + "0s", 2 * time.Second, scenarios.Inconclusive, "the run was ended while"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := mustCompile(t, fmt.Sprintf(`
version: 1
name: cut off
target: {url: %q}
load: {main: {%s, timeout: 30s, grace: 1s, flow: [{get: /}]}}
slo: [errors < 9%%, p80 < 700ms]
`, slowServer(t), c.load))
			if !strings.Contains(strings.Join(plan.Notes, "\n"), "Set `grace: 30s`") {
				t.Errorf("nothing warns that the timeout is longer than the grace: %q", plan.Notes)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.stop > 0 {
				defer time.AfterFunc(c.stop, func() { cancel(run.Interrupt{Code: 130}) }).Stop()
			}
			res, err := run.Run(ctx, plan, run.Options{State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if o := objective(t, res, "errors < 9%"); o.Verdict != c.want || !strings.Contains(o.Note, c.says) {
				t.Errorf("errors: %s (%s), want %s (%s)", o.Verdict, o.Note, c.want, c.says)
			}
			if o := objective(t, res, "p80 < 700ms"); o.Verdict != scenarios.Fail {
				t.Errorf("p80: %s (%s), want fail: two in five requests or more lasted longer", o.Verdict, o.Note)
			}
		})
	}
}

// TestCutOff_Script: k6 makes no sample of a request that its `gracefulStop` cuts off. It is told all the same, as one
// of which it is unknown whether it would have been answered.
func TestCutOff_Script(t *testing.T) {
	plan := scripted(t, slowServer(t), `
version: 1
name: a script that cuts off
target: {url: "URL"}
load: {main: {k6: script.js}}
slo: [errors < 9%, errors < 90%]
`, `
import http from 'k6/http';
export const options = { scenarios: { main: {
  executor: 'constant-arrival-rate', rate: 40, duration: '2s', preAllocatedVUs: 80, gracefulStop: '1s',
} } };
export default function () { http.get(__ENV.BRUNT_URL + '/', { timeout: '30s' }); }
`)
	res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if o := objective(t, res, "errors < 9%"); o.Verdict != scenarios.Invalid ||
		!strings.Contains(o.Note, "set `gracefulStop`") {
		t.Errorf("errors: %s (%s), measured %v, want invalid for the script's gracefulStop", o.Verdict, o.Note, o.Measured)
	}
	if o := objective(t, res, "errors < 90%"); o.Verdict != scenarios.Pass {
		t.Errorf("errors: %s (%s), measured %v, want pass", o.Verdict, o.Note, o.Measured)
	}
}
