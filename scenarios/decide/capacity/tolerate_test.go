package capacity_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
)

// A patient is a server of known behaviour that answers in virtual time: each request waits for the dose, up to a
// deadline of its own. It keeps a log of how long each request took. A probe holds if at most 5 % of the logged
// requests took longer than allowed.
type patient struct {
	allowed  time.Duration // of a request: the cliff, since a request takes as long as the dose
	deadline time.Duration // the client gives up at once above it, and answers from a cache; zero: never
	noise    float64       // of the allowed time, from probe to probe: a standard deviation
	r        *rand.Rand

	mu  sync.Mutex
	log []time.Duration // of the requests of one probe
}

func (p *patient) request(dose time.Duration) {
	began := time.Now()
	if p.deadline == 0 || dose < p.deadline {
		time.Sleep(dose) // simulates work
	}
	p.mu.Lock()
	p.log = append(p.log, time.Since(began))
	p.mu.Unlock()
}

func (p *patient) Probe(_ context.Context, dose float64) (search.Try, error) {
	p.log = p.log[:0]
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { p.request(time.Duration(dose * float64(time.Second))) })
		time.Sleep(10 * time.Millisecond) // simulates a load of 100/s
	}
	wg.Wait()
	slices.Sort(p.log)
	most := float64(p.allowed) * (1 + p.noise*p.r.NormFloat64())
	if float64(p.log[len(p.log)*95/100]) >= most {
		return search.Try{Answer: search.Breaks, Why: "p95", Failed: []string{"p95 < x"}}, nil
	}
	return search.Try{Answer: search.Holds}, nil
}

func (p *patient) CoolDown(context.Context) error {
	time.Sleep(time.Second) // simulates the pause
	return nil
}

// TestTolerate_HoldsTheTruth makes 200 searches on servers whose cliff is set by hand. The interval must hold the
// cliff in at least 95 % of them, where harm rises with the dose and where it falls again.
func TestTolerate_HoldsTheTruth(t *testing.T) {
	for _, tt := range []struct {
		name     string
		noise    float64
		deadline bool
		wide     float64 // at most, on average: the width of the interval as a share of its upper end
	}{
		{"rises", 0, false, .1},
		{"falls again", 0, true, .1},
		{"rises, with noise", .05, false, .35},
		{"falls again, with noise", .05, true, .35},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				held, sure, again, wide := 0, 0, 0, 0.0
				const searches = 200
				for seed := range uint64(searches) {
					r := rand.New(rand.NewPCG(seed, 1))
					cliff := .05 + .85*r.Float64() // of 2 s
					p := &patient{allowed: time.Duration(cliff * float64(2*time.Second)), noise: tt.noise, r: r}
					if tt.deadline { // at least two doses of the grid fail before harm falls again
						p.deadline = p.allowed + 700*time.Millisecond
					}
					f, err := capacity.Tolerate(t.Context(), p, capacity.DoseOptions{To: 3, Step: .001})
					if err != nil {
						t.Fatal(err)
					}
					if f.Low <= p.allowed.Seconds() && p.allowed.Seconds() <= float64(f.High) {
						held++
					}
					if f.Confidence == .95 {
						sure++
					}
					wide += (float64(f.High) - f.Low) / float64(f.High) / searches
					if len(f.Changes) == 2 && f.Changes[1].Then == search.Holds &&
						f.Changes[1].From < p.deadline.Seconds() && f.Changes[1].To >= p.deadline.Seconds() {
						again++
					}
				}
				t.Logf("%d of %d hold the cliff, %d are confirmed, %d see harm fall again, %.3f wide", held, searches, sure, again, wide)
				if held < .95*searches || sure < .95*searches || wide > tt.wide {
					t.Error("too few, or too wide")
				}
				if want := .95 * searches; tt.deadline && float64(again) < want || !tt.deadline && again > 0 {
					t.Errorf("%d searches see harm fall again", again)
				}
			})
		})
	}
}

