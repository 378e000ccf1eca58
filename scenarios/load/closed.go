package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// closed runs a closed load. Each virtual user begins an iteration when its previous one has
// ended, while the number of active users is above its id.
func (r *Run) closed(ctx context.Context) Stats {
	var users sync.WaitGroup
	var opened, shared atomic.Int64
	most := r.Plan.MostUsers()
	for i := range int(r.Part.Share(most)) {
		users.Go(func() {
			id := int(r.Part.Nth(int64(i)))
			if !r.userAt(ctx, r.begin(id)) {
				return
			}
			v, err := r.newVU(i)
			if err != nil {
				r.fail(err)
				return
			}
			opened.Add(1)
			r.live(ctx, v, &shared, most)
			if err := v.user.Close(); err != nil {
				r.fail(err)
			}
		})
	}
	r.settle(ctx, r.Plan.End(), &users)
	end := min(r.Now(), r.Plan.End())
	return Stats{Pacing: "none: closed", VirtualUser: int(opened.Load()), End: end}
}

// begin returns when user id has its first iteration. Users that are active at the start begin
// with the warm-up.
func (r *Run) begin(id int) time.Duration {
	if r.Warmup > 0 && float64(id) < r.Plan.Users.First() {
		return -r.Warmup
	}
	return r.activeFrom(id, r.Plan.Start())
}

// userAt waits until at. It returns false when that time never comes or the run ends first.
func (r *Run) userAt(ctx context.Context, at time.Duration) bool {
	return at != never && r.pause(ctx, at)
}

const never = time.Duration(-1 << 62)

// activeFrom returns the first time from t on when more than id users are active.
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
		case p.b > u: // the line reaches u while rising
			cross := seconds(p.from+(u-p.a)/(p.b-p.a)*(p.to-p.from)) + 1
			// subtle: on a flat slope, rounding hides the crossing for a while. The minimum step of 1 ms
			// avoids a busy loop.
			return max(cross, t+time.Millisecond)
		}
	}
	return never
}

// live runs one virtual user to its end.
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
			if n = r.Part.Nth(shared.Add(1) - 1); n >= r.Plan.Shared {
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
		j := job{n: n, intended: now}
		r.owed.begin(j)
		v.serve(ctx, j, now)
		r.enter(-1)
		if !r.rest(ctx, v, now) {
			return
		}
	}
}

// rest waits until the period of an iteration that began at an instant is over, or the load. It returns false when the run ends
// first.
func (r *Run) rest(ctx context.Context, v *vu, began time.Duration) bool {
	if r.Plan.Every.Max == 0 {
		return true
	}
	return r.pause(ctx, min(began+r.Plan.Every.Draw(v.it.Rand), r.Plan.End()))
}
