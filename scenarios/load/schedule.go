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
	log    *logCursor // what its arrivals ask for; nil is what the flows say
}

func (r *Run) schedule(pacer Pacer, wait func(time.Duration) bool) *schedule {
	s := &schedule{run: r, pacer: pacer, wait: wait}
	if r.Warmup > 0 && r.Plan.Rate.First() > 0 {
		warm := NewProfile(-r.Warmup)
		warm.Add(r.Warmup, r.Plan.Rate.First(), r.Plan.Rate.First())
		p := scheduled{Cursor: NewCursor(warm, -r.Warmup, r.Plan.Poisson, ^r.seed, Part{}), number: func(n int64) int64 { return -n - 1 }}
		if r.Plan.Log != nil { // it asks for what the log begins with
			p.log = r.Plan.Log.cursor(0, false, 0)
		}
		s.parts = append(s.parts, p)
	}
	p := scheduled{number: func(n int64) int64 { return n }}
	if r.Plan.Log != nil {
		p.log = r.Plan.Log.cursor(r.Plan.Rate.Begin(), r.Plan.Poisson, r.seed)
		p.Cursor = p.log
	} else {
		p.Cursor = NewCursor(r.Plan.Rate, r.Plan.Rate.Begin(), r.Plan.Poisson, r.seed, Part{})
	}
	s.parts = append(s.parts, p)
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
		if ok && part.log != nil && part.Cursor != Cursor(part.log) { // a warm-up
			_, _, ok = part.log.Next()
		}
		if !ok {
			if err := part.close(); err != nil {
				s.run.fail(err)
			}
			s.parts = s.parts[1:]
			continue
		}
		if at-s.run.Now() > 2*near && !s.wait(at-near) {
			return job{}, false
		}
		s.pacer.Until(at)
		j := job{n: part.number(n), intended: at}
		if part.log != nil {
			j.flow, j.asks = part.log.entry.flow, part.log.entry.target
		}
		return j, ctx.Err() == nil
	}
	return job{}, false
}

// close ends what a run that was cancelled did not come to the end of.
func (s *schedule) close() {
	for i := range s.parts {
		_ = s.parts[i].close()
	}
}

// close gives the error that a log could not be read to its end for.
func (p *scheduled) close() error {
	if p.log == nil {
		return nil
	}
	return p.log.close()
}
