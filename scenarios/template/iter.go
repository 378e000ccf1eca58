package template

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"brunt/scenarios/syntax"
)

// An Iter is the state of one iteration for its steps: its number, its times, its random source
// and the extracted values. A worker reuses one Iter, so a step must not keep it.
type Iter struct {
	N        int64         // number of the iteration within its load, from 0
	VU       int           // number of the virtual user within its load, from 0
	Load     int           // number of the load
	Intended time.Duration // intended time of the step, an offset from t0
	Deadline time.Duration // when the step times out, an offset from t0
	Rand     *rand.Rand    // seeded by the run's seed, the load and N
	Source   *rand.PCG     // of Rand; resetting its state repeats the same values
	Vars     []Value       // extracted values by slot
	Write    []byte        // id of this write for the ledger; nil outside of writes
	Init     bool          // the step is one of init, whose cookies each iteration begins with
	Idle     bool          // the session had nothing to do for the step, so the step is not recorded
	Came     time.Duration // when the last message of the answer came, if that was before the step; otherwise zero
	Drained  bool          // the step took all messages that its source had
	Again    []int         // the places of messages in the answer that their source has given before
	Message  uint64        // number of this message of a stream; zero outside of them
	Recorded string        // path and query from a replayed log; empty outside of replays
	Env      *Env
	Request  Message // the request being signed; nil except during signing

	rows []int32 // row picked in each table; -1: none yet
	text []byte  // the memory of Fill
}

// WholeAnswer is the place of a message that is the answer.
const WholeAnswer = -1

// A Message is a request that is being signed.
type Message interface {
	// AppendPart appends the value of ${request.PART}.
	AppendPart(dst []byte, part string) []byte
}

// Env is shared by all iterations of a run. It is read-only after the load has begun.
type Env struct {
	Now    func() time.Duration // the run's clock: offset from t0
	Salt   [2]uint64            // makes uuid() unique to the run
	Units  map[string]string    // values by placeholder: unit.posts[1].addr, link.store.url, self.port
	Tables []*Table
	Fill   func() // called when unique data is used up, possibly concurrently; may be nil

	Secrets *Secrets // learns values of requests that are secret by name; may be nil
	Hidden  []int    // slots of the variables whose values are secret
}

// A Value is an extracted value or a value of a row. Its bytes are reused.
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

// CopyVars copies src to dst and reuses dst's memory.
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

// Reset prepares it for the next iteration. No row is picked yet.
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

// Offer learns an extracted value that is secret, see [Secrets.Offer].
func (it *Iter) Offer(v []byte) {
	if it.Env != nil {
		it.Env.Secrets.Offer(v)
	}
}

// Learn makes values secret: the given ones, the variables of this iteration with a secret name, and the cells of its
// rows in columns with a secret name. It is for a request that is kept as a sample.
func (it *Iter) Learn(values ...string) {
	if it == nil || it.Env == nil || it.Env.Secrets == nil {
		return
	}
	it.Env.Secrets.Learn(values...)
	for _, slot := range it.Env.Hidden {
		if slot < len(it.Vars) && it.Vars[slot].Set {
			it.Env.Secrets.Learn(string(it.Vars[slot].Text))
		}
	}
	for slot, n := range it.rows {
		if n >= 0 && slot < len(it.Env.Tables) {
			it.Env.Tables[slot].learnRow(it.Env.Secrets, int(n))
		}
	}
}

// Errors of filling in a template.
var (
	ErrUnset    = errors.New("the variable was never extracted")
	ErrUsedUp   = errors.New("unique data is used up")
	ErrNotStart = errors.New("the unit is not known yet")
	errNoWrite  = errors.New("this is not a write of the ledger")
	errNoStream = errors.New("${message.id} belongs to a message of a stream")
)

// Fill returns the text of t. It is valid until the next call.
func (it *Iter) Fill(t *Template) (text []byte, err error) {
	it.text, err = t.Append(it.text[:0], it)
	return it.text, err
}

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

