package child

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/chaos/netns"
)

// effects are the effects of the process on traffic. The connection that added an effect removes it, or a caller with
// its key, or its deadline, which needs neither brunt nor its watchdog.
type effects struct {
	mu      sync.Mutex
	last    int
	in      map[int]*effect // includes removed effects, until they are forgotten
	cleared map[string]bool
}

// An effect is one effect on traffic.
type effect struct {
	key    string
	off    func() error
	timer  *time.Timer // until the deadline; nil: there is none
	lifted time.Time   // when the deadline removed it; zero: it did not
}

// liftAgain is the pause before the next attempt to remove an effect that could not be removed at its deadline.
const liftAgain = time.Second

// errCleared refuses an effect that the watchdog has reverted before it was added.
var errCleared = errors.New("the watchdog has taken it back already")

func (e *effects) isCleared(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cleared[key]
}

// add registers an active effect. off removes it, and may be called twice. If the key was cleared meanwhile, add
// removes the effect.
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

// lift removes an effect at its deadline.
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

// remove removes an effect.
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

// forget drops a removed effect that is no longer asked about.
func (e *effects) forget(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.in[n]; x != nil && x.timer != nil {
		x.timer.Stop()
	}
	delete(e.in, n)
}

// stop cancels all deadlines.
func (e *effects) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.in {
		if x.timer != nil {
			x.timer.Stop()
		}
	}
}

// since returns how long ago the deadline removed an effect; zero means that it did not.
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

// clear removes the effects of a key, and refuses later ones under it.
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
