package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// compileSource compiles the scenario of a run in a worker.
func compileSource(s workers.Source) (*plan.Plan, error) {
	sc, err := scenarios.Parse(s.Path, scenarios.Options{Read: func(path string) ([]byte, error) {
		if path != s.Path {
			return os.ReadFile(path)
		}
		return []byte(s.Text), nil
	}})
	if sc == nil {
		return nil, err
	}
	sc.Seed = s.Seed
	for _, entry := range s.Environ {
		if path, ok := strings.CutPrefix(entry, "BRUNT_K6="); ok {
			_ = os.Setenv("BRUNT_K6", path)
		}
	}
	return plan.Compile(sc, plan.CompileOptions{Self: self("demo-service")})
}

// withWorkers runs a scenario with n workers.
func withWorkers(t *testing.T, n int, text string, o run.Options) *result.Result {
	t.Helper()
	p := mustCompile(t, text)
	o.State, o.Workers = t.TempDir(), run.Workers{
		N: n, Command: self("worker"), Source: workers.Source{Path: p.Scenario.File, Text: text},
	}
	res, err := run.Run(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// threeOf are three workers of the scenario in a file.
func threeOf(t *testing.T, file string) run.Workers {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return run.Workers{N: 3, Command: self("worker"), Source: workers.Source{Path: file, Text: string(text)}}
}

// asked is a server that counts what it is asked.
type asked struct {
	*httptest.Server
	mu    sync.Mutex
	paths map[string]int
	n     atomic.Int64
}

func newAsked(t *testing.T) *asked {
	a := &asked{paths: map[string]int{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.n.Add(1)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.paths[r.URL.Path+" "+r.Header.Get("X-Token")]++
		fmt.Fprint(w, `{"token": "t1"}`)
	}))
	t.Cleanup(a.Close)
	return a
}

// splitRole runs a scenario with two workers: FILE STATE. It prints the processes of the workers, and then the result.
func splitRole(args []string) error {
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	plan, err := compileFile(args[0])
	if err != nil {
		return err
	}
	res, err := run.Run(context.Background(), plan, run.Options{
		State: args[1], Workers: run.Workers{
			N: 2, Command: self("worker"),
			Source: workers.Source{Path: args[0], Text: string(b)},
		},
		Event: func(e result.Event) {
			if e.Event == "worker.joined" || e.Event == "load.start" {
				fmt.Println(e.Event, e.Text)
			}
		},
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// TestWorkers: what the workers of a run report is what the server has seen, request by request: unique rows once, what
// setup extracted, the loads of arrivals and of users, and a fault between them and the server.
func TestWorkers(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	res := withWorkers(t, 3, fmt.Sprintf(`
version: 1
seed: 5
target: {url: %q}
data: {row: {range: 1..150, pick: unique}}
setup: [{get: /login, extract: {token: $.token}}]
load:
  rows: {executor: constant-arrival-rate, rate: 75/s, duration: 2s, flow: [{get: "/row/${data.row.value}", headers: {X-Token: "${var.token}"}}]}
  users: {executor: per-vu-iterations, vus: 4, iterations: 5, max_duration: 5s, flow: [{get: /user}, {get: /other}]}
chaos: {slow: {at: 1s, for: 500ms, network.latency: {from: load, to: target, delay: 30ms}}}
slo: [errors = 0%%]
`, s.URL), run.Options{Proxies: self("proxies")})
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range 150 {
		if n := s.paths[fmt.Sprintf("/row/%d t1", i+1)]; n != 1 {
			t.Errorf("row %d was asked for %d times", i+1, n)
		}
	}
	if s.paths["/user "] != 20 || s.paths["/other "] != 20 {
		t.Errorf("the users asked %v", s.paths)
	}
	sum := result.Worker{}
	for _, w := range res.Workers {
		if w.Owed != w.Reported || w.Lost != 0 || w.LostWhy != "" || w.Sent == 0 || w.Connections == 0 {
			t.Errorf("%+v", w)
		}
		sum.Owed, sum.Sent = sum.Owed+w.Owed, sum.Sent+w.Sent
	}
	if len(res.Workers) != 3 || sum.Owed != 170 || sum.Sent != 190 || s.n.Load() != 191 || res.Generator.Sent != 190 {
		t.Errorf("%d workers owe %d iterations and sent %d requests, %d in all; the server has seen %d", len(res.Workers),
			sum.Owed, sum.Sent,
			res.Generator.Sent, s.n.Load())
	}
	if c := cellOf(res, "slow", "ok"); c.Count < 30 || res.Faults[0].Traffic == 0 {
		t.Errorf("the fault: %+v, %+v", c, res.Faults[0])
	}
	if res.Verdict != scenarios.Pass {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
}

// TestWorkers_Killed: a worker that dies is named, what it owed is reported or lost, and the objectives that this could
// change are invalid, and no others.
func TestWorkers_Killed(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	s := newAsked(t)
	var second atomic.Int64
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		suite.Until(t, "half of the load", func() bool { return s.n.Load() > 300 })
		id, err := proc.Identify(int(second.Load()))
		if err == nil {
			err = proc.Signal(id, "KILL")
		}
		if err != nil {
			t.Error(err)
		}
	}()
	res := withWorkers(t, 3, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 200/s, duration: 3s, flow: [{get: /}]}}
chaos: {slow: {at: 500ms, for: 300ms, network.latency: {from: load, to: target, delay: 5ms}}}
slo: [errors < 50%% in baseline, errors < 5%%, max < 1ns, rate > 100/s in baseline]
`, s.URL), run.Options{Proxies: self("proxies"), Event: func(e result.Event) {
		var n, of, pid int
		if _, err := fmt.Sscanf(e.Text, "worker %d of %d: pid %d", &n, &of, &pid); err == nil && n == 2 {
			second.Store(int64(pid))
		}
	}})
	<-killed
	var reported, lost int64
	for _, w := range res.Workers {
		if w.Owed != 200 || w.Owed != w.Reported+w.Lost || (w.N == 2) != (w.Lost > 0) ||
			(w.N == 2) != strings.Contains(w.LostWhy, "killed") {
			t.Errorf("%+v", w)
		}
		reported, lost = reported+w.Reported, lost+w.Lost
	}
	w := res.Workers[1]
	if unreported := s.n.Load() - reported; unreported < 0 || unreported > w.Unsure ||
		reported != cellOf(res, "run", "ok").Count {
		t.Errorf("the server has seen %d, %d are reported, and at most %d were sent besides", s.n.Load(), reported, w.Unsure)
	}
	verdicts := []scenarios.Verdict{scenarios.Pass, scenarios.Invalid, scenarios.Fail, scenarios.Pass}
	for i, o := range res.Objectives {
		if o.Verdict != verdicts[i] || (o.Verdict == scenarios.Invalid) != strings.Contains(o.Note, "worker 2 of 3 (pid") {
			t.Errorf("%s: %s, want %s: %s", o.Text, o.Verdict, verdicts[i], o.Note)
		}
	}
	noted := func(n string) bool { return strings.Contains(n, fmt.Sprintf("lost with %d of the 200", lost)) }
	if res.Verdict != scenarios.Fail || !slices.ContainsFunc(res.Notes, noted) {
		t.Errorf("%s: %s, %q", res.Verdict, res.Reason, res.Notes)
	}
}

// TestWorkers_Secrets: what becomes secret in a worker is masked in all that its run says.
func TestWorkers_Secrets(t *testing.T) {
	t.Parallel()
	const token = "k3y-9f8e7d6c5b4a3f2e1d"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request,
	) {
		fmt.Fprintf(w, `{"token": %q}`, token)
	}))
	t.Cleanup(s.Close)
	text := fmt.Sprintf(`
version: 1
target: {url: %q}
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [
    {get: /login, extract: {token: $.token}}, {get: /, headers: {X-Token: "${var.token}"}}]}
`, s.URL)
	p := mustCompile(t, text)
	if _, err := run.Run(t.Context(), p, run.Options{
		State: t.TempDir(), Workers: run.Workers{
			N: 2, Command: self("worker"),
			Source: workers.Source{Path: p.Scenario.File, Text: text},
		},
	}); err != nil {
		t.Fatal(err)
	}
	if said := p.Scenario.Secrets.Mask("the answer was " + token); strings.Contains(said, token) {
		t.Error(said)
	}
}

// TestWorkers_Vegeta: vegeta's attackers of all workers make the requests of one: each target in turn as often, and no
// random value twice.
func TestWorkers_Vegeta(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	file := scenario(t, fmt.Sprintf(`
version: 1
target: {url: %q}
load:
  attack:
    {engine: vegeta, executor: constant-arrival-rate, rate: 120/s, duration: 1s, targets: targets.txt, request: {headers: {X-Token: "${uuid()}"}}}
`, s.URL))
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "targets.txt"),
		[]byte("GET /0\n\nGET /1\n\nGET /2\n\nGET /3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := compileFile(file)
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir(), Workers: threeOf(t, file)})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := map[string]int{}
	for path := range s.paths {
		target, _, _ := strings.Cut(path, " ")
		asked[target]++
	}
	if want := (map[string]int{"/0": 30, "/1": 30, "/2": 30, "/3": 30}); !maps.Equal(asked, want) || s.n.Load() != 120 ||
		res.Generator.Sent != 120 {
		t.Errorf("%d requests, of %d random values by target %v, want %v", s.n.Load(), len(s.paths), asked, want)
	}
}

// TestWorkers_Marks: a fault that begins while workers make loads of any executor is a phase of each of them, and its
// requests are those of the time that it was in.
func TestWorkers_Marks(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	res := withWorkers(t, 2, fmt.Sprintf(`
version: 1
target: {url: %q}
load:
  users: {executor: constant-vus, vus: 2, duration: 3s, flow: [{get: /users}, {think: 20ms}]}
  ramp: {executor: ramping-vus, start_vus: 2, stages: [{vus: 4, duration: 3s}], flow: [{get: /ramp}, {think: 20ms}]}
  each: {executor: per-vu-iterations, vus: 2, iterations: 1000, max_duration: 3s, flow: [{get: /each}, {think: 20ms}]}
  shared: {executor: shared-iterations, vus: 2, iterations: 1000, max_duration: 3s, flow: [{get: /shared}, {think: 20ms}]}
  spike: {executor: spike, base: 20/s, before: 500ms, peak: 40/s, rise: 500ms, hold: 1s, fall: 500ms, after: 500ms, flow: [{get: /spike}]}
  vegeta: {engine: vegeta, executor: constant-arrival-rate, rate: 20/s, duration: 3s, flow: [{get: /vegeta}]}
chaos: {slow: {at: 1s, for: 1s, network.latency: {from: load, to: target, delay: 60ms}}}
`, s.URL), run.Options{Proxies: self("proxies")})
	cells := map[string]int64{} // good answers in the fault
	for _, c := range res.Cells {
		if c.Phase == slo.ParsePhase("slow") && c.Outcome == "ok" && c.Step != "" && c.Step != "*" && c.Step != "iteration" {
			if cells[c.Load] += c.Count; c.Response.P50 < .05 {
				t.Errorf("the requests of load %q in the fault took %v", c.Load, c.Response.P50)
			}
		}
	}
	for _, name := range []string{"users", "ramp", "each", "shared", "spike", "vegeta"} {
		if cells[name] < 5 {
			t.Errorf("load %q has %d requests in the fault", name, cells[name])
		}
	}
	reported := int64(0)
	for _, w := range res.Workers {
		reported += w.Sent
	}
	if reported != s.n.Load() {
		t.Errorf("%d requests are reported, and the server has seen %d", reported, s.n.Load())
	}
}