// A table answers by a function of the dose.
func answers(of func(dose float64) search.Answer) (prober, *[]float64) {
	asked := new([]float64)
	return func(_ context.Context, dose float64) (search.Try, error) {
		*asked = append(*asked, dose)
		return search.Try{Answer: of(dose), Why: "p95 < 1s: 2s"}, nil
	}, asked
}

func below(cliff float64, low, high search.Answer) func(float64) search.Answer {
	return func(dose float64) search.Answer {
		if dose < cliff {
			return low
		}
		return high
	}
}

func TestTolerate(t *testing.T) {
	tolerate := func(t *testing.T, of func(float64) search.Answer, o capacity.DoseOptions) *search.Tolerance {
		t.Helper()
		p, asked := answers(of)
		f, err := capacity.Tolerate(t.Context(), p, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, dose := range *asked {
			if dose > o.To && !math.IsInf(dose, 1) {
				t.Errorf("tried %v, above the largest dose", dose)
			}
		}
		return f
	}
	t.Run("nothing fails", func(t *testing.T) {
		f := tolerate(t, below(9, search.Holds, search.Breaks), capacity.DoseOptions{To: 2, Step: .001})
		f.Setting = search.Dose{Fault: "slow", Key: "delay", Unit: search.DoseSeconds}
		if f.High.Known() || f.Low != 2 || f.Confidence != .95 || len(f.Changes) > 0 {
			t.Errorf("%+v", f)
		}
		if s := words.ToleranceSentence(f); s != "slow.delay: survives up to 2s, the largest tried, with 95% confidence" {
			t.Error(s)
		}
	})
	t.Run("whole numbers", func(t *testing.T) {
		f := tolerate(t, below(3, search.Holds, search.Breaks), capacity.DoseOptions{To: 4, Step: 1})
		if f.Low != 2 || f.High != 3 || f.Above != search.Breaks {
			t.Errorf("%+v", f)
		}
	})
	t.Run("more does less harm", func(t *testing.T) {
		f := tolerate(t, below(400, search.Breaks, search.Holds),
			capacity.DoseOptions{From: 100, To: 1000, Step: 1, Falling: true})
		if f.Below != search.Breaks || f.Low >= 400 || f.High < 400 || f.High-result.Num(f.Low) > 40 {
			t.Errorf("%+v", f)
		}
	})
	t.Run("the generator is the limit", func(t *testing.T) {
		f := tolerate(t, below(1.2, search.Holds, search.Limited), capacity.DoseOptions{To: 2, Step: .001})
		if f.High.Known() || f.Low != 1 {
			t.Errorf("%+v; want that 1 s is the largest dose of which something is known", f)
		}
	})
	t.Run("the smallest dose fails", func(t *testing.T) {
		f := tolerate(t, below(.0001, search.Holds, search.Breaks), capacity.DoseOptions{To: 2, Step: .001})
		if f.Low != 0 || f.High != .001 {
			t.Errorf("%v to %v", f.Low, f.High)
		}
	})
	p, asked := answers(func(float64) search.Answer { return search.Breaks })
	_, err := capacity.Tolerate(t.Context(), p, capacity.DoseOptions{To: 2, Step: .001})
	if !errors.As(err, new(capacity.BaselineError)) || len(*asked) != 2 || (*asked)[0] != 0 {
		t.Errorf("a baseline that fails: %v after %v", err, *asked)
	}
	for _, o := range []capacity.DoseOptions{
		{}, {To: 1}, {From: 2, To: 1, Step: 1}, {To: 2, Step: 1, Grid: 5}, {To: 2, Step: 1, Confirm: 2},
	} {
		if _, err := capacity.Tolerate(t.Context(), p, o); err == nil {
			t.Errorf("%+v is no search", o)
		}
	}
}

// TestTolerate_Contradicted: where one dose both holds and fails, the interval is not confirmed.
func TestTolerate_Contradicted(t *testing.T) {
	n := 0
	p, _ := answers(func(dose float64) search.Answer {
		if n++; dose > 0 && n%3 == 0 {
			return search.Breaks
		}
		return search.Holds
	})
	f, err := capacity.Tolerate(t.Context(), p, capacity.DoseOptions{To: 2, Step: .001})
	if err != nil || f.Confidence != 0 || f.Found() {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestTolerance_Compare: a regression is an interval that has wholly moved to where less is tolerated.
func TestTolerance_Compare(t *testing.T) {
	rises := func(low, high float64) *search.Tolerance {
		return &search.Tolerance{
			Low: low, High: result.Num(high), Below: search.Holds, Above: search.Breaks, Confidence: .95,
			Setting: search.Dose{Fault: "slow", Key: "delay", Unit: search.DoseSeconds},
		}
	}
	eases := func(low, high float64) *search.Tolerance {
		f := rises(low, high)
		f.Below, f.Above, f.Setting.Eases = search.Breaks, search.Holds, true
		return f
	}
	never := rises(2, math.NaN())
	never.Above = ""
	whole := eases(.3, math.NaN())
	whole.Below, whole.Above = search.Holds, ""
	unsure := rises(.1, .12)
	unsure.Confidence = 0
	for _, tt := range []struct {
		name     string
		now, was *search.Tolerance
		want     scenarios.Verdict
	}{
		{"less", rises(.1, .12), rises(.33, .35), scenarios.Regression},
		{"more", rises(.33, .35), rises(.1, .12), scenarios.Pass},
		{"they overlap", rises(.1, .2), rises(.15, .3), scenarios.Pass},
		{"never failed before", rises(.1, .12), never, scenarios.Regression},
		{"no longer fails", never, rises(.1, .12), scenarios.Pass},
		{"needs more", eases(400, 440), eases(100, 110), scenarios.Regression},
		{"needs less", eases(100, 110), eases(400, 440), scenarios.Pass},
		{"needed nothing", eases(.4, .44), whole, scenarios.Regression},
		{"not confirmed", unsure, rises(.33, .35), scenarios.Inconclusive},
		{"another kind of change", eases(.1, .12), never, scenarios.Regression},
	} {
		if tt.name == "another kind of change" { // fails at small doses of a setting of which more does harm
			tt.now.Setting.Eases, tt.want = false, scenarios.Inconclusive
		}
		if capacity.Compare(tt.now, tt.was); tt.now.Against.Verdict != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.now.Against.Verdict, tt.want)
		}
	}
	unsure.Against = nil
	dir := t.TempDir()
	first, second, third := rises(.33, .35), rises(.1, .12), rises(.11, .13)
	torn, fourth := rises(.1, .12), rises(.1, .12)
	torn.Confidence, unsure.Name = 0, "shop"
	for i, f := range []*search.Tolerance{first, second, third, torn, fourth} {
		f.Version, f.Name, f.Started = capacity.ToleranceVersion, "shop", time.Unix(int64(1e9+i), 0)
		earlier, problems := capacity.Tolerances(dir)
		capacity.CompareNewest(f, earlier)
		if len(problems) > 0 || len(earlier) != i || (f.Against == nil) != (i == 0) {
			t.Fatalf("%v, %d earlier, against %+v", problems, len(earlier), f.Against)
		}
		if err := capacity.Add(dir, f); err != nil {
			t.Fatal(err)
		}
	}
	// neither a search that regressed nor one that is not confirmed is a measure for the next one
	if third.Against.Verdict != scenarios.Regression || third.Against.Low != .33 {
		t.Errorf("%+v", third.Against)
	}
	if torn.Against.Verdict != scenarios.Inconclusive || fourth.Against.Verdict != scenarios.Regression {
		t.Errorf("%+v, then %+v", torn.Against, fourth.Against)
	}
	capacity.CompareNewest(second, []*search.Tolerance{first, unsure})
	if second.Against == nil || second.Against.Low != .33 {
		t.Errorf("%+v; want a comparison with the search that is confirmed", second.Against)
	}
	want := "Regression: the search of 2001-09-09 01:46 found the change between 330ms and 350ms."
	if got := words.ToleranceDetails(fourth); !slices.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
