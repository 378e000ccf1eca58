package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/edit/doctor"
	"brunt/scenarios/k6"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// needK6 skips a test of scripts where brunt-k6 is not built.
func needK6(t testing.TB) {
	t.Helper()
	if _, err := k6.Find(os.Args[0], os.LookupEnv); err != nil {
		text := err.Error() + "; then say BRUNT_K6=$PWD/" + k6.Binary
		suite.Lack(t, "%v", text)
	}
}

// tallied is a target that counts its requests by path. /bad is a 500, /busy a 503.
type tallied struct {
	*httptest.Server
	mu sync.Mutex
	by map[string]int64
}

func newTallied(t *testing.T) *tallied {
	c := &tallied{by: map[string]int64{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.by[r.URL.Path]++
		c.mu.Unlock()
		switch r.URL.Path {
		case "/bad":
			w.WriteHeader(http.StatusInternalServerError)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, `{"ok":true}`)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *tallied) of(path string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[path]
}

// scripted writes a scenario and its script.
func scripted(t *testing.T, target, text, script string) *plan.Plan {
	t.Helper()
	needK6(t)
	file := scenario(t, strings.NewReplacer("URL", target).Replace(text))
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "script.js"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := compileFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// modes is a script that fails in many ways.
const modes = `
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import exec from 'k6/execution';
const mode = __ENV.MODE;
export const options = {
  scenarios: { main: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '2s', preAllocatedVUs: 20 } },
  thresholds: {
    'http_req_duration{name:ok}': ['p(95)<60000'],
    http_req_failed: [{ threshold: mode === 'threshold' || mode === 'abortOnFail' ? 'rate>0.5' : 'rate<0.9', abortOnFail: mode === 'abortOnFail' }],
  },
};
export function setup() {
  http.get(__ENV.BRUNT_URL + '/setup');
  if (mode === 'setup') throw new Error('no setup');
  return { from: 'setup' };
}
export default function (data) {
  const r = http.get(__ENV.BRUNT_URL + '/ok', { tags: { name: 'ok' } });
  check(r, { answered: (r) => r.status === 200, given: () => data.from === 'setup' && mode !== 'check' });
  if (mode === 'bad') http.get(__ENV.BRUNT_URL + '/bad');
  if (mode === 'busy') http.get(__ENV.BRUNT_URL + '/busy');
  if (mode === 'outside') http.get('http://192.0.2.1/', { timeout: '1s' });
  if (mode === 'throw') throw new Error('thrown');
  if (mode === 'abort' && exec.scenario.iterationInTest === 10) exec.test.abort('enough');
  if (mode === 'mark failed' && exec.scenario.iterationInTest === 10) exec.test.fail('bad');
  if (mode === 'dropped') sleep(3); // for longer than anything is asked for
}
export function teardown() {
  http.get(__ENV.BRUNT_URL + '/teardown');
  if (mode === 'teardown') throw new Error('no teardown');
}
`

const modesText = `version: 1
target: {url: "URL"}
load: {users: {k6: script.js, env: {MODE: "MODE"}, shed: [503]}}
slo: [errors < 40% in run]
`

// TestScript reaches every verdict that a script can cause.
func TestScript(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode   string
		want   scenarios.Verdict
		code   int
		reason string
		errors string // the only cause of errors; empty if no request fails
	}{
		{"well", scenarios.Pass, 0, "All 3 objectives held.", ""},
		{"check", scenarios.Fail, 3, "errors < 40%", "check given"},
		{"bad", scenarios.Fail, 3, "errors < 40%", "status 500"},
		{"busy", scenarios.Pass, 0, "All 3 objectives held.", ""},
		{"outside", scenarios.Fail, 3, "errors < 40%", "not allowed"},
		{"throw", scenarios.Fail, 3, "errors < 40%", "exception"},
		{"dropped", scenarios.Fail, 3, "errors < 40%", "dropped"},
		{"threshold", scenarios.Fail, 3, "users: http_req_failed rate>0.5, measured 0", ""},
		{"abortOnFail", scenarios.Stopped, 6, "the script's threshold http_req_failed: rate>0.5 with abortOnFail", ""},
		{
			"abort", scenarios.Stopped, 6, `the script of load "users" aborted the test: exit code 108: test aborted: enough`,
			"",
		},
		{"mark failed", scenarios.Fail, 3, `The script of load "users" marked the test as failed.`, ""},
		{
			"setup", scenarios.Invalid, 5,
			"Setup failed: load \"users\": the script ended before its load began: exit code 107: Error: no setup", "",
		},
		{"teardown", scenarios.Broken, 1, `Load "users": its script failed: exit code 107: Error: no teardown`, ""},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			s := newTallied(t)
			plan := scripted(t, s.URL, strings.ReplaceAll(modesText, `"MODE"`, `"`+c.mode+`"`), modes)
			res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir(), LogDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict != c.want || res.ExitCode != c.code || !strings.Contains(res.Reason, c.reason) {
				t.Errorf("%s (%d): %s", res.Verdict, res.ExitCode, res.Reason)
			}
			for _, e := range res.Errors {
				if e.Kind != c.errors {
					t.Errorf("%d errors %q of %s", e.Count, e.Kind, e.Step)
				}
			}
			if len(res.Errors) == 0 && c.errors != "" {
				t.Error("there are no errors")
			}
			cut := int64(0) // k6 does not report requests in flight when it aborts a test
			if c.want == scenarios.Stopped {
				cut = 20
			}
			if got := stepCell(res, "run", "ok", "*").Count; got > s.of("/ok") || got < s.of("/ok")-cut {
				t.Errorf("%d requests were counted, and %d were made", got, s.of("/ok"))
			}
			if s.of("/setup") != 1 || s.of("/teardown") != 1 && c.mode != "setup" {
				t.Errorf("setup ran %d times, teardown %d times", s.of("/setup"), s.of("/teardown"))
			}
			if c.mode == "busy" && (loadCell(res, "run", "*", "shed").Count != s.of("/busy") || s.of("/busy") == 0) {
				t.Errorf("%d of %d are shed", loadCell(res, "run", "*", "shed").Count, s.of("/busy"))
			}
			if c.mode == "well" {
				wellMeasured(t, res)
			}
		})
	}
}

