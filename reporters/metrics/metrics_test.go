package metrics_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/reporters/metrics"
	"brunt/scenarios"
	"brunt/scenarios/result"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// scraped reads a gatherer as text: each series with its value.
func scraped(t *testing.T, m *metrics.Collector) map[string]string {
	t.Helper()
	families, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]string{}
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "#") {
			i := strings.LastIndexByte(line, ' ')
			out[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return out
}

func wants(t *testing.T, m *metrics.Collector, want map[string]string) {
	t.Helper()
	got := scraped(t, m)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s is %q, want %q; all: %v", name, got[name], want[name], got)
		}
	}
}

// TestMetrics checks that intervals add up, and that offered is what ended plus what is under
// way.
func TestMetrics(t *testing.T) {
	m := metrics.New(metrics.Options{
		Run: "r1", Scenario: "a \"b\"", Faults: map[string]string{"cut": "network.partition", "slow": "network.latency"},
	})
	const of = `run="r1",scenario="a \"b\""`
	second := result.StepInterval{
		Load: "browse", Step: "read", Kinds: [scenarios.Kinds]int64{8, 1, 2, 3}, Causes: map[string]int64{"timeout": 2},
		Total: 5 * time.Second,
		Timings: [scenarios.RequestPhases]time.Duration{
			scenarios.InConnect:   time.Second,
			scenarios.InFirstByte: 4 * time.Second,
		}, Resent: 1,
		Took: []result.TimeBucket{
			{N: 1},
			{Low: time.Millisecond, High: time.Millisecond, N: 8},
			{Low: 2 * time.Second, High: 2*time.Second + 2*time.Millisecond, N: 1},
			{Low: 40 * time.Second, High: 40 * time.Second, N: 1},
		},
	}
	m.Observe(result.Interval{
		At: -time.Second, InFlight: 9, Lag: 2 * time.Millisecond,
		Steps: []result.StepInterval{{Load: "browse", Step: "read"}},
	})
	wants(t, m, map[string]string{
		"brunt_offered_total{" + of + "}": "0", "brunt_in_flight{" + of + "}": "9", "brunt_lag_seconds{" + of + "}": "0.002",
		`brunt_requests_total{load="browse",outcome="ok",` + of + `,step="read"}`:       "0",
		`brunt_fault_active{fault="cut",kind="network.partition",` + of + `}`:           "0",
		`brunt_response_seconds_count{load="browse",` + of + `,step="read"}`:            "0",
		`brunt_response_seconds_bucket{load="browse",` + of + `,step="read",le="+Inf"}`: "0",
		`brunt_errors_total{kind="timeout",load="browse",` + of + `,step="read"}`:       "",
	})
	m.Observe(result.Interval{
		At: time.Second, InFlight: 4, Steps: []result.StepInterval{second}, Faults: []string{"cut#2"},
	})
	m.Observe(result.Interval{
		At: 2 * time.Second, InFlight: 1, Steps: []result.StepInterval{second}, Faults: []string{"cut#2"},
	})
	wants(t, m, map[string]string{
		"brunt_offered_total{" + of + "}":                                                      "29",
		`brunt_requests_total{load="browse",outcome="ok",` + of + `,step="read"}`:              "16",
		`brunt_requests_total{load="browse",outcome="shed",` + of + `,step="read"}`:            "2",
		`brunt_requests_total{load="browse",outcome="error",` + of + `,step="read"}`:           "4",
		`brunt_requests_total{load="browse",outcome="skipped",` + of + `,step="read"}`:         "6",
		`brunt_errors_total{kind="timeout",load="browse",` + of + `,step="read"}`:              "4",
		`brunt_response_seconds_count{load="browse",` + of + `,step="read"}`:                   "22",
		`brunt_response_seconds_sum{load="browse",` + of + `,step="read"}`:                     "10",
		`brunt_response_seconds_bucket{load="browse",` + of + `,step="read",le="0.0005"}`:      "2",
		`brunt_response_seconds_bucket{load="browse",` + of + `,step="read",le="0.001"}`:       "18",
		`brunt_response_seconds_bucket{load="browse",` + of + `,step="read",le="2.5"}`:         "20",
		`brunt_response_seconds_bucket{load="browse",` + of + `,step="read",le="30"}`:          "20",
		`brunt_response_seconds_bucket{load="browse",` + of + `,step="read",le="+Inf"}`:        "22",
		`brunt_fault_active{fault="cut",kind="network.partition",` + of + `}`:                  "1",
		`brunt_syn_resent_total{load="browse",` + of + `,step="read"}`:                         "2",
		`brunt_timing_seconds_total{load="browse",` + of + `,step="read",timing="connect"}`:    "2",
		`brunt_timing_seconds_total{load="browse",` + of + `,step="read",timing="first_byte"}`: "8",
		`brunt_timing_seconds_total{load="browse",` + of + `,step="read",timing="tls"}`:        "",
		`brunt_fault_active{fault="slow",kind="network.latency",` + of + `}`:                   "0",
	})
}

