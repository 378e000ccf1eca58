package register

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A conflict is two values of a register for which no order of the operations explains the reads.
type conflict struct {
	a, b int32
	ops  [4]int32 // the operations that ended first and began last, on each of them
}

// conflicts appends the conflicts of one register's values, with reads that began shift earlier: two values were
// surely the current one at the same time, or one was surely written and replaced while another was the current one.
// Of several values that overlap, each is in one conflict. The result is empty if and only if an order exists.
func (r *Report) conflicts(out []conflict, values []int32, shift time.Duration) []conflict {
	high := func(n int32) time.Duration {
		c := &r.all[n]
		if c.reads == 0 || shift == 0 {
			return c.high
		}
		return max(c.begin, c.lastRead-shift)
	}
	fwd := r.scratch[:0]
	for _, n := range values {
		if r.all[n].low < high(n) {
			fwd = append(fwd, n)
		}
	}
	r.scratch = fwd
	slices.SortFunc(fwd, func(a, b int32) int { return cmp.Compare(r.all[a].low, r.all[b].low) })
	for i := 1; i < len(fwd); i++ {
		if r.all[fwd[i]].low < high(fwd[i-1]) {
			out = append(out, conflict{a: fwd[i-1], b: fwd[i]})
		}
	}
	for _, n := range values {
		low, high2 := r.all[n].low, high(n)
		if low < high2 {
			continue
		}
		i, _ := slices.BinarySearchFunc(fwd, low,
			func(f int32, t time.Duration) int { return cmp.Compare(r.all[f].low, t) })
		if i > 0 && high(fwd[i-1]) > low && r.all[fwd[i-1]].low < high2 {
			out = append(out, conflict{a: fwd[i-1], b: n})
		}
	}
	return out
}

// contradictions finds the conflicts that are left without the reads that other anomalies explain.
func (r *Report) contradictions() {
	r.registersOf(func(values []int32) { r.pairs = r.conflicts(r.pairs, values, 0) })
	for i := range r.pairs {
		a, b := &r.all[r.pairs[i].a], &r.all[r.pairs[i].b]
		r.pairs[i].ops = [...]int32{a.first, a.last, b.first, b.last}
		op := a.last // the last operation that shows one of them
		if r.ops[b.last].Call > r.ops[op].Call {
			op = b.last
		}
		r.found(Anomaly{Kind: Order, Op: op, With: int32(i)})
	}
}

// staleness computes by how much reads would have to begin earlier for an order to exist: 0 for a linearizable
// history. least is the greatest staleness of a single read.
func (r *Report) staleness(least time.Duration) time.Duration {
	most := least
	var found []conflict
	r.registersOf(func(values []int32) {
		holds := func(shift time.Duration) bool {
			found = r.conflicts(found[:0], values, shift)
			return len(found) == 0
		}
		if holds(most) {
			return
		}
		low, high := most, max(2*most, time.Millisecond)
		for !holds(high) && high < math.MaxInt64/4 {
			low, high = high, 2*high
		}
		for high-low > max(time.Microsecond, low/1000) {
			if mid := low + (high-low)/2; holds(mid) {
				high = mid
			} else {
				low = mid
			}
		}
		most = high
	})
	return most
}
