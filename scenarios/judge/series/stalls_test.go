package series_test

import (
	"testing"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/series"
)

// TestClear: requests in flight of which none ends are a stall if usually 14 of them would have ended, and if they wait
// for longer than good answers take.
func TestClear(t *testing.T) {
	const sec = time.Second
	for _, c := range []struct {
		name   string
		flight []int64 // of each series, in each of seconds
		usual  []time.Duration
		length int
		want   bool
	}{
		{"a hundred requests of a fast target", []int64{100}, []time.Duration{10 * time.Millisecond}, 1, true},
		{"one request of a fast target", []int64{1}, []time.Duration{10 * time.Millisecond}, 1, true},
		{"one user who is left, with an answer of 5 s", []int64{1}, []time.Duration{5 * sec}, 4, false},
		{"the same for 71 s", []int64{1}, []time.Duration{5 * sec}, 71, true},
		{"users who begin together", []int64{20}, []time.Duration{3 * sec}, 2, false},
		{"the same for 4 s", []int64{20}, []time.Duration{3 * sec}, 4, true},
		{"a slow step, and none in a fast one", []int64{0, 30}, []time.Duration{time.Millisecond, 5 * sec}, 4, false},
		{"a slow step, and one in a fast one", []int64{1, 30}, []time.Duration{time.Millisecond, 5 * sec}, 4, true},
		{"no good answer at all", []int64{1}, []time.Duration{0}, 1, true},
	} {
		list, first := []effect.Slice{{End: sec, N: 1, Ended: 1, InFlight: 3}}, []int{0}
		var records []series.StallRecord
		for i, n := range c.flight {
			records = append(records, series.StallRecord{
				Series: int32(i), Ready: n + 9, Ended: 9, Good: 9, Took: 9 * c.usual[i],
			})
			if c.usual[i] == 0 {
				records[i].Good = 0
			}
		}
		for i := range c.length {
			at := time.Duration(i+1) * sec
			list, first = append(list, effect.Slice{Start: at, End: at + sec, InFlight: 1}), append(first, len(records))
		}
		series.ClearStalls(list, append(first, len(records)), len(c.flight),
			func(i int) (series.StallRecord, bool) { return records[i], true })
		for i := range list[1:] {
			if got := list[i+1].Stalled(); got != c.want {
				t.Errorf("%s: second %d is stalled: %t", c.name, i+1, got)
				break
			}
		}
		if list[0].InFlight != 3 {
			t.Errorf("%s: a second in which one ended has %d requests in flight", c.name, list[0].InFlight)
		}
	}
}
