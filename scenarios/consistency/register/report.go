package register

import (
	"cmp"
	"slices"
	"time"
)

// An AnomalyKind is what a history shows that a register does not do.
type AnomalyKind uint8

// The kinds of anomalies.
const (
	_            AnomalyKind = iota
	Dirty                    // a read returned the value of a write that was refused
	Future                   // a read returned a value before its write began
	Lost                     // an acknowledged write was gone
	Overwritten              // two compare-and-sets replaced the same value
	Divergent                // a read returned a value that was replaced long ago, and other reads a newer one
	NonMonotonic             // a client read an older value than it had read before
	Stale                    // a read returned a value that had been replaced before it began
	Order                    // no order of the operations explains the reads
)

// An Anomaly is an operation that convicts, with another one.
type Anomaly struct {
	Kind AnomalyKind
	Op   int32 // index of the operation: the read, or the lost write
	// index of the operation that convicts it: the write of the value, an operation that shows a newer value, or the
	// read that shows an older one
	With int32
	// how stale a read was at least; for a lost write, the time from its acknowledgement to the read that shows it
	Age time.Duration
}

// A Second counts the reads that began in one second.
type Second struct {
	Reads     int64
	Stale     int64
	Staleness time.Duration // of the stalest of them
}

// A Report is what a history shows.
type Report struct {
	Anomalies []Anomaly // by kind, those of a kind by the begin of their operation
	// the least time by which reads would have to begin earlier for the history to be linearizable, apart from dirty
	// reads and reads of the future; a register is at least as stale as that
	Staleness time.Duration
	From      time.Duration // begin of the first second of Curve
	Curve     []Second      // reads over time
	LeftOut   int64         // operations on values that take no part: foreign, or written more than once
	Foreign   int64         // of them, reads of values that no write of the history wrote
	Undecided int64         // registers with compare-and-sets about which the time limit left open whether an order exists

	ops               []Op
	values, registers int32
	all               []cluster
	wrong             []AnomalyKind // by operation; zero means none
	order, scratch    []int32
	pairs             []conflict
}

// Limits bound what counts as lost, and the search for an order.
type Limits struct {
	Settle time.Duration // the time after which a write that is not there counts as lost
	Search time.Duration // for all registers with compare-and-sets together
	// reports whether the system is whole at a time: no fault is in, nor was for the settle time before. A read is
	// divergent only then; nil: no read is
	Whole func(time.Duration) bool
}

// Check judges a history. It keeps ops, and takes about twice their memory.
func Check(ops []Op, limits Limits) *Report {
	r := &Report{ops: ops, wrong: make([]AnomalyKind, len(ops))}
	r.clusters()
	r.impossible()
	r.zones(false)
	r.group()
	r.replacements()
	r.stale()
	r.lost(limits.Settle)
	least := time.Duration(0)
	for i := range r.Anomalies {
		if a := &r.Anomalies[i]; a.Kind == Stale || a.Kind == NonMonotonic {
			least = max(least, a.Age)
		}
	}
	r.Staleness = r.staleness(least)
	if least > 0 {
		r.zones(true)
		r.group()
	}
	r.contradictions()
	if least > 0 {
		r.zones(false) // for the witnesses
	}
	r.swappedTwice()
	r.search(limits.Search)
	r.curve()
	if limits.Whole != nil {
		r.divergent(limits)
	}
	slices.SortFunc(r.Anomalies, func(a, b Anomaly) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(ops[a.Op].Call, ops[b.Op].Call), cmp.Compare(a.Op, b.Op))
	})
	return r
}

// found adds an anomaly.
func (r *Report) found(a Anomaly) {
	r.Anomalies = append(r.Anomalies, a)
	if r.ops[a.Op].Kind == Read && a.Kind != Order {
		r.wrong[a.Op] = a.Kind
	}
}

// Count returns the number of anomalies of a kind.
func (r *Report) Count(kind AnomalyKind) (n int64) {
	for i := range r.Anomalies {
		if r.Anomalies[i].Kind == kind {
			n++
		}
	}
	return n
}

// Witness returns the operations that show an anomaly, two to five, in the order of their begins.
func (r *Report) Witness(a Anomaly) []int32 {
	var out []int32
	switch a.Kind {
	case Order:
		for _, i := range r.pairs[a.With].ops {
			out = append(out, i)
		}
	case Overwritten:
		out = append(out, r.all[r.ops[a.Op].Expects-1].write, a.With, a.Op)
	case Lost:
		out = append(out, r.of(&r.ops[a.With]).first, a.Op, a.With)
	case Stale, NonMonotonic, Divergent:
		out = append(out, r.of(&r.ops[a.Op]).first, r.of(&r.ops[a.With]).write, a.With, a.Op)
	default:
		out = append(out, a.With, a.Op)
	}
	out = slices.DeleteFunc(out, func(i int32) bool { return i == none })
	slices.SortFunc(out, func(a, b int32) int {
		return cmp.Or(cmp.Compare(r.ops[a].Call, r.ops[b].Call), cmp.Compare(a, b))
	})
	return slices.Compact(out)
}

// mostSeconds bounds the length of the curve.
const mostSeconds = 7 * 24 * 3600

// curve counts the reads by second.
func (r *Report) curve() {
	from, to := never, forever
	for i := range r.ops {
		if r.ops[i].Kind == Read {
			from, to = min(from, r.ops[i].Call), max(to, r.ops[i].Call)
		}
	}
	if from > to {
		return
	}
	if r.From = from.Truncate(time.Second); r.From > from {
		r.From -= time.Second
	}
	second := func(t time.Duration) *Second { return &r.Curve[min(int((t-r.From)/time.Second), len(r.Curve)-1)] }
	r.Curve = make([]Second, min(int((to-r.From)/time.Second)+1, mostSeconds))
	for i := range r.ops {
		if r.ops[i].Kind == Read {
			second(r.ops[i].Call).Reads++
		}
	}
	for i := range r.Anomalies {
		if a := &r.Anomalies[i]; a.Kind == Stale || a.Kind == NonMonotonic {
			s := second(r.ops[a.Op].Call)
			s.Stale++
			s.Staleness = max(s.Staleness, a.Age)
		}
	}
}
