package compare

import (
	"errors"
	"fmt"
	"iter"
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

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/gonum/stat/distuv"
)

// A build is a system under test whose figures have distributions that are set by hand.
type build struct {
	name string
	// draw returns the 95th percentile of a run, in seconds
	draw func(*rand.Rand) float64
	// above is the true probability that a run's percentile is at least a limit
	above func(limit float64) float64
	// the distribution is log-normal, so that the model holds
	normal bool
}

// builds are log-normal ones, and two that are not: one has a second mode, and one a heavy tail.
var builds = []build{
	{
		name: "log-normal, 5 %", normal: true,
		draw:  func(r *rand.Rand) float64 { return .02 * math.Exp(.05*r.NormFloat64()) },
		above: func(x float64) float64 { return distuv.UnitNormal.Survival(math.Log(x/.02) / .05) },
	},
	{
		name: "log-normal, 40 %", normal: true,
		draw:  func(r *rand.Rand) float64 { return .02 * math.Exp(.4*r.NormFloat64()) },
		above: func(x float64) float64 { return distuv.UnitNormal.Survival(math.Log(x/.02) / .4) },
	},
	{
		name: "a run in five is three times as slow",
		draw: func(r *rand.Rand) float64 {
			x := .02 * (1 + .01*r.Float64())
			if r.Float64() < .2 {
				x *= 3
			}
			return x
		},
		above: func(x float64) float64 {
			uniform := func(x float64) float64 { return 1 - min(1, max(0, (x/.02-1)/.01)) }
			return .8*uniform(x) + .2*uniform(x/3)
		},
	},
	{
		name:  "Pareto",
		draw:  func(r *rand.Rand) float64 { return .02 * math.Pow(r.Float64(), -1/1.5) },
		above: func(x float64) float64 { return min(1, math.Pow(x/.02, -1.5)) },
	},
}

// baselineRun makes a run of 10 000 requests with a 95th percentile, and failed requests.
func baselineRun(i int, p95 float64, bad int64) Run {
	phase := slo.ParsePhase("baseline")
	cell := result.Cell{Phase: phase, Load: "*", Step: "*", Outcome: "*", Count: 10000, Response: result.NoTimes}
	cell.Response.P95 = result.Num(p95)
	failed := result.Cell{Phase: phase, Load: "*", Step: "*", Outcome: "error", Count: bad, Response: result.NoTimes}
	return Run{Name: fmt.Sprintf("run-%d", i), Result: &result.Result{
		Run: fmt.Sprintf("run-%d", i), Name: "shop", Started: time.Unix(int64(i), 0), Verdict: scenarios.Pass,
		Generator: result.Generator{Healthy: true},
		Phases:    []result.Phase{{Name: slo.ParsePhase("run"), End: 60}, {Name: phase, End: 60}},
		Cells:     []result.Cell{cell, failed},
	}}
}

// TestSuggest_Rate proposes objectives from 400 baselines of each build, and lets 100 later runs of the same build be
// judged by each. The bound without a model holds for at least 95 % of the baselines of every build. The bound with the
// model does, in 95 % up to chance, where the model holds. Where it does not, it is refuted, so that
// the words have to name it.
func TestSuggest_Rate(t *testing.T) {
	const baselines, later = 400, 100
	for _, b := range builds {
		for _, n := range []int{3, 10} {
			if testing.Short() && (n == 10) != b.normal {
				continue // the simulation of one size takes a second
			}
			t.Run(fmt.Sprintf("%s, %d runs", b.name, n), func(t *testing.T) {
				r := rand.New(rand.NewPCG(38, uint64(n)))
				holds, free, failed := 0, 0, 0
				stated := 0.
				for range baselines {
					var runs []Run
					for i := range n {
						runs = append(runs, baselineRun(i, b.draw(r), 0))
					}
					s, err := Suggest(runs, .05, nil)
					if err != nil {
						t.Fatal(err)
					}
					o := s.Objectives[0]
					if o.Metric != "p95" || !(float64(o.Limit) > float64(o.High)*1.0999) || !(float64(o.Bound) <= .0501) {
						t.Fatalf("%+v", o)
					}
					truth := b.above(float64(o.Limit))
					if truth <= float64(o.Bound) {
						holds++
					}
					if truth <= float64(s.Any) {
						free++
					}
					stated += float64(o.Bound)
					for range later {
						if b.draw(r) >= float64(o.Limit) {
							failed++
						}
					}
				}
				t.Logf("bound %.3f on average, holds for %d of %d baselines; without the model for %d; %.4f of later runs fail",
					stated/baselines, holds, baselines, free, float64(failed)/baselines/later)
				_, most := suite.Chance(baselines, .05)
				if baselines-free > most {
					t.Errorf("the bound without a model holds for %d of %d baselines", free, baselines)
				}
				if b.normal && (baselines-holds > most || float64(failed)/baselines/later > stated/baselines) {
					t.Errorf("the bound holds for %d of %d baselines, and %.4f of later runs fail", holds, baselines,
						float64(failed)/baselines/later)
				}
				if !b.normal && n == 3 && baselines-holds <= most {
					t.Errorf("the model holds for %d of %d baselines although the build is none of it", holds, baselines)
				}
			})
		}
	}
}

