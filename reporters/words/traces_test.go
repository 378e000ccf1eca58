package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// traced are the self times of a baseline and a fault.
func traced(posts result.ServiceTime, slowest ...result.SlowestIn) *result.Traces {
	posts.Service = "posts"
	front := result.ServiceTime{Service: "front", Self: .002, GrowthLow: -.001, GrowthHigh: .001}
	return &result.Traces{
		Listen: "127.0.0.1:4318", Services: []string{"front", "posts"}, Requests: 1200, Share: 1, Spans: 3600, Answered: 1200,
		Whole: 1199, Orphaned: 1, Foreign: 7,
		Phases: []result.TracePhase{
			{
				Phase: slo.Phase{Kind: slo.BaselinePhase}, Requests: 600, Outside: .001, Services: []result.ServiceTime{
					{Service: "front", Self: .002, GrowthLow: result.NaN, GrowthHigh: result.NaN},
					{Service: "posts", Self: .004, GrowthLow: result.NaN, GrowthHigh: result.NaN},
				},
			},
			{
				Phase: slo.Phase{Kind: slo.FaultPhase, Fault: "slow-store"}, Requests: 600, Outside: .001,
				Services: []result.ServiceTime{posts, front}, Slowest: slowest, OfSlowest: 10,
			},
		},
	}
}

// TestTraceFinding: a sentence needs a growth beyond chance that is large enough, and "n of the 10 slowest" needs most
// of them in a span of the same service.
func TestTraceFinding(t *testing.T) {
	grown := result.ServiceTime{Self: .064, Waiting: .06, GrowthLow: .055, GrowthHigh: .065}
	pool := result.SlowestIn{Service: "posts", Span: "pool", Waiting: true, Count: 9}
	for _, c := range []struct {
		name  string
		posts result.ServiceTime
		slow  []result.SlowestIn
		want  string
	}{
		{
			"grown, in its calls", grown,
			[]result.SlowestIn{pool},
			"In slow-store the self time of posts grew most: 4ms → 64ms a request, most of it in calls that waited for the " +
				"network, or for something without spans. 9 of the 10 slowest requests spent most of their time in its span “pool”.",
		},
		{
			"grown by itself",
			result.ServiceTime{Self: .064, GrowthLow: .055, GrowthHigh: .065},
			[]result.SlowestIn{{Service: "posts", Span: "pool", Count: 4}, {Service: "front", Span: "GET", Count: 4}},
			"In slow-store the self time of posts grew most: 4ms → 64ms a request.",
		},
		{
			"the slowest elsewhere",
			result.ServiceTime{Self: .064, GrowthLow: .055, GrowthHigh: .065},
			[]result.SlowestIn{{Service: "front", Span: "GET", Count: 10}},
			"In slow-store the self time of posts grew most: 4ms → 64ms a request.",
		},
		{"by chance", result.ServiceTime{Self: .064, GrowthLow: -.001, GrowthHigh: .1}, []result.SlowestIn{pool}, ""},
		{"hardly", result.ServiceTime{Self: .0045, GrowthLow: .0004, GrowthHigh: .0006}, []result.SlowestIn{pool}, ""},
		{"unknown", result.ServiceTime{Self: .064, GrowthLow: result.NaN, GrowthHigh: result.NaN}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := traced(c.posts, c.slow...)
			if got := strings.Join(words.TraceFindings(of), " "); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
	of := traced(grown, pool)
	of.Phases = of.Phases[1:]
	if got := words.TraceFindings(of); got != nil {
		t.Errorf("without a baseline: %q", got)
	}
}

func TestTraceSummary(t *testing.T) {
	of := traced(result.ServiceTime{})
	of.Missing = []result.ServiceCount{{Service: "store", Count: 3}}
	of.Refused, of.RefusedWhy, of.Share = 1, "not <b>gzip</b>\x1b[31m", .25
	want := "1200 requests, a random 25% of all, with 3600 spans of front and posts. Of 1200 answered requests 1199 have a " +
		"whole trace; 1 has a span whose parent did not come; 3 have no span of store; 7 spans are of traces that no request " +
		"began; 1 message was refused: not <b>gzip</b>"
	if got := words.TraceSummary(of); !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := words.TraceSummary(&result.Traces{Listen: "127.0.0.1:4318"}); got !=
		"No span of the load's requests came to 127.0.0.1:4318." {
		t.Error(got)
	}
	phases, rows := words.TraceRows(of)
	if len(phases) != 2 || len(rows) != 4 || rows[2].Cells[0].Text != "4ms" {
		t.Errorf("%v %v", phases, rows)
	}
}

// TestAnswer_Traces: where only an objective on traces failed, the answer says what they lack, and no outage.
func TestAnswer_Traces(t *testing.T) {
	traces := slo.Objective{}
	if o, err := slo.ParseObjective("traces > 99%"); err != nil {
		t.Fatal(err)
	} else {
		traces = o
	}
	r := &result.Result{Verdict: scenarios.Fail, Traces: traced(result.ServiceTime{})}
	r.Objectives = []result.ObjectiveResult{{
		Asked: &traces, Text: traces.Text, Metric: traces.Metric.Text, Op: traces.Op, Target: result.Num(traces.Value),
		Measured: 0, Verdict: scenarios.Fail,
	}}
	r.Incidents = []result.Incident{{Begin: 1, End: 2, Over: true, Bad: 1, Requests: 2}}
	a := words.AnswerOf(r)
	if len(a.Why) != 1 || !strings.HasPrefix(a.Why[0].String(), "1200 requests with 3600 spans of front and posts.") {
		t.Errorf("%q", a.Why)
	}
}
