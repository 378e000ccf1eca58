package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/reporters/html"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// A monitor is an Alertmanager whose alerts fire at times that are set by hand, after it learned of a fault.
type monitor struct {
	mu      sync.Mutex
	last    time.Time                // last request of the target
	learned time.Time                // when the target had been without a request for a second; zero: it never was
	after   map[string]time.Duration // from then, by alert; an alert that is missing never fires
	fired   map[string]time.Time     // when an answer first said that an alert fires
}

// request logs a request of the target.
func (m *monitor) request() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = time.Now()
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.learned.IsZero() && !m.last.IsZero() && now.Sub(m.last) > time.Second {
		m.learned = now
	}
	var alerts []string
	for name, after := range m.after {
		if m.learned.IsZero() || now.Sub(m.learned) < after {
			continue
		}
		if m.fired[name].IsZero() {
			m.fired[name] = now
		}
		alerts = append(alerts, fmt.Sprintf(`{"labels":{"alertname":%q},"status":{"state":"active"},"startsAt":%q}`, name,
			now.UTC().Format(time.RFC3339Nano)))
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "[%s]", strings.Join(alerts, ","))
}

const alertedScenario = `version: 1
name: watched
target: {url: "%s"}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 10s, flow: [{get: /}]}}
judge: {hold: 500ms}
alerts:
  Early: {alertmanager: "%[2]s"}
  Late: {alertmanager: "%[2]s"}
  Silent: {alertmanager: "%[2]s"}
  Unknown: {alertmanager: "http://127.0.0.1:1"}
chaos:
  refused: {at: 1s, for: 4s, http.error: {from: load, to: target, status: 503}}
slo: ["errors < 90%%"]
`

// TestDrillMatrix_Alerts runs a fault against a server, beside a monitor whose alerts fire at times that are set by
// hand: half a second after it learned of the fault, four seconds after, which is after the fault, and never. The
// matrix has what the monitor's own log says.
func TestDrillMatrix_Alerts(t *testing.T) {
	suite.Needs(t, suite.In("examples"))
	if testing.Short() {
		t.Skip("a run takes ten seconds")
	}
	m := &monitor{
		after: map[string]time.Duration{"Early": 500 * time.Millisecond, "Late": 4 * time.Second},
		fired: map[string]time.Time{},
	}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.request()
		fmt.Fprint(w, "ok")
	}))
	defer target.Close()
	prometheus := httptest.NewServer(m)
	defer prometheus.Close()
	dir := t.TempDir()
	out := filepath.Join(dir, "run")
	file := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, alertedScenario, target.URL, prometheus.URL), 0o644); err != nil {
		t.Fatal(err)
	}
	brunt := built(t, ".")
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(brunt, args...)
		cmd.Env, cmd.Dir = append(os.Environ(), "BRUNT_STATE="+t.TempDir()), dir
		b, err := cmd.CombinedOutput()
		t.Logf("%v\n%s", err, b)
	}
	run("run", file, "-o", out)
	run("drill", "matrix", out, "-o", filepath.Join(dir, "m.html"), "--json", filepath.Join(dir, "m.json"))
	b, err := os.ReadFile(filepath.Join(dir, "m.json"))
	if err != nil {
		t.Fatal(err)
	}
	var l drills.Learned
	if err := json.Unmarshal(b, &l); err != nil || len(l.Alerts) != 1 || len(l.Alerts[0].Alerts) != 4 {
		t.Fatalf("%v: %s", err, b)
	}
	res := resultIn(t, out, nil)
	f := &res.Faults[0]
	injected := res.T0.Add(f.Injected.D())
	for _, a := range l.Alerts[0].Alerts {
		want := map[string]drills.AlertAnswer{"Silent": drills.AlertSilent, "Unknown": drills.AlertUnknown}[a.Alert]
		if at := m.fired[a.Alert]; !at.IsZero() {
			truth := at.Sub(injected).Seconds()
			if want = drills.AlertFired; truth > float64(f.Cleared-f.Injected)+1 {
				want = drills.AlertLate
			}
			// the monitor logs before it answers, and was asked after From
			if float64(a.From) > truth || float64(a.Fired) < truth {
				t.Errorf("%s fired after %.3f s by the monitor's log, not between %v and %v", a.Alert, truth, a.From, a.Fired)
			}
		} else if want == "" {
			t.Fatalf("%s did not fire by the monitor's log, which learned at %s", a.Alert, m.learned)
		}
		if a.Answer != want {
			t.Errorf("%s: %s, want %s (%+v)", a.Alert, a.Answer, want, a)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "m.html"))
	if err != nil || !strings.Contains(string(page), "late: ") || !strings.Contains(string(page), ">silent<") {
		t.Errorf("the page does not have the alerts: %v", err)
	}
}

