package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// TestGate_Levels compares runs with histories whose level changed. Each part of a history has a
// number of records and the share by which they are worse.
func TestGate_Levels(t *testing.T) {
	suite.Sequential(t)
	type part struct {
		records int
		worse   float64
	}
	trials := max(20, suite.Trials(60)) // fewer can't show a share of 30 %
	small := Margins{}                  // without a margin that hides false alarms
	must(t, small.ParseMargin("0.01%"))
	tests := []struct {
		name    string
		history []part
		worse   float64 // of the run
		margins Margins
		red     [2]float64 // share of trials, least and most
		says    string     // in most trials
	}{
		{"steady", []part{{40, 0}}, 0, small, [2]float64{0, .11}, ""},
		{
			"got better",
			[]part{{20, 0}, {20, -.3}},
			-.3, small,
			[2]float64{0, .11},
			"p95 is compared with the newest 20 records, because " +
				"its level changed on 2026-01-01 00:20 with run-21: better by",
		},
		{"got better, and worse by a fifth since", []part{{20, 0}, {20, -.3}}, -.16, nil, [2]float64{.9, 1.01}, "better by"},
		{"got better 8 records ago", []part{{50, 0}, {8, -.3}}, -.1, nil, [2]float64{.9, 1.01}, "compared with the newest 8"},
		{
			"got better 5 records ago",
			[]part{{50, 0}, {5, -.3}},
			-.3, nil,
			[2]float64{0, .01},
			"runs are compared with the new level once it has 8 records (5/8)",
		},
		{
			"crept",
			[]part{{20, 0}, {20, .08}, {20, .16}},
			.16, nil,
			[2]float64{0, .3},
			"p95 crept: since 2026-01-01 it went from",
		},
		{"long ago", []part{{60, .5}, {mostHistory, 0}}, .2, nil, [2]float64{.9, 1.01}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			red, said := 0.0, 0
			for i := range trials {
				w := &world{r: rand.New(rand.NewPCG(23, uint64(i))), spread: .03}
				var history []*Record
				for _, p := range tt.history {
					for range p.records {
						r := w.record(p.worse)
						r.Started = time.Date(2026, 1, 1, 0, len(history), 0, 0, time.UTC)
						history = append(history, r)
					}
				}
				c, err := gate(history, []*Record{w.record(tt.worse)}, Options{Margins: tt.margins, Metrics: []string{"p95"}})
				must(t, err)
				if c.Verdict == scenarios.Regression {
					red += 1. / float64(trials)
				}
				if tt.says == "" && len(c.Moved) == 0 ||
					tt.says != "" && slices.ContainsFunc(c.Moved, func(m string) bool { return strings.Contains(m, tt.says) }) {
					said++
				}
			}
			if red < tt.red[0] || red > tt.red[1] || said < trials*8/10 {
				t.Errorf("red in %.1f %%, want %.0f to %.0f; said so in %d of %d", 100*red, 100*tt.red[0], 100*tt.red[1], said,
					trials)
			}
		})
	}
}

// TestGate_LevelOfRate: a rate that rose counts as an improvement.
func TestGate_LevelOfRate(t *testing.T) {
	var history []*Record
	for i := range 24 {
		rate := 100.0
		if i >= 12 {
			rate = 150
		}
		history = append(history, rateRecord(i, rate*math.Exp(.01*float64(i%3-1))))
	}
	c, err := gate(history, []*Record{rateRecord(30, 120)}, Options{})
	must(t, err)
	if c.Verdict != scenarios.Regression || len(c.Moved) != 1 {
		t.Errorf("%s: %v", c.Reason, c.Moved)
	}
	out := inWords(c)
	if n := strings.Count(out, "rate is compared with the newest 12 records"); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, out)
	}
}

func rateRecord(i int, rate float64) *Record {
	return &Record{
		Run: "r", Started: time.Unix(int64(i), 0),
		Values: []Kept{{
			Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: "rate", Value: result.Num(rate),
			Count: 5000,
		}},
	}
}
