package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// varied makes records of three runs of 5 s each, whose p50 varies by a little and whose p99 by so much that its margin
// is no use.
func varied(r *rand.Rand, n int, p99 float64) []*Record {
	var out []*Record
	for i := range n {
		var runs []*Record
		for range 3 {
			at := func(x, spread float64) result.Num { return result.Num(x * math.Exp(spread*r.NormFloat64())) }
			run := &Record{Run: fmt.Sprint("r", len(out)), Name: "s", Key: "k", Started: time.Unix(int64(i), 0), Duration: 5}
			run.Values = []Kept{
				{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: "p50", Value: at(.01, .01), Count: 5000},
				{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: "p99", Value: at(.03*p99, .4), Count: 5000},
			}
			runs = append(runs, run)
		}
		out = append(out, Mean(runs))
	}
	return out
}

// TestOutlook says what a gate will see, the longer the load the more, and proposes from eight records on.
func TestOutlook(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	all := varied(r, LeastHistory, 1)
	few := strings.Join(Outlook(all[:3], 3, Options{}), "\n")
	for _, want := range []string{
		"this gate will see p50 from 11%, p99 from ", " at this duration (5s); ", "s would see about p50 from 10%, p99 from ",
	} {
		if !strings.Contains(few, want) {
			t.Errorf("%q is not in %s", want, few)
		}
	}
	numbers := regexp.MustCompile(`p99 from ([0-9.]+)(x|%)`).FindAllStringSubmatch(few, -1)
	if len(numbers) != 2 {
		t.Fatalf("%q", numbers)
	}
	size := func(m []string) float64 {
		f, _ := strconv.ParseFloat(m[1], 64)
		if m[2] == "x" {
			return f - 1
		}
		return f / 100
	}
	if short, long := size(numbers[0]), size(numbers[1]); long > .8*short {
		t.Errorf("a longer load sees %v, and this one %v", long, short)
	}
	if strings.Contains(few, "--margin") {
		t.Errorf("three records propose: %s", few)
	}
	if one := Outlook(all[:1], 3, Options{})[0]; !strings.HasPrefix(one, "at best this gate will see p50") {
		t.Error(one)
	}
	whole := strings.Join(Outlook(all, 3, Options{}), "\n")
	want := regexp.MustCompile(`p99 can't be decided with a margin of 25%, as its runs differ too much: a duration of \d+m?s? or --margin p99=\d+%`)
	if !want.MatchString(whole) ||
		strings.Contains(whole, "p50 can't") {
		t.Error(whole)
	}
	s := sights(all, Options{})
	s = slices.DeleteFunc(s, func(s sight) bool { return s.Metric != "p99" })
	both := proposals(append(s, s...), 0, 3, DefaultAlpha)
	if len(s) != 1 || len(both) != 1 || !strings.HasPrefix(both[0], "p99, p99 can't be decided with a margin of 25%, as their "+
		"runs differ too much: ") || !strings.HasSuffix(both[0], " would decide them") {
		t.Errorf("two of a kind: %q", both)
	}
	if none := Outlook(nil, 3, Options{}); none != nil {
		t.Errorf("%q", none)
	}
}

// TestGate_Hopeless: a metric that the history shows to be out of reach makes no gate inconclusive; it is named once,
// and a change that is large enough fails all the same.
func TestGate_Hopeless(t *testing.T) {
	for _, tt := range []struct {
		name string
		p99  float64 // of the new runs, as a multiple
		want scenarios.Verdict
	}{
		{"as before", 1, scenarios.Pass},
		{"worse, within what is out of reach", 1.3, scenarios.Pass},
		{"worse by far", 12, scenarios.Regression},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(4, 4))
			trial := &Trial{History: varied(r, 2*LeastHistory, 1), Runs: 3}
			c, _, err := trial.Decide(varied(r, 1, tt.p99), Options{})
			must(t, err)
			if c.Verdict != tt.want {
				t.Fatalf("%s: %s", c.Verdict, c.Reason)
			}
			said := inWords(c)
			if n := strings.Count(said, "p99 can't be decided with a margin of 25%"); tt.want == scenarios.Pass &&
				(n != 1 || !strings.Contains(c.Reason,
					"none of 1 metric is worse by more than its margin; left out of the verdict: p99")) {
				t.Errorf("it is said %d times:\n%s", n, said)
			}
			if tt.want == scenarios.Pass && !strings.HasPrefix(said, "PASS (p50 alone): ") {
				t.Errorf("the pass does not name what it rests on:\n%s", said)
			}
		})
	}
}

// TestGate_UndecidedBesideHopeless: what is left out of the verdict does not count as undecided.
func TestGate_UndecidedBesideHopeless(t *testing.T) {
	c := &Comparison{Design: Past, Rows: []Row{
		{Metric: "p50", Verdict: scenarios.Inconclusive, Phase: slo.ParsePhase("run"), Load: "*", Step: "*"},
		{Metric: "p95", Verdict: scenarios.Inconclusive, Hopeless: true, Phase: slo.ParsePhase("run"), Load: "*", Step: "*"},
		{Metric: "errors", Verdict: scenarios.Pass, Phase: slo.ParsePhase("run"), Load: "*", Step: "*"},
	}}
	if c.conclude(); c.Verdict != scenarios.Inconclusive || !strings.HasPrefix(c.Reason, "1 of 2 metrics undecided: p50") {
		t.Errorf("%s: %s", c.Verdict, c.Reason)
	}
}

// TestGate_WorseThoughHopeless: a metric that is worse is not said to be out of reach, and one out of reach has no mark
// of a verdict.
func TestGate_WorseThoughHopeless(t *testing.T) {
	for _, v := range []scenarios.Verdict{scenarios.Fail, scenarios.Inconclusive} {
		c := &Comparison{Design: Past, Rows: []Row{
			{Metric: "p50", Verdict: scenarios.Pass, Phase: slo.ParsePhase("run"), Load: "*", Step: "*"},
			{Metric: "p90", Verdict: v, Hopeless: true, Phase: slo.ParsePhase("run"), Load: "*", Step: "*"},
		}}
		c.conclude()
		open := v == scenarios.Inconclusive
		if said := inWords(c); strings.Contains(c.Reason, "left out of the verdict: p90") != open ||
			(c.Decision().Metrics[1].Verdict == scenarios.None) != open || (c.Verdict == scenarios.Pass) != open ||
			strings.HasPrefix(said, "PASS (p50 alone)") != open {
			t.Errorf("p90 is %s, and the gate says\n%s", v, said)
		}
	}
}
