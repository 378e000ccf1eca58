package result

import (
	"math"
	"testing"
)

// TestFindSlowdowns: seconds at 40 requests with a median of 44 ms and a p95 of 70 ms, of which some are changed.
func TestFindSlowdowns(t *testing.T) {
	slow := func(w *Window) { w.P50, w.P95 = .45, .6 }
	from := func(first, last int, change func(*Window)) func(*Result) {
		return func(r *Result) {
			for i := first; i <= last; i++ {
				change(&r.Windows[i])
			}
		}
	}
	stall := func(r *Result) { from(10, 13, slow)(r) }
	for _, tt := range []struct {
		name   string
		change func(*Result)
		want   []Slowdown
	}{
		{"none", func(*Result) {}, nil},
		{"four seconds", stall, []Slowdown{{From: 10, To: 14, Requests: 160, P50: .45, Usual: .044, Lag: .001}}},
		{"two spans", func(r *Result) { from(5, 6, slow)(r); from(15, 16, slow)(r) }, []Slowdown{
			{From: 5, To: 7, Requests: 80, P50: .45, Usual: .044, Lag: .001},
			{From: 15, To: 17, Requests: 80, P50: .45, Usual: .044, Lag: .001},
		}},
		{"one second alone", from(10, 10, slow), nil},
		{"a slow tail, and a usual median", from(10, 13, func(w *Window) { w.P95 = 2 }), nil},
		{"not twice as long", from(10, 13, func(w *Window) { w.P50 = .085 }), nil},
		{"by less than 20 ms", func(r *Result) {
			from(0, 19, func(w *Window) { w.P50, w.P95 = .001, .002 })(r)
			from(10, 13, func(w *Window) { w.P50 = .015 })(r)
		}, nil},
		{"brunt itself was late", func(r *Result) {
			stall(r)
			from(10, 13, func(w *Window) { w.Lag = .4 })(r)
		}, nil},
		{"brunt itself was late by a tenth of it", func(r *Result) {
			stall(r)
			from(10, 13, func(w *Window) { w.Lag = .04 })(r)
		}, nil},
		{"brunt itself was late while it waited for the answers", func(r *Result) {
			stall(r)
			from(10, 11, func(w *Window) { w.P50 = 3 })(r)
			from(12, 14, func(w *Window) { w.P50, w.Lag = .044, .4 })(r)
		}, nil},
		{"brunt stood still", func(r *Result) {
			stall(r)
			r.Generator.Freezes = []Freeze{{T: 10.5, D: 3}}
		}, nil},
		{"brunt stood still before", func(r *Result) {
			stall(r)
			r.Generator.Freezes = []Freeze{{T: 5, D: 3}}
		}, []Slowdown{{From: 10, To: 14, Requests: 160, P50: .45, Usual: .044, Lag: .001}}},
		{"the machine was busy", func(r *Result) {
			stall(r)
			for s := range 20 {
				t := GeneratorTick{T: Num(s + 1), Pressure: .1}
				if s >= 9 && s < 16 {
					t.Pressure = .8
				}
				r.Generator.Seconds = append(r.Generator.Seconds, t)
			}
		}, nil},
		{"too few requests", func(r *Result) {
			stall(r)
			from(0, 19, func(w *Window) { w.Offered = 9 })(r)
		}, nil},
		{"more was asked for", func(r *Result) {
			stall(r)
			from(10, 13, func(w *Window) { w.Offered = 80 })(r)
		}, nil},
		{"a fault was in", func(r *Result) {
			stall(r)
			r.Faults = []FaultRecord{{Injected: 10.1, Cleared: 13.5}}
		}, nil},
		{"the load recovered from a fault", func(r *Result) {
			stall(r)
			r.Faults = []FaultRecord{{Injected: 4, Cleared: 6, RecoveredAt: 13.2}}
		}, nil},
		{"an incident", func(r *Result) {
			stall(r)
			r.Incidents = []Incident{{Begin: 10.2, End: 13.9}}
		}, nil},
		{"another load ran", func(r *Result) {
			stall(r)
			r.Loads = append(r.Loads, LoadInfo{Name: "sale", Start: 10, End: 14})
		}, nil},
		{"half of the run was slow", from(10, 19, slow), nil},
		{"the median failed", from(10, 13, func(w *Window) { w.P50 = Num(math.Inf(1)) }), nil},
		{"of one step", func(r *Result) {
			stall(r)
			from(0, 19, func(w *Window) { w.Step = "read" })(r)
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Result{Duration: 20, Loads: []LoadInfo{{Name: "orders", Start: 0, End: 20}}}
			for s := range 20 {
				r.Windows = append(r.Windows, Window{
					T: Num(s), D: 1, Load: "*", Step: "*", Offered: 40, Lag: .001, P50: .044, P95: .07,
				})
			}
			tt.change(r)
			got := FindSlowdowns(r)
			if len(got) != len(tt.want) {
				t.Fatalf("got %+v, want %+v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %+v, want %+v", got[i], tt.want[i])
				}
			}
		})
	}
}
