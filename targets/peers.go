package targets

import (
	"maps"
	"net/netip"
	"sync"
)

// mostPeers bounds the addresses of which connections are counted one by one.
const mostPeers = 1000

// Peers counts the connections that loads opened, by the address that accepted them. A nil *Peers counts nothing.
type Peers struct {
	mu     sync.Mutex
	opened map[string]int64
}

// Accepted counts a connection to an address. Beyond the first 1000 addresses it counts none.
func (p *Peers) Accepted(by netip.AddrPort) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened == nil {
		p.opened = map[string]int64{}
	}
	if a := by.String(); p.opened[a] > 0 || len(p.opened) < mostPeers {
		p.opened[a]++
	}
}

// Opened returns the number of connections by address.
func (p *Peers) Opened() map[string]int64 {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.opened)
}
