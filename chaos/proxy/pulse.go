// A pulse measures how late this machine is, with a proxy without toxics.
//
//	New --> Pulse: round trips on some lines --Late--> the largest delay

package proxy

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Pulse measures the delays of this machine: every millisecond it makes a round trip on each of
// some lines through a separate proxy without toxics. A caller that attributes a delay to a toxic
// compares it with the Pulse, because a stalled or overloaded machine delays everything. A nil
// Pulse reports no delay.
type Pulse struct {
	clean *Proxy
	began time.Time
	lines [pulseLines]pulseLine
	quit  context.CancelFunc
	wg    sync.WaitGroup
}

// pulseLine is the state of one line, in ns since the pulse began.
type pulseLine struct {
	last  atomic.Int64 // when the last round trip ended
	worst atomic.Int64 // the largest delay
}

const (
	pulseLines = 3
	pulsePause = time.Millisecond // between two round trips of a line
)

// NewPulse starts the measurement. Close ends it.
func NewPulse(ctx context.Context) (*Pulse, error) {
	clean, err := Start(Config{Upstream: func() string { return "" }, HTTP: true})
	if err != nil {
		return nil, fmt.Errorf("watching the time: %w", err)
	}
	var lines [pulseLines]Line
	for i := range lines {
		if lines[i], err = clean.Established(ctx); err != nil {
			for _, l := range lines[:i] {
				l.Close()
			}
			_ = clean.Close()
			return nil, fmt.Errorf("watching the time: %w", err)
		}
	}
	watch, quit := context.WithCancel(context.WithoutCancel(ctx))
	p := &Pulse{clean: clean, began: time.Now(), quit: quit}
	for i, l := range lines {
		p.wg.Go(func() {
			defer l.Close()
			p.run(watch, l, &p.lines[i])
		})
	}
	return p, nil
}

// run makes round trips until ctx or the line ends.
func (p *Pulse) run(ctx context.Context, l Line, to *pulseLine) {
	t := time.NewTicker(pulsePause)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if l.RoundTrip(ctx).Err != nil {
			return // later round trips do not count
		}
		now := time.Since(p.began)
		to.worst.Store(max(to.worst.Load(), to.behind(now)))
		to.last.Store(int64(now))
	}
}

// behind returns the delay in ns of a round trip that ends now.
func (l *pulseLine) behind(now time.Duration) int64 { return int64(now-pulsePause) - l.last.Load() }

// Late returns the largest delay of a round trip since the start or the last Reset. Round trips in
// progress count.
func (p *Pulse) Late() time.Duration {
	if p == nil {
		return 0
	}
	worst, now := int64(0), time.Since(p.began)
	for i := range p.lines {
		worst = max(worst, p.lines[i].worst.Load(), p.lines[i].behind(now))
	}
	return time.Duration(worst)
}

// Reset clears the delays of completed round trips.
func (p *Pulse) Reset() {
	if p == nil {
		return
	}
	for i := range p.lines {
		p.lines[i].worst.Store(0)
	}
}

// Close ends the measurement.
func (p *Pulse) Close() {
	p.quit()
	p.wg.Wait()
	_ = p.clean.Close()
}
