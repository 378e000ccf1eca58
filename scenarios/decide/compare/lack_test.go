package compare

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// without removes a metric from a record.
func (r *Record) without(metric string) {
	r.Values = slices.DeleteFunc(r.Values, func(k Kept) bool { return k.Metric == metric })
}

// TestGate_Lacks compares runs with histories in which some records lack a metric.
func TestGate_Lacks(t *testing.T) {
	tests := []struct {
		name          string
		history, have int // records, and how many have it
		now           bool
		worse         float64
		row           scenarios.Verdict // "" is no row
		whole         scenarios.Verdict
		says          string // note of the row, or text of what is left out
	}{
		{"eight have it", 12, 8, true, 0, scenarios.Pass, scenarios.Pass, ""},
		{"eight of many have it, and it is worse", 30, 8, true, .5, scenarios.Fail, scenarios.Regression, ""},
		{
			"seven of twelve", 12, 7, true, 0, scenarios.Inconclusive, scenarios.Inconclusive,
			"7 of 12 base runs and 1 of 1 candidate runs have it",
		},
		{
			"the run alone lacks it", 12, 12, false, 0, scenarios.Inconclusive, scenarios.Inconclusive,
			"12 of 12 base runs and 0 of 1 candidate runs have it",
		},
		{"it is new", 12, 3, true, 0, "", scenarios.Pass, "p95: 3 of 12 base runs and 1 of 1 candidate runs have it"},
		{"no run has it", 12, 0, false, 0, "", scenarios.Pass, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(2, 2)), spread: .01}
			var history []*Record
			for i := range tt.history {
				r := w.record(0)
				if i >= tt.have {
					r.without("p95")
				}
				history = append(history, r)
			}
			now := w.record(tt.worse)
			if !tt.now {
				now.without("p95")
			}
			c, err := gate(history, []*Record{now}, Options{})
			must(t, err)
			checkLack(t, c, "p95", tt.row, tt.whole, tt.says)
		})
	}
}

// checkLack checks the row of a metric, and what is left out.
func checkLack(t *testing.T, c *Comparison, metric string, row, whole scenarios.Verdict, says string) {
	t.Helper()
	said := strings.Join(c.Left, "\n")
	var got scenarios.Verdict
	if i := slices.IndexFunc(c.Rows, func(r Row) bool { return r.Metric == metric }); i >= 0 {
		got = c.Rows[i].Verdict
		said += c.Rows[i].Note
	}
	if got != row || c.Verdict != whole || said != says {
		t.Errorf("the row is %q, the whole %s, and it says %q; want %q, %s and %q", got, c.Verdict, said, row, whole, says)
	}
	text := inWords(c)
	if !strings.Contains(text, says) {
		t.Errorf("%q is not in %s", says, text)
	}
}

// TestCompare_Lacks compares runs some of which lack a metric, in pairs and in groups.
func TestCompare_Lacks(t *testing.T) {
	tests := []struct {
		name       string
		base, cand int // how many of ten runs have it
		row, whole scenarios.Verdict
		says       string
	}{
		{"nine have it", 9, 9, scenarios.Pass, scenarios.Pass, ""},
		{
			"no candidate has it", 10, 0, scenarios.Inconclusive, scenarios.Inconclusive,
			"10 of 10 base runs and 0 of 10 candidate runs have it",
		},
		{"few have it", 2, 3, "", scenarios.Pass, "memory of web: 2 of 10 base runs and 3 of 10 candidate runs have it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(2, 2)), spread: .005}
			for design, sides := range map[Design]func(int, float64, float64) ([]Run, []Run){Pairs: w.turns, Groups: w.inTurns} {
				base, cand := sides(10, 0, 0)
				for i, side := range [][]Run{base, cand} {
					have := []int{tt.base, tt.cand}[i]
					for j := range 10 {
						if j < have {
							side[j].Usage = []result.UnitUsage{{Unit: "web", Memory: 1 << 27}}
						}
					}
				}
				c := compared(t, base, cand, Options{})
				if c.Design != design {
					t.Errorf("compared as %s", c.Design)
				}
				checkLack(t, c, "memory", tt.row, tt.whole, tt.says)
			}
		})
	}
}
