package register

import (
	"cmp"
	"slices"
	"time"
)

// impossible finds the reads of values that were refused, or not written yet.
func (r *Report) impossible() {
	for i := range r.ops {
		o := &r.ops[i]
		if o.Kind != Read {
			continue
		}
		switch c := r.of(o); {
		case c.state == refused:
			r.found(Anomaly{Kind: Dirty, Op: int32(i), With: c.write})
		case c.state == written && o.End < c.begin:
			r.found(Anomaly{Kind: Future, Op: int32(i), With: c.write})
		}
	}
}

// replacements finds for each value the first of the values that surely replaced it: their writes began after it had
// been written.
func (r *Report) replacements() {
	r.registersOf(func(values []int32) {
		first, by := make([]time.Duration, len(values)), make([]int32, len(values))
		low, at := never, int32(none)
		for i, n := range slices.Backward(values) {
			if c := &r.all[n]; c.low < low {
				low, at = c.low, n
			}
			first[i], by[i] = low, at
		}
		for _, n := range values {
			c := &r.all[n]
			c.replaced, c.by = never, none
			i, _ := slices.BinarySearchFunc(values, c.low, func(v int32, low time.Duration) int {
				if r.all[v].begin <= low {
					return -1
				}
				return 1
			})
			if i < len(values) {
				c.replaced, c.by = first[i], by[i]
			}
		}
	})
}

// stale finds the reads that began after their value had been replaced. How stale such a read is, is a lower bound:
// its value may have been replaced before.
func (r *Report) stale() {
	var stale []int32
	for i := range r.ops {
		o := &r.ops[i]
		if c := r.of(o); o.Kind == Read && c.counts() && r.wrong[i] == 0 && c.replaced < o.Call {
			stale = append(stale, int32(i))
		}
	}
	back := r.nonMonotonic(stale)
	for _, i := range stale {
		o := &r.ops[i]
		c := r.of(o)
		a := Anomaly{Kind: Stale, Op: i, With: r.all[c.by].first, Age: o.Call - c.replaced}
		if before, is := back[i]; is {
			a.Kind, a.With = NonMonotonic, before
		}
		r.found(a)
	}
}

// nonMonotonic finds the stale reads whose client had read a newer value before, with that read.
func (r *Report) nonMonotonic(stale []int32) map[int32]int32 {
	out := map[int32]int32{}
	if len(stale) == 0 {
		return out
	}
	type client struct{ register, session int32 }
	newest := map[client]int32{} // the read of the newest value, by clients that made stale reads
	for _, i := range stale {
		newest[client{r.ops[i].Register, r.ops[i].Session}] = none
	}
	var reads []int32
	for i := range r.ops {
		o := &r.ops[i]
		if _, asked := newest[client{o.Register, o.Session}]; asked && o.Kind == Read && r.wrong[i] == 0 &&
			r.of(o).counts() {
			reads = append(reads, int32(i))
		}
	}
	slices.SortFunc(reads, func(a, b int32) int { return cmp.Compare(r.ops[a].Call, r.ops[b].Call) })
	for _, i := range reads {
		o := &r.ops[i]
		who, c := client{o.Register, o.Session}, r.of(o)
		before := newest[who]
		if before != none && r.ops[before].precedes(o) && c.low < r.of(&r.ops[before]).begin {
			out[i] = before
		}
		if before == none || c.begin > r.of(&r.ops[before]).begin {
			newest[who] = i
		}
	}
	return out
}
