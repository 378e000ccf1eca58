package run_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestCounters holds what objectives say of a target's counters against the target's own account: it makes three calls
// for each request, and answers two of three of them from a cache.
func TestCounters(t *testing.T) {
	t.Parallel()
	var requests, calls, hits atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			fmt.Fprintf(w, "# TYPE calls_total counter\ncalls_total{to=\"a\"} %d\ncalls_total{to=\"b\"} %d\nhits_total %d\n",
				calls.Load(), 2*calls.Load(), hits.Load())
			return
		}
		requests.Add(1)
		calls.Add(1)
		hits.Add(2)
	}))
	t.Cleanup(s.Close)
	res := runOnce(t, `version: 1
name: counters
target: {url: "`+s.URL+`"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 4s, flow: [{get: /, name: read}]}}
metrics:
  calls: {scrape: "`+s.URL+`/metrics", metric: calls_total, every: 100ms}
  hits: {scrape: "`+s.URL+`/metrics", metric: hits_total, every: 100ms}
slo:
  - per_request(calls) < 3.3
  - per_request(calls) < 2.5 of read
  - "ratio(hits, calls) > 60%"
  - "ratio(hits, calls) > 70%"
  - increase(calls) > 1000
`, run.Options{})
	sent := float64(requests.Load())
	for i, want := range []struct {
		verdict  scenarios.Verdict
		measured float64
	}{
		{scenarios.Pass, 3},
		{scenarios.Fail, 3},
		{scenarios.Pass, 2. / 3},
		{scenarios.Fail, 2. / 3},
		{scenarios.Pass, 3 * sent},
	} {
		o := res.Objectives[i]
		if got := float64(o.Measured); o.Verdict != want.verdict || math.IsNaN(got) || math.Abs(got/want.measured-1) > 0.1 {
			t.Errorf("%s: %s, measured %v (%s), want %s and %v", o.Text, o.Verdict, o.Measured, o.Note, want.verdict,
				want.measured)
		}
	}
}
