package timeline

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"fmt"
	"slices"

	"brunt/chaos"
	"brunt/scenarios/disk"
)

// records holds the records of a run, in the order of their begin. A run may have thousands, so it keeps those encoded
// in a file that are over, and of which only times and texts are left.
type records struct {
	all    []*chaos.Record // nil for an encoded record
	packed []int           // indexes in all of the encoded records, in the order of their encoding
	of     map[string]bool // faults with encoded records
	file   disk.Spool      // the encoded records
	buf    bytes.Buffer
	gob    *gob.Encoder // writes to buf
}

// pack encodes a record that no longer changes. It does nothing if more may be read from the injected steps, or if the
// record has an error.
func (rs *records) pack(r *chaos.Record) {
	plain := r.Gone && !r.Skipped && r.Held == nil && r.Steps == nil && r.Detect == nil && r.Err() == nil
	i := slices.Index(rs.all, r)
	if !plain || i < 0 {
		return
	}
	if rs.gob == nil {
		rs.gob, rs.of = gob.NewEncoder(&rs.buf), map[string]bool{}
	}
	rs.buf.Reset()
	if err := rs.gob.Encode(r); err != nil {
		panic(fmt.Sprintf("chaos: encode a record: %v", err)) // impossible
	}
	rs.file.Append(rs.buf.Bytes())
	rs.all[i], rs.of[r.Fault] = nil, true
	rs.packed = append(rs.packed, i)
}

// list returns all records.
func (rs *records) list() []*chaos.Record {
	all := slices.Clone(rs.all)
	from := gob.NewDecoder(bufio.NewReader(rs.file.Reader()))
	for _, i := range rs.packed {
		all[i] = new(chaos.Record)
		if err := from.Decode(all[i]); err != nil {
			panic(fmt.Sprintf("chaos: read a record back: %v", err)) // the file system is broken
		}
	}
	return all
}

// skipped reports whether every occurrence of a fault was skipped.
func (rs *records) skipped(fault string) bool {
	is := func(r *chaos.Record) bool { return r != nil && r.Fault == fault }
	return !rs.of[fault] && slices.ContainsFunc(rs.all, is) &&
		!slices.ContainsFunc(rs.all, func(r *chaos.Record) bool { return is(r) && !r.Skipped })
}

// release forgets the injected steps of an occurrence that is over without a remnant, and whose units are ready. Each
// step holds the data of its proofs, and a run may have thousands of occurrences.
func release(r *chaos.Record) {
	if !r.Gone || r.Down != nil {
		return
	}
	r.Held = nil
	for _, s := range r.Steps {
		release(s)
	}
}
