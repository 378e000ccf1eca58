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

// records are those of a run, in the order of their begin. Those of occurrences that are over, and of which only times
// and texts are left, are kept in encoded form, in a file: a run may have thousands.
type records struct {
	all    []*chaos.Record // nil where one is encoded
	packed []int           // the places of those that are encoded, in the order of their encoding
	of     map[string]bool // the faults of those
	file   disk.Spool      // those, in encoded form
	buf    bytes.Buffer
	gob    *gob.Encoder // to buf
}

// pack encodes a record that nothing changes any more. It does nothing where more is to be asked of it.
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

// release forgets the injected steps of an occurrence that is over and of which nothing is left: each has what it was
// proven by, and a run may have thousands of occurrences.
func release(r *chaos.Record) {
	if !r.Gone {
		return
	}
	r.Held = nil
	for _, s := range r.Steps {
		release(s)
	}
}
