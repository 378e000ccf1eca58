package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/result/search"
	"brunt/scenarios/suite"
)

// A logged is a server that answers at once, and logs how long each answer took it.
type logged struct {
	mu  sync.Mutex
	log []time.Duration
}

func (l *logged) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	began := time.Now()
	fmt.Fprint(w, "ok")
	l.mu.Lock()
	l.log = append(l.log, time.Since(began))
	l.mu.Unlock()
}

const tolerateScenario = `version: 1
name: delayed
params: {limit: 150ms, most: 5%%}
target: {url: "%s"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 4s, flow: [{get: /}]}}
judge: {hold: 500ms}
chaos:
  slow: {at: 1s, for: 2s, network.latency: {from: load, to: target, delay: 10ms}}
slo: ["p95 < ${limit} in slow", "errors < ${most}"]
`

// TestTolerate_Cliff finds the known cliff of a server that answers at once, as its own log says: a link that is
// slower than the objective allows.
func TestTolerate_Cliff(t *testing.T) {
	suite.Needs(t, suite.In("examples"))
	if testing.Short() {
		t.Skip("two searches take some five minutes")
	}
	target := new(logged)
	srv := httptest.NewServer(target)
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, tolerateScenario, srv.URL), 0o644); err != nil {
		t.Fatal(err)
	}
	dir, state, brunt := t.TempDir(), t.TempDir(), built(t, ".")
	tolerate := func(limit string) (int, *search.Tolerance) {
		t.Helper()
		found := filepath.Join(dir, limit+".json")
		cmd := exec.Command(brunt, "tolerate", file, "slow", "delay", "--to", "600ms", "--set", "limit="+limit,
			"--confirm", "1", "--confidence", "50%", "--cool-down", "100ms", "--json", found,
			"--html", filepath.Join(dir, "t.html"), "--history", filepath.Join(dir, "history"))
		cmd.Env = append(os.Environ(), "BRUNT_STATE="+state)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		f, rerr := capacity.ReadTolerance(found)
		if rerr != nil {
			t.Fatal(err, rerr)
		}
		if f.Below != "" && !f.Found() || f.Limited > 0 {
			t.Skip("this machine is too busy for the load: " + words.ToleranceSentence(f))
		}
		return cmd.ProcessState.ExitCode(), f
	}
	code, f := tolerate("400ms")
	// a delay of 400 ms fails for certain, and one of 250 ms only if the rest of a request takes 150 ms
	if code != 0 || f.Low >= .4 || f.High > .401 || f.High < .25 || f.Objective != "p95 < 400ms in slow" {
		t.Errorf("exit code %d, %s", code, words.ToleranceSentence(f))
	}
	code, f = tolerate("150ms")
	regressed := f.Against != nil && f.Against.Verdict == scenarios.Regression
	if code != scenarios.ExitRegression || f.High > .2 || !regressed {
		t.Errorf("after a cliff at 400 ms: exit code %d, %s, %+v", code, words.ToleranceSentence(f), f.Against)
	}
	target.mu.Lock()
	defer target.mu.Unlock()
	slices.Sort(target.log)
	if p95 := target.log[len(target.log)*95/100]; p95 > 50*time.Millisecond {
		t.Errorf("the server itself took %s for its answers", p95)
	}
	if left, _ := os.ReadDir(state); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	page, err := os.ReadFile(filepath.Join(dir, "t.html"))
	for _, part := range []string{"tolerance of slow.delay", `id="curve-failed"`} {
		if err != nil || !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %s, %v", part, err)
		}
	}
}
