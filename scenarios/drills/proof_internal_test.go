package drills

import (
	"iter"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// one is the histogram of good answers.
type one struct{ h *hdrhistogram.PackedHistogram }

func (o one) Get(int) (*hdrhistogram.PackedHistogram, error) { return o.h, nil }

func (o one) All() iter.Seq2[result.HistogramInfo, error] {
	return func(func(result.HistogramInfo, error) bool) {}
}

// TestBeyond_Percentile: a percentile is beyond its target if more requests exceed that than chance explains.
func TestBeyond_Percentile(t *testing.T) {
	for _, c := range []struct {
		name               string
		slow, fast, failed int64
		want               bool
	}{
		{"most are slow", 300, 100, 0, true},
		{"half and a few are slow", 205, 195, 0, false},
		{"most failed", 0, 100, 300, true},
		{"few are slow", 100, 300, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := result.NewHistogram()
			for n, at := range map[time.Duration]int64{200 * time.Millisecond: c.slow, time.Millisecond: c.fast} {
				if err := h.RecordValues(n.Microseconds(), at); err != nil {
					t.Fatal(err)
				}
			}
			res := &result.Result{Histograms: one{h}, Cells: []result.Cell{
				{Phase: slo.ParsePhase("lag"), Load: "*", Step: "*", Outcome: "*", Count: c.slow + c.fast + c.failed},
				{Phase: slo.ParsePhase("lag"), Load: "*", Step: "*", Outcome: "ok", Count: c.slow + c.fast, Hist: 1},
				{Phase: slo.ParsePhase("lag"), Load: "readers", Step: "*", Outcome: "*", Count: 1},
			}}
			o := result.ObjectiveResult{
				Text: "p50 < 100ms in lag", Phase: slo.ParsePhase("lag"), Op: "<", Target: .1, Measured: .2, Low: result.NaN,
				High:    result.NaN,
				Verdict: scenarios.Fail,
			}
			if got := beyond(o, res); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestBeyond_NoHistogram: without a distribution it is not known how low a percentile may be, and no failure is proved.
func TestBeyond_NoHistogram(t *testing.T) {
	res := &result.Result{Cells: []result.Cell{
		{Phase: slo.ParsePhase("lag"), Load: "*", Step: "*", Outcome: "*", Count: 400},
		{Phase: slo.ParsePhase("lag"), Load: "*", Step: "*", Outcome: "ok", Count: 400},
	}}
	o := result.ObjectiveResult{
		Text: "p50 < 100ms in lag", Phase: slo.ParsePhase("lag"), Op: "<", Target: .1, Measured: .2, Low: result.NaN,
		High:    result.NaN,
		Verdict: scenarios.Fail,
	}
	if beyond(o, res) {
		t.Error("it is beyond its target")
	}
}

// TestNeed_FewSlow: a step that was slower, by too few requests to show it, does not do without the service.
func TestNeed_FewSlow(t *testing.T) {
	before := answers{all: 1000, met: 1000, slow: [2]float64{.002, .004}, least: [2]float64{.002, .004}}
	during := answers{all: 300, met: 300, slow: [2]float64{.002, .5}, least: [2]float64{.002, .004}}
	if got := need(during, before, .01, ""); got.Need != Vague {
		t.Errorf("%s: %s", got.Need, got.Why)
	}
}

// TestNeed_Skipped: where an earlier step failed, the requests that would have met the outage were not sent, and the
// others do not show that the step does without the service.
func TestNeed_Skipped(t *testing.T) {
	before := answers{all: 1000, met: 1000, slow: [2]float64{.002, .004}, least: [2]float64{.002, .004}}
	for skipped, want := range map[float64]Need{0: Apart, 5: Apart, 200: Vague} {
		during := before
		during.skipped = skipped
		if got := need(during, before, .01, ""); got.Need != want {
			t.Errorf("%.0f skipped: %s: %s", skipped, got.Need, got.Why)
		}
	}
	before.skipped = 200
	if got := need(before, before, .01, ""); got.Need != Apart {
		t.Errorf("as many skipped as before: %s: %s", got.Need, got.Why)
	}
}
