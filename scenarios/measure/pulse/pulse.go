package pulse

import (
	"slices"
	"sync"
	"time"
)

// A Freeze is a span in which brunt itself did not run: it was stopped, or got no processor. Times are
// offsets from t0.
type Freeze struct{ From, To time.Duration }

// Frozen is how much of the span from one time to another lies in freezes.
func Frozen(freezes []Freeze, from, to time.Duration) (d time.Duration) {
	for _, f := range freezes {
		d += max(0, min(f.To, to)-max(f.From, from))
	}
	return d
}

// A Pulse finds the spans in which brunt itself did not run: it was stopped, the machine was
// suspended, or it got no processor. It wakes up often and compares the time with what it should be.
type Pulse struct {
	now  func() time.Duration
	done chan struct{} // closed by Stop
	gone sync.WaitGroup

	mu   sync.Mutex
	last time.Duration // when it was awake last
	list []Freeze
	over bool
}

const (
	pulseEvery = 20 * time.Millisecond
	freezeFrom = 50 * time.Millisecond // a shorter delay is lag, which each request has recorded
)

// New starts a pulse on a clock. Its user calls Stop.
func New(now func() time.Duration) *Pulse {
	p := &Pulse{now: now, done: make(chan struct{}), last: now()}
	p.gone.Go(func() {
		tick := time.NewTicker(pulseEvery)
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
	if !p.over && now-p.last >= pulseEvery+freezeFrom {
		p.list = append(p.list, Freeze{From: p.last, To: now})
	}
	p.last = now
	return slices.Clip(p.list)
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
