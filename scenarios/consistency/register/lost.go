package register

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// lost finds the acknowledged writes that were gone. A write is lost if a read that began a settle time after its
// acknowledgement, or later, returned an older value, and if from a settle time before that read on no read returned
// its value, or one that may have replaced it by then.
//
// A store that is behind returns the newer values to some reads, or later. So its reads are stale, and lose nothing.
func (r *Report) lost(settle time.Duration) {
	byRegister := map[int32][]int32{} // stale reads
	for i := range r.Anomalies {
		if a := &r.Anomalies[i]; a.Kind == Stale || a.Kind == NonMonotonic {
			n := r.ops[a.Op].Register
			byRegister[n] = append(byRegister[n], a.Op)
		}
	}
	if len(byRegister) == 0 {
		return
	}
	r.registersOf(func(values []int32) {
		reads := byRegister[r.all[values[0]].register]
		if len(reads) == 0 {
			return
		}
		slices.SortFunc(reads, func(a, b int32) int { return cmp.Compare(r.ops[a].Call, r.ops[b].Call) })
		r.lostIn(values, reads, settle)
	})
}

// lostIn finds the lost writes of a register. reads are its stale reads in the order of their begins.
func (r *Report) lostIn(values, reads []int32, settle time.Duration) {
	// survived is, for each read, the time by which the newest value had been written that was there before the read
	// began, and that a read still found
	survived := make([]time.Duration, len(reads))
	alive := &newest{of: r.all}
	for next, i := 0, 0; i < len(reads); i++ {
		call := r.ops[reads[i]].Call
		for next < len(values) && r.all[values[next]].begin < call {
			heap.Push(alive, values[next])
			next++
		}
		for len(alive.list) > 0 && r.all[alive.list[0]].lastRead <= call-settle {
			heap.Pop(alive)
		}
		survived[i] = r.of(&r.ops[reads[i]]).low
		if len(alive.list) > 0 {
			survived[i] = max(survived[i], r.all[alive.list[0]].low)
		}
	}
	least := make([]int, len(reads)) // of the reads from i on, the one after which the oldest value was there
	for i := range slices.Backward(reads) {
		least[i] = i
		if i+1 < len(reads) && survived[least[i+1]] < survived[i] {
			least[i] = least[i+1]
		}
	}
	for _, n := range values {
		c := &r.all[n]
		if c.write == none || r.ops[c.write].Kind != Write {
			continue
		}
		i, _ := slices.BinarySearchFunc(reads, r.ops[c.write].End+settle,
			func(read int32, t time.Duration) int { return cmp.Compare(r.ops[read].Call, t) })
		if i < len(reads) && survived[least[i]] < c.begin {
			read := reads[least[i]]
			r.found(Anomaly{Kind: Lost, Op: c.write, With: read, Age: r.ops[read].Call - r.ops[c.write].End})
		}
	}
}

// newest is a heap of values, the one that was written last on top.
type newest struct {
	of   []cluster
	list []int32
}

func (h *newest) Len() int           { return len(h.list) }
func (h *newest) Less(i, k int) bool { return h.of[h.list[i]].low > h.of[h.list[k]].low }
func (h *newest) Swap(i, k int)      { h.list[i], h.list[k] = h.list[k], h.list[i] }
func (h *newest) Push(v any)         { h.list = append(h.list, v.(int32)) }
func (h *newest) Pop() any {
	n := len(h.list) - 1
	v := h.list[n]
	h.list = h.list[:n]
	return v
}
