package run_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// depths is a target with a page of metrics, of which one grows with each reading, and one requires
// the token.
func depths(t *testing.T) *httptest.Server {
	var samples atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/metrics":
			fmt.Fprint(w, "ok")
		case r.Header.Get("Authorization") != "Bearer t0ken":
			http.Error(w, "who are you? not "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		default:
			n := samples.Add(1)
			fmt.Fprintf(w, "depth{queue=\"a\"} %d\ndepth{queue=\"b\"} 1\n# TYPE seen_total counter\nseen_total %d\n", n, 100*n)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestObserver(t *testing.T) {
	t.Setenv("BRUNT_TEST_TOKEN", "t0ken")
	s := depths(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	text := `version: 1
name: observed
target: {url: "` + s.URL + `"}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, flow: [{get: /}]}}
metrics:
  depth: {scrape: "` + s.URL +
		`/metrics", metric: depth, every: 100ms, headers: {Authorization: "Bearer ${env.BRUNT_TEST_TOKEN}"}}
  seen: {scrape: "` + s.URL +
		`/metrics", metric: seen_total, rate: true, every: 100ms, headers: {Authorization: "Bearer ${env.BRUNT_TEST_TOKEN}"}}
  refused: {scrape: "` + s.URL +
		`/metrics", metric: depth, every: 100ms, headers: {Authorization: "Bearer x${env.BRUNT_TEST_TOKEN}"}}
  dead: {prometheus: "` + gone.URL + `", query: up, every: 100ms}
`
	t.Run("judged", func(t *testing.T) {
		res := runOnce(t, text+
			"slo: [metric(depth) < 10000, metric(seen) > 100/s, slope(depth) > 1/m, metric(dead) < 5, metric(refused) < 5]\n",
			run.Options{})
		// one of the queues does not grow
		want := []scenarios.Verdict{
			scenarios.Pass, scenarios.Pass, scenarios.Fail, scenarios.Inconclusive, scenarios.Inconclusive,
		}
		for i, o := range res.Objectives {
			if o.Verdict != want[i] {
				t.Errorf("%s: %s, measured %v (%s)", o.Text, o.Verdict, o.Measured, o.Note)
			}
		}
		for i, cause := range []string{"", "", "", "connection refused", "status 401"} {
			if o := &res.Objectives[i]; !strings.Contains(o.Note, cause) || cause == "" && strings.Contains(o.Note, "GET ") {
				t.Errorf("%s: the note %q, want one that says %q", o.Text, o.Note, cause)
			}
		}
		points := map[string]int{}
		for _, s := range res.Series {
			points[s.Name+s.Labels["queue"]] = len(s.Points)
			for i := 1; i < len(s.Points); i++ {
				if s.Points[i].T <= s.Points[i-1].T || s.Points[0].T < 0 || float64(s.Points[i].T) > 10 {
					t.Errorf("%s: %v after %v", s.Name, s.Points[i], s.Points[i-1])
				}
			}
		}
		if points["deptha"] < 10 || points["depthb"] != points["deptha"] || points["seen"] < 10 || len(res.Series) != 5 {
			t.Errorf("%v", points)
		}
		notes := strings.Join(res.Notes, "\n")
		for _, want := range []string{
			"metric dead was never read", "connection refused", "metric refused was never read", "status 401",
		} {
			if !strings.Contains(notes, want) {
				t.Errorf("%q is missing in:\n%s", want, notes)
			}
		}
		if b, err := json.Marshal(res); err != nil || strings.Contains(string(b), "t0ken") {
			t.Errorf("the token stands in the result: %v", err)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		res := runOnce(t, strings.Replace(text, "duration: 3s", "duration: 20s", 1)+"stop: [metric(depth) > 3 for 500ms]\n",
			run.Options{})
		if res.Verdict != scenarios.Stopped || !strings.Contains(res.Reason, "metric(depth) > 3 for 500ms") ||
			res.Duration > 15 {
			t.Errorf("%s after %v: %s", res.Verdict, res.Duration, res.Reason)
		}
	})
	t.Run("unsteady", func(t *testing.T) {
		res := runOnce(t, text+`chaos: {slow: {at: 1500ms, for: 500ms, network.latency: {from: load, to: target, delay: 5ms}}}
steady: [metric(depth) > 1000000]
`, run.Options{})
		lost := slices.ContainsFunc(res.Events, func(e result.Event) bool {
			return e.Event == "steady.lost" && strings.Contains(e.Text, "`metric(depth) > 1000000`, measured")
		})
		if res.Verdict == scenarios.Pass || !lost || len(res.Faults) > 0 && res.Faults[0].Injected.Known() {
			t.Errorf("%s: %s", res.Verdict, res.Reason)
		}
	})
}
