package measure

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
)

// TestSet_Pack: what is kept in encoded form of faults that are over is the slowest of each, and the slowest of the
// run.
func TestSet_Pack(t *testing.T) {
	const sets, steps = 40, 2
	s, r := newSlowestSet(steps), rand.New(rand.NewPCG(1, 2))
	all := make([][]SlowestOfSet, steps)
	for set := range int32(sets) {
		for range r.IntN(30) {
			o := scenarios.Outcome{
				Step: int32(r.IntN(steps)), Load: int32(r.IntN(3)), Kind: scenarios.Kind(r.IntN(3)), Status: int32(r.IntN(600)) - 1,
				Intended: time.Duration(r.Int64N(int64(time.Second))), Trace: r.Uint64(), Answered: true,
			}
			o.Ready, o.Slot, o.Sent = o.Intended, o.Intended+3, o.Intended+5
			o.First = o.Sent + time.Duration(r.Int64N(int64(time.Second)))
			o.End = o.First + time.Duration(r.Int64N(int64(time.Second)))
			s.Add(&o, set)
			all[o.Step] = append(all[o.Step], SlowestOfSet{
				SlowRequest{o.Response(), o.Intended, o.Trace, o.Load, o.Status, o.Kind, o.Timings(), false}, int(set),
			})
		}
		s.Pack(func(of int32) bool { return of > 0 && of < set-2 })
	}
	found, err := s.ByStep()
	if err != nil {
		t.Fatal(err)
	}
	for step, kept := range found {
		slower := func(a, b SlowestOfSet) int { return cmp.Compare(b.Response, a.Response) }
		slices.SortStableFunc(kept, slower)
		slices.SortStableFunc(all[step], slower)
		if !slices.Equal(kept[:MostSlow], all[step][:MostSlow]) {
			t.Errorf("step %d: the slowest of the run are\n%+v, want\n%+v", step, kept[:MostSlow], all[step][:MostSlow])
		}
		for set := range sets {
			of := func(list []SlowestOfSet) (out []SlowestOfSet) {
				for _, q := range list {
					if q.Set == set && len(out) < MostSlowOfFault {
						out = append(out, q)
					}
				}
				return out
			}
			if got, want := of(kept), of(all[step]); !slices.Equal(got, want) {
				t.Errorf("step %d, set %d: %+v, want %+v", step, set, got, want)
			}
		}
	}
	if n := len(s.open); n > 4 {
		t.Errorf("%d sets are not packed", n)
	}
}
