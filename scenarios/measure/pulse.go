// A freeze is a span in which brunt itself did not run: it was stopped, the machine was suspended, or it got no
// processor. Requests in such a span say nothing about the target.
//
//	a timer, every 20 ms --> late by 50 ms or more? --> [Pulse.Freezes] --> measure, run/generator
//	     every 5 ms, with a CPU quota --> late by 5 ms or more, and stopped by it?

package measure

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// A Freeze is a span in which brunt itself did not run: it was stopped, or got no processor. Times are
// offsets from t0.
type Freeze struct{ From, To time.Duration }

// Frozen is how much of the span from one time to another lies in freezes, which ascend.
func Frozen(freezes []Freeze, from, to time.Duration) (d time.Duration) {
	each(freezes, from, to, func(part time.Duration) { d += part })
	return d
}

// LongestFreeze is the longest part of the span from one time to another that lies in one of freezes, which ascend.
func LongestFreeze(freezes []Freeze, from, to time.Duration) (d time.Duration) {
	each(freezes, from, to, func(part time.Duration) { d = max(d, part) })
	return d
}

// each calls do with the part of each freeze that lies in a span.
func each(freezes []Freeze, from, to time.Duration, do func(time.Duration)) {
	first, _ := slices.BinarySearchFunc(freezes, from, func(f Freeze, t time.Duration) int { return cmp.Compare(f.To, t) })
	for _, f := range freezes[first:] {
		if f.From >= to {
			return
		}
		do(max(0, min(f.To, to)-max(f.From, from)))
	}
}

// CommonFreezes are the parts that two lists of freezes have in common. Both ascend.
func CommonFreezes(a, b []Freeze) (out []Freeze) {
	for len(a) > 0 && len(b) > 0 {
		if both := (Freeze{From: max(a[0].From, b[0].From), To: min(a[0].To, b[0].To)}); both.From < both.To {
			out = append(out, both)
		}
		if a[0].To < b[0].To {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// A Pulse finds the spans in which brunt itself did not run: it was stopped, the machine was
// suspended, or it got no processor. It wakes up often and compares the time with what it should be.
type Pulse struct {
	now   func() time.Duration
	stops func() uint64 // how often a CPU quota has stopped brunt; nil: there is no quota
	every time.Duration
	done  chan struct{} // closed by Stop
	gone  sync.WaitGroup

	mu    sync.Mutex
	last  time.Duration // when it was awake last
	count uint64        // of stops, by then
	list  []Freeze
	over  bool
}

const (
	pulseEvery = 20 * time.Millisecond
	quotaEvery = 5 * time.Millisecond  // with a quota, which stops brunt for less than its period, of usually 100 ms
	quotaFrom  = 5 * time.Millisecond  // a shorter delay is lag
	freezeFrom = 50 * time.Millisecond // a shorter delay is lag, which each request has recorded

	// LeastFreeze is the shortest freeze that is found without a CPU quota.
	LeastFreeze = pulseEvery + freezeFrom
)

// NewPulse starts a pulse on a clock. Its user calls Stop. Stops returns how often a CPU quota has stopped brunt; nil:
// there is no quota. A quota stops brunt for less than [LeastFreeze] at a time, and as often as ten times a second:
// answers that were under way then wait as long. So a delay from 5 ms on is a freeze as well, if the quota stopped
// brunt in it.
func NewPulse(now func() time.Duration, stops func() uint64) *Pulse {
	p := &Pulse{now: now, stops: stops, every: pulseEvery, done: make(chan struct{}), last: now()}
	if stops != nil {
		p.every, p.count = quotaEvery, stops()
	}
	p.gone.Go(func() {
		tick := time.NewTicker(p.every)
		defer tick.Stop()
		for {
			select {
			case <-p.done:
				return
			case <-tick.C:
				p.Freezes()
			}
		}
	})
	return p
}

// Freezes lists the freezes so far, one that ended just now included.
func (p *Pulse) Freezes() []Freeze {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	switch late := now - p.last; {
	case p.over:
	case late >= LeastFreeze:
		p.list = append(p.list, Freeze{From: p.last, To: now})
		p.stopped()
	case p.stops != nil && late >= p.every+quotaFrom && p.stopped():
		p.list = append(p.list, Freeze{From: p.last + p.every, To: now})
	}
	p.last = now
	return slices.Clip(p.list)
}

// stopped reports whether the quota has stopped brunt since it was asked last. Mu is held.
func (p *Pulse) stopped() bool {
	if p.stops == nil {
		return false
	}
	before := p.count
	p.count = p.stops()
	return p.count > before
}

// Stop ends the search: the time after it is in no freeze.
func (p *Pulse) Stop() {
	close(p.done)
	p.gone.Wait()
	p.Freezes()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}
