package consistency

import (
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/consistency/register"
	"brunt/scenarios/load"
	"brunt/scenarios/template"
)

// The capacity of all records of a run together.
const (
	mostOps  = 1_000_000
	mostText = 64 << 20 // bytes of keys and values
)

// longest is the maximum length of a key or a value, in bytes. An operation with a longer one is left out.
const longest = 4 << 10

// A Set records the operations on all registers of a run; the zero value has none.
type Set struct {
	absent func(scenarios.Call, *scenarios.Outcome) bool
	all    []*recorder
	ops    atomic.Int64
	text   atomic.Int64
}

// A recorder records the operations of one entry of `consistency`.
type recorder struct {
	set        *Set
	spec       *Spec
	shards     []*shard
	unanswered atomic.Int64 // reads without a value
	over       atomic.Int64 // operations beyond the capacity, or too long
	// when the first operation began for which there was no room; a later read may return its value
	full atomic.Int64
}

// A shard holds the operations of some workers. It never blocks: a worker that finds it in use takes the next one.
type shard struct {
	taken atomic.Bool
	ops   []recorded
	text  []byte
	next  *shard
	_     [64]byte // keeps the next shard off this cache line
}

// A recorded is an operation whose key and value stand in the text of its shard.
type recorded struct {
	at                  uint32 // where the key begins; the value follows it, and then the value that it expects
	key, value, expects uint16 // their lengths
	nothing             bool   // a read found nothing
	kind                register.Kind
	load                int16
	user                int32
	call, end           time.Duration
}

// Open starts to record. absent reports whether an answer says that nothing is there.
func Open(specs []*Spec, shards int, absent func(scenarios.Call, *scenarios.Outcome) bool) *Set {
	s := &Set{absent: absent}
	for _, spec := range specs {
		r := &recorder{set: s, spec: spec}
		r.full.Store(math.MaxInt64)
		for range max(1, shards) {
			r.shards = append(r.shards, new(shard))
		}
		for i := range r.shards {
			r.shards[i].next = r.shards[(i+1)%len(r.shards)]
		}
		s.all = append(s.all, r)
	}
	return s
}

// User wraps a virtual user and records its operations.
func (s *Set) User(u load.User, n int) load.User {
	if s == nil {
		return u
	}
	for _, r := range s.all {
		u = &user{User: u, of: r, shard: r.shards[n%len(r.shards)]}
	}
	return u
}

// A user is a virtual user whose operations are recorded. Each of its other steps costs two comparisons.
type user struct {
	load.User
	of    *recorder
	shard *shard
	drawn []byte
	text  []byte // the key and the value
}

func (u *user) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	spec := u.of.spec
	writes := slices.Contains(spec.Writes, c)
	if !writes && !slices.Contains(spec.Reads, c) {
		u.User.Do(it, c, out)
		return
	}
	draws := writes && spec.Drawn() && len(it.Write) == 0 // a ledger of the same write may have drawn
	if draws {
		it.Write = u.drawn[:0]
		it.NewWrite()
		u.drawn = it.Write
	}
	text, err := spec.Key.Append(u.text[:0], it) // before the answer, which may set variables
	key := len(text)
	expects := 0
	if writes && err == nil {
		if text, err = u.written(text, it); err == nil && !spec.Expects.IsZero() {
			before := len(text)
			text, err = spec.Expects.Append(text, it)
			expects = len(text) - before
		}
	}
	u.User.Do(it, c, out)
	if draws {
		it.Write = nil
	}
	u.text = text
	op := recorded{load: int16(it.Load), user: int32(it.VU), call: out.Slot, end: out.End}
	switch {
	case !out.WasSent || it.Idle:
		return
	case writes:
		op.kind = spec.outcome(out)
	case u.of.set.absent(c, out):
		op.nothing = true
	case out.Kind == scenarios.OK && err == nil:
		u.text, err = spec.Found.Append(u.text, it)
	default:
		u.of.unanswered.Add(1)
		return
	}
	value := len(u.text) - key - expects
	switch {
	case !writes && (err != nil || value == 0 && !op.nothing):
		u.of.unanswered.Add(1)
	case err != nil || max(key, value, expects) > longest || value == 0 && !op.nothing:
		u.of.over.Add(1) // nor is a read of such a value recorded
	default:
		op.key, op.value, op.expects = uint16(key), uint16(value), uint16(expects)
		u.of.keep(u.shard, op, u.text)
	}
}

// written appends the value of a write.
func (u *user) written(text []byte, it *template.Iter) ([]byte, error) {
	if u.of.spec.Drawn() {
		return append(text, it.Write...), nil
	}
	return u.of.spec.Value.Append(text, it)
}

// outcome says what is known of a write that was sent.
func (s *Spec) outcome(out *scenarios.Outcome) register.Kind {
	switch {
	case out.Attempts > 1: // each of them may have had an effect
		return register.Repeated
	case s.Ack.Holds(out):
		return register.Write
	case !s.Never.IsZero() && s.Never.Holds(out):
		return register.Refused
	}
	return register.Unknown
}

// keep records an operation.
func (r *recorder) keep(s *shard, op recorded, text []byte) {
	if r.set.ops.Add(1) > mostOps || r.set.text.Add(int64(len(text))) > mostText {
		r.over.Add(1)
		for first := r.full.Load(); int64(op.call) < first && !r.full.CompareAndSwap(first, int64(op.call)); {
			first = r.full.Load()
		}
		return
	}
	for t := s; ; {
		if t.taken.CompareAndSwap(false, true) {
			op.at = uint32(len(t.text))
			t.text, t.ops = append(t.text, text...), append(t.ops, op)
			t.taken.Store(false)
			return
		}
		if t = t.next; t == s {
			runtime.Gosched() // all shards are in use
		}
	}
}
