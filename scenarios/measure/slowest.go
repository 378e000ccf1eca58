package measure

import (
	"encoding/binary"
	"fmt"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
)

// MostSlow is the number of the slowest requests of a step that are kept for the run, and for a set of faults that
// requests may still meet. MostSlowOfFault is the number that is kept for a set of faults that are over, in addition
// to those that are among the slowest of the run.
const (
	MostSlow        = 5
	MostSlowOfFault = 3
)

// A SlowestSet keeps the slowest answered requests of every step, for each set of faults. A faster request costs one
// comparison. The requests of faults that are over are kept encoded in a file, because a run may have thousands of
// faults.
type SlowestSet struct {
	steps int
	open  map[int32][]SlowRequest // by set: MostSlow for each step, the slowest first
	// requests of the set that was used last; nil if there is none, or if they are packed
	last   []SlowRequest
	of     int32                     // number of that set
	packed []place                   // by set: where packed requests are
	file   *disk.Spool               // holds packed requests
	run    [][MostSlow]time.Duration // by step: the response times of the slowest of the run
	fresh  map[int32]bool            // sets with requests that Fresh has not passed on; nil unless Track was called
}

// A place says where the requests of a set are in the file.
type place struct {
	at   int64
	size int32 // bytes; zero means that the file does not have them
}

// A SlowRequest is one of the slowest requests.
type SlowRequest struct {
	Response, At time.Duration
	Trace        uint64
	Load, Status int32
	Kind         scenarios.Kind
	Timings      [scenarios.RequestPhases]time.Duration
	passed       bool // passed on by Fresh
}

// SlowestOfSet is a request with the number of the set of faults that it met.
type SlowestOfSet struct {
	SlowRequest
	Set int
}

// newSlowestSet returns an empty set for a number of steps.
func newSlowestSet(steps int) SlowestSet {
	return SlowestSet{
		steps: steps, open: map[int32][]SlowRequest{}, file: new(disk.Spool), run: make([][MostSlow]time.Duration, steps),
	}
}

// Track prepares for Fresh. Sets are not packed from then on.
func (s *SlowestSet) Track() { s.fresh = map[int32]bool{} }

// Fresh calls do with the requests that were newly kept since its last call.
func (s *SlowestSet) Fresh(do func(step, set int32, q *SlowRequest)) {
	for set := range s.fresh {
		list := s.open[set]
		for i := range list {
			if q := &list[i]; q.Response > 0 && !q.passed {
				q.passed = true
				do(int32(i/MostSlow), set, q)
			}
		}
	}
	clear(s.fresh)
}

// Add keeps a request of a step if it is among the slowest.
func (s *SlowestSet) Add(o *scenarios.Outcome, set int32) {
	if !o.Answered || o.Intended < 0 {
		return
	}
	kept := s.requests(set)[MostSlow*int(o.Step):][:MostSlow]
	if took := o.Response(); took <= kept[MostSlow-1].Response {
		return
	}
	s.put(o.Step, set, SlowRequest{
		Response: o.Response(), At: o.Intended, Trace: o.Trace, Load: o.Load, Status: o.Status, Kind: o.Kind,
		Timings: o.Timings(),
	})
}

// Merge keeps a request of a step that another set has kept, if it is among the slowest here as well.
func (s *SlowestSet) Merge(step, set int32, q SlowRequest) {
	if kept := s.requests(set)[MostSlow*int(step):][:MostSlow]; q.Response > kept[MostSlow-1].Response {
		s.put(step, set, q)
	}
}

// put keeps a request that is slower than the fastest kept one.
func (s *SlowestSet) put(step, set int32, q SlowRequest) {
	kept, took := s.requests(set)[MostSlow*int(step):][:MostSlow], q.Response
	i := MostSlow - 1
	for ; i > 0 && kept[i-1].Response < took; i-- {
		kept[i] = kept[i-1]
	}
	kept[i] = q
	if s.fresh != nil {
		s.fresh[set] = true
	}
	run := &s.run[step]
	for i := range run {
		if took > run[i] {
			run[i], took = took, run[i]
		}
	}
}

// requests returns the requests of a set, unpacked.
func (s *SlowestSet) requests(set int32) []SlowRequest {
	if s.last != nil && s.of == set {
		return s.last
	}
	list := s.open[set]
	if list == nil {
		for int(set) >= len(s.packed) {
			s.packed = append(s.packed, place{})
		}
		list, _ = s.read(int(set)) // requests that can't be read are missing in the report
		s.open[set] = list
	}
	s.last, s.of = list, set
	return list
}

// Pack encodes the requests of sets whose faults are over.
func (s *SlowestSet) Pack(over func(set int32) bool) {
	for set, list := range s.open {
		if over(set) {
			b := s.encode(list)
			s.packed[set] = place{s.file.Append(b), int32(len(b))}
			delete(s.open, set)
			s.last = nil
		}
	}
}

// read returns the requests of a set from the file. They are all zero if it has none.
func (s *SlowestSet) read(set int) ([]SlowRequest, error) {
	p := s.packed[set]
	if p.size == 0 {
		return make([]SlowRequest, MostSlow*s.steps), nil
	}
	b := make([]byte, p.size)
	if _, err := s.file.ReadAt(b, p.at); err != nil {
		return make([]SlowRequest, MostSlow*s.steps), fmt.Errorf("reading the slowest requests back: %w", err)
	}
	return s.decode(b), nil
}

// encode encodes the requests of a set that reports can show: for each step their number and their fields.
func (s *SlowestSet) encode(list []SlowRequest) []byte {
	var b []byte
	for step := range s.steps {
		of, least := list[MostSlow*step:][:MostSlow], s.run[step][MostSlow-1]
		n := 0
		for n < MostSlow && of[n].Response > 0 && (n < MostSlowOfFault || of[n].Response >= least) {
			n++
		}
		b = append(b, byte(n))
		for i := range of[:n] {
			b = of[i].append(b)
		}
	}
	return b
}

func (q *SlowRequest) append(b []byte) []byte {
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

// decode decodes the requests of a set.
func (s *SlowestSet) decode(b []byte) []SlowRequest {
	list := make([]SlowRequest, MostSlow*s.steps)
	r := &reader{b}
	for step := range s.steps {
		for i := range list[MostSlow*step:][:r.count()] {
			q := &list[MostSlow*step+i]
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
func (s *SlowestSet) ByStep() ([][]SlowestOfSet, error) {
	out := make([][]SlowestOfSet, s.steps)
	for set := range s.packed {
		list := s.open[int32(set)]
		if list == nil {
			var err error
			if list, err = s.read(set); err != nil {
				return nil, err
			}
		}
		for i := range list {
			if list[i].Response > 0 {
				out[i/MostSlow] = append(out[i/MostSlow], SlowestOfSet{list[i], set})
			}
		}
	}
	return out, nil
}

// reader reads the encoding of encode.
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
