package run_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestWhole holds the share of whole answers against the account of a server that leaves a name out of each third
// answer while a fault is in. Such an answer is good, and the fault is not without an effect.
func TestWhole(t *testing.T) {
	t.Parallel()
	var answers, partial atomic.Int64
	var broken atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/break", "/mend":
			broken.Store(r.URL.Path == "/break")
		case "/broken":
			fmt.Fprintf(w, `{"broken": %v}`, broken.Load())
		default:
			n := answers.Add(1)
			if broken.Load() && n%3 == 0 {
				partial.Add(1)
				fmt.Fprint(w, `{"author": {}}`)
				return
			}
			fmt.Fprint(w, `{"author": {"name": "ann"}}`)
		}
	}))
	t.Cleanup(s.Close)
	res := runOnce(t, strings.ReplaceAll(`version: 1
name: whole
target: {url: "URL"}
judge: {hold: 1s, slow: 1s}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 6s, flow: [{get: /, name: read, check: {status: 200}, want: {"$.author.name": exists}}]}}
chaos:
  degrade:
    at: 2s
    for: 2s
    webhook:
      inject: {post: "URL/break"}
      verify: {get: "URL/broken", check: {"$.broken": true}}
      revert: {post: "URL/mend"}
slo: [errors <= 0%, whole = 100% in baseline, whole > 90% in degrade, whole < 80% in degrade, whole = 100% in recovery/degrade]
`, "URL", s.URL), run.Options{})
	want := []scenarios.Verdict{scenarios.Pass, scenarios.Pass, scenarios.Fail, scenarios.Pass, scenarios.Pass}
	for i, o := range res.Objectives {
		if o.Verdict != want[i] {
			t.Errorf("%s: %s, measured %v (%s); want %s", o.Text, o.Verdict, o.Measured, o.Note, want[i])
		}
	}
	if got := float64(res.Objectives[2].Measured); math.Abs(got-2./3) > .1 /* the injection takes time */ {
		t.Errorf("%v of the answers are whole while the fault is in; the server made two of three so", got)
	}
	if p := res.Faults[0].Parts; p == nil || p.Partial != partial.Load() || !p.Lacking || p.PartialBefore != 0 {
		t.Errorf("the parts of the impact are %+v; the server left out %d names", p, partial.Load())
	}
}
