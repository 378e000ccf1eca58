package register

import (
	"cmp"
	"slices"
	"time"
)

// divergent names the stale reads that show that copies of a register do not converge. The value of such a read was
// replaced more than a settle time before, the system is whole, and a read that began within a settle time before it,
// or later, returned a newer value. So the newer value is not lost, and the copy that was read does not get it.
func (r *Report) divergent(limits Limits) {
	late := map[int32][]*Anomaly{} // by register
	for i := range r.Anomalies {
		a := &r.Anomalies[i]
		if (a.Kind == Stale || a.Kind == NonMonotonic) && a.Age > limits.Settle && limits.Whole(r.ops[a.Op].Call) {
			n := r.ops[a.Op].Register
			late[n] = append(late[n], a)
		}
	}
	if len(late) == 0 {
		return
	}
	reads := map[int32][]int32{} // of these registers
	for i := range r.ops {
		o := &r.ops[i]
		if late[o.Register] != nil && o.Kind == Read && r.wrong[i] != Dirty && r.wrong[i] != Future &&
			r.of(o).counts() {
			reads[o.Register] = append(reads[o.Register], int32(i))
		}
	}
	for register, all := range late {
		list := reads[register]
		slices.SortFunc(list, func(a, b int32) int { return cmp.Compare(r.ops[a].Call, r.ops[b].Call) })
		newest := make([]int32, len(list)) // of the reads from each on, the one of the newest value
		for i, read := range slices.Backward(list) {
			if newest[i] = read; i+1 < len(list) && r.of(&r.ops[newest[i+1]]).begin > r.of(&r.ops[read]).begin {
				newest[i] = newest[i+1]
			}
		}
		for _, a := range all {
			o := &r.ops[a.Op]
			i, _ := slices.BinarySearchFunc(list, o.Call-limits.Settle,
				func(read int32, t time.Duration) int { return cmp.Compare(r.ops[read].Call, t) })
			if newer := newest[i]; r.of(&r.ops[newer]).begin > r.of(o).low {
				a.Kind, a.With = Divergent, newer
			}
		}
	}
}
