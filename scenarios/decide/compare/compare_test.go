package compare

import (
	"errors"
	"fmt"
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

	"gonum.org/v1/gonum/stat/distuv"
)

// A world makes runs with noise: a random difference between runs, and a drift from run to run.
type world struct {
	r      *rand.Rand
	spread float64 // of a run, as the standard deviation of a logarithm
	drift  float64 // from run to run
	day    float64 // of all runs of one call of groups
	made   int
}

const (
	median  = .02 // seconds
	offered = 12000
)

// run makes a result whose times are worse by a share, with a share of errors.
func (w *world) run(worse, errors float64) Run {
	shift := (1 + worse) * math.Exp(w.r.NormFloat64()*w.spread+float64(w.made)*w.drift+w.day)
	w.made++
	bad := int64(distuv.Binomial{N: offered, P: errors, Src: w.r}.Rand())
	at := func(q float64) result.Num { // of a lognormal, with sampling error
		return result.Num(median * shift * q * math.Exp(w.r.NormFloat64()*.005*q))
	}
	r := &result.Result{
		Run: fmt.Sprintf("run-%d", w.made), Started: time.Unix(int64(w.made)*60, 0), Scenario: "version: 1\n",
		Verdict:   scenarios.Pass,
		Generator: result.Generator{Healthy: true}, Loads: []result.LoadInfo{{Name: "main", Closed: true}},
		Phases: []result.Phase{{Name: slo.ParsePhase("run")}},
		Cells: []result.Cell{
			{
				Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: offered, Rate: 200,
				Response: result.Times{P50: at(1), P90: at(1.8), P95: at(2.1), P99: at(2.8)},
			},
			{
				Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "ok", Count: offered - bad,
				Rate: result.Num(float64(offered-bad) / 60),
			},
			{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "error", Count: bad},
		},
	}
	return Run{Name: r.Run, Result: r}
}

// turns makes pairs in the order A B B A.
func (w *world) turns(pairs int, worse, errors float64) (base, cand []Run) {
	for i := range pairs {
		if i%2 == 0 {
			base = append(base, w.run(0, 0))
			cand = append(cand, w.run(worse, errors))
		} else {
			cand = append(cand, w.run(worse, errors))
			base = append(base, w.run(0, 0))
		}
	}
	return base, cand
}

// inTurns makes n runs a side, in turns of two: A A B B A A …
func (w *world) inTurns(n int, worse, errors float64) (base, cand []Run) {
	for len(cand) < n {
		a, b := w.blocks(min(2, n-len(base)), worse, errors)
		base, cand = append(base, a...), append(cand, b...)
	}
	return base, cand
}

// blocks makes one side, then the other.
func (w *world) blocks(n int, worse, errors float64) (base, cand []Run) {
	for range n {
		base = append(base, w.run(0, 0))
	}
	for range n {
		cand = append(cand, w.run(worse, errors))
	}
	return base, cand
}

func compared(t *testing.T, base, cand []Run, o Options) *Comparison {
	t.Helper()
	c, err := Compare(base, cand, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name           string
		pairs          int
		worse, errors  float64
		margins        Margins
		want           scenarios.Verdict
		says           string
		spread         float64
		apart, another bool
	}{
		{name: "the same", pairs: 10, spread: .02, want: scenarios.Pass, says: "none of 6 metrics"},
		{name: "slower by a fifth", pairs: 10, worse: .2, spread: .02, want: scenarios.Regression, says: "% worse: "},
		{
			name: "slower by a fifth, one side after the other", pairs: 10, worse: .2, spread: .02, apart: true,
			want: scenarios.Inconclusive, says: "uncontrolled",
		},
		{
			name: "slower within the margin", pairs: 10, worse: .05, spread: .01,
			margins: Margins{"p50": .2, "p90": .2, "p95": .2, "p99": .5}, want: scenarios.Pass,
		},
		{name: "faster", pairs: 10, worse: -.2, spread: .02, want: scenarios.Pass},
		{name: "too few to tell", pairs: 2, spread: .1, want: scenarios.Inconclusive, says: "would decide it"},
		{name: "errors", pairs: 5, errors: .05, spread: .01, want: scenarios.Regression, says: "errors"},
		{name: "errors within half a point", pairs: 10, errors: .001, spread: .01, want: scenarios.Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(7, 9)), spread: tt.spread}
			make := w.turns
			if tt.apart {
				make = w.blocks
			}
			base, cand := make(tt.pairs, tt.worse, tt.errors)
			c := compared(t, base, cand, Options{Margins: tt.margins})
			if c.Verdict != tt.want || !strings.Contains(c.Reason, tt.says) {
				t.Errorf("%s: %s; want %s with %q", c.Verdict, c.Reason, tt.want, tt.says)
			}
			if want := map[bool]Design{false: Pairs, true: Uncontrolled}[tt.apart]; c.Design != want {
				t.Errorf("compared as %s, want %s", c.Design, want)
			}
		})
	}
}

