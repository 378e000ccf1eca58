package load

import (
	"math"
	"sync/atomic"
	"time"
)

// A Part is the part of a load that one of several workers makes: the arrivals, or for a closed load the users and
// the shared iterations, with numbers n for which n mod Of = Index. The parts 0 to Of-1 together are the whole load.
// The zero value is the whole load.
type Part struct{ Index, Of int64 }

func (p Part) takes(n int64) bool { return p.Of <= 1 || n%p.Of == p.Index }

// Nth returns the number within the load of item i of the part.
func (p Part) Nth(i int64) int64 { return i*max(1, p.Of) + p.Index }

// Share returns how many of n items, numbered from 0, the part has. The first parts have the remainder.
func (p Part) Share(n int64) int64 {
	if p.Of <= 1 {
		return n
	}
	return max(0, (n-p.Index+p.Of-1)/p.Of)
}

// Owed calls do with the intended time of each arrival of a part of an open load, without the warm-up. It reads only
// Name, Plan and Seed of the settings. An error comes from the log that the load replays.
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

// Iterations returns the number of iterations of a part of a closed load; zero means as many as its users can make.
func (p Plan) Iterations(part Part) int64 {
	if p.PerVU > 0 {
		return p.PerVU * part.Share(p.MostUsers())
	}
	return part.Share(p.Shared)
}

// MostUsers returns the maximum number of virtual users of a closed load.
func (p Plan) MostUsers() int64 { return int64(math.Ceil(p.Users.Max())) }

// UserTime returns how long the virtual users of a part should be active between two times, summed over users.
func (p Plan) UserTime(part Part, from, to time.Duration) (sum time.Duration) {
	const step = 10 * time.Millisecond
	for at := from; at < to; at += step {
		sum += time.Duration(part.Share(int64(math.Ceil(p.Users.At(at))))) * min(step, to-at)
	}
	return sum
}

// owed counts the iterations of a load, without its warm-up.
type owed struct{ begun, cut atomic.Int64 }

// begin counts an iteration that begins.
func (o *owed) begin(j job) {
	if j.n >= 0 {
		o.begun.Add(1)
	}
}

// cutOff uncounts an iteration that the end of the run cut off, so that it is not recorded.
func (o *owed) cutOff(j job) {
	if j.n >= 0 {
		o.cut.Add(1)
	}
}

// n returns how many iterations are recorded when all have ended.
func (o *owed) n() int64 { return o.begun.Load() - o.cut.Load() }
