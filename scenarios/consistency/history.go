package consistency

import (
	"time"

	"brunt/scenarios/consistency/register"
)

// A history is the recorded operations as numbers.
type history struct {
	ops      []register.Op
	keys     []string  // of the registers, by number
	values   []string  // by number, from 1
	sessions []session // by number
}

// A session is a virtual user.
type session struct {
	load int16
	user int32
}

// A registerValue is a value of a register: another register has other values, even of the same text.
type registerValue struct {
	register int32
	value    string
}

// history numbers registers, values and sessions. It forgets the records.
//
// If there was no room for some operations, it drops the reads that ended after the first of these began: they may
// return its value.
func (r *recorder) history() (h history, dropped int64) {
	n := 0
	for _, s := range r.shards {
		n += len(s.ops)
	}
	h.ops, h.values = make([]register.Op, 0, n), []string{""}
	keys, sessions := map[string]int32{}, map[session]int32{}
	values := map[registerValue]int32{}
	full := time.Duration(r.full.Load())
	for _, s := range r.shards {
		for i := range s.ops {
			op := &s.ops[i]
			if op.kind == register.Read && op.end >= full {
				dropped++
				continue
			}
			text := s.text[op.at:]
			key, value, expects := text[:op.key], text[op.key:][:op.value], text[op.key+op.value:][:op.expects]
			o := register.Op{Kind: op.kind, Call: op.call, End: op.end}
			var known bool
			if o.Register, known = keys[string(key)]; !known {
				o.Register = int32(len(h.keys))
				h.keys = append(h.keys, string(key))
				keys[h.keys[o.Register]] = o.Register
			}
			who := session{op.load, op.user}
			if o.Session, known = sessions[who]; !known {
				o.Session = int32(len(h.sessions))
				h.sessions = append(h.sessions, who)
				sessions[who] = o.Session
			}
			number := func(value []byte) int32 {
				n, known := values[registerValue{o.Register, string(value)}]
				if !known {
					n = int32(len(h.values))
					h.values = append(h.values, string(value))
					values[registerValue{o.Register, h.values[n]}] = n
				}
				return n
			}
			if !op.nothing {
				o.Value = number(value)
			}
			if len(expects) > 0 {
				o.Expects = number(expects)
			}
			h.ops = append(h.ops, o)
		}
		s.ops, s.text = nil, nil
	}
	return h, dropped
}
