package load

import (
	"math"
	"sync/atomic"
	"time"
)

// A Part is what one of several workers does of a load: the arrivals, or of a closed load the users and the shared
// iterations, whose number n has n mod Of = Index. The parts 0 to Of-1 together are the load. The zero value is all of
// it.
type Part struct{ Index, Of int64 }

func (p Part) takes(n int64) bool { return p.Of <= 1 || n%p.Of == p.Index }

// Nth is the number in the whole of number i of the part.
func (p Part) Nth(i int64) int64 { return i*max(1, p.Of) + p.Index }

// Share is how many of n things, numbered from 0, the part has: the first parts have the remainder.
func (p Part) Share(n int64) int64 {
	if p.Of <= 1 {
		return n
	}
	return max(0, (n-p.Index+p.Of-1)/p.Of)
}

// Owed calls do with the intended time of each arrival of a part of an open load, without those of the warm-up. Of the
// settings it reads Name, Plan and Seed. An error is one of the log that the load replays.
func (s *Settings) Owed(p Part, do func(at time.Duration)) error {
	seed, begin := s.source(), s.Plan.Rate.Begin()
	log := s.Plan.Log
	if log == nil {
		for c := NewCursor(s.Plan.Rate, begin, s.Plan.Poisson, seed, p); ; {
			_, at, ok := c.Next()
			if !ok {
				return nil
			}
			do(at)
		}
	}
	c := log.cursor(begin, s.Plan.Poisson, seed, p)
	for _, at, ok := c.Next(); ok; _, at, ok = c.Next() {
		do(at)
	}
	return c.close()
}

// Iterations is how many iterations a part of a closed load has in all; zero: as many as its users come to.
func (p Plan) Iterations(part Part) int64 {
	if p.PerVU > 0 {
		return p.PerVU * part.Share(p.MostUsers())
	}
	return part.Share(p.Shared)
}

// MostUsers is the number of virtual users of a closed load.
func (p Plan) MostUsers() int64 { return int64(math.Ceil(p.Users.Max())) }

// UserTime is how long the virtual users of a part are to be active between two times, all together.
func (p Plan) UserTime(part Part, from, to time.Duration) (sum time.Duration) {
	const step = 10 * time.Millisecond
	for at := from; at < to; at += step {
		sum += time.Duration(part.Share(int64(math.Ceil(p.Users.At(at))))) * min(step, to-at)
	}
	return sum
}

// owed counts the iterations of a load, without those of its warm-up.
type owed struct{ begun, cut atomic.Int64 }

// begin counts an iteration that begins.
func (o *owed) begin(j job) {
	if j.n >= 0 {
		o.begun.Add(1)
	}
}

// cutOff takes an iteration back that the end of the run cut off, so that it is not recorded.
func (o *owed) cutOff(j job) {
	if j.n >= 0 {
		o.cut.Add(1)
	}
}

// n is how many iterations are recorded once all have ended.
func (o *owed) n() int64 { return o.begun.Load() - o.cut.Load() }
