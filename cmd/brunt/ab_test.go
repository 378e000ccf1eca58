package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/ab"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/plan"
	"brunt/scenarios/result/search"
)

// TestAB_Report: a comparison that did not end is shown, also as JSON, and decides nothing; one that ended has the exit
// code of its verdict.
func TestAB_Report(t *testing.T) {
	for _, tt := range []struct {
		name string
		is   scenarios.Verdict
		err  error
		code int
		says string
	}{
		{"a regression", scenarios.Regression, nil, scenarios.ExitRegression, "REGRESSION"},
		{"interrupted", scenarios.Inconclusive, exit(scenarios.ExitInterrupted), scenarios.ExitInterrupted, "INCONCLUSIVE"},
		{
			"a unit is down", scenarios.Inconclusive,
			plan.DownError{Fault: "crash"},
			scenarios.ExitInconclusive,
			"INCONCLUSIVE",
		},
		{"nothing yet", "", exit(scenarios.ExitInterrupted), scenarios.ExitInterrupted, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, b := quietCommand()
			f, o := &abFlags{}, ab.Outcome{}
			f.json = filepath.Join(t.TempDir(), "ab.json")
			if tt.is != "" {
				o.Found = &compare.Comparison{Verdict: tt.is, Reason: "p50 was compared", Rows: []compare.Row{}}
				o.Decision = o.Found.Decision()
			}
			if err := f.report(c, o, tt.err); codeOf(err) != tt.code || !strings.HasPrefix(b.String(), tt.says) ||
				tt.says == "" && b.Len() > 0 {
				t.Errorf("it ends with %v and says %q", err, b.String())
			}
			text, err := os.ReadFile(f.json)
			if (err == nil && strings.Contains(string(text), `"rows"`)) != (tt.is != "") {
				t.Errorf("the file has %q (%v)", text, err)
			}
		})
	}
}

// TestAB_Switchback switches a real load between two servers: each gets requests only while the other gets
// none, and a side that is much slower is found out.
func TestAB_Switchback(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 50 s")
	}
	var both, total atomic.Int64
	var last [2]atomic.Int64
	server := func(side int, takes time.Duration) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			now := time.Now().UnixMilli()
			last[side].Store(now)
			total.Add(1)
			if now-last[1-side].Load() < 100 { // of requests around a switch alone
				both.Add(1)
			}
			time.Sleep(takes) // simulates the work of a server
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	a, b := server(0, 20*time.Millisecond), server(1, 60*time.Millisecond)
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	err := os.WriteFile(file, fmt.Appendf(nil, `version: 1
name: x
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 24s, flow: [{get: /}]}}
slo: [errors < 1%%]
`, a), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress strings.Builder
	c := rootCommand()
	c.SetOut(&out)
	c.SetErr(&progress)
	c.SetArgs([]string{
		"ab", file, "--a", a, "--b", b, "--block", "3s", "--pairs", "2", "--metric", "p50", "-o", filepath.Join(dir, "out"),
	})
	if got := c.ExecuteContext(t.Context()); !errors.Is(got, exit(4)) {
		t.Errorf("it ends with %v, want exit code 4:\n%s\n%s", got, out.String(), progress.String())
	}
	if n := total.Load(); n < 2000 || both.Load() > n/20 {
		t.Errorf("%d requests, of which %d while the other side had some", n, both.Load())
	}
}

// TestAB_PolicyOfFiles checks that a side, which brunt writes to a folder of its own, may read the scenario that it
// changes and the files beside it, under a policy that allows no other files; and that a policy's refusal of a side
// ends the comparison before a run.
func TestAB_PolicyOfFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"base.yaml": `version: 1
name: x
target: {url: "http://127.0.0.1:9"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 24s, flow: [{get: /}]}}
slo: [errors < 1%]
`,
		"s.yaml":      "extends: base.yaml\n",
		"policy.yaml": "version: 1\nname: strict\nfiles: []\nallow: {load: [], chaos: []}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, progress strings.Builder
	c := rootCommand()
	c.SetOut(&out)
	c.SetErr(&progress)
	c.SetArgs([]string{
		"ab", filepath.Join(dir, "s.yaml"), "--a", "http://127.0.0.1:9", "--b", "http://192.0.2.1:9", "--policy",
		filepath.Join(dir, "policy.yaml"), "-o", filepath.Join(dir, "out"),
	})
	err := c.ExecuteContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "192.0.2.1") || strings.Contains(err.Error(), "lies outside") {
		t.Errorf("it ends with %v\n%s\n%s", err, out.String(), progress.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil || strings.Contains(progress.String(), "repeated") {
		t.Errorf("a run was made: %v\n%s", err, progress.String())
	}
}

// TestAB_Tolerance: a side whose cliff is at 120 ms, and at 340 ms of the other side, is a regression with exit code 4.
// One that tolerates more passes, and a search that its probes did not confirm decides nothing.
func TestAB_Tolerance(t *testing.T) {
	unsure := cliff("", 1, .33, .34)
	unsure.Confidence = 0
	for _, tt := range []struct {
		name string
		a, b *search.Tolerance
		code int
		want string
	}{
		{
			"less", cliff("", 1, .33, .34), cliff("", 2, .115, .12), scenarios.ExitRegression,
			"REGRESSION: side b: slow.delay: survives 115ms, fails from 120ms (p95 < 250ms in slow), with 95% confidence; " +
				"side a, the change between 330ms and 340ms",
		},
		{"more", cliff("", 1, .115, .12), cliff("", 2, .33, .34), 0, "PASS: side b: slow.delay: survives 330ms, fails from 340ms"},
		{"not confirmed", unsure, cliff("", 2, .115, .12), scenarios.ExitInconclusive, "INCONCLUSIVE: side b: slow.delay: survives 115ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, b := quietCommand()
			f := &abFlags{}
			file := filepath.Join(t.TempDir(), "ab.json")
			f.strict, f.json, f.out = true, file, filepath.Join(t.TempDir(), "out")
			f.summary = filepath.Join(t.TempDir(), "summary.txt")
			code := codeOf(f.tolerated(c, tt.a, tt.b, time.Now()))
			if code != tt.code || !strings.Contains(b.String(), tt.want) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, tt.code, tt.want, b)
			}
			if _, err := os.Stat(filepath.Join(f.out, "ab.html")); err != nil {
				t.Error(err)
			}
			text, err := os.ReadFile(file)
			var read struct {
				Verdict scenarios.Verdict
				A, B    *search.Tolerance
			}
			if err := errors.Join(err, json.Unmarshal(text, &read)); err != nil || read.Verdict != tt.b.Against.Verdict ||
				read.A.Low != tt.a.Low || read.B.High != tt.b.High {
				t.Errorf("%v, %s", err, text)
			}
		})
	}
}
