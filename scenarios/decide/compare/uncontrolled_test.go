package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// wander gives run after run the noise of a machine whose state lasts: AR(1) with correlation rho.
type wander struct {
	*world
	rho, state float64
}

func (w *wander) next(worse float64) Run {
	w.state = w.rho*w.state + math.Sqrt(1-w.rho*w.rho)*w.r.NormFloat64()
	w.day = .1 * w.state
	return w.run(worse, 0)
}

// order makes runs in an order such as AABB.
func (w *wander) order(sides string, worse float64) (base, cand []Run) {
	w.state = w.r.NormFloat64()
	for _, side := range sides {
		if side == 'A' {
			base = append(base, w.next(0))
		} else {
			cand = append(cand, w.next(worse))
		}
	}
	return base, cand
}

// TestCompare_LastingNoise counts the false alarms of each order of runs where the state of the
// machine lasts from run to run.
func TestCompare_LastingNoise(t *testing.T) {
	suite.Sequential(t)
	trials := suite.Trials(1000)
	o := Options{Margins: Margins{}, Metrics: []string{"p95"}}
	must(t, o.Margins.ParseMargin("0.01%"))
	tests := []struct {
		order  string
		design Design
	}{
		{"AAAAABBBBB", Uncontrolled},
		{"ABBBBBA", Uncontrolled},
		{"AAABBBAAABBB", Groups},
		{"AABBAABBAABB", Groups},
		{"ABABAABAB", Groups},
		{"ABBAABBAABBA", Pairs},
	}
	for _, tt := range tests {
		for _, rho := range []float64{0, .6, .9} {
			t.Run(fmt.Sprintf("%s/%.1f", tt.order, rho), func(t *testing.T) {
				red := 0
				for i := range trials {
					w := &wander{world: &world{r: rand.New(rand.NewPCG(31, uint64(i))), spread: .01}, rho: rho}
					base, cand := w.order(tt.order, 0)
					c := compared(t, base, cand, o)
					if c.Design != tt.design {
						t.Fatalf("compared as %s, want %s", c.Design, tt.design)
					}
					if c.Verdict == scenarios.Regression {
						red++
					}
				}
				share := float64(red) / float64(trials)
				t.Logf("%.1f %% false alarms", 100*share)
				if most := DefaultAlpha + 2*math.Sqrt(DefaultAlpha*(1-DefaultAlpha)/float64(trials)); share > most {
					t.Errorf("%.1f %% false alarms, want at most %.1f %%", 100*share, 100*most)
				}
			})
		}
	}
}

// TestCompare_Uncontrolled: where one side was run before the other, no row has a verdict or a bound,
// whatever it shows, and the text says what to do.
func TestCompare_Uncontrolled(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(7, 9)), spread: .01}
	base, cand := w.blocks(5, .5, .2)
	for i := range cand {
		cand[i].Cells[0].Response.P99 = result.NaN // of the candidate alone
	}
	c := compared(t, base, cand, Options{})
	for _, r := range c.Rows {
		if r.Verdict != scenarios.Inconclusive || r.Low.Known() || r.High.Known() || r.P.Known() {
			t.Errorf("%s is %s, from %v to %v, p %v", r.where(), r.Verdict, r.Low, r.High, r.P)
		}
	}
	out := inWords(c)
	for _, says := range []string{
		"INCONCLUSIVE: uncontrolled", "`brunt ab`", "errors differs most, 20 points worse", "figures without bounds",
	} {
		if !strings.Contains(out, says) {
			t.Errorf("%q is not in\n%s", says, out)
		}
	}
	if strings.Contains(out, "in at most") {
		t.Errorf("a rate of false alarms is stated:\n%s", out)
	}
}

// TestCompare_History counts the false alarms and the changes of 60 % shown, of runs of one side after the other
// with the variance of a history: of one of which each record has another state of the machine, and of one
// whose states last.
func TestCompare_History(t *testing.T) {
	suite.Sequential(t)
	trials := suite.Trials(1000)
	for _, rho := range []float64{0, .6, .9} {
		for _, lasting := range []bool{false, true} {
			red, seen := 0, 0
			for i := range trials {
				w := &wander{world: &world{r: rand.New(rand.NewPCG(37, uint64(i))), spread: .01}, rho: rho}
				var history []*Record
				for range 20 {
					if !lasting {
						w.state = w.r.NormFloat64()
					}
					history = append(history, NewRecord(w.next(0).Result, local))
				}
				o := Options{Margins: Margins{}, Metrics: []string{"p95"}, History: history}
				must(t, o.Margins.ParseMargin("0.01%"))
				for _, worse := range []float64{0, .6} {
					c := compared(t, repeat(5, func() Run { return w.next(0) }), repeat(5, func() Run { return w.next(worse) }), o)
					if c.Design != Sessions {
						t.Fatalf("compared as %s", c.Design)
					}
					switch {
					case c.Verdict == scenarios.Regression && worse == 0:
						red++
					case c.Verdict == scenarios.Regression:
						seen++
					}
				}
			}
			share := float64(red) / float64(trials)
			t.Logf("rho %.1f, lasting %t: %.1f %% false alarms, %.0f %% seen", rho, lasting, 100*share,
				100*float64(seen)/float64(trials))
			if most := DefaultAlpha + 2*math.Sqrt(DefaultAlpha*(1-DefaultAlpha)/float64(trials)); share > most {
				t.Errorf("rho %.1f, lasting %t: %.1f %% false alarms, want at most %.1f %%", rho, lasting, 100*share, 100*most)
			}
			if seen < trials*4/5 {
				t.Errorf("rho %.1f, lasting %t: a change of 60 %% is seen in %d of %d", rho, lasting, seen, trials)
			}
		}
	}
}

