package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// A noisyMachine gives p95 in stretches of ten seconds: with a state that lasts, AR(1) with correlation rho,
// and noise of its own for each stretch.
type noisyMachine struct {
	r              *rand.Rand
	rho            float64
	lasting, quick float64 // standard deviations of logarithms
	stalls         bool    // one stretch in twenty is much slower
	state          float64
	made           int
}

func (m *noisyMachine) next(worse float64) float64 {
	m.state = m.rho*m.state + math.Sqrt(1-m.rho*m.rho)*m.r.NormFloat64()
	own := m.r.NormFloat64()
	if m.stalls && m.r.Float64() < .05 {
		own += 6 * m.r.ExpFloat64()
	}
	return math.Log(.02*(1+worse)) + m.lasting*m.state + m.quick*own
}

func (m *noisyMachine) run(x float64) Run {
	m.made++
	return Run{Name: fmt.Sprint(m.made), Result: &result.Result{
		Run: fmt.Sprint("run-", m.made), Started: time.Unix(int64(m.made)*10, 0), Verdict: scenarios.Pass,
		Generator: result.Generator{Healthy: true},
		Cells: []result.Cell{{
			Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: 1800,
			Response: result.Times{
				P50: result.NaN, P90: result.NaN, P95: result.Num(math.Exp(x)), P99: result.NaN,
			},
		}},
	}}
}

// blocks makes pairs of blocks in drawn order.
func (m *noisyMachine) blocks(pairs int, worse float64) (a, b []Run) {
	m.state = m.r.NormFloat64()
	for range pairs {
		first := m.r.IntN(2)
		for i := range 2 {
			if i == first {
				a = append(a, m.run(m.next(0)))
			} else {
				b = append(b, m.run(m.next(worse)))
			}
		}
	}
	return a, b
}

// minutes makes pairs of runs of a minute in the order A B B A.
func (m *noisyMachine) minutes(pairs int, worse float64) (a, b []Run) {
	m.state = m.r.NormFloat64()
	minute := func(worse float64) Run {
		mean := 0.
		for range 6 {
			mean += m.next(worse) / 6
		}
		return m.run(mean)
	}
	for i := range pairs {
		if i%2 == 0 {
			a = append(a, minute(0))
			b = append(b, minute(worse))
		} else {
			b = append(b, minute(worse))
			a = append(a, minute(0))
		}
	}
	return a, b
}

// TestSwitchback_FalseAlarms counts false alarms and the changes of 10 % that are seen in 8 minutes of
// load, asked after each minute.
func TestSwitchback_FalseAlarms(t *testing.T) {
	suite.Sequential(t)
	trials := suite.Trials(600)
	const pairs, round = 24, 3
	o := Options{Margins: Margins{}, Metrics: []string{"p95"}}
	must(t, o.Margins.ParseMargin("0.01%"))
	tests := []struct {
		name  string
		make  func() *noisyMachine
		least float64 // share of changes of 10 % that are seen
	}{
		{"independent", func() *noisyMachine { return &noisyMachine{quick: .11} }, .8},
		{"lasts 100s", func() *noisyMachine { return &noisyMachine{rho: .9, lasting: .2, quick: .08} }, .8},
		{"lasts 200s", func() *noisyMachine { return &noisyMachine{rho: .95, lasting: .25, quick: .1} }, .75},
		{"lasts 300s", func() *noisyMachine { return &noisyMachine{rho: .97, lasting: .3, quick: .1} }, .75},
		{"with stalls", func() *noisyMachine { return &noisyMachine{rho: .95, lasting: .25, quick: .1, stalls: true} }, .4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var share, inTurns [2]float64
			asked := 0.
			for k, worse := range []float64{0, .1} {
				for i := range trials {
					m := tt.make()
					m.r = rand.New(rand.NewPCG(9, uint64(i)))
					a, b := m.blocks(pairs, worse)
					for n := round; n <= pairs; n += round {
						c, err := Switchback(a[:n], b[:n], n == pairs, o)
						must(t, err)
						if c.Verdict == scenarios.Regression {
							share[k] += 1 / float64(trials)
							break
						}
						asked += float64(k) / float64(trials)
					}
					a, b = m.minutes(4, worse)
					if compared(t, a, b, o).Verdict == scenarios.Regression {
						inTurns[k] += 1 / float64(trials)
					}
				}
			}
			t.Logf("switchback: %.1f %% false alarms, +10 %% seen in %.0f %%, after %.1f min; A B B A: %.1f %%, %.0f %%",
				100*share[0], 100*share[1], asked+1, 100*inTurns[0], 100*inTurns[1])
			if _, most := suite.Chance(trials, DefaultAlpha); math.Round(share[0]*float64(trials)) > float64(most) {
				t.Errorf("%.1f %% false alarms, want at most %d of %d", 100*share[0], most, trials)
			}
			if least, _ := suite.Chance(trials, tt.least); math.Round(share[1]*float64(trials)) < float64(least) ||
				suite.Full() && share[1] < tt.least {
				t.Errorf("a change of 10 %% is seen in %.0f %%, want %.0f %%", 100*share[1], 100*tt.least)
			}
		})
	}
}

