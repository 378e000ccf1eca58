package targets

import (
	"context"
	"net/netip"
	"time"
)

// Waiting is how many requests of an HTTP client wait for a connection.
func Waiting(c Client) (n int) {
	p := c.(*httpClient).pool
	p.mu.RLock()
	defer p.mu.RUnlock()
	seen := map[*origin]bool{}
	for _, o := range p.origins {
		if seen[o] {
			continue
		}
		seen[o] = true
		o.mu.Lock()
		for _, w := range o.waiting {
			if !w.gone {
				n++
			}
		}
		o.mu.Unlock()
		o.line.mu.Lock()
		for _, s := range o.line.waiting {
			if !s.gone {
				n++
			}
		}
		o.line.mu.Unlock()
	}
	return n
}

// SetNames gives a client its own DNS and its own clock for it.
func SetNames(c Client, now func() time.Time, ask func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error)) {
	names := c.(*httpClient).dialer.names
	names.now, names.ask = now, ask
}
