package result

import (
	"fmt"
	"math"
	"testing"
)

func TestRepeats(t *testing.T) {
	var records []FaultRecord
	records = append(records, FaultRecord{Name: "once", Impact: Impacted, Recover: 3})
	for i := range 24 {
		r := FaultRecord{Name: fmt.Sprintf("it#%d", i+1), Kind: "k", Impact: Impacted, Onset: Num(i), Recover: Num(24 - i), Heal: NaN, Failover: NaN, Degraded: 1}
		switch i {
		case 0:
			r.Impact, r.Onset, r.Recover = NotImpacted, NaN, 0
		case 1:
			r.Impact, r.Recover = NotRecovered, Num(math.Inf(1))
		case 2:
			r.Impact = Confounded
		case 3:
			r.Impact, r.Onset, r.Recover = NotInjected, NaN, NaN
		}
		records = append(records, r)
	}
	got := Repeats(records)
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	r := got[0]
	if r.Fault != "it" || r.Kind != "k" || r.Occurrences != 24 || r.Impacted != 20 || r.NotImpacted != 1 || r.NotRecovered != 1 || r.Unknown != 2 {
		t.Errorf("%+v", r)
	}
	// 0, then 1 to 20 from the last to the fourth, then infinity: 22 figures.
	if s := r.Recover; s.N != 22 || s.Min != 0 || s.Median != 10 || s.P95 != 20 || !math.IsInf(float64(s.Max), 1) {
		t.Errorf("recover %+v", s)
	}
	if s := r.Onset; s.N != 21 || s.Min != 1 || s.Max != 23 || s.P95 != 22 {
		t.Errorf("onset %+v", s)
	}
	if s := r.Failover; s.N != 0 || s.Min.Known() || s.Max.Known() {
		t.Errorf("failover %+v", s)
	}
	if s := Repeats(records[:20])[0].Recover; s.P95.Known() || !s.Median.Known() {
		t.Errorf("too few for a p95: %+v", s)
	}
	for q, want := range map[float64]int{.5: 2, .9: 10, .95: 20, .99: 100} {
		if got := EnoughForSpread(q); got != want {
			t.Errorf("p%g needs %d, want %d", q*100, got, want)
		}
	}
}