// stepCell returns the cell of a phase for a step and an outcome.
func stepCell(res *result.Result, phase, step, outcome string) result.Cell {
	for _, c := range res.Cells {
		if c.Phase.String() == phase && c.Step == step && c.Outcome == outcome {
			return c
		}
	}
	return result.Cell{}
}

// wellMeasured checks the result of a script that succeeded.
func wellMeasured(t *testing.T, res *result.Result) {
	t.Helper()
	if n := stepCell(res, "run", "iteration", "*").Count; n < 50 || n > 102 {
		t.Errorf("%d iterations", n)
	}
	var own []string
	for _, m := range res.Metrics {
		own = append(own, m.Name)
		if m.Name == "checks" && (m.Type != "rate" || m.Rate != 1 || m.Count != 2*stepCell(res, "run", "ok", "*").Count) {
			t.Errorf("%+v", m)
		}
	}
	for _, name := range []string{"checks", "http_req_duration", "http_req_duration{name:ok}", "iterations"} {
		if !slices.Contains(own, name) {
			t.Errorf("%s is not among the metrics %v", name, own)
		}
	}
	if l := res.Loads[0]; !l.Closed || l.Executor != "k6" || !slices.Equal(l.Steps, []string{"ok"}) {
		t.Errorf("%+v", l)
	}
	if !slices.ContainsFunc(res.Notes, func(n string) bool { return strings.Contains(n, "service time") }) {
		t.Errorf("nothing says what its times are: %q", res.Notes)
	}
	if o := objective(t, res, "users: http_req_duration{name:ok} p(95)<60000"); o.List != "threshold" ||
		o.Target != 60000 ||
		o.Note != "in milliseconds" || o.Count == 0 {
		t.Errorf("%+v", o)
	}
}