// TestReach holds the bound against its definition: it is exceeded at any of many times with
// probability alpha at most, also by differences that are not normal, but symmetric as those of a drawn
// order are.
func TestReach(t *testing.T) {
	const most, alpha = 60, .05
	trials := suite.Trials(2000)
	var bound [most + 1]float64
	for n := 2; n <= most; n++ {
		bound[n] = reach(float64(n), alpha)
	}
	if !math.IsInf(bound[4], 1) || bound[5] > 20 || bound[most] < 2 {
		t.Errorf("the bounds are %v", bound)
	}
	for name, draw := range map[string]func(r *rand.Rand) float64{
		"normal": func(r *rand.Rand) float64 { return r.NormFloat64() },
		"heavy":  func(r *rand.Rand) float64 { return r.NormFloat64() / math.Sqrt(r.ExpFloat64()) },
		"signs":  func(r *rand.Rand) float64 { return float64(2*r.IntN(2)-1) * (1 + .1*r.Float64()) },
	} {
		above := 0
		for i := range trials {
			r := rand.New(rand.NewPCG(3, uint64(i)))
			var sum, squares float64
			for n := 1.; n <= most; n++ {
				x := draw(r)
				sum, squares = sum+x, squares+x*x
				variance := (squares - sum*sum/n) / (n - 1)
				if n > 1 && sum/n > bound[int(n)]*math.Sqrt(variance/n) {
					above++
					break
				}
			}
		}
		share := float64(above) / float64(trials)
		t.Logf("%s: ever above the bound in %.1f %%", name, 100*share)
		if share > alpha+2*math.Sqrt(alpha*(1-alpha)/float64(trials)) {
			t.Errorf("%s: ever above the bound in %.1f %%, want at most 5 %%", name, 100*share)
		}
	}
}

// TestBlocks takes the blocks of a run apart: each has its own cells and the CPU time of its seconds.
func TestBlocks(t *testing.T) {
	r := &result.Result{
		Run: "a", T0: time.Unix(1000, 0), Started: time.Unix(990, 0), Faults: []result.FaultRecord{{}},
		Usage: []result.UnitUsage{{Unit: "web[0]", CPU: 9, Memory: 9}},
	}
	for i, end := range []float64{5, 15} {
		r.Blocks = append(r.Blocks, result.Block{
			Start: result.Num(end - 4), End: result.Num(end),
			Cells: []result.Cell{{
				Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: 10000,
				Response: result.Times{P50: result.Num(i + 1)},
			}},
		})
	}
	for i := range 14 { // the last second of the second block is missing
		r.Usage[0].Seconds = append(r.Usage[0].Seconds,
			result.UsageTick{T: result.Num(float64(i) + 1.01), CPU: result.Num(i)})
	}
	r.Blocks[1].Cells[0].Response.P90, r.Blocks[1].Cells[0].Lagged = 5, []string{"p50"}
	all := Blocks(Run{Name: "a-01", Result: r})
	if len(all) != 2 || all[0].Name != "a-01 from 1s" || all[1].Started.Unix() != 1011 || all[0].Run == all[1].Run {
		t.Fatalf("the blocks are %+v", all)
	}
	values := metrics.values(all[0].Result, beyond)
	if v := values[place{slo.ParsePhase("run"), "*", "*"}]["p50"]; v.x != 1 {
		t.Errorf("p50 of the first is %v", v.x)
	}
	if v := values[place{slo.ParsePhase("run"), "*", "web[0]"}]; v["cpu"].x != 2.5 || len(v) != 1 { // seconds 1 to 5
		t.Errorf("the first used %+v, want 2.5 cores and no memory", v)
	}
	// and p95, p99, errors
	if v := metrics.values(all[1].Result, beyondBlock)[place{slo.ParsePhase("run"), "*", "*"}]; v["p90"].x != 5 ||
		len(v) != 4 {
		t.Errorf("the second, whose p50 has lag in it, has %+v", v)
	}
	if v, has := metrics.values(all[1].Result, beyond)[place{slo.ParsePhase("run"), "*", "web[0]"}]; has {
		t.Errorf("the second, of which a second is missing, used %+v", v)
	}
}

