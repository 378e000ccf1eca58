package slo_test

import (
	"math"
	"strings"
	"testing"

	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// TestReference: a multiple of another phase or load is read, in both forms, and takes its place beside the other
// clauses.
func TestReference(t *testing.T) {
	baseline, recovery := slo.ParsePhase("baseline"), slo.ParsePhase("recovery/a")
	for _, c := range []struct {
		text        string
		want        slo.Reference
		phase, load string
		step        string
	}{
		{"p95 < 110% of baseline in crash", slo.Reference{Factor: 1.1, Phase: baseline}, "crash", "", ""},
		{"p95 < 1.1x of baseline in crash of list", slo.Reference{Factor: 1.1, Phase: baseline}, "crash", "", "list"},
		{"p95 <= 150% of load stable of load canary", slo.Reference{Factor: 1.5, Load: "stable"}, "", "canary", ""},
		{`p50 < 150% of step "list v1" of "list v2"`, slo.Reference{Factor: 1.5, Step: "list v1"}, "", "", "list v2"},
		{"rate > 80% of step list of load all", slo.Reference{Factor: .8, Step: "list"}, "", "all", ""},
		{"goodput > 80% of baseline in flood", slo.Reference{Factor: .8, Phase: baseline}, "flood", "", ""},
		{"within(200ms) > 0.98x of recovery/a in b", slo.Reference{Factor: .98, Phase: recovery}, "b", "", ""},
		{"mean(asks) < 300% of baseline in flush", slo.Reference{Factor: 3, Phase: baseline}, "flush", "", ""},
		{"mean(asks) < 3x of baseline in flush", slo.Reference{Factor: 3, Phase: baseline}, "flush", "", ""},
		{"posts.memory < 120% of baseline", slo.Reference{Factor: 1.2, Phase: baseline}, "", "", ""},
		{"ratio(hits, asks) > 50% of baseline in flush", slo.Reference{Factor: .5, Phase: baseline}, "flush", "", ""},
		{"per_request(asks) < 2x of baseline in flush", slo.Reference{Factor: 2, Phase: baseline}, "flush", "", ""},
	} {
		o, err := slo.ParseObjective(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if math.Abs(o.Reference.Factor-c.want.Factor) < 1e-12 {
			o.Reference.Factor = c.want.Factor
		}
		if o.Reference != c.want || o.Phase.String() != c.phase || o.Load != c.load || o.Step != c.step ||
			!math.IsNaN(o.Value) {
			t.Errorf("%s is read as %+v", c.text, o)
		}
		if got := o.Against(200).Value; math.Abs(got-200*c.want.Factor) > 1e-9 {
			t.Errorf("%s against 200 is %v", c.text, got)
		}
	}
	// as ever
	for _, text := range []string{"errors < 1% of list", "errors < 50% of baseline", "ratio(hits, asks) > 90%"} {
		if o, err := slo.ParseObjective(text); err != nil || o.Relative() || math.IsNaN(o.Value) {
			t.Errorf("%s is read as %+v: %v", text, o, err)
		}
	}
}

// TestReference_Long: the long form has the multiple as its value, and its text is the same objective.
func TestReference_Long(t *testing.T) {
	var m syntax.Mistakes
	var o slo.Objective
	o.DecodeNode(syntaxtest.Parse(t, "{metric: p95, below: 110% of baseline, phase: crash, step: read post}"), &m)
	if want := `p95 < 110% of baseline of "read post" in crash`; m.Len() > 0 || o.Text != want {
		t.Fatalf("%q, want %q: %v", o.Text, want, m.Err())
	}
	short, err := slo.ParseObjective(o.Text)
	if err != nil || short.Reference != o.Reference || short.Phase != o.Phase || short.Step != o.Step {
		t.Errorf("the short form reads as %+v, the long one as %+v: %v", short, o, err)
	}
}

// TestReference_Mistakes: each says what is missing.
func TestReference_Mistakes(t *testing.T) {
	for text, want := range map[string]string{
		"p95 < 110%": "a multiple names its reference: `p95 < 110% of baseline` or `… of load " +
			"stable`",
		"p95 < 110% in crash":                    "a multiple names its reference",
		"p95 < 110% of load":                     "a multiple names its reference",
		"errors < 2x":                            "a multiple names its reference: `errors < 2x of baseline`",
		"p95 < 110% of baseline in baseline":     "p95 is held against itself",
		"p95 < 110% of run":                      "p95 is held against itself",
		"p95 < 110% of load a of load a":         "p95 is held against itself",
		"p95 < 110% of step":                     "a multiple names its reference",
		"p95 < 110% of step a of a":              "p95 is held against itself",
		"posts.memory < 2x of step a":            "posts.memory is of no load",
		"recover < 110% of baseline after crash": "recover has no value in another phase",
		"lost < 2x of baseline":                  "lost has no value in another phase",
		"timeouts < 2x of baseline in crash":     "timeouts is a count",
		"posts.restarts < 2x of baseline":        "posts.restarts is a count",
		"increase(asks) < 2x of baseline":        "increase(asks) is a count",
		"slope(posts.fds) < 2x of baseline":      "may be negative",
		"posts.memory < 2x of load stable":       "posts.memory is of no load",
		"p95 = 110% of baseline in crash":        "p95",
		"p95 < 110% of warmup":                   "warm-up is never measured",
		"reach(metric(a) >= 4) < 5s":             "is measured from a fault",
		"reach(metric(a) >= 4) > 5s after x":     "wants an upper bound",
		"reach(metric(a)) < 5s after x":          "such as reach(metric(replicas) >= 4)",
		"reach(p95 < 5s) < 5s after x":           "want a figure of a unit, or metric(NAME), and the value that it reaches",
		"reach(mean(a) > 5) < 5s after x":        "want a figure of a unit, or metric(NAME), and the value that it reaches",
		"reach(metric(a) > 5 < 5s after x":       "want `METRIC < VALUE`",
		"reach(metric(a) > 1 in x) < 5s after x": "only a value can follow the series in reach",
	} {
		if _, err := slo.ParseObjective(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}
