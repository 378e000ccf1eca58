package load

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"brunt/scenarios/load/accesslog"
)

// TestOrder: entries come out by time, and those of one time in the order of the file.
func TestOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	o := order{window: 1000}
	var want []accesslog.Entry
	for n := range 500 {
		e := accesslog.Entry{At: 1 + r.Int64N(200)}
		e.N = int64(n)
		o.push(e)
		want = append(want, e)
	}
	if _, some := o.pop(false); some {
		t.Error("an entry came out before later lines could be read")
	}
	slices.SortFunc(want, func(a, b accesslog.Entry) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.N, b.N))
	})
	for i := range want {
		if e, some := o.pop(true); !some || e.At != want[i].At || e.N != want[i].N {
			t.Fatalf("entry %d is of %d, line %d; want of %d, line %d", i, e.At, e.N, want[i].At, want[i].N)
		}
	}
	if _, some := o.pop(true); some || o.late > 0 {
		t.Errorf("there are more entries, or %d late ones", o.late)
	}
}
