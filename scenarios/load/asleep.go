package load

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// longPause is the length from which an iteration pauses without a goroutine: the stack of one keeps what the steps
// before needed.
const longPause = time.Second

// asleep are the users of a load whose iterations pause for long. Each goes on in a new goroutine when its time comes,
// or the run ends.
type asleep struct {
	group *sync.WaitGroup // counts the users
	stop  func() bool

	mu    sync.Mutex
	users map[*vu]sleeper
	over  bool
}

// sleeper is what a user does after its pause.
type sleeper struct {
	on    func()
	timer *time.Timer
}

// newAsleep prepares the sleep of the users that group counts. The end of ctx wakes them.
func newAsleep(ctx context.Context, group *sync.WaitGroup) *asleep {
	a := &asleep{group: group, users: map[*vu]sleeper{}}
	a.stop = context.AfterFunc(ctx, a.wake)
	return a
}

// until has a user sleep for d, after which on is called. The user's goroutine is to end now.
func (a *asleep) until(d time.Duration, v *vu, on func()) {
	a.group.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		d = 0
	}
	a.users[v] = sleeper{on, time.AfterFunc(d, func() { a.goOn(v) })}
}

// goOn has a user go on, if it sleeps.
func (a *asleep) goOn(v *vu) {
	a.mu.Lock()
	s, sleeps := a.users[v]
	delete(a.users, v)
	a.mu.Unlock()
	if sleeps {
		defer a.group.Done()
		s.timer.Stop()
		s.on()
	}
}

// wake wakes all users, and those that are about to sleep. A few goroutines do it: thousands of users have only to end.
func (a *asleep) wake() {
	a.mu.Lock()
	a.over = true
	all := slices.Collect(maps.Keys(a.users))
	a.mu.Unlock()
	var next atomic.Int64
	var some sync.WaitGroup
	for range 8 {
		some.Go(func() {
			for n := next.Add(1) - 1; int(n) < len(all); n = next.Add(1) - 1 {
				a.goOn(all[n])
			}
		})
	}
	some.Wait()
}
