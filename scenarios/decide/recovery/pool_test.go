package recovery_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/recovery"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

const limit = 5.0

// A server has a distribution of recovery times that is set by hand: a share of its runs starts in a bad place, where
// recoveries are slow more often. It keeps its own log of what it did.
type server struct {
	badRuns          float64 // share of runs in a bad place
	slowHere, slowIn float64 // share of slow recoveries in a good place and in a bad one
	log              []float64
}

// truth returns the share of recoveries within the limit, over all runs.
func (s *server) truth() float64 { return 1 - (1-s.badRuns)*s.slowHere - s.badRuns*s.slowIn }

// run returns a run with n occurrences of a fault, as the judge answers them.
func (s *server) run(t *testing.T, rnd *rand.Rand, text string, n, number int) *result.Result {
	t.Helper()
	slow := s.slowHere
	if rnd.Float64() < s.badRuns {
		slow = s.slowIn
	}
	asked, err := slo.ParseObjective(text)
	if err != nil {
		t.Fatal(err)
	}
	o := result.NewObjective(asked, scenarios.Pass)
	for i := range n {
		took := 1 + 3*rnd.Float64()
		if rnd.Float64() < slow {
			took = 6 + 3*rnd.Float64()
		}
		s.log = append(s.log, took)
		verdict := scenarios.Pass
		if took >= limit {
			verdict = scenarios.Fail
		}
		o.Drills = append(o.Drills, result.Drill{
			Fault: "f#" + strconv.Itoa(i+1), At: result.Num(10*i + 5), Measured: result.Num(took), Verdict: verdict,
		})
	}
	return &result.Result{
		Run: "r" + strconv.Itoa(number), Started: time.Unix(int64(number), 0).UTC(), Scenario: "the same",
		Objectives: []result.ObjectiveResult{o},
		Environment: result.Environment{Units: []result.UnitIdentity{
			{Unit: "a[0]", Service: "a", Programs: []result.FileSum{{Path: "a", SHA256: "1"}}},
		}},
	}
}

// TestPools_Coverage simulates 200 pools of each kind, with runs as clusters, and compares their bounds with the truth:
// at least 95 % hold it. Bounds that took the occurrences of all runs for independent would not; the test shows that,
// so that the simulated clusters are known to matter.
func TestPools_Coverage(t *testing.T) {
	const pools = 200
	for _, c := range []struct {
		name       string
		s          server
		runs, each int
		clusters   bool
	}{
		{"single occurrences", server{slowHere: .1}, 30, 1, false},
		{"equal runs", server{slowHere: .2}, 10, 6, false},
		{"some runs bad", server{badRuns: .2, slowHere: .02, slowIn: .9}, 8, 10, true},
		{"rare bad runs", server{badRuns: .1, slowHere: 0, slowIn: 1}, 12, 8, true},
	} {
		rnd := rand.New(rand.NewPCG(38, uint64(c.runs)))
		low, high, naive := 0, 0, 0
		for range pools {
			var runs []*result.Result
			for i := range c.runs {
				runs = append(runs, c.s.run(t, rnd, "recover < 5s after f", c.each, i))
			}
			p := recovery.Pools(runs[c.runs-1], runs[:c.runs-1])[0]
			met, all := 0, 0
			for _, took := range c.s.log {
				if all++; took < limit {
					met++
				}
			}
			c.s.log = nil
			if p.All == nil || p.All.Met != met || p.All.Of() != all || p.All.Runs != c.runs || len(p.Drills) != all {
				t.Fatalf("%s: the server's log has %d of %d met, and the pool %+v", c.name, met, all, p.All)
			}
			if float64(p.All.Low) <= c.s.truth() {
				low++
			}
			if float64(p.All.High) >= c.s.truth() {
				high++
			}
			if binomialLow(met, all) <= c.s.truth() {
				naive++
			}
		}
		t.Logf("%s: truth %.3f, lower bound holds in %d of %d, upper in %d; as if independent: %d", c.name, c.s.truth(), low,
			pools, high, naive)
		if low < pools*95/100 || high < pools*95/100 {
			t.Errorf("%s: the lower bound holds in %d of %d pools, the upper in %d", c.name, low, pools, high)
		}
		if c.clusters && naive >= pools*95/100 {
			t.Errorf("%s: the clusters do not matter: the bound as if independent holds in %d of %d", c.name, naive, pools)
		}
	}
}