func repeat(n int, run func() Run) (out []Run) {
	for range n {
		out = append(out, run())
	}
	return out
}

// TestCompare_HistoryTooShort: under 8 records there is no verdict, and the text says how many there are; a metric
// that the history lacks is inconclusive.
func TestCompare_HistoryTooShort(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(7, 11)), spread: .01}
	var history []*Record
	for range LeastHistory {
		history = append(history, w.record(0))
	}
	base, cand := w.blocks(3, .5, 0)
	c := compared(t, base, cand, Options{History: history[1:]})
	if c.Design != Uncontrolled || !strings.Contains(c.Reason,
		"which has 7 records of this scenario besides, and 8 are needed") {
		t.Errorf("%s: %s", c.Design, c.Reason)
	}
	history[3].Values = slices.DeleteFunc(history[3].Values, func(k Kept) bool { return k.Metric == "p95" })
	c = compared(t, base, cand, Options{History: history})
	if c.Design != Sessions || c.Verdict != scenarios.Regression {
		t.Errorf("%s: %s: %s", c.Design, c.Verdict, c.Reason)
	}
	for _, r := range c.Rows {
		if want := map[string]scenarios.Verdict{"p95": scenarios.Inconclusive, "p99": scenarios.Fail}[r.Metric]; want != "" &&
			r.Verdict != want {
			t.Errorf("%s is %s, want %s: %s", r.Metric, r.Verdict, want, r.Note)
		}
	}
	out := inWords(c)
	for _, says := range []string{
		"held to how much 8 records of the history differ",
		"7 of 8 records of the history have a finite value of it, and 8 are needed",
	} {
		if !strings.Contains(out, says) {
			t.Errorf("%q is not in\n%s", says, out)
		}
	}
	c = compared(t, base, cand, Options{History: append(history, NewRecord(base[0].Result, local))})
	if len(c.past) != LeastHistory {
		t.Errorf("%d records: a compared run is part of its history", len(c.past))
	}
}

// TestCompare_Errors: skipped steps count as errors, as they do in an objective.
func TestCompare_Errors(t *testing.T) {
	cell := func(outcome string, n int64) result.Cell {
		return result.Cell{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: outcome, Count: n}
	}
	r := &result.Result{Cells: []result.Cell{cell("*", 1000), cell("ok", 900), cell("error", 60), cell("skipped", 40)}}
	if v := metrics.values(r, beyond)[place{slo.ParsePhase("run"), "*", "*"}]["errors"]; v.x != .1 || v.k != 100 ||
		v.n != 1000 {
		t.Errorf("errors are %+v, want 100 of 1000", v)
	}
}

// TestChanges_Dependent counts the moves found in series without one, whose neighbours depend on each
// other, and those in series that move by four standard deviations.
func TestChanges_Dependent(t *testing.T) {
	suite.Sequential(t)
	trials := suite.Trials(200)
	for _, n := range []int{20, 50} {
		for _, rho := range []float64{0, .3, .6, .8} {
			t.Run(fmt.Sprintf("%d/%.1f", n, rho), func(t *testing.T) {
				moved, seen := 0, 0
				for i := range trials {
					r := rand.New(rand.NewPCG(5, uint64(i)))
					x, v := make([]float64, n), r.NormFloat64()
					for j := range x {
						v = rho*v + math.Sqrt(1-rho*rho)*r.NormFloat64()
						x[j] = v
					}
					if changes(x, leastLevel, 1, r) != nil {
						moved++
					}
					for j := n / 2; j < n; j++ {
						x[j] += 4
					}
					if changes(x, leastLevel, 1, r) != nil {
						seen++
					}
				}
				t.Logf("%d of %d move without a move, %d are seen to move by four standard deviations", moved, trials, seen)
				if most := DefaultAlpha*float64(trials) +
					2*math.Sqrt(DefaultAlpha*(1-DefaultAlpha)*float64(trials)); float64(moved) > most {
					t.Errorf("%d of %d series without a move moved, want at most %.0f", moved, trials, most)
				}
				if n == 50 && rho <= .6 && seen < trials*3/4 {
					t.Errorf("a move of four standard deviations is seen in %d of %d", seen, trials)
				}
			})
		}
	}
}