// alarms counts the verdicts of identical sides, or of sides that differ.
func alarms(
	trials int, seed uint64, o Options, make func(w *world) (base, cand []Run),
) (counts map[scenarios.Verdict]int) {
	counts = map[scenarios.Verdict]int{}
	for i := range trials {
		w := &world{r: rand.New(rand.NewPCG(seed, uint64(i)))}
		base, cand := make(w)
		c, err := Compare(base, cand, o)
		if err != nil {
			panic(err)
		}
		counts[c.Verdict]++
	}
	return counts
}

// TestCompare_FalseAlarms holds the rate of false alarms to the level, within two standard
// errors, and shows that the designs see a change of a fifth.
func TestCompare_FalseAlarms(t *testing.T) {
	trials := suite.Trials(1000)
	pairs := func(n int, spread, drift, worse float64) func(w *world) ([]Run, []Run) {
		return func(w *world) ([]Run, []Run) {
			w.spread, w.drift = spread, drift
			return w.turns(n, worse, 0)
		}
	}
	groups := func(n int, spread, worse float64) func(w *world) ([]Run, []Run) {
		return func(w *world) ([]Run, []Run) {
			w.spread = spread
			return w.inTurns(n, worse, 0)
		}
	}
	small := Options{Margins: Margins{}} // without a margin that hides false alarms
	if err := small.Margins.ParseMargin("0.01%"); err != nil {
		t.Fatal(err)
	}
	one := Options{Margins: small.Margins, Metrics: []string{"p95"}}
	tests := []struct {
		name  string
		o     Options
		alike func(w *world) ([]Run, []Run)
		slow  func(w *world) ([]Run, []Run)
	}{
		{"5 pairs, one metric", one, pairs(5, .03, 0, 0), pairs(5, .03, 0, .2)},
		{"10 pairs, one metric", one, pairs(10, .03, 0, 0), pairs(10, .03, 0, .2)},
		{"10 and 10 in turns of two, one metric", one, groups(10, .03, 0), groups(10, .03, .2)},
		{"5 pairs", small, pairs(5, .03, 0, 0), pairs(5, .03, 0, .2)},
		{"10 pairs", small, pairs(10, .03, 0, 0), pairs(10, .03, 0, .2)},
		{"10 pairs that drift", small, pairs(10, .03, .01, 0), pairs(10, .03, .01, .2)},
		{"6 and 6 in turns of two", small, groups(6, .03, 0), groups(6, .03, .2)},
		{"10 and 10 in turns of two", small, groups(10, .03, 0), groups(10, .03, .2)},
		{"10 pairs, default margins", Options{}, pairs(10, .03, 0, 0), pairs(10, .03, 0, .2)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			alike := alarms(trials, 1, tt.o, tt.alike)
			rate := float64(alike[scenarios.Regression]) / float64(trials)
			two := 2 * math.Sqrt(DefaultAlpha*(1-DefaultAlpha)/float64(trials)) // standard errors
			t.Logf("identical sides: fail %.1f %%, inconclusive %.1f %%", 100*rate,
				100*float64(alike[scenarios.Inconclusive])/float64(trials))
			// Holm over dependent rows is conservative
			if rate > DefaultAlpha+two || len(tt.o.Metrics) == 1 && rate < DefaultAlpha-two {
				t.Errorf("%.1f %% false alarms, want %.1f ± %.1f %%", 100*rate, 100*DefaultAlpha, 100*two)
			}
			slow := alarms(trials/5, 2, tt.o, tt.slow)
			if seen := float64(slow[scenarios.Regression]) / float64(trials/5); seen < .8 {
				t.Errorf("a fifth slower: seen in %.1f %%, want 80 %%", 100*seen)
			}
		})
	}
}

