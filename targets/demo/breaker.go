package demo

import (
	"math/bits"
	"sync"
	"time"
)

// The states of a breaker, as /metrics shows them.
const (
	closed   breakerState = iota // calls go through
	halfOpen                     // one call at a time goes through, to find out
	open                         // none does
)

type breakerState int

func (s breakerState) String() string { return [...]string{"closed", "half-open", "open"}[s] }

const (
	breakerCalls = 64          // it looks at the last so many calls, one a bit of a word
	breakerMin   = 10          // and at no fewer than so many
	breakerShare = 0.5         // it opens when so many of them failed
	breakerRest  = time.Second // how long it stays open before it tries
)

// A breaker stops calls to a replica of which too many fail, so that callers get
// their answer at once and the replica some rest. After breakerRest one call is let
// through: the breaker closes when it goes well, and stays open for as long again
// when it does not.
//
// A nil breaker lets everything through.
type breaker struct {
	changed func(breakerState) // called under mu, so that changes are told in order; nil: nobody is told

	mu      sync.Mutex
	state   breakerState
	opened  time.Time
	failed  uint64 // the last calls, the newest in bit 0, 1: it failed
	calls   int    // how many of the bits count
	probing bool   // half open: the one call is under way
	epoch   int    // changes of state so far
}

// A pass lets one call through; whoever takes one gives it back with done.
type pass struct{ epoch int }

// The ends that a call can come to.
const (
	good outcome = iota
	bad
	abandoned // its caller went away: that says nothing about the replica
)

type outcome int

// ready tells whether allow would let a call through now.
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

// allow lets a call through or not.
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

// done tells how a call ended. A call that was let through before the last change
// of state counts for nothing: it tells about a time that is over.
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
