package proxy

import "slices"

// Pipes returns the number of pipes that are open and hold nothing.
func (p *Proxy) Pipes() int {
	p.pipes.mu.Lock()
	defer p.pipes.mu.Unlock()
	return len(p.pipes.idle)
}

// Holds reports whether a connection holds bytes.
func (p *Proxy) Holds() bool { return slices.ContainsFunc(p.live(), (*link).holds) }