// TestCompare_Smallest: a change of the reported smallest size is detected as often as stated.
func TestCompare_Smallest(t *testing.T) {
	o := Options{Metrics: []string{"p95"}}
	w := &world{r: rand.New(rand.NewPCG(3, 3)), spread: .05}
	var said float64
	const trials = 200
	for range trials {
		base, cand := w.turns(8, 0, 0)
		said += float64(compared(t, base, cand, o).Rows[0].Smallest) / trials
	}
	seen := 0
	for range trials {
		base, cand := w.turns(8, said, 0)
		if compared(t, base, cand, o).Verdict == scenarios.Regression {
			seen++
		}
	}
	if share := float64(seen) / trials; share < .7 || share > .92 {
		t.Errorf("a change of %.1f %%, said to be seen in 80 %%, is seen in %.0f %%", 100*said, 100*share)
	}
}

// TestCompare_Enough makes the number of runs that was reported as enough.
func TestCompare_Enough(t *testing.T) {
	o := Options{Metrics: []string{"p95"}}
	w := &world{r: rand.New(rand.NewPCG(5, 5)), spread: .1}
	answered, asked := 0, 0
	for range 100 {
		base, cand := w.turns(4, .2, 0)
		row := compared(t, base, cand, o).Rows[0]
		if row.Verdict != scenarios.Inconclusive || row.Enough == 0 || row.Enough > 60 {
			continue
		}
		asked++
		base, cand = w.turns(row.Enough, .2, 0)
		if compared(t, base, cand, o).Verdict == scenarios.Regression {
			answered++
		}
	}
	if asked < 10 {
		t.Fatalf("only %d of 100 were inconclusive", asked)
	}
	if share := float64(answered) / float64(asked); share < .6 {
		t.Errorf("with as many runs as would do, %d of %d are answered", answered, asked)
	}
}

func TestCompare_Unfit(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(r *result.Result)
		kind  string
		says  string
	}{
		{"scenario", func(r *result.Result) { r.Scenario = "version: 1\nrate: 5\n" }, "scenario", "line 2"},
		{"faults", func(r *result.Result) { r.Chaos = true }, "scenario", "not in both"},
		{"machine", func(r *result.Result) { r.Environment.CPUs = 64 }, "machine", "64 processors"},
		{"generator", func(r *result.Result) {
			r.Generator = result.Generator{Limits: []string{"p99 lag 80ms"}}
		}, "generator", "p99 lag 80ms"},
		{
			"invalid", func(r *result.Result) { r.Verdict, r.Reason = scenarios.Invalid, "fault cut was not verified" },
			"run", "the verdict of the run is invalid: fault cut was not verified",
		},
		{
			"no traffic met a fault", func(r *result.Result) {
				r.Verdict, r.Reason = scenarios.Inconclusive, "fault cut affected no traffic"
				r.Faults = []result.FaultRecord{{Name: "cut", Verified: 1}}
			},
			"run", "the verdict of the run is inconclusive: fault cut affected no traffic",
		},
		{
			"not ready", func(r *result.Result) {
				r.Because(result.Reason{Kind: result.NotStarted, Verdict: scenarios.Invalid, Text: "web is not ready"})
			},
			"run", "the verdict of the run is not started: Web is not ready.",
		},
		{
			"stopped", func(r *result.Result) { r.Verdict, r.Reason = scenarios.Stopped, "errors > 90%" }, "run",
			"errors > 90%",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .01}
			base, cand := w.turns(3, 0, 0)
			tt.spoil(cand[1].Result)
			_, err := Compare(base, cand, Options{})
			if !errors.Is(err, errUnfit) || !strings.Contains(err.Error(), tt.says) ||
				!strings.Contains(err.Error(), "--allow "+tt.kind) || !strings.Contains(err.Error(), cand[1].Name) {
				t.Fatalf("got %v", err)
			}
			c := compared(t, base, cand, Options{Allow: []string{tt.kind}})
			if len(c.Mismatches) != 1 {
				t.Errorf("what was allowed is not said: %q", c.Mismatches)
			}
		})
	}
	w := &world{r: rand.New(rand.NewPCG(1, 1))}
	if _, err := Compare([]Run{w.run(0, 0)}, []Run{w.run(0, 0)}, Options{}); !errors.Is(err, errUnfit) {
		t.Errorf("one run on each side: %v", err)
	}
}

