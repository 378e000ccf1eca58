package demo

import (
	"math/bits"
	"sync"
	"time"
)

// The states of a breaker, as /metrics shows them.
const (
	closed   breakerState = iota // calls pass
	halfOpen                     // one call at a time passes, as a probe
	open                         // no call passes
)

type breakerState int

func (s breakerState) String() string { return [...]string{"closed", "half-open", "open"}[s] }

const (
	breakerCalls = 64          // number of last calls that it considers, one bit each
	breakerMin   = 10          // least number of calls before it opens
	breakerShare = 0.5         // share of failed calls at which it opens
	breakerRest  = time.Second // time that it stays open before a probe
)

// A breaker stops calls to a replica when too many fail, so that callers get an answer at once and
// the load on the replica drops. After breakerRest one call passes: the breaker closes if it
// succeeds, and stays open for another breakerRest if it fails.
//
// A nil breaker passes every call.
type breaker struct {
	changed func(breakerState) // called under mu, so that changes are reported in order; nil: none

	mu      sync.Mutex
	state   breakerState
	opened  time.Time
	failed  uint64 // the last calls, the newest in bit 0; 1: it failed
	calls   int    // number of valid bits in failed
	probing bool   // half open: the probe is in progress
	epoch   int    // number of state changes so far
}

// A pass permits one call; its owner returns it with done.
type pass struct{ epoch int }

// The outcomes of a call.
const (
	good outcome = iota
	bad
	abandoned // the caller went away, so the call says nothing about the replica
)

type outcome int

// ready reports whether allow would permit a call now.
func (b *breaker) ready() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.admits()
}

func (b *breaker) admits() bool {
	switch b.state {
	case open:
		return time.Since(b.opened) >= breakerRest
	case halfOpen:
		return !b.probing
	}
	return true
}

// allow permits or rejects a call.
func (b *breaker) allow() (pass, bool) {
	if b == nil {
		return pass{}, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.admits() {
		return pass{}, false
	}
	if b.state == open {
		b.enter(halfOpen)
	}
	b.probing = b.state == halfOpen
	return pass{b.epoch}, true
}

// done records the outcome of a call. It ignores a call that was permitted before the last change
// of state, because its outcome is out of date.
func (b *breaker) done(p pass, o outcome) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.epoch != b.epoch {
		return
	}
	switch b.state {
	case halfOpen:
		b.probing = false
		switch o {
		case good:
			b.enter(closed)
		case bad:
			b.enter(open)
		}
	case closed:
		if o == abandoned {
			return
		}
		b.failed = b.failed<<1 | uint64(o)
		b.calls = min(b.calls+1, breakerCalls)
		if b.calls >= breakerMin && float64(bits.OnesCount64(b.failed)) >= breakerShare*float64(b.calls) {
			b.enter(open)
		}
	}
}

// enter changes the state; mu is held.
func (b *breaker) enter(s breakerState) {
	b.state, b.epoch = s, b.epoch+1
	b.failed, b.calls, b.probing = 0, 0, false
	if s == open {
		b.opened = time.Now()
	}
	if b.changed != nil {
		b.changed(s)
	}
}
