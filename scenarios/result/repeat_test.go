package result_test

import (
	"fmt"
	"math"
	"testing"

	"brunt/scenarios/result"
)

func TestRepeats(t *testing.T) {
	var records []result.FaultRecord
	records = append(records, result.FaultRecord{Name: "once", Impact: result.Impacted, Recover: 3})
	for i := range 24 {
		r := result.FaultRecord{
			Name: fmt.Sprintf("it#%d", i+1), Kind: "k", Impact: result.Impacted, Onset: result.Num(i),
			Recover: result.Num(24 - i), Heal: result.NaN, Failover: result.NaN, Degraded: 1,
		}
		switch i {
		case 0:
			r.Impact, r.Onset, r.Recover = result.NotImpacted, result.NaN, 0
		case 1:
			r.Impact, r.Recover = result.NotRecovered, result.Num(math.Inf(1))
		case 2:
			r.Impact = result.Confounded
		case 4:
			r.OnsetAt, r.Onset, r.Recover = result.NaN, result.NaN, 0
		case 3:
			r.Impact, r.Onset, r.Recover = result.NotInjected, result.NaN, result.NaN
		}
		records = append(records, r)
	}
	got := result.Repeats(records)
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	r := got[0]
	if r.Fault != "it" || r.Kind != "k" || r.Occurrences != 24 || r.Impacted != 19 || r.NoOutage != 1 ||
		r.NotImpacted != 1 || r.NotRecovered != 1 ||
		r.Unknown != 2 {
		t.Errorf("%+v", r)
	}
	// 0 twice, then 1 to 19 from the last to the fifth, then infinity: 22 figures.
	if s := r.Recover; s.N != 22 || s.Min != 0 || s.Median != 9 || s.P95 != 19 || !math.IsInf(float64(s.Max), 1) {
		t.Errorf("recover %+v", s)
	}
	if s := r.Onset; s.N != 20 || s.Min != 1 || s.Max != 23 || s.P95 != 22 {
		t.Errorf("onset %+v", s)
	}
	if s := r.Failover; s.N != 0 || s.Min.Known() || s.Max.Known() {
		t.Errorf("failover %+v", s)
	}
	if s := result.Repeats(records[:20])[0].Recover; s.P95.Known() || !s.Median.Known() {
		t.Errorf("too few for a p95: %+v", s)
	}
	for q, want := range map[float64]int{.5: 2, .9: 10, .95: 20, .99: 100} {
		if got := result.EnoughForSpread(q); got != want {
			t.Errorf("p%g needs %d, want %d", q*100, got, want)
		}
	}
}
