package ledger

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// listingFile creates the file that lists writes which are not simply held.
func (b *verification) listingFile() (*os.File, error) {
	if b.ledger.findings == "" {
		return nil, nil
	}
	f, err := disk.Fresh(b.ledger.findings, disk.Private)
	if err != nil {
		return nil, fmt.Errorf("the findings of the ledger: %w", err)
	}
	b.listing = bufio.NewWriterSize(f, 1<<16)
	return f, nil
}

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
	if state == result.WriteLost {
		to := &b.suspects.sets[c.to]
		k.Age, k.Fault, k.Faults = result.Sec(c.age), to.fault(), to.several()
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
	if b.listing == nil {
		return nil
	}
	line, err := json.Marshal(k)
	if err == nil {
		_, err = b.listing.Write(append(line, '\n'))
	}
	return err
}

// States are the states of writes in the order in which writes are listed.
var States = []result.WriteState{
	result.WriteLost, result.WriteDuplicated, result.WriteStale, result.WriteLate, result.WriteUnknown, result.WriteUnread,
	result.WritePresent,
}

// list adds the listed writes to the report.
func (b *verification) list() {
	for _, s := range States {
		b.out.Keys = append(b.out.Keys, b.listed[s]...)
	}
}
