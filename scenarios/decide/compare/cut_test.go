package compare

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// cutOff makes a share of a run's requests ones that brunt cut off at its end.
func cutOff(r Run, share float64) Run {
	all := &r.Cells[0]
	n := int64(share * float64(all.Count))
	all.Cut = &result.CutOff{Count: n, Response: all.Response}
	if share > .1 {
		all.Response.P90, all.Response.P95, all.Response.P99 = result.NaN, result.NaN, result.NaN
	}
	good, bad := &r.Cells[1], &r.Cells[2]
	rate := float64(good.Rate) / float64(good.Count)
	good.Count, bad.Count = good.Count-n, bad.Count+n
	good.Rate = result.Num(rate * float64(good.Count))
	return r
}

// TestCut: requests that brunt cut off may have been answered or not. No row fails by those of the candidate, and none
// passes by those of the base; a metric that is worse without them fails all the same.
func TestCut(t *testing.T) {
	fail, pass, open := scenarios.Fail, scenarios.Pass, scenarios.Inconclusive
	for _, tt := range []struct {
		name                string
		base, cand          float64 // share of requests that brunt cut off
		worse, failed       float64 // of the candidate
		p50, p95, err, rate scenarios.Verdict
	}{
		{"none", 0, 0, 0, 0, pass, pass, pass, pass},
		{"of the candidate", 0, .2, 0, 0, pass, open, open, open},
		{"more of the candidate", .2, .3, 0, 0, pass, open, open, open},
		{"of the base", .2, 0, 0, 0, pass, pass, pass, pass},
		{"of the base, and the candidate fails", .2, 0, 0, .1, pass, pass, open, open},
		{"of the candidate, which fails", 0, .02, 0, .1, pass, pass, fail, fail},
		{"of the candidate, which is slower", 0, .02, .5, 0, fail, fail, open, pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .001}
			base, cand := w.turns(6, tt.worse, tt.failed)
			var history, now []*Record
			for i := range base {
				if tt.base > 0 {
					base[i] = cutOff(base[i], tt.base)
				}
				if tt.cand > 0 {
					cand[i] = cutOff(cand[i], tt.cand)
				}
			}
			c, err := Compare(base, cand, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for range LeastHistory {
				history = append(history, kept(t, Mean([]*Record{
					NewRecord(base[0].Result, Machine{}), NewRecord(base[1].Result, Machine{}),
				})))
			}
			now = append(now, kept(t, NewRecord(cand[0].Result, Machine{})))
			g, err := gate(history, now, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for of, c := range map[string]*Comparison{"compare": c, "gate": g} {
				for metric, want := range map[string]scenarios.Verdict{
					"p50": tt.p50, "p95": tt.p95, "errors": tt.err, "rate": tt.rate,
				} {
					i := slices.IndexFunc(c.Rows, func(r Row) bool { return r.Metric == metric })
					if i < 0 {
						t.Fatalf("%s has no row of %s", of, metric)
					}
					r := &c.Rows[i]
					if r.Verdict != want {
						t.Errorf("%s: %s is %s (%s), from %v to %v; want %s", of, metric, r.Verdict, r.Note, r.Base, r.Cand, want)
					}
					if says := strings.Contains(r.Note, "set `grace`"); says != (r.Verdict == open) {
						t.Errorf("%s: %s is %s, and its note %q", of, metric, r.Verdict, r.Note)
					}
				}
			}
		})
	}
}

// kept returns a record as a history reads it.
func kept(t *testing.T, r *Record) *Record {
	t.Helper()
	r.Run, r.Key = "run", "key"
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = parseRecord(b); err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Values {
		if math.IsNaN(float64(v.Rest)) && v.Cut == 0 {
			t.Fatalf("%+v", v)
		}
	}
	return r
}
