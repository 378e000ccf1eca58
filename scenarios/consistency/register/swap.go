package register

import (
	"cmp"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// swappedTwice finds compare-and-sets that were acknowledged though another one had replaced the same value: each value
// is written once, so it can be replaced once.
func (r *Report) swappedTwice() {
	by := map[int32]int32{} // the first compare-and-set of each value, by its end
	var swaps []int32
	for i := range r.ops {
		if o := &r.ops[i]; o.Expects > 0 && o.Kind == Write && r.all[o.Expects-1].state != repeated {
			swaps = append(swaps, int32(i))
		}
	}
	slices.SortFunc(swaps, func(a, b int32) int { return cmp.Compare(r.ops[a].End, r.ops[b].End) })
	for _, i := range swaps {
		first, twice := by[r.ops[i].Expects]
		if !twice {
			by[r.ops[i].Expects] = i
			continue
		}
		r.found(Anomaly{Kind: Overwritten, Op: i, With: first})
	}
}

// swap is a register with compare-and-set for porcupine. Its state is the current value. A write of unknown outcome
// that finds another value than it expects has no effect.
var swap = porcupine.Model{
	Step: func(state, input, _ any) (bool, any) {
		switch o := input.(*Op); {
		case o.Kind == Read:
			return state == o.Value, state
		case o.Expects == 0 || state == o.Expects:
			return true, o.Value
		default:
			return o.Kind == Unknown, state
		}
	},
}

// search asks porcupine about each register with compare-and-sets in which nothing else convicts, until the limit.
// There is no theorem as for plain registers: the search takes exponential time, above all with writes of unknown
// outcome, so a few hundred operations on a register are enough for it to end undecided.
func (r *Report) search(limit time.Duration) {
	swaps, convicted := map[int32]bool{}, map[int32]bool{}
	for i := range r.ops {
		if r.ops[i].Expects > 0 {
			swaps[r.ops[i].Register] = true
		}
	}
	if len(swaps) == 0 {
		return
	}
	for i := range r.Anomalies {
		convicted[r.ops[r.Anomalies[i].Op].Register] = true
	}
	of := map[int32][]int32{}
	for i := range r.ops {
		o := &r.ops[i]
		if c := r.of(o); swaps[o.Register] && !convicted[o.Register] && o.Kind != Refused && c.takesPart() {
			of[o.Register] = append(of[o.Register], int32(i))
		}
	}
	before := map[int32]int32{} // values of registers before their first writes
	for i := range r.values {
		if c := &r.all[i]; c.state == initial {
			before[c.register] = i + 1
		}
	}
	until := time.Now().Add(limit)
	for n := range r.registers {
		if ops := of[n]; len(ops) > 0 {
			r.searchIn(ops, before[n], time.Until(until))
		}
	}
}

// searchIn searches the operations of a register for an order, which begins with a value.
func (r *Report) searchIn(ops []int32, begin int32, limit time.Duration) {
	if limit <= 0 {
		r.Undecided++
		return
	}
	model := swap
	model.Init = func() any { return begin }
	var list []porcupine.Operation
	for _, i := range ops {
		o := &r.ops[i]
		list = append(list, porcupine.Operation{
			ClientId: int(o.Session), Input: o, Call: int64(o.Call), Return: int64(o.end()),
		})
	}
	switch result, info := porcupine.CheckOperationsVerbose(model, list, limit); result {
	case porcupine.Unknown:
		r.Undecided++
	case porcupine.Illegal:
		r.found(r.unordered(ops, info))
	}
}

// unordered returns the anomaly of operations that have no order: the first that ended and is not in the longest order
// that the search found, with the last in that order.
func (r *Report) unordered(ops []int32, info porcupine.LinearizationInfo) Anomaly {
	var longest []int
	for _, orders := range info.PartialLinearizations() {
		for _, order := range orders {
			if len(order) > len(longest) {
				longest = order
			}
		}
	}
	a := Anomaly{Kind: Order, Op: none, With: int32(len(r.pairs))}
	for n, i := range ops {
		if !slices.Contains(longest, n) && (a.Op == none || r.ops[i].end() < r.ops[a.Op].end()) {
			a.Op = i
		}
	}
	pair := conflict{ops: [4]int32{none, none, none, none}}
	for k, n := range longest[max(0, len(longest)-3):] {
		pair.ops[k] = ops[n]
	}
	pair.ops[3] = a.Op
	r.pairs = append(r.pairs, pair)
	return a
}
