package scenarios

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"time"
)

// An Iter is one iteration as the steps see it: which one it is, when it was
// asked for, its own random source and what was extracted so far. A worker uses
// one Iter again and again, so a step must not keep it.
type Iter struct {
	N        int64         // number of the iteration within its load, from 0
	VU       int           // number of the virtual user within its load, from 0
	Load     int           // number of the load
	Intended time.Duration // when the step is asked for, an offset from t0
	Deadline time.Duration // when the step times out, an offset from t0
	Rand     *rand.Rand    // seeded by the run's seed, the load and N
	Vars     []Value       // extracted values by slot
	Env      *Env

	rows []int32 // row picked per table; -1 not yet
}

// Env is what all iterations of a run share. It is read-only once load flows.
type Env struct {
	Now    func() time.Duration // the run's clock: offset from t0
	Salt   [2]uint64            // makes uuid() unique to the run
	Units  map[string]string    // "posts[1].addr" to its value
	Tables []*Table
	Fill   func() // told once when unique data is used up; may be nil
}

// A Value is what an extraction found or a row holds. Its bytes are reused.
type Value struct {
	Text []byte
	JSON bool // Text is a JSON literal other than a string: a number, true, an object
	Set  bool
}

// SetText stores a text.
func (v *Value) SetText(s string) { v.Text, v.JSON, v.Set = append(v.Text[:0], s...), false, true }

// SetBytes stores a text.
func (v *Value) SetBytes(b []byte) { v.Text, v.JSON, v.Set = append(v.Text[:0], b...), false, true }

// SetJSON stores a JSON literal.
func (v *Value) SetJSON(s string) { v.Text, v.JSON, v.Set = append(v.Text[:0], s...), true, true }

// CopyVars makes dst hold what src holds, reusing dst's memory.
func CopyVars(dst, src []Value) {
	for i := range dst {
		if i < len(src) && src[i].Set {
			dst[i].Text = append(dst[i].Text[:0], src[i].Text...)
			dst[i].JSON, dst[i].Set = src[i].JSON, true
			continue
		}
		dst[i].Set = false
	}
}

// Reset readies it for a next iteration: no row is picked yet.
func (it *Iter) Reset() {
	if it.Env == nil {
		return
	}
	if len(it.rows) != len(it.Env.Tables) {
		it.rows = make([]int32, len(it.Env.Tables))
	}
	for i := range it.rows {
		it.rows[i] = -1
	}
}

// Errors of filling in a template.
var (
	ErrUnset    = errors.New("the variable was never extracted")
	ErrUsedUp   = errors.New("unique data is used up")
	ErrNotStart = errors.New("the unit is not known yet")
)

// row picks this iteration's row of table slot.
func (it *Iter) row(slot int) ([]Datum, error) {
	if it.rows == nil {
		it.Reset()
	}
	t := it.Env.Tables[slot]
	if it.rows[slot] < 0 {
		i, ok := t.pick(it.Rand)
		if !ok {
			if it.Env.Fill != nil {
				it.Env.Fill()
			}
			return nil, ErrUsedUp
		}
		it.rows[slot] = int32(i)
	}
	return t.Rows[it.rows[slot]], nil
}

// value appends what ref stands for. JSON tells that it is a JSON literal.
func (it *Iter) value(dst []byte, ref *Ref) (out []byte, json bool, err error) {
	switch ref.Kind {
	case RefVar:
		if ref.Slot >= len(it.Vars) || !it.Vars[ref.Slot].Set {
			return dst, false, ErrUnset
		}
		v := &it.Vars[ref.Slot]
		return append(dst, v.Text...), v.JSON, nil
	case RefData:
		row, err := it.row(ref.Slot)
		if err != nil {
			return dst, false, err
		}
		c := row[ref.ColSlot]
		return append(dst, c.Text...), c.JSON, nil
	case RefInt:
		n := ref.Min
		if ref.Max-ref.Min+1 > 0 {
			n += it.Rand.Int64N(ref.Max - ref.Min + 1)
		} else {
			n = it.Rand.Int64()
		}
		return strconv.AppendInt(dst, n, 10), true, nil
	case RefUUID:
		a, b := it.Rand.Uint64(), it.Rand.Uint64()
		if ref.Name == "" {
			a, b = a^it.Env.Salt[0], b^it.Env.Salt[1]
		}
		return appendUUID(dst, a, b), false, nil
	case RefNow:
		switch now := time.Now(); ref.Name {
		case "unix":
			return strconv.AppendInt(dst, now.Unix(), 10), true, nil
		case "ms":
			return strconv.AppendInt(dst, now.UnixMilli(), 10), true, nil
		default:
			return now.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z07:00"), false, nil
		}
	case RefUnit, RefLink, RefSelf:
		v, ok := it.Env.Units[ref.Text]
		if !ok {
			return dst, false, ErrNotStart
		}
		return append(dst, v...), false, nil
	}
	return dst, false, ErrNotStart
}

// appendUUID writes 128 bits as a version 4 UUID (RFC 9562, section 5.4).
func appendUUID(dst []byte, a, b uint64) []byte {
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	const hex = "0123456789abcdef"
	for i := 60; i >= 0; i -= 4 {
		dst = append(dst, hex[a>>i&15])
		if i == 32 || i == 16 {
			dst = append(dst, '-')
		}
	}
	dst = append(dst, '-')
	for i := 60; i >= 0; i -= 4 {
		dst = append(dst, hex[b>>i&15])
		if i == 48 {
			dst = append(dst, '-')
		}
	}
	return dst
}

// A Call is a step that its target has compiled: opaque to all but the session
// that makes it.
type Call interface {
	Name() string // "GET /posts", unless the author named the step
}

// IterationStep is the number of the pseudo-step that runs from arrival to end.
const IterationStep = -1
