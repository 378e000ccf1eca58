// Package slowest keeps the slowest requests of a run: of every step, and of each set of faults that requests met.
package slowest

import (
	"encoding/binary"
	"slices"
	"time"

	"brunt/scenarios"
)

// Most is how many of the slowest requests of a step are kept, of the run and while a set of faults may still be met.
// MostOfFault is how many are kept of a set of faults that are over, besides those that are among the slowest of the run.
const (
	Most        = 5
	MostOfFault = 3
)

// A Set keeps the slowest answered requests of every step, for each set of faults. A faster request costs one comparison.
// Those of faults that are over are kept in encoded form: a run may have thousands of faults.
type Set struct {
	steps  int
	sets   [][]Request           // by set: Most for each step, the slowest first; nil: none, or packed
	packed [][]byte              // by set; nil: not packed
	unpack []int32               // the sets that are not packed
	run    [][Most]time.Duration // by step: the response times of the slowest of the run
}

// A Request is one of the slowest.
type Request struct {
	Response, At time.Duration
	Trace        uint64
	Load, Status int32
	Kind         scenarios.Kind
	Timings      [scenarios.RequestPhases]time.Duration
}

// OfSet is a request with the number of the set of faults that it met.
type OfSet struct {
	Request
	Set int
}

// New returns an empty set for a number of steps.
func New(steps int) Set { return Set{steps: steps} }

// Add considers a request of a step.
func (s *Set) Add(o *scenarios.Outcome, set int32) {
	if !o.Answered || o.Intended < 0 {
		return
	}
	kept := s.of(set)[Most*int(o.Step):][:Most]
	took := o.Response()
	if took <= kept[Most-1].Response {
		return
	}
	i := Most - 1
	for ; i > 0 && kept[i-1].Response < took; i-- {
		kept[i] = kept[i-1]
	}
	kept[i] = Request{Response: took, At: o.Intended, Trace: o.Trace, Load: o.Load, Status: o.Status, Kind: o.Kind, Timings: o.Timings()}
	run := &s.run[o.Step]
	for i := range run {
		if took > run[i] {
			run[i], took = took, run[i]
		}
	}
}

// of returns the requests of a set, unpacked.
func (s *Set) of(set int32) []Request {
	if int(set) < len(s.sets) && s.sets[set] != nil {
		return s.sets[set]
	}
	for int(set) >= len(s.sets) {
		s.sets, s.packed = append(s.sets, nil), append(s.packed, nil)
	}
	if s.run == nil {
		s.run = make([][Most]time.Duration, s.steps)
	}
	s.sets[set], s.packed[set] = s.decode(s.packed[set]), nil
	s.unpack = append(s.unpack, set)
	return s.sets[set]
}

// Pack encodes the sets that are over.
func (s *Set) Pack(over func(set int32) bool) {
	s.unpack = slices.DeleteFunc(s.unpack, func(set int32) bool {
		if !over(set) {
			return false
		}
		s.packed[set], s.sets[set] = s.encode(s.sets[set]), nil
		return true
	})
}

// encode encodes the requests of a set that can be shown: of each step their number and their fields.
func (s *Set) encode(list []Request) []byte {
	var b []byte
	for step := range s.steps {
		of, least := list[Most*step:][:Most], s.run[step][Most-1]
		n := 0
		for n < Most && of[n].Response > 0 && (n < MostOfFault || of[n].Response >= least) {
			n++
		}
		b = append(b, byte(n))
		for i := range of[:n] {
			b = of[i].append(b)
		}
	}
	return slices.Clone(b)
}

func (q *Request) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(q.Response))
	b = binary.AppendUvarint(b, uint64(q.At))
	b = binary.LittleEndian.AppendUint64(b, q.Trace)
	b = binary.AppendUvarint(b, uint64(q.Load))
	b = binary.AppendVarint(b, int64(q.Status))
	b = append(b, byte(q.Kind))
	for _, t := range q.Timings {
		b = binary.AppendVarint(b, int64(t))
	}
	return b
}

// decode decodes the requests of a set; without any they are all zero.
func (s *Set) decode(b []byte) []Request {
	list := make([]Request, Most*s.steps)
	if b == nil {
		return list
	}
	r := &reader{b}
	for step := range s.steps {
		for i := range list[Most*step:][:r.count()] {
			q := &list[Most*step+i]
			q.Response, q.At = time.Duration(r.count()), time.Duration(r.count())
			q.Trace = binary.LittleEndian.Uint64(r.b)
			r.b = r.b[8:]
			q.Load, q.Status = int32(r.count()), int32(r.signed())
			q.Kind, r.b = scenarios.Kind(r.b[0]), r.b[1:]
			for i := range q.Timings {
				q.Timings[i] = time.Duration(r.signed())
			}
		}
	}
	return list
}

// ByStep returns the requests that are kept, by step, in the order of the sets.
func (s *Set) ByStep() [][]OfSet {
	out := make([][]OfSet, s.steps)
	for set := range s.sets {
		list := s.sets[set]
		if b := s.packed[set]; b != nil {
			list = s.decode(b)
		}
		for i := range list {
			if list[i].Response > 0 {
				out[i/Most] = append(out[i/Most], OfSet{list[i], set})
			}
		}
	}
	return out
}

// reader reads what encode wrote.
type reader struct{ b []byte }

func (r *reader) count() int64 {
	v, n := binary.Uvarint(r.b)
	r.b = r.b[n:]
	return int64(v)
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.b)
	r.b = r.b[n:]
	return v
}