// append appends the value of ref, escaped for its place.
func (it *Iter) append(dst []byte, ref *syntax.Ref, esc escape) ([]byte, error) {
	switch ref.Kind {
	case syntax.RefVar:
		if ref.Slot >= len(it.Vars) || !it.Vars[ref.Slot].Set {
			return dst, ErrUnset
		}
		v := &it.Vars[ref.Slot]
		return appendEscaped(dst, v.Text, esc, v.JSON), nil
	case syntax.RefData:
		row, err := it.row(ref.Slot)
		if err != nil {
			return dst, err
		}
		c := row[ref.ColSlot]
		return appendEscaped(dst, c.Text, esc, c.JSON), nil
	case syntax.RefInt: // digits and a minus need no escape
		return strconv.AppendInt(dst, randInt(it.Rand, ref.Min, ref.Max), 10), nil
	case syntax.RefUUID:
		a, b := it.Rand.Uint64(), it.Rand.Uint64()
		if ref.Name == "" {
			a, b = a^it.Env.Salt[0], b^it.Env.Salt[1]
		}
		return quoteIn(esc, appendUUID(quoteIn(esc, dst), a, b)), nil
	case syntax.RefNow:
		switch now := time.Now(); ref.Name {
		case "unix":
			return strconv.AppendInt(dst, now.Unix(), 10), nil
		case "ms":
			return strconv.AppendInt(dst, now.UnixMilli(), 10), nil
		default:
			var buf [40]byte
			return appendEscaped(dst, now.UTC().AppendFormat(buf[:0], "2006-01-02T15:04:05.000000Z07:00"), esc, false), nil
		}
	case syntax.RefRequest:
		if it.Request != nil {
			return appendEscaped(dst, it.Request.AppendPart(nil, ref.Name), esc, false), nil
		}
	case syntax.RefCall:
		in, err := ref.AppendArguments(nil, func(dst []byte, ref *syntax.Ref) ([]byte,
			error,
		) {
			return it.append(dst, ref, escNone)
		})
		if err != nil {
			return dst, err
		}
		return appendEscaped(dst, syntax.AppendCall(nil, ref.Name, in, false), esc, false), nil
	case syntax.RefRecorded:
		return append(dst, it.Recorded...), nil
	case syntax.RefLedger:
		if it.Write != nil {
			return appendEscaped(dst, it.Write, esc, false), nil
		}
		return dst, errNoWrite
	case syntax.RefMessage: // digits need no escape
		if it.Message != 0 {
			return strconv.AppendUint(dst, it.Message, 10), nil
		}
		return dst, errNoStream
	case syntax.RefUnit, syntax.RefLink, syntax.RefSelf:
		if v, ok := it.Env.Units[ref.Text]; ok {
			return appendEscaped(dst, v, esc, false), nil
		}
	}
	return dst, ErrNotStart
}

// quoteIn appends a quote if the text is a whole JSON value.
func quoteIn(esc escape, dst []byte) []byte {
	if esc == escJSON {
		return append(dst, '"')
	}
	return dst
}

// NewWrite draws the id of a write for ${ledger.id}. It is unique to the run.
func (it *Iter) NewWrite() {
	a, b := it.Rand.Uint64()^it.Env.Salt[0], it.Rand.Uint64()^it.Env.Salt[1]
	it.Write = appendUUID(it.Write[:0], a, b)
}

// NewMessage draws the number of a message for ${message.id}. Every JSON reader can represent it exactly.
func (it *Iter) NewMessage() { it.Message = it.Rand.Uint64N(1<<53-1) + 1 }

// randInt draws a whole number from low to high, both included.
func randInt(r *rand.Rand, low, high int64) int64 {
	span := uint64(high) - uint64(low)
	if span == math.MaxUint64 {
		return int64(r.Uint64())
	}
	return int64(uint64(low) + r.Uint64N(span+1))
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
