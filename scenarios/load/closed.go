package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// closedLoad is a closed load under way.
type closedLoad struct {
	*Run
	ctx    context.Context
	users  sync.WaitGroup
	asleep *asleep
	most   int64 // users
	opened atomic.Int64
	shared atomic.Int64 // number of shared iterations that began
}

// closedUser is a user of a closed load.
type closedUser struct {
	*vu
	mine  int64         // number of iterations that began
	warm  int64         // number of the next iteration of the warm-up, below zero
	began time.Duration // when the last iteration began
}

// closed runs a closed load. Each virtual user begins an iteration when its previous one has
// ended, while the number of active users is above its id.
func (r *Run) closed(ctx context.Context) Stats {
	c := &closedLoad{Run: r, ctx: ctx, most: r.Plan.MostUsers()}
	c.asleep = newAsleep(ctx, &c.users)
	defer c.asleep.stop()
	for i := range int(r.Part.Share(c.most)) {
		c.users.Go(func() {
			id := int(r.Part.Nth(int64(i)))
			if !r.userAt(ctx, r.begin(id)) {
				return
			}
			v, err := r.newVU(i)
			if err != nil {
				r.fail(err)
				return
			}
			c.opened.Add(1)
			c.live(&closedUser{vu: v, warm: -1})
		})
	}
	r.settle(ctx, r.Plan.End(), &c.users)
	end := min(r.Now(), r.Plan.End())
	return Stats{Pacing: "none: closed", VirtualUser: int(c.opened.Load()), End: end}
}

// begin returns the time of the first iteration of user id. Users that are active at the start begin with the
// warm-up.
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

// live runs a user to its end, or until it sleeps or moves.
func (c *closedLoad) live(u *closedUser) {
	for {
		j, more := c.next(u)
		if !more {
			break
		}
		if pauses := u.serve(c.ctx, j, u.began); pauses > 0 {
			c.sleep(u, pauses)
			return
		}
		if !c.rested(u) {
			break
		}
		if u.moves() {
			c.users.Go(func() { c.live(u) })
			return
		}
	}
	c.leave(u)
}

// sleep makes a user continue after a long pause.
func (c *closedLoad) sleep(u *closedUser, pauses time.Duration) {
	c.asleep.until(pauses, u.vu, func() {
		if again := u.resume(c.ctx); again > 0 {
			c.sleep(u, again)
		} else if c.rested(u) {
			c.live(u)
		} else {
			c.leave(u)
		}
	})
}

// leave closes a user.
func (c *closedLoad) leave(u *closedUser) {
	if err := u.user.Close(); err != nil {
		c.fail(err)
	}
}

// next waits for the next iteration of a user, and begins it. more is false if there is none.
func (c *closedLoad) next(u *closedUser) (j job, more bool) {
	r := c.Run
	for c.ctx.Err() == nil && !r.aborted.Load() {
		now := r.Now()
		if now >= r.Plan.End() {
			break
		}
		var n int64
		switch {
		case now < 0:
			n = u.warm*c.most - int64(u.id)
			u.warm--
		case r.Plan.Users.At(now) <= float64(u.id):
			if !r.userAt(c.ctx, r.activeFrom(u.id, now)) {
				return job{}, false
			}
			continue
		case r.Plan.Shared > 0:
			if n = r.Part.Nth(c.shared.Add(1) - 1); n >= r.Plan.Shared {
				return job{}, false
			}
		default:
			if r.Plan.PerVU > 0 && u.mine >= r.Plan.PerVU {
				return job{}, false
			}
			n = u.mine*c.most + int64(u.id)
			u.mine++
		}
		r.enter(1)
		j, u.began = job{n: n, intended: now}, now
		r.owed.begin(j)
		return j, true
	}
	return job{}, false
}

// rested ends the iteration of a user, and waits until its period or the load is over. It returns false if the run
// ends first.
func (c *closedLoad) rested(u *closedUser) bool {
	c.enter(-1)
	return c.rest(c.ctx, u.vu, u.began)
}

// rest waits until the period of an iteration that began at began, or the load, is over. It returns false if the run
// ends first.
func (r *Run) rest(ctx context.Context, v *vu, began time.Duration) bool {
	if r.Plan.Every.Max == 0 {
		return true
	}
	return r.pause(ctx, min(began+r.Plan.Every.Draw(v.it.Rand), r.Plan.End()))
}
