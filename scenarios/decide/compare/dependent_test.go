package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// A service answers requests one by one whose times depend on each other: AR(1) logarithms, with
// effects of the run and of the day, and occasional stalls that delay the requests behind them.
type service struct {
	r      *rand.Rand
	day    float64
	made   int
	source []float64 // buffer
}

const (
	asked      = 1200 // requests of a run
	dependence = .9   // correlation of a logarithm with the one before
	ofRequests = .3   // standard deviation of logarithms of requests
	ofRuns     = .02  // of runs
	ofDays     = .03  // of days
	stalls     = 1.5  // mean number in a run
	stallTakes = .2   // seconds, at 200 requests a second
)

// A moment is the state of the machine that all runs at that time share.
type moment struct {
	effect float64
	stalls []int // requests at which they begin
}

func (s *service) moment() (m moment) {
	m.effect = s.r.NormFloat64() * ofRuns
	for at := s.r.ExpFloat64() / stalls; at < 1; at += s.r.ExpFloat64() / stalls {
		m.stalls = append(m.stalls, int(at*asked))
	}
	return m
}

// run makes a run at a moment, with times that are worse by a share.
func (s *service) run(m moment, worse float64) Run {
	s.made++
	times := slices.Grow(s.source[:0], asked)[:asked]
	x := s.r.NormFloat64()
	for i := range times {
		x = dependence*x + math.Sqrt(1-dependence*dependence)*s.r.NormFloat64()
		times[i] = .01 * (1 + worse) * math.Exp(s.day+m.effect+ofRequests*x)
	}
	for _, at := range m.stalls {
		for i := at; i < min(asked, at+int(stallTakes*200)); i++ {
			times[i] += stallTakes - float64(i-at)/200
		}
	}
	s.source = times
	slices.Sort(times)
	q := func(p float64) result.Num { return result.Num(times[int(p*asked)]) }
	r := &result.Result{
		Run: fmt.Sprintf("run-%d", s.made), Started: time.Unix(int64(s.made)*60, 0), Scenario: "version: 1\n",
		Verdict: scenarios.Pass, Generator: result.Generator{Healthy: true},
		Cells: []result.Cell{{
			Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: asked,
			Response: result.Times{P50: q(.5), P90: q(.9), P95: q(.95), P99: q(.99)},
		}},
	}
	return Run{Name: r.Run, Result: r}
}

// TestDependent_FalseAlarms counts false alarms of each design where requests depend on each other.
func TestDependent_FalseAlarms(t *testing.T) {
	suite.Sequential(t)
	trials := suite.Trials(1000)
	small := Options{Margins: Margins{}}
	must(t, small.Margins.ParseMargin("0.01%"))
	one := Options{Margins: small.Margins, Metrics: []string{"p50"}}
	const pairs = 8
	sides := func(s *service, together bool, worse float64) (base, cand []Run) {
		for i := range pairs {
			if together {
				m := s.moment()
				base, cand = append(base, s.run(m, 0)), append(cand, s.run(m, worse))
				continue
			}
			for j := range 2 {
				if (i+j)%2 == 0 {
					base = append(base, s.run(s.moment(), 0))
				} else {
					cand = append(cand, s.run(s.moment(), worse))
				}
			}
		}
		return base, cand
	}
	groups := func(s *service, worse float64) (base, cand []Run) { // in turns of two
		for range pairs {
			base = append(base, s.run(s.moment(), 0), s.run(s.moment(), 0))
			cand = append(cand, s.run(s.moment(), worse), s.run(s.moment(), worse))
		}
		return base, cand
	}
	verdict := func(c *Comparison, err error) scenarios.Verdict {
		must(t, err)
		return c.Verdict
	}
	looked := func(s *service, together bool, worse float64) scenarios.Verdict {
		base, cand := sides(s, together, worse)
		seq := Sequence{Max: pairs, Alpha: DefaultAlpha}
		for n := 1; ; n++ {
			if !seq.Looks(n) {
				continue
			}
			if c, done, err := seq.Look(base[:n], cand[:n], small); err != nil || done {
				return verdict(c, err)
			}
		}
	}
	// For one metric the level is as stated, within what chance explains. Holm over dependent
	// metrics, interim analyses taken by themselves, and failures confirmed by fresh runs are
	// conservative.
	inTurns := func(s *service, worse float64) (base, cand []Run) { return sides(s, false, worse) }
	atOnce := func(s *service, worse float64) (base, cand []Run) { return sides(s, true, worse) }
	compared := func(make func(*service, float64) (base, cand []Run), o Options) func(*service,
		float64) scenarios.Verdict {
		return func(s *service, worse float64) scenarios.Verdict {
			base, cand := make(s, worse)
			return verdict(Compare(base, cand, o))
		}
	}
	tests := []struct {
		name  string
		exact bool
		draw  func(s *service, worse float64) scenarios.Verdict
	}{
		{"pairs in turns, one metric", true, compared(inTurns, one)},
		{"pairs at once, one metric", true, compared(atOnce, one)},
		{"turns of two runs, one metric", true, compared(groups, one)},
		{"one run and a history, one metric", true, func(s *service, worse float64) scenarios.Verdict {
			var history []*Record
			for range LeastHistory {
				s.day = s.r.NormFloat64() * ofDays
				history = append(history, NewRecord(s.run(s.moment(), 0).Result, local))
			}
			s.day = s.r.NormFloat64() * ofDays
			return verdict(gate(history, []*Record{NewRecord(s.run(s.moment(), worse).Result, local)}, one))
		}},
		{"pairs in turns", false, compared(inTurns, small)},
		{"pairs at once", false, compared(atOnce, small)},
		{"turns of two runs", false, compared(groups, small)},
		{"ab in turns, with looks", false, func(s *service,
			worse float64,
		) scenarios.Verdict {
			return looked(s, false, worse)
		}},
		{"ab at once, with looks", false, func(s *service,
			worse float64,
		) scenarios.Verdict {
			return looked(s, true, worse)
		}},
		{"gate", false, func(s *service, worse float64) scenarios.Verdict {
			several := func(n int, worse float64) (out []*Record, err error) {
				for range n {
					out = append(out, NewRecord(s.run(s.moment(), worse).Result, local))
				}
				return out, nil
			}
			var history []*Record
			for range LeastHistory {
				s.day = s.r.NormFloat64() * ofDays
				made, _ := several(3, 0)
				history = append(history, Mean(made))
			}
			s.day = s.r.NormFloat64() * ofDays
			trial := &Trial{
				History: history, Runs: 3, Confirm: 2, Make: func(n int) ([]*Record, error) { return several(n, worse) },
			}
			first, _ := several(1, worse)
			c, _, err := trial.Decide(first, small)
			return verdict(c, err)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			red := func(trials int, worse float64) (n int) {
				for i := range trials {
					if tt.draw(&service{r: rand.New(rand.NewPCG(41, uint64(i)))}, worse) == scenarios.Regression {
						n++
					}
				}
				return n
			}
			alarms, seen := red(trials, 0), float64(red(trials/5, .25))/float64(trials/5)
			least, most := suite.Chance(trials, DefaultAlpha)
			t.Logf("alike: %d of %d fail; worse by a quarter: fail %.1f %%", alarms, trials, 100*seen)
			if alarms > most || tt.exact && alarms < least {
				t.Errorf("%d of %d are false alarms, want %d to %d", alarms, trials, least, most)
			}
			if seen < .5 {
				t.Errorf("a quarter slower is seen in %.1f %%", 100*seen)
			}
		})
	}
}