// TestScript_Changed: settings of a scenario that replace the script's, a warm-up, and a second load
// that may begin later.
func TestScript_Changed(t *testing.T) {
	t.Parallel()
	s := newTallied(t)
	plan := scripted(t, s.URL, `version: 1
target: {url: "URL"}
warmup: {for: 1s}
load:
  now: {k6: script.js, rate: 40/s, duration: 3s, env: {AT: /now}}
  later: {k6: script.js, vus: 2, duration: 1s, start: 1s, env: {AT: /later}}
  beside: {executor: constant-arrival-rate, rate: 20/s, duration: 2s, flow: [{get: /beside}]}
slo: [errors < 1% of "GET /later", "errors < 1% of load now"]
`, `
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 1, iterations: 1 };
export default function () { http.get(__ENV.BRUNT_URL + __ENV.AT); sleep(0.05); }
`)
	if got := fmt.Sprint(plan.End()); got != "2s" {
		t.Errorf("it ends at %s", got)
	}
	res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		phase, step string
		low, high   int64
	}{
		{"warmup", "GET /now", 20, 41},
		{"run", "GET /now", 40, 82},
		{"run", "GET /later", 5, 42},
		{"warmup", "GET /later", 0, 0},
	} {
		if n := stepCell(res, c.phase, c.step, "*").Count; n < c.low || n > c.high {
			t.Errorf("%d requests of %s in %s", n, c.step, c.phase)
		}
	}
	if n := stepCell(res, "run", "GET /now", "*").Count +
		stepCell(res, "warmup", "GET /now", "*").Count; n != s.of("/now") {
		t.Errorf("%d were counted, %d were made", n, s.of("/now"))
	}
	if n := stepCell(res, "run", "GET /later", "*").Count; n != s.of("/later") {
		t.Errorf("%d were counted, %d were made", n, s.of("/later"))
	}
	for _, w := range res.Windows {
		if w.Step == "GET /later" && w.T < 1 {
			t.Errorf("the later one had requests at %v", w.T)
		}
	}
}

// asking is a script that requests faults.
const asking = `
import http from 'k6/http';
import { sleep } from 'k6';
import exec from 'k6/execution';
import brunt, { fault, mark, phase } from 'k6/x/brunt';
export const options = { vus: 2, duration: '6s' };
export default function () {
  http.get(__ENV.BRUNT_URL + '/ok');
  const p = phase();
  if (p !== '') mark('saw', { phase: p });
  if (exec.scenario.iterationInTest === 8) {
    phase('checkout');
    mark('asked', { came: fault('slow') });
    for (const name of ['slow', 'slaw', 'never']) {
      try { brunt.fault(name); } catch (e) { mark('refused ' + name + ': ' + e); }
    }
  }
  sleep(0.02);
}
`

const askingText = `version: 1
target: {url: "URL"}
load: {users: {k6: script.js}}
chaos:
  slow: {trigger: script, for: 1s, http.delay: {from: load, to: target, delay: 30ms}}
  later: {after: slow, wait: 100ms, for: 500ms, http.delay: {from: load, to: target, delay: 10ms}}
  at: {at: 10ms, for: 10ms, http.delay: {from: load, to: target, delay: 1ms}}
slo: [errors < 50%]
`

