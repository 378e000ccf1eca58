package http

import (
	"context"
	"net/netip"
	"time"

	"brunt/targets"
)

// Waiting returns how many requests of an HTTP client wait for a connection.
func Waiting(c targets.Client) (n int) {
	p := c.(*client).pool
	p.mu.RLock()
	defer p.mu.RUnlock()
	seen := map[*origin]bool{}
	for _, o := range p.origins {
		if seen[o] {
			continue
		}
		seen[o] = true
		n += o.line.Waiting()
	}
	if p.over3 != nil {
		n += p.over3.Waiting()
	}
	return n + p.Pool.Waiting()
}

// SetNames replaces a client's DNS and the clock for it.
func SetNames(c targets.Client, now func() time.Time,
	ask func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error),
) {
	c.(*client).net.UseAsker(now, ask)
}

var Methods = methods
