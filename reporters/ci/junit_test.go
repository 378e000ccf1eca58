package ci_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/reporters/reporterstest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestJUnit_Golden(t *testing.T) {
	for _, name := range []string{"failing", "invalid", "infinite", "hostile", "empty", "interrupted", "ledger"} {
		t.Run(name, func(t *testing.T) {
			reporterstest.Golden(t, name+".junit.xml", reporterstest.Render(t, ci.JUnit{}, reporterstest.Results()[name]))
		})
	}
}

func TestJUnit_Form(t *testing.T) {
	reporterstest.Each(t, func(t *testing.T, r *result.Result) {
		text := reporterstest.Render(t, ci.JUnit{}, r)
		var got ci.JunitSuites
		if err := xml.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		for _, c := range text {
			if c < ' ' && c != '\n' && c != '\t' {
				t.Fatalf("XML holds %q", c)
			}
		}
		s := got.Suite
		if !strings.Contains(text, "<testsuites ") || len(s.Cases) != len(r.Objectives)+1 || got.Tests != len(s.Cases) ||
			got.Failures != s.Failures ||
			got.Errors != s.Errors {
			t.Errorf("%d cases for %d objectives; %d %d %d", len(s.Cases), len(r.Objectives), got.Tests, got.Failures,
				got.Errors)
		}
		names := map[string]bool{}
		failures, errors := 0, 0
		for i, c := range s.Cases {
			if names[c.Name] || c.Name == "" {
				t.Errorf("name %q stands twice", c.Name)
			}
			names[c.Name] = true
			want := r.Verdict
			if i > 0 {
				want = r.Objectives[i-1].Verdict
			}
			if want == scenarios.None { // which fails a job as the exit code does
				want = map[bool]scenarios.Verdict{true: scenarios.Pass, false: scenarios.Fail}[r.ExitCode == scenarios.ExitPass]
			}
			if (want == scenarios.Pass) != (c.Failure == nil && c.Error == nil) ||
				(want == scenarios.Fail) != (c.Failure != nil) {
				t.Errorf("%s: verdict %s, failure %v, error %v", c.Name, want, c.Failure, c.Error)
			}
			for _, p := range []*ci.JunitProblem{c.Failure, c.Error} {
				if p != nil && (p.Message == "" || !strings.Contains(p.Body, p.Message)) {
					t.Errorf("%s: message %q, body %q", c.Name, p.Message, p.Body)
				}
			}
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errors++
			}
		}
		if failures != s.Failures || errors != s.Errors {
			t.Errorf("%d failures and %d errors counted as %d and %d", failures, errors, s.Failures, s.Errors)
		}
	})
}

// An invalid run says nothing about the target, so none of its objectives is a failure (G13).
func TestJUnit_InvalidRunHasNoFailure(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	r.Verdict = scenarios.Invalid
	var got ci.JunitSuites
	if err := xml.Unmarshal([]byte(reporterstest.Render(t, ci.JUnit{}, &r)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Failures != 0 || got.Suite.Failures != 0 || got.Errors < 2 || got.Errors != got.Suite.Errors {
		t.Errorf("%d failures, %d errors", got.Failures, got.Errors)
	}
	for _, c := range got.Suite.Cases {
		if c.Failure != nil {
			t.Errorf("%s is a failure", c.Name)
		}
	}
}

// Incidents and the hypothesis are properties of the suite.
func TestJUnit_Incidents(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	r.Incidents = []result.Incident{{
		Begin: 15.1, End: 16.4, Over: true, Bad: 26, Requests: 390,
		Kinds: map[string]int64{"refused": 26}, Faults: []string{"cut"},
	}}
	text := reporterstest.Render(t, ci.JUnit{}, &r)
	for _, want := range []string{
		`<property name="incident.1" value="from 15.1s to 16.4s (1.3s): 26 of 390 requests were bad: refused; during cut">`,
		`<property name="hypothesis" value="refuted. `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestJUnit_NotInjected: an objective on a fault that was not injected has the reason for that.
func TestJUnit_NotInjected(t *testing.T) {
	o, err := slo.ParseObjective("recover < 1s after f")
	if err != nil {
		t.Fatal(err)
	}
	r := &result.Result{
		Name: "stopped", Verdict: scenarios.Fail, ExitCode: scenarios.ExitFail,
		Objectives: []result.ObjectiveResult{result.NewObjective(o, scenarios.Inconclusive)},
		Faults: []result.FaultRecord{{
			Name: "f", Kind: "process.freeze", Injected: result.NaN, Impact: result.NotInjected, Note: "store[0] is stopped",
		}},
	}
	r.Objectives[0].Measured, r.Objectives[0].Phase = result.NaN, r.Faults[0].Phase()
	r.Objectives[0].Because = result.Notes{{Kind: result.FaultAbsent}}
	r.Objectives[0].Note = "the fault was not injected"
	if text := reporterstest.Render(t, ci.JUnit{}, r); !strings.Contains(text,
		"(the fault was not injected: store[0] is stopped)") {
		t.Error(text)
	}
}
