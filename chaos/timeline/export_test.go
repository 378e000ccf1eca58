package timeline

import "brunt/chaos"

// Names that the external tests use.

const LeastPhase = leastPhase

const MostLate = mostLate

const RevertFor = revertFor

// Packed returns what a run keeps of records, how many of them are encoded, and their bytes.
func Packed(all []*chaos.Record) (kept []*chaos.Record, n, size int) {
	var rs records
	for _, r := range all {
		rs.all = append(rs.all, r)
		rs.pack(r)
	}
	return rs.list(), len(rs.packed), int(rs.file.Size())
}