// TestCompare_NoEnd compares percentiles that lie within the failed requests. Four pairs look like
// that by chance with a probability of 1/16, five of 1/32.
func TestCompare_NoEnd(t *testing.T) {
	const n = 5
	tests := []struct {
		name       string
		base, cand int // runs with an infinite value
		worse      float64
		want       scenarios.Verdict
	}{
		{"the candidate alone has none", 0, n, 0, scenarios.Fail},
		{"a base that fails too", 1, n, 0, scenarios.Inconclusive},
		{"one of the candidate", 0, 1, 0, scenarios.Inconclusive},
		{"neither has one", n, n, 0, scenarios.Inconclusive},
		{"the base alone has none", n, 0, 9, scenarios.Pass},
		{"the base alone has none, and one of the candidate", n, 1, 0, scenarios.Pass},
		{"one of the base, no worse than the others", 1, 0, 0, scenarios.Pass},
		{"one of the base, worse than the others", 1, 0, 1, scenarios.Inconclusive},
		{"all but one of the base", n - 1, 0, 0, scenarios.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .01}
			for design, size := range map[Design]int{Pairs: 1, Groups: 2} { // size is the runs of a turn
				sides := map[Design]func(int, float64, float64) ([]Run, []Run){Pairs: w.turns, Groups: w.inTurns}[design]
				base, cand := sides(size*n, tt.worse, 0)
				for i := range size * tt.base {
					base[i].Cells[0].Response.P95 = result.NaN
				}
				for i := range size * tt.cand {
					cand[i].Cells[0].Response.P95 = result.NaN
				}
				c := compared(t, base, cand, Options{Metrics: []string{"p95"}})
				if r := c.Rows[0]; c.Design != design || r.Verdict != tt.want || r.Note == "" {
					t.Errorf("%s: it is %s: %q, want %s", c.Design, r.Verdict, r.Note, tt.want)
				}
			}
		})
	}
}

// TestCompare_MixedTurns: a base turn in which some runs have no finite value does not hide how good the others are.
func TestCompare_MixedTurns(t *testing.T) {
	for _, tt := range []struct {
		whole bool // all runs of the first base turn have none
		each  bool // so do those of each other one
		want  scenarios.Verdict
	}{
		{false, false, scenarios.Inconclusive}, {true, false, scenarios.Inconclusive}, {true, true, scenarios.Pass},
	} {
		w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .01}
		base, cand := w.inTurns(6, 30, 0)
		for i := range base {
			if i%2 == 0 || tt.each || tt.whole && i < 2 {
				base[i].Cells[0].Response.P95 = result.NaN
			}
		}
		c := compared(t, base, cand, Options{Metrics: []string{"p95"}})
		if r := c.Rows[0]; c.Design != Groups || r.Verdict != tt.want {
			t.Errorf("%+v: %s, it is %s: %q", tt, c.Design, r.Verdict, r.Note)
		}
	}
}

func TestMargins(t *testing.T) {
	m := Margins{}
	for _, text := range []string{"10%", "p95=5%"} {
		if err := m.ParseMargin(text); err != nil {
			t.Fatal(err)
		}
	}
	if m["p95"] != .05 || m["p50"] != .1 || len(m) != len(metrics) {
		t.Errorf("read as %v", m)
	}
	for text, says := range map[string]string{
		"p59=5%": `did you mean "p`, "p95=x": "such as p95=5%", "p95=0%": "between", "latency=5%": "known are",
	} {
		if err := m.ParseMargin(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// An open load follows its schedule: with random arrivals the rate differs by chance.
func TestCompare_OpenRate(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(7, 9)), spread: .01}
	base, cand := w.turns(5, 0, 0)
	rows := func() (n int) {
		for _, r := range compared(t, base, cand, Options{}).Rows {
			if r.Metric == "rate" {
				n++
			}
		}
		return n
	}
	if got := rows(); got != 1 {
		t.Errorf("%d rows of the rate of a closed load, want 1", got)
	}
	for _, r := range slices.Concat(base, cand) {
		r.Result.Loads[0].Closed = false
	}
	if got := rows(); got != 0 {
		t.Errorf("%d rows of the rate of an open load, want none", got)
	}
}

// inWords is what reports have of a comparison.
func inWords(c *Comparison) string {
	d := c.Decision()
	var out strings.Builder
	out.WriteString(d.Word + ": " + d.Reason + "\n")
	for _, m := range d.Metrics {
		out.WriteString(strings.Join([]string{
			m.Name, m.Base, m.Now, m.Change, m.Low, m.High, m.Margin, m.Sees, m.Note, m.Sentence,
		}, "  ") + "\n")
	}
	return out.String() + strings.Join(append(append(d.Says, d.Basis), d.Statistics...), "\n")
}
