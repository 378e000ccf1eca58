package run_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestRetry holds clients that retry against the log of a server that keeps a write and refuses its first two attempts:
// every attempt of a request is the same to the byte and bears the same id for the ledger, so that a server that knows
// it again keeps one write.
func TestRetry(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	attempts, bodies, total := map[string]int{}, map[string]string{}, 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if key := r.URL.Query().Get("key"); r.Method == http.MethodGet {
			found := `[1]`
			if attempts[key] == 0 {
				found = `[]`
			}
			fmt.Fprintf(w, `{"items": %s}`, found)
			return
		}
		key, body := r.Header.Get("Idempotency-Key"), ""
		if text, err := io.ReadAll(r.Body); err == nil {
			body = string(text)
		}
		if attempts[key] > 0 && bodies[key] != body {
			t.Errorf("attempt %d of %s sends %q, the first sent %q", attempts[key]+1, key, body, bodies[key])
		}
		attempts[key], bodies[key] = attempts[key]+1, body
		if total++; attempts[key] < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	res := runOnce(t, `version: 1
name: retry
target: {url: "`+s.URL+`"}
load:
  main:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 3s
    retry: {times: 2, backoff: 20ms}
    flow: [{post: /, name: write, json: {text: "${uuid()} ${int(1,1000000)}"}, headers: {Idempotency-Key: "${ledger.id}"}, check: {status: 200}}]
ledger: {write: write, ack: status 200, id: "${ledger.id}", read: {get: "/?key=${id}"}, count: "$.items", settle: 200ms, within: 1s}
slo: [errors = 0%, lost = 0, duplicated = 0, attempts < 3.1, attempts < 2.9, p50 > 60ms]
`, run.Options{})
	want := []scenarios.Verdict{
		scenarios.Pass, scenarios.Pass, scenarios.Pass, scenarios.Pass, scenarios.Fail, scenarios.Pass,
	}
	for i, o := range res.Objectives {
		if o.Verdict != want[i] {
			t.Errorf("%s: %s, measured %v (%s); want %s", o.Text, o.Verdict, o.Measured, o.Note, want[i])
		}
	}
	if got := float64(res.Objectives[3].Measured); math.Abs(got-float64(total)/float64(len(attempts))) > .01 ||
		res.Generator.Attempts != int64(total) {
		t.Errorf("%v attempts a request, %d in all; the server counted %d of %d writes", got, res.Generator.Attempts, total,
			len(attempts))
	}
}