// binomialLow is the exact lower bound of k of n, by bisection of the sum of binomial probabilities: a second formula.
func binomialLow(k, n int) float64 {
	tail := func(p float64) float64 { // P(X >= k)
		sum := 0.
		for i := k; i <= n; i++ {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(i + 1))
			c, _ := math.Lgamma(float64(n - i + 1))
			sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
		return sum
	}
	low, high := 0., 1.
	for range 40 {
		if middle := (low + high) / 2; tail(middle) < .05 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// TestPools_OneRun: the bounds of one run are those of the second formula, and 24 of 24 show 88 %.
func TestPools_OneRun(t *testing.T) {
	rnd := rand.New(rand.NewPCG(38, 5))
	s := server{}
	r := s.run(t, rnd, "recover < 5s after f", 24, 1)
	p := recovery.Pools(r, nil)[0]
	if p.All != nil || p.Run.Met != 24 || p.Run.Row != 59 || p.Run.More != 35 || p.Asked || p.Instants != result.InPhase {
		t.Errorf("%+v, %+v", p, p.Run)
	}
	if low := float64(p.Run.Low); math.Abs(low-binomialLow(24, 24)) > 1e-6 || math.Floor(low*100) != 88 {
		t.Errorf("24 of 24 show %g, want %g", low, binomialLow(24, 24))
	}
	o := &r.Objectives[0]
	o.Drills[0].Verdict, o.Drills[1].Verdict = scenarios.Fail, scenarios.Inconclusive
	o.Drills[2].Verdict, o.Drills[2].Why = scenarios.Invalid, result.Late
	o.Drills[3].At += .4
	got := recovery.Pools(r, nil)[0]
	if s := got.Run; s.Met != 21 || s.Missed != 1 || s.Unknown != 1 || s.Left != 1 || got.Instants != result.Apart ||
		math.Abs(float64(s.Low)-binomialLow(21, 23)) > 1e-6 || math.Abs(float64(s.High)-(1-binomialLow(1, 23))) > 1e-6 {
		t.Errorf("%+v, %+v", got, s)
	}
}

// TestSeries_Ends: a series ends when it knows, either way, and a single miss of a run does not decide it.
func TestSeries_Ends(t *testing.T) {
	asked, err := slo.ParseObjective("recover < 5s after f")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		s    server
		want scenarios.Verdict
		runs int // 0: not fixed
	}{
		{"never slow", server{}, scenarios.Pass, 33},
		{"always slow", server{slowHere: 1}, scenarios.Fail, 0},
		{"half of them slow", server{slowHere: .5}, scenarios.Fail, 0},
	} {
		rnd := rand.New(rand.NewPCG(38, 6))
		series, err := recovery.NewSeries([]slo.Objective{asked}, .9, 200)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; n < 200 && series.Verdict() == scenarios.Inconclusive; n++ {
			series.Add(c.s.run(t, rnd, asked.Text, 1, n))
		}
		t.Logf("%s: %s after %d runs", c.name, series.Verdict(), n)
		if got := series.Verdict(); got != c.want || c.runs > 0 && n != c.runs {
			t.Errorf("%s: %s after %d runs, want %s", c.name, got, n, c.want)
		}
	}
	for share, objectives := range map[float64][]slo.Objective{.9: nil, .99: {asked}} {
		if _, err := recovery.NewSeries(objectives, share, 200); err == nil {
			t.Errorf("a series of %d objectives for %g is accepted", len(objectives), share)
		}
	}
}

// TestSeries_Beside: an objective that the series asks does not decide by one run, and others do.
func TestSeries_Beside(t *testing.T) {
	s := server{slowHere: 1}
	r := s.run(t, rand.New(rand.NewPCG(1, 1)), "recover < 5s after f", 1, 1)
	series, err := recovery.NewSeries([]slo.Objective{*r.Objectives[0].Asked}, .9, 200)
	if err != nil {
		t.Fatal(err)
	}
	r.Objectives[0].Verdict, r.Verdict = scenarios.Fail, scenarios.Fail
	r.Reasons = []result.Reason{{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: 1}}
	if v, differs := series.Beside(r); v != scenarios.Pass || !differs {
		t.Errorf("a missed objective of the series: %s, %t", v, differs)
	}
	r.Objectives = append(r.Objectives, result.ObjectiveResult{Text: "errors < 1%", Verdict: scenarios.Fail})
	if v, differs := series.Beside(r); v != scenarios.Fail || differs {
		t.Errorf("another missed objective: %s, %t", v, differs)
	}
	r.Objectives = r.Objectives[:1]
	r.Reasons = append(r.Reasons, result.Reason{Kind: result.NotUndone, Verdict: scenarios.NotReverted})
	if v, _ := series.Beside(r); v != scenarios.NotReverted {
		t.Errorf("a fault that was not taken back: %s", v)
	}
}

// TestBefore: only runs of the same scenario, build and environment count, and a torn file is left out.
func TestBefore(t *testing.T) {
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(38, 7))
	var s server
	write := func(number int, change func(*result.Result)) *result.Result {
		r := s.run(t, rnd, "recover < 5s after f", 1, number)
		change(r)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(dir, r.Run)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "result.json"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		return r
	}
	write(2, func(*result.Result) {})
	write(1, func(*result.Result) {})
	write(3, func(r *result.Result) { r.Scenario = "another" })
	write(4, func(r *result.Result) { r.Environment.Units[0].Programs[0].SHA256 = "2" })
	write(5, func(r *result.Result) { r.Environment.Units = nil })
	write(6, func(r *result.Result) { r.Control = true })
	write(7, func(r *result.Result) { r.Environment.CPUs++ })
	now := write(8, func(*result.Result) {})
	write(9, func(*result.Result) {}) // later
	if err := os.WriteFile(filepath.Join(dir, "r1", "torn.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "torn"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "torn", "result.json"), []byte(`{"run": "x", "sta`), 0o644); err != nil {
		t.Fatal(err)
	}
	var session recovery.Session
	found := session.Before(filepath.Join(dir, "r8"), now)
	if len(found) != 2 || found[0].Run != "r1" || found[1].Run != "r2" {
		t.Fatalf("%d runs: %v", len(found), found)
	}
	p := recovery.Pools(now, found)
	if len(p) != 1 || p[0].All.Runs != 3 || p[0].Run != nil || p[0].Drills[0].Run != "r1" || p[0].Drills[2].Run != "r8" {
		t.Errorf("%+v", p)
	}
	// a target of unknown build counts within the session alone
	now.Environment.Units = nil
	session.Add(s.run(t, rnd, "recover < 5s after f", 1, 0))
	if got := session.Before(filepath.Join(dir, "r8"), now); len(got) != 1 || got[0].Run != "r0" {
		t.Errorf("%v", got)
	}
}