// TestFillLearned: the answers, the edges and the costs of results made by hand, and unknown where figures are missing.
func TestFillLearned(t *testing.T) {
	baseline, cut := slo.ParsePhase("baseline"), slo.ParsePhase("cut")
	ok := func(phase slo.Phase, n int64) result.Cell {
		return result.Cell{Phase: phase, Load: "*", Step: "*", Outcome: "ok", Count: n}
	}
	usage := result.UnitUsage{Unit: "posts[0]", Service: "posts"}
	for i := range 20 { // half a core, and a whole one in the fault
		tick := result.UsageTick{T: result.Num(i + 1), CPU: .5, Memory: 1 << 20, Running: true}
		if i >= 10 {
			tick.CPU, tick.Memory = 1, 3<<20
		}
		usage.Seconds = append(usage.Seconds, tick)
	}
	r := &result.Result{
		Phases: []result.Phase{{Name: baseline, Start: 0, End: 10}, {Name: cut, Start: 10, End: 20}},
		Cells:  []result.Cell{ok(baseline, 1000), ok(cut, 100)},
		Usage:  []result.UnitUsage{usage},
		Links: []result.Link{
			{From: "posts[0]", To: "store[0]", Calls: true},
			{From: "posts[0]", To: "cache[0]", Unread: 3},
		},
		Amplification: []result.Amplification{{
			From: "posts", To: "store", Unit: result.UnitCalls, Phases: []result.AmplifiedPhase{
				{Phase: baseline, Grew: 2000, Value: 2}, {Phase: cut, Grew: 600, Value: 3},
			},
		}},
		Faults: []result.FaultRecord{{
			Name: "cut", Kind: "network.cut", Injected: 10, Verified: 10, Cleared: 18, Until: 20, Traffic: 9,
			Units: []string{"x[0]"},
			Alerts: []result.FaultAlert{
				{Name: "In", Fired: 2, FiredFrom: 1},
				{Name: "Slow", Fired: 6, FiredFrom: 5},
				{Name: "Out", Fired: 9, FiredFrom: 8.5},
				{Name: "Quiet", Fired: result.NaN, FiredFrom: 10},
				{Name: "Lost", Fired: result.NaN, Note: "no answer"},
			},
		}},
		Objectives: []result.ObjectiveResult{{Text: "alert(Slow) < 5s after cut", Target: 5}},
	}
	learn := func(runs ...drills.Tried) *drills.Learned { return drills.Learn(runs, drills.NewDependencies(runs)) }
	l := learn(drills.Tried{Name: "drill", Link: "drill/report.html", Result: r})
	var got []string
	for _, a := range l.Alerts[0].Alerts {
		got = append(got, a.Alert+" "+string(a.Answer))
	}
	if want := "In fired, Slow late, Out late, Quiet silent, Lost unknown"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
	c := l.Cost[0]
	for name, f := range map[string][2]result.Num{
		"CPU before": {c.Before.CPU, .005}, "CPU in": {c.During.CPU, .1}, "memory before": {c.Before.Memory, 1 << 20},
		"memory in": {c.During.Memory, 3 << 20}, "calls before": {c.Before.Calls, 2}, "calls in": {c.During.Calls, 6},
	} {
		if math.Abs(float64(f[0]-f[1])) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, f[0], f[1])
		}
	}
	var page html.MatrixPage
	fillLearned(&page, l)
	if len(page.Edges) != 2 || page.Edges[0].Label != "unknown" || !page.Edges[0].Unsure ||
		!strings.Contains(page.Edges[0].Traffic, "3 connections") || page.Edges[1].Label != "2.00 calls" ||
		page.Edges[1].Unsure {
		t.Errorf("%+v", page.Edges)
	}
	if text := page.Costs[0].Cells[0].Text; text != "5ms → 100ms (×20)" {
		t.Errorf("cost %q", text)
	}
	for i := range r.Usage[0].Seconds[10:] { // two of ten seconds may be missing, not three
		r.Usage[0].Seconds[10+i].CPU = result.NaN
		if known := r.CostIn(cut).CPU.Known(); known != (i < 2) {
			t.Errorf("with %d seconds unknown: known %t", i+1, known)
		}
	}
	r.Usage[0] = usage
	for i := range r.Usage[0].Seconds {
		r.Usage[0].Seconds[i].CPU = 1
	}
	r.Windows = []result.Window{{T: 10, D: 1, Load: "*", Step: "*", Answered: 79}}
	if r.CostIn(cut).CPU.Known() {
		t.Error("most requests were answered after the fault, and their cost is known")
	}
	if r.Windows[0].Answered = 80; !r.CostIn(cut).CPU.Known() {
		t.Error("four fifths were answered in the fault, and their cost is unknown")
	}
	r.Faults[0].Verified = result.NaN
	if a := learn(drills.Tried{Result: r}).Alerts[0].Alerts[3]; a.Answer != drills.AlertUnknown {
		t.Errorf("a fault that was not verified does not show that an alert is blind: %s", a.Answer)
	}
}
