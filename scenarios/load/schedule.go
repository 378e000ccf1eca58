package load

import (
	"context"
	"time"
)

// A schedule returns the arrivals of an open load in order, each when it is due: first the
// warm-up, then the load.
type schedule struct {
	run   *Run
	pacer Pacer
	wait  func(at time.Duration) bool // waits for a long time; returns false if the run ends meanwhile
	parts []scheduled
}

// scheduled is a part of a schedule: the warm-up or the load. Each numbers its iterations separately; the load begins
// at 0.
type scheduled struct {
	Cursor
	number func(n int64) int64
	log    *logCursor // log that its arrivals come from; nil means that the flows define the requests
}

func (r *Run) schedule(pacer Pacer, wait func(time.Duration) bool) *schedule {
	s := &schedule{run: r, pacer: pacer, wait: wait}
	if r.Warmup > 0 && r.Plan.Rate.First() > 0 {
		warm := NewProfile(-r.Warmup)
		calm := min(r.Plan.Calm.For, r.Warmup)
		warm.Add(calm, r.Plan.Calm.Rate, r.Plan.Calm.Rate)
		warm.Add(r.Warmup-calm, r.Plan.Rate.First(), r.Plan.Rate.First())
		p := scheduled{
			Cursor: NewCursor(warm, -r.Warmup, r.Plan.Poisson, ^r.seed, r.Part), number: func(n int64) int64 { return -n - 1 },
		}
		if r.Plan.Log != nil { // the warm-up makes the first requests of the log
			p.log = r.Plan.Log.cursor(0, false, 0, r.Part)
		}
		s.parts = append(s.parts, p)
	}
	p := scheduled{number: func(n int64) int64 { return n }}
	if r.Plan.Log != nil {
		p.log = r.Plan.Log.cursor(r.Plan.Rate.Begin(), r.Plan.Poisson, r.seed, r.Part)
		p.Cursor = p.log
	} else {
		p.Cursor = NewCursor(r.Plan.Rate, r.Plan.Rate.Begin(), r.Plan.Poisson, r.seed, r.Part)
	}
	s.parts = append(s.parts, p)
	return s
}

// near is how long before an arrival the pacer waits. Before that, the schedule waits where
// cancelling the run wakes it.
const near = 20 * time.Millisecond

// next waits for the next arrival. It returns false if the schedule has no further arrival, or if ctx ended.
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
		at = s.pacer.Due(at)
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

// close releases the parts of the schedule that a cancelled run did not reach.
func (s *schedule) close() {
	for i := range s.parts {
		_ = s.parts[i].close()
	}
}

// close returns the error that ended the reading of a log early.
func (p *scheduled) close() error {
	if p.log == nil {
		return nil
	}
	return p.log.close()
}
