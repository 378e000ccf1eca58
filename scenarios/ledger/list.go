package ledger

import (
	"cmp"
	"slices"

	"brunt/scenarios/result"
)

// listOne lists a write that is not simply held.
func (b *verification) listOne(c *checkedWrite, state result.WriteState, note string) error {
	k := result.WriteKey{
		ID: b.run.Mask(c.ID), State: state, Acknowledged: result.NaN, Ended: result.Sec(c.End), Age: result.NaN, Note: note,
		Found: map[string]int{},
	}
	if c.Acked {
		k.Acknowledged = k.Ended
	}
	for i, s := range c.answers {
		k.Found[b.reader.units[i].Name] = s.n
	}
	if c.other != nil && (state == result.WriteElsewhere || state == result.WriteUnknown) {
		for i, s := range c.other.answers {
			k.Found[c.other.at.units[i].Name] = s.n
		}
	}
	if state == result.WriteLost {
		to := &b.suspects.sets[c.to]
		k.Age, k.Fault, k.Faults = result.Sec(c.age), to.fault(), to.possible()
	}
	list := b.listed[state]
	at, _ := slices.BinarySearchFunc(list, k,
		func(a, k result.WriteKey) int { return cmp.Compare(float64(a.Ended), float64(k.Ended)) })
	if at < mostKeys {
		list = slices.Insert(list, at, k)
		b.listed[state] = list[:min(len(list), mostKeys)]
	}
	if len(list) > mostKeys || at >= mostKeys {
		b.out.Left++
	}
	return b.listing.Add(k)
}

// States are the states of writes in the order in which writes are listed.
var States = []result.WriteState{
	result.WriteLost, result.WriteElsewhere, result.WriteDuplicated, result.WriteStale,
	result.WriteLate, result.WriteUnknown,
	result.WriteUnread,
	result.WritePresent,
}

// list adds the listed writes to the report.
func (b *verification) list() {
	for _, s := range States {
		b.out.Keys = append(b.out.Keys, b.listed[s]...)
	}
}
