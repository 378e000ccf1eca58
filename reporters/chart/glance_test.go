package chart

import (
	"math"
	"strings"
	"testing"

	"brunt/scenarios/result"
)

// seconds returns a run of n seconds with 100 requests each, of which bad failed.
func seconds(n int, bad func(i int) int64) *result.Result {
	r := &result.Result{Duration: result.Num(n)}
	for i := range n {
		w := result.Window{T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: 100, P50: .01, P95: .05}
		w.Error = bad(i)
		if w.OK = w.Offered - w.Error; w.Error > 5 {
			w.P95 = result.NaN
		}
		r.Windows = append(r.Windows, w)
	}
	return r
}

func plotter(r *result.Result) *Plotter {
	list, together := Points(r)
	return NewPlotter(NewTimeline(r, list, Places{}), list, together)
}

// TestRates: failed requests stand on the good ones, up to those that were asked for, and nothing is drawn after the
// end of the load.
func TestRates(t *testing.T) {
	r := seconds(4, func(i int) int64 { return []int64{0, 40, 0, 0}[i] })
	r.Duration = 3 // the last second has only the ends of iterations
	ch := plotter(r).Rates(r)
	plot := string(ch.Plot)
	for _, want := range []string{
		`<path class="area lost" data-s="3" d="M500 167h500V500H500Z"`, // of 150: the 100 that were asked for
		`<path class="line ok" data-s="1" d="M0 167h500v133h500v-133h500"`,
		`<path class="line asked" data-s="0" d="M0 167h1500"`,
	} {
		if !strings.Contains(plot, want) {
			t.Errorf("no %s in %s", want, plot)
		}
	}
	if !strings.Contains(ch.Label, "failed from 0/s to 40/s") || len(ch.Legend) != 3 {
		t.Errorf("label %s, legend %v", ch.Label, ch.Legend)
	}
	good := seconds(4, func(int) int64 { return 0 })
	if ch := plotter(good).Rates(good); strings.Contains(string(ch.Plot), "lost") || len(ch.Legend) != 2 {
		t.Errorf("a run without failures has them: %v", ch.Legend)
	}
}

// TestRates_Dense: a single bad second of many hours is seen.
func TestRates_Dense(t *testing.T) {
	r := seconds(3600, func(i int) int64 {
		if i == 1801 {
			return 90
		}
		return 0
	})
	plot := string(plotter(r).Rates(r).Plot)
	_, area, found := strings.Cut(plot, `<path class="area lost" data-s="3" d="M`)
	if area, _, _ = strings.Cut(area, `"`); !found || !strings.HasPrefix(area, "1000 167h") {
		t.Errorf("the bad second is drawn as %q", area)
	}
}

// TestTimes_Gaps: where too many requests failed to have a p95, the chart says so.
func TestTimes_Gaps(t *testing.T) {
	r := seconds(10, func(i int) int64 { return map[int]int64{2: 40, 3: 40, 7: 100, 8: 3}[i] })
	ch := plotter(r).Times(r)
	var got []string
	for _, g := range ch.Gaps {
		got = append(got, g.From+" to "+g.To)
	}
	if strings.Join(got, ", ") != "2 to 4, 7 to 8" {
		t.Errorf("gaps %v", got)
	}
}

// TestAims: a text stands at its line, and none lies over another one.
func TestAims(t *testing.T) {
	c := plotter(seconds(100, func(int) int64 { return 0 }))
	s := Scale{Log: true, Lo: .001, Hi: 1}
	list := c.aims([]Limit{
		{Brief: "p50 < 1s", Value: 1, From: 0, To: 20},
		{Brief: "p95 < 900ms", Value: .9, From: 5, To: 30},  // over the first one, but for its end
		{Brief: "p95 < 950ms", Value: .95, From: 5, To: 15}, // over the first one
		{Brief: "p95 < 100ms", Value: .1, From: 95, To: 100},
		{Brief: "gone", Value: .01, From: math.NaN(), To: 100},
	}, nil, s)
	if len(list) != 3 || list[0].Label != "p50 < 1s" || !list[0].Below || list[1].left < aimWidth || list[2].Below ||
		list[2].left > .9 {
		t.Errorf("%+v", list)
	}
}

// TestAims_Lines: a text leaves the lines of the chart visible where it can: below its own line, or further right.
func TestAims_Lines(t *testing.T) {
	c := plotter(seconds(100, func(int) int64 { return 0 }))
	s := Scale{Log: true, Lo: .001, Hi: 1}
	for _, tt := range []struct {
		name  string
		value func(i int) float64
		below bool
		from  string
	}{
		{"a line far away", func(int) float64 { return .002 }, false, "0"},
		{"a line above", func(int) float64 { return .04 }, true, "0"},
		{"a line up and down until 30s", func(i int) float64 {
			if i < 30 {
				return []float64{.01, .1}[i%2]
			}
			return .002
		}, false, "31.5"},
		{"a line that has no room beside it", func(i int) float64 { return []float64{.01, .1}[i%2] }, false, "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := series{values: make([]float64, 100)}
			for i := range l.values {
				l.values[i] = tt.value(i)
			}
			list := c.aims([]Limit{{Brief: "p95 < 30ms", Value: .03, From: 0, To: 100}}, []series{l}, s)
			if len(list) != 1 || list[0].Below != tt.below || list[0].From != tt.from {
				t.Errorf("%+v", list)
			}
		})
	}
}

// TestIncidents: the lane says how long the service was bad, and how bad.
func TestIncidents(t *testing.T) {
	c := plotter(seconds(100, func(int) int64 { return 0 }))
	r := &result.Result{Faults: []result.FaultRecord{{Slow: .5}}}
	r.Incidents = []result.Incident{
		{Begin: 10, End: 12.5, Over: true, Bad: 999, Requests: 1000},
		{Begin: 30, End: 31, Over: true, Bad: 1, Requests: 1000},
		{Begin: 50, End: 51, Over: true, Bad: 1, Requests: 1000}, // the next is too close for its text
		{Begin: 52, End: 53, Over: true, Bad: 700, Requests: 1000},
		{Begin: 90, End: 100, Stalled: 9, Requests: 20},
		{Begin: result.NaN, End: 3},
	}
	lane := c.Incidents(r)
	var got []string
	for _, it := range lane.Items {
		if !it.Incident || it.N != 0 {
			t.Errorf("%+v", it)
		}
		got = append(got, it.Name)
	}
	if want := "2.5s, > 99% failed|1s, < 1% failed| |1s, 70% failed|> 10s without an answer"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", strings.Join(got, "|"), want)
	}

	// Where no request failed, the label names the limit, and it has not the colour of a failure.
	slow := map[string]int64{"slow": 40}
	r.Incidents = []result.Incident{
		{Begin: 10, End: 12, Over: true, Bad: 40, Requests: 40, Kinds: slow},
		{Begin: 30, End: 32, Over: true, Bad: 41, Requests: 41, Kinds: slow}, // one of them failed
	}
	r.Slowdowns = []result.Slowdown{{From: 20, To: 24, P50: .45, Usual: .045}}
	var mild []string
	for _, it := range c.Incidents(r).Items {
		if it.Mild {
			mild = append(mild, it.Name)
		}
	}
	if want := "2s, 100% over 500ms|4s, 10x slower at p50, no fault"; strings.Join(mild, "|") != want {
		t.Errorf("got %q, want %q", strings.Join(mild, "|"), want)
	}
}