// TestSuggest_Errors draws the share of failed requests of each run from a distribution set by hand: one share for all
// runs, and one that differs from run to run, so that requests of one run fail together.
func TestSuggest_Errors(t *testing.T) {
	const baselines, later, n = 200, 200, 10
	for name, share := range map[string]func(*rand.Rand) float64{
		"none fail": func(*rand.Rand) float64 { return 0 },
		"2 %":       func(*rand.Rand) float64 { return .02 },
		"0 to 4 %":  func(r *rand.Rand) float64 { return .04 * r.Float64() },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(38, 9))
			draw := func() int64 {
				return int64(distuv.Binomial{N: 10000, P: share(r), Src: r}.Rand())
			}
			held, failed, stated := 0, 0, 0.
			for range baselines {
				var runs []Run
				for i := range n {
					runs = append(runs, baselineRun(i, .02, draw()))
				}
				s, err := Suggest(runs, .05, nil)
				if err != nil {
					t.Fatal(err)
				}
				o := s.Objectives[len(s.Objectives)-1]
				if o.Metric != "errors" || !(o.Limit > o.High) {
					t.Fatalf("%+v", o)
				}
				now := 0
				for range later {
					if float64(draw())/10000 >= float64(o.Limit) {
						now++
					}
				}
				// 200 runs show a share only within its own scatter: at most the bound, and 2 of its deviations
				if p := float64(o.Bound); float64(now)/later <= p+2*math.Sqrt(p*(1-p)/later) {
					held++
				}
				failed, stated = failed+now, stated+float64(o.Bound)
			}
			t.Logf("bound %.4f on average, holds for %d of %d; %.4f of later runs fail", stated/baselines, held, baselines,
				float64(failed)/baselines/later)
			if held < baselines*95/100 || float64(failed)/later > stated {
				t.Errorf("the bound holds for %d of %d baselines; %.4f of later runs fail, and %.4f are stated", held, baselines,
					float64(failed)/baselines/later, stated/baselines)
			}
		})
	}
}

// secondsRun makes a run of a baseline of a minute whose seconds have times of their own: the response times of a
// second are 50 multiples of a base, which scatters.
func secondsRun(r *rand.Rand, i int, bad int64) Run {
	run := baselineRun(i, 0, 0)
	hists := histograms{}
	var all []float64
	for t := range 60 {
		h := result.NewHistogram()
		base := .01 * math.Exp(.1*r.NormFloat64())
		for k := range 50 {
			us := int64(base * (1 + float64(k)/50) * 1e6)
			_ = h.RecordValue(us)
			all = append(all, float64(us)/1e6)
		}
		hists = append(hists, h)
		run.Windows = append(run.Windows, result.Window{
			T: result.Num(t), D: 1, Load: "*", Step: "*", Hist: len(hists), Offered: 50, Error: bad, OK: 50 - bad,
		})
	}
	run.Histograms = hists
	run.Cells[0].Count = 3000
	slices.Sort(all)
	run.Cells[0].Response.P95 = result.Num(all[len(all)*95/100-1])
	return run
}

// TestSuggest_OneRun proposes from one run, whose parts stand for runs: of 200 later runs of the same build at most the
// stated share fails.
func TestSuggest_OneRun(t *testing.T) {
	r := rand.New(rand.NewPCG(38, 11))
	const baselines, later = 10, 200
	failed, stated := 0, 0.
	for range baselines {
		s, err := Suggest([]Run{secondsRun(r, 0, 0)}, .05, nil)
		if err != nil {
			t.Fatal(err)
		}
		o := s.Objectives[0]
		if s.Parts != 10 || o.Text != fmt.Sprintf("p95 < %s in baseline", strings.Fields(o.Text)[2]) || s.Any != .95 {
			t.Fatalf("%+v", s)
		}
		stated += float64(o.Bound)
		for i := range later {
			if secondsRun(r, i, 0).Cells[0].Response.P95 >= o.Limit {
				failed++
			}
		}
	}
	t.Logf("%.4f stated, %.4f fail", stated/baselines, float64(failed)/baselines/later)
	if float64(failed)/later > stated {
		t.Errorf("%d of %d later runs fail, more than %.4f", failed, baselines*later, stated/baselines)
	}
	// with a failed request in 25, the percentiles count it as slower than any answer
	with, err := Suggest([]Run{secondsRun(rand.New(rand.NewPCG(1, 1)), 0, 2)}, .05, nil)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Suggest([]Run{secondsRun(rand.New(rand.NewPCG(1, 1)), 0, 0)}, .05, nil)
	if err != nil {
		t.Fatal(err)
	}
	if with.Objectives[0].Low <= without.Objectives[0].Low {
		t.Errorf("failed requests do not lengthen the percentile: %v and %v", with.Objectives[0].Low, without.Objectives[0].Low)
	}
}

