package register

import (
	"cmp"
	"slices"
	"time"
)

// A cluster is a value of a register with its write and its reads.
type cluster struct {
	register int32
	write    int32 // its write, or none
	first    int32 // the operation that ended first, or none; it ended at low
	last     int32 // the operation that began last, or none; it began at high
	state    state
	reads    int32
	begin    time.Duration // when its write began; forever for the value before the first write
	low      time.Duration // the value had been written by then
	high     time.Duration // the value was still the current one at or after this time
	lastRead time.Duration // when its last read began
	// Of the values that replaced it, the one that had been written first: by the time replaced. never means that none
	// is known.
	replaced time.Duration
	by       int32
}

const none = -1

// A state says whether a value takes part.
type state uint8

const (
	absent  state = iota // neither written nor read
	initial              // the value before the first write
	written
	refused  // its write was refused, so that no read may return it
	repeated // written more than once, or by a write that was sent several times
	foreign  // of no write of the history
)

// takesPart reports whether the value is one that the register had.
func (c *cluster) takesPart() bool { return c.state == initial || c.state == written }

// clusters groups the operations by value, and counts the operations that are left out.
func (r *Report) clusters() {
	values, registers := int32(0), int32(0)
	for i := range r.ops {
		values, registers = max(values, r.ops[i].Value, r.ops[i].Expects), max(registers, r.ops[i].Register+1)
	}
	r.values, r.registers = values, registers
	r.all = make([]cluster, values+registers)
	for i := range r.all {
		r.all[i] = cluster{write: none, first: none, last: none, by: none, low: never, high: forever, lastRead: forever}
	}
	firstEnd := make([]time.Duration, registers) // of the writes of each register
	for i := range firstEnd {
		firstEnd[i] = never
		r.all[values+int32(i)].register = int32(i)
	}
	for i := range r.ops {
		if o := &r.ops[i]; o.Kind != Read {
			r.written(int32(i))
			firstEnd[o.Register] = min(firstEnd[o.Register], o.End)
		}
	}
	r.before(firstEnd)
	for i := range r.ops {
		if c := r.of(&r.ops[i]); c.state == foreign || c.state == repeated {
			if r.LeftOut++; c.state == foreign {
				r.Foreign++
			}
		}
	}
}

// of returns the cluster of an operation.
func (r *Report) of(o *Op) *cluster { return &r.all[r.index(o)] }

func (r *Report) index(o *Op) int32 {
	if o.Value > 0 {
		return o.Value - 1
	}
	return r.values + o.Register
}

// written notes a write.
func (r *Report) written(i int32) {
	o := &r.ops[i]
	c := r.of(o)
	switch {
	case c.state != absent || o.Kind == Repeated || o.Value == 0:
		c.state = repeated
	case o.Kind == Refused:
		c.state = refused
	default:
		c.state = written
	}
	c.register, c.write, c.begin = o.Register, i, o.Call
}

// before finds the value that each register had before its first write: none, or else a value that no write of the
// history wrote, and that a read found which began before a write had ended. Other values without a write are foreign:
// another client wrote them.
func (r *Report) before(firstEnd []time.Duration) {
	had := make([]int32, r.registers) // the value of each register, plus 1
	for i := range r.ops {
		o := &r.ops[i]
		c := r.of(o)
		if o.Kind != Read || c.state != absent && c.state != foreign {
			continue
		}
		c.register, c.state = o.Register, foreign
		if at := r.index(o); o.Call <= firstEnd[o.Register] && had[o.Register] == 0 {
			had[o.Register] = at + 1
		}
	}
	for n, at := range had {
		c := &r.all[r.values+int32(n)]
		if at > 0 {
			c = &r.all[at-1]
		}
		if c.state == foreign {
			c.state, c.begin, c.low = initial, forever, forever
		}
	}
}

// zones computes the zone of each value, without the reads of values that the register can't have had. Where fresh is
// set, it also leaves stale reads out.
func (r *Report) zones(fresh bool) {
	for i := range r.all {
		c := &r.all[i]
		c.reads, c.first, c.last, c.lastRead = 0, none, none, forever
		if c.state == initial {
			c.low, c.high = forever, forever
			continue
		}
		c.low, c.high = never, forever
	}
	for i := range r.ops {
		o := &r.ops[i]
		c := r.of(o)
		if w := r.wrong[i]; !c.takesPart() || w == Dirty || w == Future || fresh && (w == Stale || w == NonMonotonic) {
			continue
		}
		if o.Kind == Read {
			c.reads++
			c.lastRead = max(c.lastRead, o.Call)
		}
		if end := o.end(); end < c.low {
			c.low, c.first = end, int32(i)
		}
		if o.Call > c.high || c.last == none {
			c.high, c.last = o.Call, int32(i)
		}
	}
}

// counts reports whether a value has a place in the order: an unread value of an unknown write has none.
func (c *cluster) counts() bool {
	return c.takesPart() && c.low != never && (c.state != initial || c.reads > 0)
}

// group sorts the values that count by register, and those of a register by the begin of their writes.
func (r *Report) group() {
	r.order = r.order[:0]
	for i := range r.all {
		if r.all[i].counts() {
			r.order = append(r.order, int32(i))
		}
	}
	slices.SortFunc(r.order, func(a, b int32) int {
		x, y := &r.all[a], &r.all[b]
		return cmp.Or(cmp.Compare(x.register, y.register), cmp.Compare(x.begin, y.begin))
	})
}

// registersOf calls do with the values of each register, in the order of group.
func (r *Report) registersOf(do func(values []int32)) {
	for rest := r.order; len(rest) > 0; {
		n := 1
		for n < len(rest) && r.all[rest[n]].register == r.all[rest[0]].register {
			n++
		}
		do(rest[:n])
		rest = rest[n:]
	}
}
