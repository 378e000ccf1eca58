package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/suite"
)

func TestSequence_Spends(t *testing.T) {
	for _, most := range []int{2, 4, 5, 10, 15} {
		s := Sequence{Max: most, Alpha: .05}
		sum, before := 0.0, -1.0
		for n := 1; n <= most; n++ {
			if !s.Looks(n) {
				continue
			}
			at := s.At(n)
			if at <= 0 || n < most && at < before {
				t.Errorf("of at most %d: the look at %d spends %v after %v", most, n, at, before)
			}
			sum, before = sum+at, at
		}
		if math.Abs(sum-.05) > 1e-9 {
			t.Errorf("of at most %d: all looks spend %v", most, sum)
		}
	}
}

// TestSequence_FalseAlarms: the probability that any analysis is a false alarm is at most alpha, and
// a change is detected early.
func TestSequence_FalseAlarms(t *testing.T) {
	trials := suite.Trials(1000)
	o := Options{Margins: Margins{}, Metrics: []string{"p95"}}
	if err := o.Margins.ParseMargin("0.01%"); err != nil {
		t.Fatal(err)
	}
	seq := Sequence{Max: 12, Alpha: DefaultAlpha}
	play := func(seed uint64, worse float64) (scenarios.Verdict, int) {
		w := &world{r: rand.New(rand.NewPCG(31, seed)), spread: .03}
		base, cand := w.turns(seq.Max, worse, 0)
		for n := 1; ; n++ {
			if !seq.Looks(n) {
				continue
			}
			c, done, err := seq.Look(base[:n], cand[:n], o)
			if err != nil {
				t.Fatal(err)
			}
			if done {
				return c.Verdict, n
			}
		}
	}
	alarms, pairs := 0, 0
	for i := range trials {
		if v, _ := play(uint64(i), 0); v == scenarios.Regression {
			alarms++
		}
	}
	two := 2 * math.Sqrt(DefaultAlpha*(1-DefaultAlpha)*float64(trials))
	t.Logf("identical sides: fail %.1f %%", 100*float64(alarms)/float64(trials))
	if float64(alarms) > DefaultAlpha*float64(trials)+two {
		t.Errorf("%d of %d false alarms over all looks", alarms, trials)
	}
	for i := range 100 {
		v, n := play(uint64(i), .2)
		if pairs += n; v != scenarios.Regression {
			t.Errorf("a fifth slower is %s", v)
		}
	}
	if mean := float64(pairs) / 100; mean > 8 {
		t.Errorf("a fifth slower needed %.1f pairs of at most %d", mean, seq.Max)
	}
}