// histograms are those of a result that was made by hand, by their number from 1 on.
type histograms []*hdrhistogram.PackedHistogram

func (h histograms) Get(n int) (*hdrhistogram.PackedHistogram, error) { return h[n-1], nil }

func (histograms) All() iter.Seq2[result.HistogramInfo, error] {
	return func(func(result.HistogramInfo, error) bool) {}
}

// TestSuggest_Refuses: what is no baseline is refused, and a figure without a limit is left out with the reason.
func TestSuggest_Refuses(t *testing.T) {
	one := baselineRun(1, .02, 0)
	if _, err := Suggest([]Run{one, one}, .05, nil); err == nil {
		t.Error("the same run twice is accepted")
	}
	ended := baselineRun(2, .02, 0)
	ended.Verdict = scenarios.Interrupted
	if _, err := Suggest([]Run{one, ended}, .05, nil); err == nil || !strings.Contains(err.Error(), "--allow run") {
		t.Errorf("an interrupted run: %v", err)
	}
	other := baselineRun(3, .02, 0)
	other.Scenario = "version: 1\nname: other\n"
	if _, err := Suggest([]Run{one, other}, .05, nil); err == nil {
		t.Error("runs of two scenarios are accepted")
	}
	s, err := Suggest([]Run{one, baselineRun(4, math.Inf(1), 9000)}, .05, nil)
	if !errors.Is(err, ErrNoSuggestion) {
		t.Fatal(err)
	}
	if len(s.Left) == 0 || s.Left[0].Why != "infinite" || s.Left[0].Runs != 1 {
		t.Errorf("an infinite percentile: %+v", s.Left)
	}
	alone := baselineRun(5, .02, 0)
	alone.Phases, alone.Chaos = []result.Phase{{Name: slo.ParsePhase("run")}}, true
	if _, err := Suggest([]Run{alone}, .05, nil); err == nil || !strings.Contains(err.Error(), "--no-chaos") {
		t.Errorf("a run without a baseline: %v", err)
	}
}

// TestSuggest_Parses: each proposal is an objective that a scenario can have, with the limit that it states.
func TestSuggest_Parses(t *testing.T) {
	var runs []Run
	for i := range 5 {
		run := baselineRun(i, .02+.001*float64(i), int64(i))
		step := run.Cells[0]
		step.Load, step.Step, step.Response.P95 = "main", "read post", .031+result.Num(i)/1e4
		run.Cells = append(run.Cells, step)
		rate := run.Cells[0]
		rate.Outcome, rate.Rate, rate.Count = "ok", 190+result.Num(i), 9990
		run.Cells = append(run.Cells, rate)
		for _, c := range run.Cells { // as in a run without faults
			c.Phase = slo.ParsePhase("run")
			run.Cells = append(run.Cells, c)
		}
		run.Loads = []result.LoadInfo{{Name: "main", Closed: true}}
		for _, u := range []string{"posts[0]", "posts[1]"} {
			run.Usage = append(run.Usage, result.UnitUsage{Unit: u, Service: "posts", CPU: .1, Memory: int64(60+i) << 20})
		}
		runs = append(runs, run)
	}
	s, err := Suggest(runs, .05, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range s.Objectives {
		parsed, err := slo.ParseObjective(o.Text)
		if err != nil {
			t.Errorf("%q: %v", o.Text, err)
		} else if math.Abs(parsed.Value-float64(o.Limit)) > 1e-9*float64(o.Limit) {
			t.Errorf("%q states %g, and the limit is %g", o.Text, parsed.Value, float64(o.Limit))
		}
		got = append(got, o.Text)
	}
	want := []string{
		"p95 < 30ms in baseline", `p95 < 35ms of "read post" in baseline`, "errors < 0.54% in baseline",
		"goodput > 180/s in baseline", "posts.memory < 80MiB",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
