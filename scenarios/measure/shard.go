package measure

import (
	"runtime"
	"sync/atomic"

	"brunt/scenarios"
)

// A Shard collects the samples of some workers. A sample costs one append; memory is allocated only
// while a burst makes the shard grow.
//
// Two threads never use a shard at once: a worker that finds it in use takes the next one, so it
// never waits for a thread that lost the processor while it held the shard. It waits only where [mostWaiting] samples
// of a shard are not sorted yet.
type Shard struct {
	taken   atomic.Bool
	samples []scenarios.Outcome
	next    *Shard   // next in the ring of all shards
	relieve func()   // sorts the samples of all shards
	_       [64]byte // keeps the next shard off this cache line
}

// mostWaiting is how many samples of a shard, of 170 bytes each, may wait to be sorted. Where the processors are busy,
// as with servers that send the parts of calls without end, the one goroutine that sorts gets its turn so rarely that
// samples would fill the memory. Then those that record more wait for it, and leave it their processors.
const mostWaiting = backlog

// firstRoom is the initial capacity of a shard in samples.
const firstRoom = 1024

// newShards makes a ring of n shards, at least one.
func newShards(n int, relieve func()) []*Shard {
	out := make([]*Shard, max(1, n))
	for i := range out {
		out[i] = &Shard{samples: make([]scenarios.Outcome, 0, firstRoom), relieve: relieve}
	}
	for i, s := range out {
		s.next = out[(i+1)%len(out)]
	}
	return out
}

// Shard returns shard i.
func (r *Recorder) Shard(i int) *Shard { return r.shards[i%len(r.shards)] }

// Record implements load.Sink.
func (s *Shard) Record(o *scenarios.Outcome) {
	t := s
	for !t.taken.CompareAndSwap(false, true) {
		if t = t.next; t == s {
			runtime.Gosched() // all shards are in use
		}
	}
	t.samples = append(t.samples, *o)
	full := len(t.samples) >= mostWaiting
	t.taken.Store(false)
	if full {
		t.relieve()
	}
}

// full reports whether no more samples should wait.
func (s *Shard) full() bool {
	for !s.taken.CompareAndSwap(false, true) {
		runtime.Gosched()
	}
	defer s.taken.Store(false)
	return len(s.samples) >= mostWaiting
}

// swap returns the samples of the shard and gives it an empty buffer.
func (s *Shard) swap(room []scenarios.Outcome) []scenarios.Outcome {
	for !s.taken.CompareAndSwap(false, true) {
		runtime.Gosched()
	}
	full := s.samples
	s.samples = room[:0]
	s.taken.Store(false)
	return full
}
