package proxy

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Pulse tells how late this machine itself is: every millisecond a round trip on each
// of some lines through a proxy of its own, which has no toxics. Whoever takes the time
// that something has taken for the work of a toxic looks here as well: a machine that
// stands still, or has too much to do, makes everything late. A nil Pulse is never late.
type Pulse struct {
	clean *Proxy
	began time.Time
	lines [pulseLines]pulseLine
	quit  context.CancelFunc
	wg    sync.WaitGroup
}

// pulseLine is how one line fares, in ns since the pulse began.
type pulseLine struct {
	last  atomic.Int64 // when the last round trip was over
	worst atomic.Int64 // how late one was
}

const (
	pulseLines = 3
	pulsePause = time.Millisecond // between two round trips of a line
)

// NewPulse begins to watch. Close ends it.
func NewPulse(ctx context.Context) (*Pulse, error) {
	clean, err := Start(Config{Upstream: func() string { return "" }, HTTP: true})
	if err != nil {
		return nil, fmt.Errorf("watching the time: %w", err)
	}
	var lines [pulseLines]*Line
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

// run makes round trips until ctx is over or the line is.
func (p *Pulse) run(ctx context.Context, l *Line, to *pulseLine) {
	t := time.NewTicker(pulsePause)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if l.RoundTrip(ctx).Err != nil {
			return // what comes of it now is late
		}
		now := time.Since(p.began)
		to.worst.Store(max(to.worst.Load(), to.behind(now)))
		to.last.Store(int64(now))
	}
}

// behind is how late a round trip is that is over now, in ns.
func (l *pulseLine) behind(now time.Duration) int64 { return int64(now-pulsePause) - l.last.Load() }

// Late is by how much a round trip was late at worst, since the pulse began or Reset. Those
// that are under way count.
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

// Reset forgets how late round trips were that are over.
func (p *Pulse) Reset() {
	if p == nil {
		return
	}
	for i := range p.lines {
		p.lines[i].worst.Store(0)
	}
}

// Close ends it.
func (p *Pulse) Close() {
	p.quit()
	p.wg.Wait()
	_ = p.clean.Close()
}
