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

// Frozen returns how much of the span from one time to another lies in freezes, which ascend.
func Frozen(freezes []Freeze, from, to time.Duration) (d time.Duration) {
	each(freezes, from, to, func(part time.Duration) { d += part })
	return d
}

// LongestFreeze returns the longest part of the span from one time to another that lies in one of freezes, which
// ascend.
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

// CommonFreezes returns the intersection of two lists of freezes. Both ascend.
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

// A Pulse finds the spans in which brunt itself did not run: it was stopped, the machine was suspended, or it got no
// processor. It wakes up often and compares the time with the time at which it should have woken up.
type Pulse struct {
	now   func() time.Duration
	stops func() uint64 // returns how often a CPU quota has stopped brunt; nil if there is no quota
	every time.Duration
	done  chan struct{} // closed by Stop
	gone  sync.WaitGroup

	mu    sync.Mutex
	last  time.Duration // when the pulse was last awake
	count uint64        // number of stops by then
	list  []Freeze
	over  bool
}

const (
	pulseEvery = 20 * time.Millisecond
	quotaEvery = 5 * time.Millisecond  // with a quota, which stops brunt for less than its period, usually 100 ms
	quotaFrom  = 5 * time.Millisecond  // a shorter delay is lag
	freezeFrom = 50 * time.Millisecond // a shorter delay is lag, which requests record themselves

	// LeastFreeze is the shortest freeze that is certain to be found without a CPU quota.
	LeastFreeze = pulseEvery + freezeFrom
)

// NewPulse starts a pulse on a clock. The caller must call Stop. stops returns how often a CPU quota has stopped
// brunt; nil means that there is no quota. A quota stops brunt for less than [LeastFreeze] at a time, but up to ten
// times a second, and answers under way wait as long. So with a quota, a delay from 5 ms on is a freeze as well if
// the quota stopped brunt in it.
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

// Freezes lists the freezes so far, including one that ended just now.
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

// stopped reports whether the quota has stopped brunt since the last call. The caller holds mu.
func (p *Pulse) stopped() bool {
	if p.stops == nil {
		return false
	}
	before := p.count
	p.count = p.stops()
	return p.count > before
}

// Stop stops the pulse. No freeze is recorded after it.
func (p *Pulse) Stop() {
	close(p.done)
	p.gone.Wait()
	p.Freezes()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}
