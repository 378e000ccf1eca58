package load

import (
	"context"
	"time"
)

// A schedule gives the arrivals of an open load one after the other, each when it is
// due: those of the warm-up, and then those of the load.
type schedule struct {
	run   *Run
	pacer Pacer
	wait  func(at time.Duration) bool // bridges a long time; false is that the run ended meanwhile
	parts []scheduled
}

// scheduled is a stretch of a schedule. Number tells the iterations of the warm-up from
// those of the load, which begin at 0.
type scheduled struct {
	Cursor
	number func(n int64) int64
}

func (r *Run) schedule(pacer Pacer, wait func(time.Duration) bool) *schedule {
	s := &schedule{run: r, pacer: pacer, wait: wait}
	if r.Warmup > 0 && r.Plan.Rate.First() > 0 {
		warm := NewProfile(-r.Warmup)
		warm.Add(r.Warmup, r.Plan.Rate.First(), r.Plan.Rate.First())
		c := NewCursor(warm, -r.Warmup, r.Plan.Poisson, ^r.seed, Part{})
		s.parts = append(s.parts, scheduled{c, func(n int64) int64 { return -n - 1 }})
	}
	c := NewCursor(r.Plan.Rate, r.Plan.Rate.Begin(), r.Plan.Poisson, r.seed, Part{})
	s.parts = append(s.parts, scheduled{c, func(n int64) int64 { return n }})
	return s
}

// near is the span before an arrival that the pacer bridges; further away the schedule
// waits where a cancelled run can wake it.
const near = 20 * time.Millisecond

// next waits for the next arrival; false is that there is none, or that ctx ended.
func (s *schedule) next(ctx context.Context) (job, bool) {
	for len(s.parts) > 0 {
		part := s.parts[0]
		n, at, ok := part.Next()
		if !ok {
			s.parts = s.parts[1:]
			continue
		}
		if at-s.run.Now() > 2*near && !s.wait(at-near) {
			return job{}, false
		}
		s.pacer.Until(at)
		return job{n: part.number(n), intended: at}, ctx.Err() == nil
	}
	return job{}, false
}
