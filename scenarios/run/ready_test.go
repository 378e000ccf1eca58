package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// starts is a server that answers at once, and leads only from its third answer on.
func starts(t *testing.T) (url string, answers *atomic.Int64) {
	answers = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		if r.Header.Get("X-For") == "ready of "+strings.TrimPrefix(r.Host, "127.0.0.1:") || r.URL.Path != "/role" {
			n = int(answers.Add(1))
		}
		if r.URL.Path == "/metrics" {
			fmt.Fprintf(w, "leads %d\n", n/3)
			return
		}
		fmt.Fprintf(w, `{"role": %q}`, map[bool]string{true: "leader", false: "none"}[n >= 3])
	}))
	t.Cleanup(s.Close)
	return s.URL, answers
}

// TestReady asks a target that runs already whether it is ready, in each way that a question has: the load begins only
// once the answer is yes.
func TestReady(t *testing.T) {
	t.Parallel()
	for _, ready := range []string{
		`{path: /role, check: {"$.role": leader}, headers: {X-For: "ready of ${self.port}"}}`,
		`{command: "curl -s $BRUNT_ADDR/own | grep -q leader"}`,
		`{scrape: /metrics, metric: leads, above: 0}`,
		`{ask: {get: /own, check: {"$.role": leader}}}`,
	} {
		t.Run(ready[1:8], func(t *testing.T) {
			t.Parallel()
			if strings.Contains(ready, "curl") {
				suite.Needs(t, suite.Programs("curl"))
			}
			url, answers := starts(t)
			before := int64(0)
			res := runText(t, `version: 1
target: {url: "`+url+`", ready: `+ready+`}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 3s, flow: [{get: /load, check: {"$.role": leader}}]}}
slo: [errors = 0%]
`, run.Options{Begun: func(run.Sampler) { before = answers.Load() }})
			if res.Verdict != scenarios.Pass || before < 3 {
				t.Errorf("%s after %d questions: %s", res.Verdict, before, res.Reason)
			}
		})
	}
}

// TestReady_OfUnits asks each unit of a target that brunt starts, and says what was answered when the time is up.
func TestReady_OfUnits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, ready, want string
		verdict           scenarios.Verdict
	}{
		{
			"a command", `{command: "curl -s http://$BRUNT_HOST:${self.port}/role | grep -q term", within: 10s}`, "",
			scenarios.Pass,
		},
		{"a check", `{path: /role, check: {"$.term": 7}, within: 10s}`, "", scenarios.Pass},
		{"a step", `{ask: {get: /role, check: {"$.term": 7}}, within: 10s}`, "", scenarios.Pass},
		{
			"a check that fails", `{path: /role, check: {"$.term": 8}, within: 4s}`,
			"is not ready: not within 4s: GET /role: $.term is 7", scenarios.Invalid,
		},
		{
			"a command that fails", `{command: "echo no quorum; false", within: 4s}`, "exit status 1: no quorum",
			scenarios.Invalid,
		},
		{
			"a step that fails", `{ask: {get: /role, check: {"$.term": 8}}, within: 4s}`,
			"is not ready: not within 4s: GET /role", scenarios.Invalid,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.ready, "curl") {
				suite.Needs(t, suite.Programs("curl"))
			}
			text := strings.Replace(elected(t, "slo: [errors = 0%]\n"), "ready: {get: /}", "ready: "+c.ready, 1)
			text = strings.Replace(text, "duration: 7s", "duration: 1s", 1)
			began := time.Now()
			res := runText(t, text, run.Options{})
			if res.Verdict != c.verdict || !strings.Contains(res.Reason, c.want) {
				t.Errorf("%s after %s: %s; want %q", res.Verdict, time.Since(began), res.Reason, c.want)
			}
		})
	}
}
