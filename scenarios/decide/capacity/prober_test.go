package capacity

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/slo"
)

// TestProber_Glance: a glance has no more requests than show that most of them miss an objective, with the interval of
// the rate between them. It asks only what two bad requests can show.
func TestProber_Glance(t *testing.T) {
	for _, tt := range []struct {
		objectives string // separated by commas
		asks       string
		rate       float64
		requests   float64
	}{
		{"p99 < 100ms, errors < 1%", "p80 < 0.1, errors < 0.2", .1, 2},
		{"p50 < 100ms, max < 1s", "p50 < 0.1", .1, 5},
		{"errors < 50%", "errors < 0.5", .1, 5},
		{"errors = 0, availability > 99.9%", "errors < 0.2, availability > 0.8", .1, 2},
		{"errors < 1%", "errors < 0.2", 50, 50},
		{"goodput > 50/s, mean < 1s, errors > 1%", "", .1, 2},
	} {
		r := prober(t, &target{})
		for text := range strings.SplitSeq(tt.objectives, ", ") {
			o, err := slo.ParseObjective(text)
			if err != nil {
				t.Fatal(err)
			}
			r.Objectives = append(r.Objectives, o)
		}
		if _, err := r.Check(); err != nil {
			t.Fatal(err)
		}
		of := r.glance(tt.rate)
		var asks []string
		for _, o := range of.objectives {
			name := o.Metric.Name
			if o.Metric.Percentile() {
				name += strconv.Itoa(int(100*o.Metric.Quantile + .5))
			}
			asks = append(asks, fmt.Sprintf("%s %s %v", name, o.Op, o.Value))
		}
		got := math.Ceil(of.length.Seconds()*tt.rate - 1e-6)
		if strings.Join(asks, ", ") != tt.asks || got != tt.requests {
			t.Errorf("%s: it asks %v with %v requests; want %s with %v", tt.objectives, asks, got, tt.asks, tt.requests)
		}
	}
}

func TestProber_Answer(t *testing.T) {
	windows := func(inFlight ...int64) (out []result.Window) {
		for i, n := range inFlight {
			out = append(out, result.Window{T: result.Num(i), Load: "*", Step: "*", Offered: 100, InFlight: n})
		}
		return out
	}
	cut := func(windows []result.Window, n int64, from int) []result.Window {
		for i := from; i < len(windows); i++ {
			windows[i].Kinds = map[string]int64{"unfinished": n}
		}
		return windows
	}
	passed := result.ObjectiveResult{Text: "p95 < 1s", Metric: "p95", Measured: .2, Verdict: scenarios.Pass}
	failed := result.ObjectiveResult{
		Text: "p95 < 1s", Metric: "p95", Measured: result.Num(math.NaN()), Verdict: scenarios.Fail,
	}
	late := func(remedy result.Remedy) (g result.Generator) {
		g.Pressure = .9
		g.Add(result.Limit{Kind: result.LimitLag, Phase: slo.ParsePhase("run"), Value: .02, Most: .01, Remedy: remedy})
		return g
	}
	calm := late(result.OwnCore)
	calm.Pressure = 0
	portless := late(result.OwnCore)
	portless.Add(result.Limit{Kind: result.LimitPorts, Requests: 11})
	healthy := result.Generator{Healthy: true}
	tests := []struct {
		name string
		res  result.Result
		want search.Answer
		why  string
	}{
		{
			"all held",
			result.Result{Generator: healthy, Verdict: scenarios.Pass, Objectives: []result.ObjectiveResult{passed}},
			search.Holds, "p95 < 1s: 200ms",
		},
		{
			"one failed",
			result.Result{Generator: healthy, Verdict: scenarios.Fail, Objectives: []result.ObjectiveResult{passed, failed}},
			search.Breaks, "p95 < 1s: no end",
		},
		{
			"it may have failed",
			result.Result{Generator: healthy, Verdict: scenarios.Inconclusive, Objectives: []result.ObjectiveResult{
				{Text: "p95 < 100ms", Metric: "p95", Measured: .2, Verdict: scenarios.Inconclusive},
			}},
			search.Holds, "p95 < 100ms: 200ms, not certain to fail",
		},
		{
			"it may have failed for other programs",
			result.Result{Generator: healthy, Verdict: scenarios.Inconclusive, Objectives: []result.ObjectiveResult{passed, {
				Text: "p95 < 100ms", Metric: "p95", Measured: .2, Verdict: scenarios.Inconclusive,
				Because: result.Notes{{Kind: result.MachineFails, Count: 2}},
			}}},
			"",
			"p95 < 100ms: other programs held the processors of this machine in 2 s, so the target may have lacked one " +
				"then; the rest does not show a failure",
		},
		{
			"it falls behind",
			result.Result{Generator: healthy, Verdict: scenarios.Pass, Windows: windows(1, 10, 20, 30, 40, 50)},
			search.Breaks, "it falls behind: 30 more are in flight at the end than half-way",
		},
		{
			"those that were cut off are in flight",
			result.Result{
				Generator: healthy, Verdict: scenarios.Invalid, Windows: cut(windows(20, 40, 60, 80, 100, 120), 20, 0),
			},
			"",
			"60 more are in flight at the end than half-way, and brunt cut off 120 that were not " +
				"answered by then, so it is unknown whether it falls behind or only answers slowly; set `grace` to the timeout, " +
				"and a --probe that is longer than slow answers take",
		},
		{
			"it falls behind, and the last ones were cut off",
			result.Result{
				Generator: healthy, Verdict: scenarios.Pass, Windows: cut(windows(50, 100, 150, 200, 250, 300), 100, 4),
			},
			search.Breaks, "it falls behind: 150 more are in flight at the end than half-way",
		},
		{
			"as many are in flight all the time",
			result.Result{Generator: healthy, Verdict: scenarios.Pass, Windows: windows(1, 50, 48, 52, 49, 51)},
			search.Holds, "every objective holds",
		},
		{
			"a neighbour",
			result.Result{Generator: late(result.OwnCore), Verdict: scenarios.Invalid},
			search.Disturbed, "",
		},
		{
			"all the generator has",
			result.Result{Generator: late(result.MoreCores), Verdict: scenarios.Invalid},
			search.Limited,
			"",
		},
		{
			"late with no program beside it",
			result.Result{Generator: calm, Verdict: scenarios.Invalid},
			search.Limited, "",
		},
		{
			"a neighbour, and no port",
			result.Result{Generator: portless, Verdict: scenarios.Invalid},
			search.Limited, "",
		},
		{"it shows nothing", result.Result{Generator: healthy, Verdict: scenarios.Invalid, Reason: "x"}, "", ""},
		{"its fault is left", result.Result{Generator: healthy, Verdict: scenarios.NotReverted}, "", ""},
		{"interrupted", result.Result{Generator: healthy, Verdict: scenarios.Interrupted}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, why, err := answer(&tt.res, true)
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("it is %q, %v; want %q", got, err, tt.want)
			}
			e := ProbeError{}
			if tt.want == "" && (!errors.As(err, &e) || e.Verdict != tt.res.Verdict) {
				t.Errorf("the error has the verdict %q, want %q", e.Verdict, tt.res.Verdict)
			}
			if got := why + e.Reason; tt.why != "" && got != tt.why {
				t.Errorf("it says %q, want %q", got, tt.why)
			}
		})
	}
}