// TestScript_Trigger: a script triggers a fault once, and sees it; and the load uses the link that
// the fault is on.
func TestScript_Trigger(t *testing.T) {
	t.Parallel()
	s := newTallied(t)
	res, err := run.Run(t.Context(), scripted(t, s.URL, askingText, asking), run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]int{}
	var saw []any
	for _, e := range res.Events {
		if strings.HasPrefix(e.Event, "script.") {
			texts[e.Event+" "+e.Text]++
		}
		if e.Text == "saw" {
			saw = append(saw, e.Data["phase"])
		}
		if e.Text == "asked" && e.Data["came"] != true {
			t.Errorf("%+v", e)
		}
	}
	for _, want := range []string{
		"script.phase checkout", "script.mark asked",
		`script.mark refused slow: GoError: fault("slow"): it was triggered before, and comes once`,
		"script.mark refused slaw: GoError: fault(\"slaw\"): no fault of that name has `trigger: script`; did you mean " +
			"\"slow\"?", "script.end users: exit code 0",
	} {
		if texts[want] != 1 {
			t.Errorf("%q is not among %v", want, texts)
		}
	}
	if !slices.Contains(saw, any("slow")) || !slices.Contains(saw, any("later")) {
		t.Errorf("the script saw %v", saw)
	}
	for _, f := range res.Faults {
		if f.Name != "at" && (!f.Injected.Known() || !f.Gone || f.Revert != "ok" || f.Traffic == 0) {
			t.Errorf("%+v", f)
		}
	}
}

// TestScript_Control: in a control run no fault is injected, and the script goes on.
func TestScript_Control(t *testing.T) {
	t.Parallel()
	s := newTallied(t)
	res, err := run.Run(t.Context(), scripted(t, s.URL, askingText, asking),
		run.Options{State: t.TempDir(), NoChaos: true})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != scenarios.Pass || len(res.Faults) > 0 {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if !slices.ContainsFunc(res.Events, func(e result.Event) bool {
		return e.Text == "asked" &&
			e.Data["came"] == false
	}) {
		t.Errorf("%+v", res.Events)
	}
}

// TestScript_NeverAsked: a run whose fault was never triggered is invalid.
func TestScript_NeverAsked(t *testing.T) {
	t.Parallel()
	s := newTallied(t)
	plan := scripted(t, s.URL, askingText,
		"import http from 'k6/http'; export const options = {vus: 1, duration: '1s'}; export default "+
			"function () { http.get(__ENV.BRUNT_URL); }")
	res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	// slow, or a fault that follows it
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "was not injected") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if !slices.ContainsFunc(res.Faults, func(f result.FaultRecord) bool {
		return f.Name == "slow" && strings.Contains(f.Note, "the script never asked for it")
	}) {
		t.Errorf("of slow it is not said that the script never asked: %+v", res.Faults)
	}
}

// TestScript_Missing: the error where brunt-k6 is missing.
func TestScript_Missing(t *testing.T) {
	file := scenario(t, "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload: {users: {k6: script.js}}\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "script.js"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv("BRUNT_K6", "")
	plan, err := compileFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(plan.Notes, func(n string) bool { return strings.Contains(n, k6.Build) }) {
		t.Errorf("%q", plan.Notes)
	}
	s := newTarget(t)
	plan.Scope.External = strings.TrimPrefix(s.URL, "http://")
	res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, k6.Build) {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if !slices.ContainsFunc(doctor.Needs(t.Context(), plan),
		func(c doctor.Check) bool { return c.State == doctor.Bad && strings.Contains(c.Fix, k6.Build) }) {
		t.Errorf("%+v", doctor.Needs(t.Context(), plan))
	}
}

// TestScript_Started: a script can reach what brunt started, beyond loopback too, and no other
// address there.
func TestScript_Started(t *testing.T) {
	t.Parallel()
	s := newTallied(t)
	plan := scripted(t, s.URL, "version: 1\ntarget: {url: \"URL\"}\nload: {users: {k6: script.js}}\n", `
import http from 'k6/http';
export const options = { vus: 1, iterations: 1 };
export default function () { for (const host of ['192.0.2.1', '192.0.2.2']) http.get('http://' + host + '/', { timeout: '200ms', tags: { name: host } }); }
`)
	plan.LoadAllowlist.Own.Add(netip.MustParseAddr("192.0.2.1"))
	res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range res.Errors {
		if (e.Kind == "not allowed") != (e.Step == "192.0.2.2") {
			t.Errorf("%s: %s", e.Step, e.Kind)
		}
	}
	if len(res.Errors) != 2 {
		t.Errorf("%+v", res.Errors)
	}
}
