package load

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// longPause is the length from which an iteration pauses without a goroutine, because the stack of a goroutine stays
// as large as the steps before needed.
const longPause = time.Second

// asleep holds the users of a load whose iterations pause for long. Each continues in a new goroutine when its time
// comes or the run ends.
type asleep struct {
	group *sync.WaitGroup // counts the users
	stop  func() bool

	mu    sync.Mutex
	users map[*vu]sleeper
	over  bool
}

// sleeper holds the function that a user calls after its pause.
type sleeper struct {
	on    func()
	timer *time.Timer
}

// newAsleep returns an empty set of sleeping users. group counts the users. The end of ctx wakes them.
func newAsleep(ctx context.Context, group *sync.WaitGroup) *asleep {
	a := &asleep{group: group, users: map[*vu]sleeper{}}
	a.stop = context.AfterFunc(ctx, a.wake)
	return a
}

// until makes a user sleep for d and then call on. The user's goroutine must end now.
func (a *asleep) until(d time.Duration, v *vu, on func()) {
	a.group.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		d = 0
	}
	a.users[v] = sleeper{on, time.AfterFunc(d, func() { a.goOn(v) })}
}

// goOn wakes a user, if it sleeps.
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

// wake wakes all users, and makes later sleeps return at once. A few goroutines suffice, because thousands of users
// have only to end.
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
