package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/result/search"
	"brunt/scenarios/suite"
)

// atOnce answers at once.
var atOnce = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })

// answered asks a server that answers at once, every 20 ms by the clock, until ctx ends. It returns the longest 95th
// percentile of two seconds, from when a request was due: how much this machine added to a request.
func answered(ctx context.Context, url string) (worst time.Duration) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var took []time.Duration
	for due := range tick.C {
		if resp, err := http.Get(url); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		if took = append(took, time.Since(due)); len(took) == 100 {
			slices.Sort(took)
			worst, took = max(worst, took[94]), took[:0]
		}
		if ctx.Err() != nil {
			break
		}
	}
	return worst
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

// TestTolerate_Cliff finds the known cliff of a server that answers at once: a link that is slower than the objective
// allows, less what this machine adds to a request, as a prober of its own measures on the direct way.
func TestTolerate_Cliff(t *testing.T) {
	suite.Needs(t, suite.In("examples"))
	if testing.Short() {
		t.Skip("two searches take some five minutes")
	}
	srv := httptest.NewServer(atOnce)
	defer srv.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	worst := make(chan time.Duration, 1)
	go func() { worst <- answered(ctx, srv.URL) }()
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
	stop()
	added := (<-worst).Seconds()
	t.Logf("this machine added up to %.3f s", added)
	// a delay of 400 ms fails for certain, and a shorter one if this machine added the rest; the doses are 50 ms apart
	if code != 0 || f.Low >= .4 || f.High > .401 || float64(f.High) < .35-added || f.Objective != "p95 < 400ms in slow" {
		t.Errorf("exit code %d, %s, while this machine added %.3f s", code, words.ToleranceSentence(f), added)
	}
	code, f = tolerate("150ms")
	regressed := f.Against != nil && f.Against.Verdict == scenarios.Regression
	if code != scenarios.ExitRegression || f.High > .2 || !regressed {
		t.Errorf("after a cliff at 400 ms: exit code %d, %s, %+v", code, words.ToleranceSentence(f), f.Against)
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