// TestMetrics_ShortFault checks that a fault shorter than an interval shows in one.
func TestMetrics_ShortFault(t *testing.T) {
	m := metrics.New(metrics.Options{Faults: map[string]string{"cut": "network.partition"}})
	const cut = `brunt_fault_active{fault="cut",kind="network.partition",run="",scenario=""}`
	m.Event(result.Event{Event: "fault.injected", Fault: "cut#1"})
	m.Event(result.Event{Event: "fault.cleared", Fault: "cut#1"})
	m.Observe(result.Interval{})
	wants(t, m, map[string]string{cut: "1"})
	m.Observe(result.Interval{})
	wants(t, m, map[string]string{cut: "0"})
}

// TestMetrics_Native checks that every time lies in the native bucket that the format defines.
func TestMetrics_Native(t *testing.T) {
	m := metrics.New(metrics.Options{})
	times := []time.Duration{time.Microsecond, 900 * time.Microsecond, time.Second, 1500 * time.Millisecond, time.Hour}
	var s result.StepInterval
	for _, d := range times {
		s.Took = append(s.Took, result.TimeBucket{Low: d, High: d, N: 1})
	}
	m.Observe(result.Interval{Steps: []result.StepInterval{s}})
	families, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var h *dto.Histogram
	for _, f := range families {
		if f.GetName() == "brunt_response_seconds" {
			h = f.Metric[0].Histogram
		}
	}
	base := math.Pow(2, math.Pow(2, -float64(h.GetSchema())))
	i, n, at := int32(0), int64(0), 0
	for _, span := range h.PositiveSpan {
		i += span.GetOffset()
		for range span.GetLength() {
			n += h.PositiveDelta[at]
			if want := times[at].Seconds(); n != 1 || math.Pow(base, float64(i-1)) >= want ||
				math.Pow(base, float64(i)) < want*(1-1e-12) {
				t.Errorf("bucket %d holds %d, and should hold %gs alone", i, n, want)
			}
			at, i = at+1, i+1
		}
	}
	if at != len(times) || h.GetSampleCount() != uint64(len(times)) {
		t.Errorf("%d buckets for %d times, %d in all", at, len(times), h.GetSampleCount())
	}
}

// TestMetrics_Hostile checks that any names can be gathered.
func TestMetrics_Hostile(t *testing.T) {
	m := metrics.New(metrics.Options{Run: "\xff", Scenario: "\n\x00", Faults: map[string]string{"\xfe": "x"}})
	m.Observe(result.Interval{
		Steps: []result.StepInterval{{Load: "\xff", Step: "a\n\"\\\xff", Causes: map[string]int64{"\xff{}": 1}}},
	})
	if got := scraped(t, m); len(got) < 20 {
		t.Errorf("%d series", len(got))
	}
}

// Thousands of steps and kinds of errors stay within the bound of series, and all are counted.
func TestMetrics_Bounded(t *testing.T) {
	m := metrics.New(metrics.Options{})
	iv := result.Interval{At: time.Second}
	for i := range 2000 {
		causes := map[string]int64{}
		if i == 0 {
			for j := range 2000 {
				causes[fmt.Sprint("check ", j)] = 2
			}
		}
		iv.Steps = append(iv.Steps, result.StepInterval{
			Load: "l", Step: fmt.Sprint("step ", i), Kinds: [scenarios.Kinds]int64{3}, Causes: causes,
		})
	}
	m.Observe(iv)
	families, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		sum, series := 0.0, map[string]bool{}
		for _, x := range f.Metric {
			sum += x.GetCounter().GetValue()
			for _, l := range x.Label {
				if l.GetName() == "step" || l.GetName() == "kind" {
					series[l.GetName()+l.GetValue()] = true
				}
			}
		}
		switch f.GetName() {
		case "brunt_requests_total":
			if sum != 3*2000 || len(series) > metrics.StepSeries+1 {
				t.Errorf("%v requests of %d steps", sum, len(series))
			}
		case "brunt_errors_total":
			if sum != 2*2000 || len(series) > 1+metrics.KindSeries+1 {
				t.Errorf("%v errors of %d kinds", sum, len(series))
			}
		}
	}
}
