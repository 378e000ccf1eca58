package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
)

// prompt is a target that answers at once, and counts the requests of the load.
func prompt(t *testing.T) (url string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/load" {
			asked.Add(1)
		}
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// TestConditions: a fault that holds for the whole run is there before setup, in every phase and in a control run,
// beside other faults on the same link, and is taken back.
func TestConditions(t *testing.T) {
	t.Parallel()
	const delay = 60 * time.Millisecond
	url, _ := prompt(t)
	text := `version: 1
target: {url: "` + url + `"}
conditions: {wan: {network.latency: {from: load, to: target, delay: ` + delay.String() + `}}}
setup: [{get: /setup}]
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, flow: [{get: /load}]}}
chaos: {slower: {at: 1s, for: 1s, network.latency: {from: load, to: target, delay: 200ms}}}
`
	for _, control := range []bool{false, true} {
		t.Run(fmt.Sprint("control ", control), func(t *testing.T) {
			res := runOnce(t, text, run.Options{NoChaos: control})
			if len(res.Conditions) != 1 {
				t.Fatalf("%d conditions: %s", len(res.Conditions), res.Reason)
			}
			c := res.Conditions[0]
			if c.Name != "wan" || c.Kind != "network.latency" || c.Evidence == "" || !c.Gone || c.Note != "" ||
				len(c.Units) != 1 {
				t.Errorf("%+v", c)
			}
			for _, cell := range res.Cells {
				if cell.Load == "*" && cell.Step == "*" && cell.Outcome == "*" && cell.Count > 0 && cell.Response.P50.D() < delay {
					t.Errorf("p50 of %s is %s, and the condition delays by %s", cell.Phase, cell.Response.P50.D(), delay)
				}
			}
			var order []string
			for _, e := range res.Events {
				if slices.Contains([]string{"condition.held", "load.start", "load.end", "condition.cleared", "fault.injected"},
					e.Event) {
					order = append(order, e.Event)
				}
			}
			want := "condition.held load.start fault.injected load.end condition.cleared"
			if control {
				want = "condition.held load.start load.end condition.cleared"
			}
			if got := strings.Join(order, " "); got != want {
				t.Errorf("the events are %s, want %s", got, want)
			}
			phases := slices.ContainsFunc(res.Phases,
				func(p result.Phase) bool { return p.Name == slo.ParsePhase("wan") })
			if phases ||
				len(res.Faults) > 1 {
				t.Errorf("the condition is a fault of the result: %+v", res.Faults)
			}
		})
	}
}

// TestConditions_Missing: without a condition the load never begins.
func TestConditions_Missing(t *testing.T) {
	url, asked := prompt(t)
	res := runOnce(t, `version: 1
target: {url: "`+url+`"}
conditions: {none: {exec: {inject: ["false"], revert: "true", verify: "true"}}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /load}]}}
`, run.Options{})
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "he condition none was not injected: ") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the load made %d requests", n)
	}
}

// TestConditions_OwnEnd: a unit that ends while a condition is in of which only its author knows what it does did not
// end by itself.
func TestConditions_OwnEnd(t *testing.T) {
	t.Parallel()
	text := `version: 1
target:
  processes:
    web: {command: [ECHO], ready: {get: /}}
    job: # it serves for two seconds
      {command: [sh, -c, '"$@" & sleep 2; kill $!; exit 3', sh, ECHO], restart: never, ready: {get: /}}
  entry: web
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, flow: [{get: /}]}}
`
	own := strings.ReplaceAll(`conditions: {own: {exec: {inject: [sh, -c, 'echo x > FLAG'], verify: [test, -e, FLAG],
  revert: [rm, -f, FLAG]}}}`, "FLAG", filepath.Join(t.TempDir(), "flag"))
	for with, want := range map[string]string{"": "job[0] ended by itself at ", own: "job[0] ended at "} {
		res := runOnce(t, text+with, run.Options{})
		if !slices.ContainsFunc(res.Notes, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%s\n%s %q, want %q", with, res.Reason, res.Notes, want)
		}
	}
}

// TestConditions_FromWarmup: a condition that is due within the warm-up is not in before, is in for the whole load, and
// is proved once more when the load is over. The server looks at each request whether it is in.
func TestConditions_FromWarmup(t *testing.T) {
	if testing.Short() {
		t.Skip("a fault that is not proved is looked for, for as long as it may take")
	}
	t.Parallel()
	for _, tt := range []struct {
		name, verify string
		still        bool
		note         string
	}{
		{"it stays", `[test, -e, FLAG]`, true, ""},
		// the first proof empties the file, so that no later one holds
		{"it is lost", `[sh, -c, 'test -s FLAG && : > FLAG']`, false, "not proved when the load was over"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			flag := filepath.Join(t.TempDir(), "flag")
			var mu sync.Mutex
			var seen []bool // by request: whether the condition is in
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, err := os.Stat(flag)
				mu.Lock()
				seen = append(seen, err == nil)
				mu.Unlock()
				fmt.Fprint(w, "ok")
			}))
			defer s.Close()
			text := strings.ReplaceAll(`version: 1
target: {url: "`+s.URL+`"}
warmup: {for: 3s}
conditions: {it: {exec: {inject: [sh, -c, 'echo x > FLAG'], verify: `+tt.verify+`, revert: [rm, -f, FLAG],
  gone: [sh, -c, 'test ! -e FLAG']}}}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 1s, flow: [{get: /}]}}
`, "FLAG", flag)
			sc, err := scenarios.Parse(scenario(t, text), scenarios.Options{})
			if err != nil {
				t.Fatal(err)
			}
			injectAt(sc, -2*time.Second)
			p, err := plan.Compile(sc, plan.CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			processors.RLock()
			res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir(), NoChaos: true})
			processors.RUnlock()
			if err != nil || len(res.Conditions) != 1 {
				t.Fatalf("%v, %+v", err, res)
			}
			c := res.Conditions[0]
			if (c.Still != "") != tt.still || !c.Gone ||
				!strings.Contains(c.Note, tt.note) || (c.Note == "") != tt.still {
				t.Errorf("%+v", c)
			}
			if c.Injected < -2 || !(c.Verified >= c.Injected) {
				t.Errorf("injected at %v, verified at %v, want from -2 s on", c.Injected, c.Verified)
			}
			if c.Verified >= 0 {
				t.Skip("this machine is too busy: the condition was not in before the load")
			}
			mu.Lock()
			defer mu.Unlock()
			before := slices.Index(seen, true)
			if before < 20 || slices.Contains(seen[before:], false) || len(seen)-before < 50 {
				t.Errorf("of %d requests, it is in from number %d on, want some 50 before it: %v",
					len(seen), before, seen)
			}
			if _, err := os.Stat(flag); err == nil {
				t.Error("the condition is left")
			}
		})
	}
}
