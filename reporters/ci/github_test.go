package ci_test

import (
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// TestGitHub_Fits checks that several runs fit into a summary, however many objectives, steps
// and errors they have.
func TestGitHub_Fits(t *testing.T) {
	for name, r := range reporterstest.Results() {
		long := *r
		for range 2000 {
			long.Objectives = append(long.Objectives, result.ObjectiveResult{Text: strings.Repeat("|<>&@", 2000), Measured: 1})
			long.Errors = append(long.Errors, result.ErrorGroup{
				Kind: strings.Repeat("|<>&@", 2000), Sample: &result.Sample{Body: strings.Repeat("#", 5000)},
			})
		}
		long.Name, long.Reason = strings.Repeat("&", 1<<20), strings.Repeat("&", 1<<20)
		if n := len(reporterstest.Render(t, ci.GitHub{}, &long)); n > ci.MostSummary {
			t.Errorf("%s: %d bytes", name, n)
		}
		text := reporterstest.Render(t, ci.GitHub{}, r)
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "| ") && i > 0 {
				table := strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, "")
				if n := strings.Count(table, "|"); n < 6 || n > 8 {
					t.Errorf("%s: %d bars in %s", name, n, line)
				}
			}
		}
	}
}

// TestGitHub_Hostile checks that names appear as text only.
func TestGitHub_Hostile(t *testing.T) {
	r := *reporterstest.Results()["hostile"]
	r.Name = "![x](http://evil/) <img src=x> @team #1 **b** `c` [l](javascript:alert(1)) http://evil www.evil.example $x$"
	text := reporterstest.Render(t, ci.GitHub{}, &r)
	for _, bad := range []string{
		"<script", "<img", "](http", "](java", "@team", "#1", "**b**", "http://evil", "www.evil", "\x1b", "\u202e", "$x$",
	} {
		if strings.Contains(strings.NewReplacer(`\*`, "", `\$`, "", `\]`, "").Replace(text), bad) {
			t.Errorf("%q is in\n%s", bad, text)
		}
	}
}

// TestGitHub_Says checks for verdict, objectives, faults, and a link to the trace of an error.
func TestGitHub_Says(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	r.TraceLink = "https://tracing.example/${trace.id}"
	e := r.Errors[0]
	sample := result.Sample{Request: "GET /x", Trace: "4bf92f3577b34da6a3ce929d0e0e4736"}
	e.Sample = &sample
	r.Errors = append([]result.ErrorGroup{e}, r.Errors[1:]...)
	r.Incidents = []result.Incident{{
		Begin: 15.1, End: 16.4, Over: true, Bad: 26, Requests: 390,
		Kinds: map[string]int64{"refused": 26}, Faults: []string{"cut"},
	}}
	text := reporterstest.Render(t, ci.GitHub{}, &r)
	for _, want := range []string{
		"## ❌ Fail: ", "### Objectives\n\n| | Objective |", "❌ fail | ", "### Faults", "### Response times of good answers",
		"| run | ",
		"Hypothesis: refuted. ", "### Incidents", "| 1: during cut | 15.1s | 16.4s | 1.3s | 26 | 390 | refused |",
		"a repeat may give 2.37% to 9.73%",
		"[4bf92f35](<https://tracing.example/4bf92f3577b34da6a3ce929d0e0e4736>)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestGitLab checks that every run gives text that parses, with the figures of the result.
func TestGitLab(t *testing.T) {
	for name, r := range reporterstest.Results() {
		text := reporterstest.Render(t, ci.GitLab{}, r)
		body, ended := strings.CutSuffix(text, "# EOF\n")
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(body))
		if err != nil || !ended {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, c := range r.Cells {
			if c.Phase != slo.ParsePhase("run") || c.Load != "*" || c.Step != "*" || c.Outcome != "*" || c.Count == 0 {
				continue
			}
			got := -1.0
			for _, m := range families["brunt_requests"].Metric {
				if m.Label[0].GetValue() == "*" && m.Label[1].GetValue() == "*" {
					got = m.Gauge.GetValue()
				}
			}
			if got != float64(c.Count) {
				t.Errorf("%s: %g requests, want %d", name, got, c.Count)
			}
		}
		if got := families["brunt_exit_code"].Metric[0].Gauge.GetValue(); got != float64(r.ExitCode) {
			t.Errorf("%s: exit code %g", name, got)
		}
	}
}
