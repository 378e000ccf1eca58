package load

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// closed runs a closed load: virtual users that each begin an iteration when the one before has
// ended, while the number of users asked for is above their own.
func (r *Run) closed(ctx context.Context) Stats {
	var users sync.WaitGroup
	var opened, shared atomic.Int64
	most := int(math.Ceil(r.Plan.Users.Max()))
	for id := range most {
		users.Go(func() {
			if !r.userAt(ctx, r.begin(id)) {
				return
			}
			v, err := r.newVU(id)
			if err != nil {
				r.fail(err)
				return
			}
			opened.Add(1)
			r.live(ctx, v, &shared, int64(most))
			if err := v.user.Close(); err != nil {
				r.fail(err)
			}
		})
	}
	r.settle(ctx, r.Plan.End(), &users)
	end := min(r.Now(), r.Plan.End())
	return Stats{Pacing: "none: closed", VirtualUser: int(opened.Load()), End: end}
}

// begin is when user id has its first iteration: with the warm-up for those whom
// the load begins with.
func (r *Run) begin(id int) time.Duration {
	if r.Warmup > 0 && float64(id) < r.Plan.Users.First() {
		return -r.Warmup
	}
	return r.activeFrom(id, r.Plan.Start())
}

// userAt waits until at; false when that is never, or the run ends first.
func (r *Run) userAt(ctx context.Context, at time.Duration) bool {
	return at != never && r.pause(ctx, at)
}

const never = time.Duration(-1 << 62)

// activeFrom is the first time from t on when more than id users are asked for.
func (r *Run) activeFrom(id int, t time.Duration) time.Duration {
	u := float64(id)
	for _, p := range r.Plan.Users.pieces {
		if seconds(p.to) <= t {
			continue
		}
		from := max(p.from, t.Seconds())
		at := p.a + (p.b-p.a)*(from-p.from)/(p.to-p.from)
		switch {
		case at > u:
			return max(t, seconds(p.from))
		case p.b > u: // the line crosses u on its way up
			cross := seconds(p.from+(u-p.a)/(p.b-p.a)*(p.to-p.from)) + 1
			// subtle: on a flat slope rounding hides the crossing for a while.
			// Whoever comes back too early is sent on, so as not to spin.
			return max(cross, t+time.Millisecond)
		}
	}
	return never
}

// live is the life of one virtual user.
func (r *Run) live(ctx context.Context, v *vu, shared *atomic.Int64, users int64) {
	mine := int64(0)
	warm := int64(-1)
	for ctx.Err() == nil && !r.aborted.Load() {
		now := r.Now()
		if now >= r.Plan.End() {
			return
		}
		var n int64
		switch {
		case now < 0:
			n = warm*users - int64(v.id)
			warm--
		case r.Plan.Users.At(now) <= float64(v.id):
			if !r.userAt(ctx, r.activeFrom(v.id, now)) {
				return
			}
			continue
		case r.Plan.Shared > 0:
			if n = shared.Add(1) - 1; n >= r.Plan.Shared {
				return
			}
		default:
			if r.Plan.PerVU > 0 && mine >= r.Plan.PerVU {
				return
			}
			n = mine*users + int64(v.id)
			mine++
		}
		r.enter(1)
		v.iterate(ctx, job{n: n, intended: now}, now)
		r.enter(-1)
	}
}
