package judge_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"brunt/scenarios"
)

// exactUpper is the 95 % upper bound of a share with k of n, by adding up the probabilities of a
// binomial and bisecting: the share at which k or fewer come in 5 % of the cases.
func exactUpper(k, n int) float64 {
	if k >= n {
		return 1
	}
	tail := func(p float64) float64 {
		sum := 0.0
		for i := 0; i <= k; i++ {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(i + 1))
			c, _ := math.Lgamma(float64(n - i + 1))
			sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
		return sum
	}
	low, high := 0.0, 1.0
	for range 60 {
		if mid := (low + high) / 2; tail(mid) > .05 {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// TestJudge_Bound: an objective on a share passes where the exact bound of its requests lies within
// it, fails where they do not hold it, and is inconclusive between.
func TestJudge_Bound(t *testing.T) {
	for _, n := range []int{60, 300, 1000, 3000} {
		for _, bad := range []int{0, 1, 2, 8, 20, 40} {
			for _, limit := range []float64{.01, .05, .1} {
				if math.Abs(exactUpper(bad, n)-limit) < 1e-9 {
					continue
				}
				want := scenarios.Inconclusive
				switch {
				case exactUpper(bad, n) <= limit:
					want = scenarios.Pass
				case float64(bad)/float64(n) >= limit && float64(n) >= math.Ceil(math.Log(.05)/math.Log(1-limit)):
					want = scenarios.Fail
				case float64(bad)/float64(n) >= limit:
					continue // too few requests: TestJudge_Minimum
				}
				list := slices.Concat(many(n-bad, ms, okay), many(bad, ms, failure))
				for _, text := range []string{
					fmt.Sprintf("errors < %v%%", 100*limit), fmt.Sprintf("availability > %v%%", 100*(1-limit)),
					fmt.Sprintf("within(1s) > %v%%", 100*(1-limit)),
				} {
					r := verdictOn(t, text, 20*sec, list)
					if r.Verdict != want || want == scenarios.Inconclusive && r.Note == "" {
						t.Errorf("%s with %d of %d bad is %s (%s), want %s: the bound is %v", text, bad, n, r.Verdict, r.Note, want,
							exactUpper(bad, n))
					}
				}
			}
		}
	}
}

// TestJudge_BoundSays: the note says what the requests show and how many would be needed.
func TestJudge_BoundSays(t *testing.T) {
	r := verdictOn(t, "errors < 5%", 20*sec, slices.Concat(many(58, ms, okay), many(2, ms, failure)))
	if want := "3.33% of 60 requests, which show no better than 10.1%: about 547 are needed at this share"; r.Note != want {
		t.Errorf("%q, want %q", r.Note, want)
	}
	for text, want := range map[string]float64{
		"errors < 5%": exactUpper(2, 60), "availability > 90%": 1 - exactUpper(2, 60), "errors = 0%": 0, "p95 < 1s": 0,
	} {
		r := verdictOn(t, text, 20*sec, slices.Concat(many(58, ms, okay), many(2, ms, failure)))
		if (r.Bound != nil) != (want > 0) || r.Bound != nil && math.Abs(float64(*r.Bound)-want) > 1e-6 {
			t.Errorf("%s has the bound %v, want %v", text, r.Bound, want)
		}
	}
}