// TestSwitchback_Text says what was compared, and names blocks in place of runs.
func TestSwitchback_Text(t *testing.T) {
	m := &noisyMachine{r: rand.New(rand.NewPCG(1, 1)), quick: .1}
	a, b := m.blocks(4, .04)
	c, err := Switchback(a, b, false, Options{Metrics: []string{"p95"}})
	must(t, err)
	out := inWords(c)
	for _, says := range []string{
		"INCONCLUSIVE", "4 pairs of blocks, the order of each drawn",
		"pairs of blocks would decide it", "at most 5% of comparisons",
	} {
		if !strings.Contains(out, says) {
			t.Errorf("%q is not in\n%s", says, out)
		}
	}
	a, b = m.minutes(4, 0)
	if _, err := Switchback(a[:2], append(a[2:], b...), false, Options{}); err == nil {
		t.Error("blocks that do not alternate are compared")
	}
}

// TestSwitchback_Lacks: what has no value by block is said, with the flag that compares it.
func TestSwitchback_Lacks(t *testing.T) {
	for _, tt := range []struct {
		metrics []string
		used    bool   // the target's units are known
		left    string // part of what is left out; empty: nothing
		err     string
	}{
		{nil, true, "memory: has no value by block", ""},
		{nil, false, "", ""},
		{[]string{"p95"}, true, "", ""},
		{[]string{"p95", "p99"}, true, "p99: no block has it", ""},
		{[]string{"p99"}, false, "", "--in-turns compares whole runs"},
		{[]string{"memory"}, true, "", "--in-turns compares whole runs"},
	} {
		m := &noisyMachine{r: rand.New(rand.NewPCG(1, 1)), quick: .01}
		a, b := m.blocks(12, 0)
		for _, r := range append(a, b...) {
			r.Cells[0].Count = 200
			r.Cells[0].Response = result.Times{P50: .01, P90: .01, P95: r.Cells[0].Response.P95, P99: .03}
			if tt.used {
				r.Usage = []result.UnitUsage{{Unit: "web[0]", CPU: 1}}
			}
		}
		c, err := Switchback(a, b, true, Options{Metrics: tt.metrics})
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v: the error is %v, want %q", tt.metrics, err, tt.err)
			}
		case err != nil:
			t.Errorf("%v: %v", tt.metrics, err)
		case !strings.Contains(strings.Join(c.Left, "\n"), tt.left) ||
			tt.left == "" && strings.Contains(strings.Join(c.Left, ""), "memory"):
			t.Errorf("%v: left out is %q, want %q", tt.metrics, c.Left, tt.left)
		}
	}
}

// TestSwitchback_Endless: base blocks without a finite value do not make the bounds of an early look narrower than
// those of blocks that all have one.
func TestSwitchback_Endless(t *testing.T) {
	const pairs = 6
	look := func(endless, last bool) scenarios.Verdict {
		m := &noisyMachine{r: rand.New(rand.NewPCG(5, 5)), quick: .02}
		a, b := m.blocks(pairs+1, -.02)
		if a, b = a[:pairs], b[:pairs]; endless {
			extraA, extraB := m.blocks(1, 0)
			extraA[0].Cells[0].Response.P95 = result.NaN
			a, b = append(a, extraA...), append(b, extraB...)
		}
		c, err := Switchback(a, b, last, Options{Metrics: []string{"p95"}})
		must(t, err)
		return c.Rows[0].Verdict
	}
	for _, last := range []bool{false, true} {
		if plain, endless := look(false, last), look(true, last); plain != endless || (plain == scenarios.Pass) != last {
			t.Errorf("last look %t: %s, and %s with a block without a finite value; want both to pass at the last look alone",
				last, plain, endless)
		}
	}
}
