package measure

import (
	"encoding/binary"
	"math"
)

// A WireReader reads numbers from B. A missing or out-of-range value sets Bad, and empties B.
type WireReader struct {
	B   []byte
	Bad bool
}

// Fail sets Bad and empties B.
func (r *WireReader) Fail() { r.Bad, r.B = true, nil }

// Signed reads a number.
func (r *WireReader) Signed() int64 {
	v, n := binary.Varint(r.B)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.B = r.B[n:]
	return v
}

// UpTo reads a number from 0 to limit.
func (r *WireReader) UpTo(limit uint64) int64 {
	v, n := binary.Uvarint(r.B)
	if n <= 0 || v > limit {
		r.Fail()
		return 0
	}
	r.B = r.B[n:]
	return int64(v)
}

// Count reads a number that is not negative.
func (r *WireReader) Count() int64 { return r.UpTo(math.MaxInt64) }

// Length reads a number of items, each of which has at least one byte.
func (r *WireReader) Length() int { return int(r.UpTo(uint64(len(r.B)))) }

// Word reads 8 bytes, which are not all zero.
func (r *WireReader) Word() uint64 {
	if len(r.B) < 8 {
		r.Fail()
		return 0
	}
	w := binary.LittleEndian.Uint64(r.B)
	r.B = r.B[8:]
	if w == 0 {
		r.Fail()
	}
	return w
}
