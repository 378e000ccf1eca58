package slo_test

import (
	"math"
	"testing"
	"time"

	"brunt/scenarios/slo"
)

// TestTable_Toy checks that a metric is one row: it is parsed, used in objectives, computes its
// value and is offered by the message about an unknown one.
func TestTable_Toy(t *testing.T) {
	toy := slo.Row{
		Name: "skips", Unit: slo.ShareOf, Bare: true, Written: []string{"skips"},
		Aliases: map[string]string{"omitted": "skips"},
		Count:   func(c slo.Counts) (bad, n int64) { return c.Skipped, c.Offered() },
		Meaning: "The share of requests that were not reached.",
	}
	table := append(slo.Table{toy}, slo.Metrics()...)
	o, err := table.ParseObjective("skips < 5% in baseline")
	if err != nil || o.Metric.Name != "skips" || o.Metric.Unit != slo.ShareOf || o.Value != .05 ||
		o.Phase != slo.ParsePhase("baseline") {
		t.Fatalf("%+v, %v", o, err)
	}
	if v := o.Metric.Row().Of(slo.Counts{OK: 90, Error: 6, Skipped: 4}); v != .04 || !o.Holds(v) {
		t.Errorf("the value is %v", v)
	}
	if _, err := table.ParseObjective("skip < 5%"); err == nil ||
		err.Error() != `unknown metric "skip"; did you mean "skips"?` {
		t.Errorf("got %v", err)
	}
	if _, err := table.ParseMetric("omitted"); err == nil ||
		err.Error() != `unknown metric "omitted"; did you mean "skips"?` {
		t.Errorf("got %v", err)
	}
	if _, err := slo.ParseObjective("skips < 5%"); err == nil {
		t.Error("the table of all metrics has the toy")
	}
}

func TestRow_Of(t *testing.T) {
	counts := slo.Counts{OK: 80, Shed: 10, Error: 6, Skipped: 4, Timeouts: 3, Over: 8, Checks: 200, Failed: 20}
	for name, want := range map[string]float64{
		"errors": .1, "availability": .8, "availability.admitted": 80. / 90, "shed": .1, "timeouts": 3, "checks": .9,
		"within": 72. / 90, "p": math.NaN(), "lost": math.NaN(),
	} {
		r, known := slo.Metrics().Row(name)
		if got := r.Of(counts); !known || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
	r, _ := slo.Metrics().Row("errors")
	if got := r.Of(slo.Counts{}); !math.IsNaN(got) {
		t.Errorf("of no request it is %v", got)
	}
}

// TestRow_Rate: rate counts iterations, and goodput the good answers alone.
func TestRow_Rate(t *testing.T) {
	counts := slo.Counts{OK: 80, Shed: 10, Error: 6, Skipped: 4, Iterations: 50, Span: 2 * time.Second}
	for name, want := range map[string]float64{"rate": 25, "goodput": 40} {
		r, _ := slo.Metrics().Row(name)
		if got, n := r.Rate(counts); got != want || n == 0 {
			t.Errorf("%s is %v of %d, not %v", name, got, n, want)
		}
	}
	r, _ := slo.Metrics().Row("goodput")
	if got, n := r.Rate(slo.Counts{Error: 9, Span: time.Second}); got != 0 || n != 9 {
		t.Errorf("goodput without a good answer is %v of %d, which is no lack of requests", got, n)
	}
}

// TestRow_Moments: each metric that is measured from a fault lies between two moments or says what it adds
// up, but for those of alerts.
func TestRow_Moments(t *testing.T) {
	for _, r := range slo.Metrics() {
		spans := r.From != slo.NoMoment && r.To != slo.NoMoment
		switch ofFault := r.Needs == slo.NeedsFault || r.Needs == slo.NeedsDetect || r.Needs == slo.NeedsMark; {
		case ofFault && spans == (r.Sums != ""):
			t.Errorf("%s: from %d to %d, sums %q", r.Name, r.From, r.To, r.Sums)
		case !ofFault && (spans || r.Sums != ""):
			t.Errorf("%s is measured from no fault", r.Name)
		}
	}
}

// TestMetrics_Quantiles: a metric that is computed from quantiles says that it is known only after the run, and how
// many requests decide. The percentiles themselves are counted during the run.
func TestMetrics_Quantiles(t *testing.T) {
	for _, r := range slo.Metrics() {
		if r.Times == nil {
			continue
		}
		asks := false
		at := func(float64) float64 {
			asks = true
			return .5
		}
		r.Times(slo.Metric{Quantile: .5}, slo.Times{OK: 10, Most: 1, Sum: 5, At: at})
		if asks && (r.Budget == nil || !r.Late && r.Name != "p") {
			t.Errorf("%s asks for quantiles: want Late, as a stop condition never knows them, and Budget", r.Name)
		}
	}
}
