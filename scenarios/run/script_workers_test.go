//go:build unix

package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// divided is a script whose every iteration asks for a path of its own, with what setup returned.
const divided = `
import http from 'k6/http';
import exec from 'k6/execution';
import { Trend, Counter } from 'k6/metrics';
const number = new Trend('number'), made = new Counter('made');
export const options = {
  scenarios: {
    rate: { executor: 'constant-arrival-rate', rate: 40, duration: '1990ms', preAllocatedVUs: 30, gracefulStop: '5s' },
    shared: { executor: 'shared-iterations', vus: 3, iterations: 20, exec: 'shared' },
  },
  thresholds: { made: ['count==100'], number: ['max==79', 'min==0'], 'http_reqs{scenario:shared}': ['count==20'] },
};
export function setup() { http.get(__ENV.BRUNT_URL + '/setup'); return { token: 't1', list: [1, 2] }; }
function ask(of, data) {
  http.get(__ENV.BRUNT_URL + '/' + of + '/' + exec.scenario.iterationInTest + '/' + data.token + data.list.length, { tags: { name: of } });
  made.add(1);
}
export default function (data) { number.add(exec.scenario.iterationInTest); ask('rate', data); }
export function shared(data) { ask('shared', data); }
export function teardown(data) { http.get(__ENV.BRUNT_URL + '/teardown/' + data.token); }
`

// inOrder is a target that keeps the paths that it is asked for.
type inOrder struct {
	*httptest.Server
	mu    sync.Mutex
	paths []string
}

func newInOrder(t *testing.T) *inOrder {
	s := &inOrder{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.paths = append(s.paths, r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *inOrder) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.paths)
}

const dividedText = `
version: 1
target: {url: "URL"}
load:
  script: {k6: script.js}
  beside: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /beside}]}
slo: [errors = 0%]
`

// TestScript_Workers: the processes that a script is divided between make the iterations of one, each once. Setup runs
// once, all have its data, teardown runs once, when all iterations are over, and thresholds are about all of it.
func TestScript_Workers(t *testing.T) {
	s := newInOrder(t)
	p := scripted(t, s.URL, dividedText, divided)
	var started []string
	res, err := run.Run(t.Context(), p, run.Options{
		State: t.TempDir(),
		Event: func(e result.Event) {
			if e.Event == "script.start" {
				title, _, _ := strings.Cut(e.Text, ":")
				started = append(started, title)
			}
		},
		Workers: threeOf(t, p.Scenario.File),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/setup", "/teardown/t1"}
	for i := range 80 {
		want = append(want, fmt.Sprintf("/rate/%d/t12", i))
	}
	for i := range 20 {
		want = append(want, fmt.Sprintf("/shared/%d/t12", i), "/beside")
	}
	got := s.asked()
	if len(got) == 0 {
		t.Fatal(res.Reason)
	}
	if last := got[len(got)-1]; got[0] != "/setup" || last != "/teardown/t1" {
		t.Errorf("the first request is %s, the last %s", got[0], last)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d requests, want %d: %q", len(got), len(want), got)
	}
	if names := []string{
		"script in worker 1 of 3", "script in worker 2 of 3", "script in worker 3 of 3",
	}; !slices.Equal(started, names) {
		t.Errorf("started %q", started)
	}
	if res.Verdict != scenarios.Pass || res.Generator.Sent != 120 || len(res.Objectives) != 5 {
		t.Errorf("%s: %s: %d requests, %+v", res.Verdict, res.Reason, res.Generator.Sent, res.Objectives)
	}
	for _, m := range res.Metrics {
		if m.Name == "number" && (m.Count != 80 || m.Min != 0 || m.Max != 79 || m.P50 != 39 || m.Sum != 79*80/2) {
			t.Errorf("%+v", m)
		}
	}
}

// TestScript_WorkerKilled: when one process of a script is killed, the others end, the first runs teardown, and the run
// names the process.
func TestScript_WorkerKilled(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	s := newInOrder(t)
	p := scripted(t, s.URL, dividedText, strings.Replace(divided, "duration: '1990ms'", "duration: '60s'", 1))
	pid := make(chan int, 1)
	go func() {
		suite.Until(t, "some load", func() bool { return len(s.asked()) > 60 })
		if err := syscall.Kill(<-pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}()
	began := time.Now()
	res, err := run.Run(t.Context(), p, run.Options{
		State: t.TempDir(),
		Event: func(e result.Event) {
			var n int
			if _, err := fmt.Sscanf(e.Text, "script in worker 3 of 3: pid %d", &n); err == nil {
				pid <- n
			}
		},
		Workers: threeOf(t, p.Scenario.File),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(s.asked(), func(path string) bool { return path == "/beside" }) // another load
	if len(got) == 0 {
		t.Fatal(res.Reason)
	}
	if want := `Load "script": its script failed in worker 3 of 3: signal: killed`; res.Verdict != scenarios.Broken ||
		!strings.Contains(res.Reason, want) {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if last := got[len(got)-1]; last != "/teardown/t1" || time.Since(began) > 40*time.Second {
		t.Errorf("the last request is %s, after %s", last, time.Since(began))
	}
}
