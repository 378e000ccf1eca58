package child

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/chaos/netns"
)

// effects are what the process does to traffic. Each is removed by the connection that added it, by its key, or at its
// deadline, which needs neither brunt nor its watchdog.
type effects struct {
	mu      sync.Mutex
	last    int
	in      map[int]*effect // also those that were taken off, until they are forgotten
	cleared map[string]bool
}

// effect is one of them.
type effect struct {
	key    string
	off    func() error
	timer  *time.Timer // until the deadline; nil is none
	lifted time.Time   // when the deadline took it off; zero: it did not
}

// liftAgain is the pause before an effect that could not be taken off at its deadline is tried again.
const liftAgain = time.Second

// errCleared refuses an effect that the watchdog has taken back before it was there.
var errCleared = errors.New("the watchdog has taken it back already")

func (e *effects) isCleared(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cleared[key]
}

// add keeps an effect that is on. off takes it off, and may be called twice. Where the key was
// cleared meanwhile, the effect is taken off.
func (e *effects) add(l netns.Lease, off func() error) (int, error) {
	e.mu.Lock()
	if e.cleared[l.Key] {
		e.mu.Unlock()
		return 0, errors.Join(errCleared, off())
	}
	defer e.mu.Unlock()
	x := &effect{key: l.Key, off: off}
	if l.Until > 0 {
		x.timer = time.AfterFunc(l.Until, func() { e.lift(x) })
	}
	e.last++
	e.in[e.last] = x
	return e.last, nil
}

// lift takes an effect off at its deadline.
func (e *effects) lift(x *effect) {
	err := x.off()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		x.timer.Reset(liftAgain)
		return
	}
	x.lifted = time.Now()
}

func (e *effects) find(n int) (*effect, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x := e.in[n]
	if x == nil {
		return nil, fmt.Errorf("there is no number %d", n)
	}
	return x, nil
}

// remove takes an effect off.
func (e *effects) remove(n int) error {
	x, err := e.find(n)
	if err != nil {
		return err
	}
	if err := x.off(); err != nil {
		return err // its deadline stays
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if x.timer != nil {
		x.timer.Stop()
	}
	return nil
}

// forget drops an effect that was taken off, and that nothing is asked of any more.
func (e *effects) forget(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.in[n]; x != nil && x.timer != nil {
		x.timer.Stop()
	}
	delete(e.in, n)
}

// stop lets no deadline end anything any more.
func (e *effects) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.in {
		if x.timer != nil {
			x.timer.Stop()
		}
	}
}

// since returns how long ago the deadline of an effect took it off; zero: it did not.
func (e *effects) since(n int) (time.Duration, error) {
	x, err := e.find(n)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if x.lifted.IsZero() {
		return 0, nil
	}
	return max(1, time.Since(x.lifted)), nil
}

// clear takes the effects of a key off, and lets none of it in any more.
func (e *effects) clear(key string) (removed int, err error) {
	e.mu.Lock()
	e.cleared[key] = true
	var of []int
	for n, x := range e.in {
		if x.key == key {
			of = append(of, n)
		}
	}
	e.mu.Unlock()
	var errs []error
	for _, n := range of {
		errs = append(errs, e.remove(n))
	}
	return len(of), errors.Join(errs...)
}
