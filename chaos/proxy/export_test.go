package proxy

import "net"

// BufferSize and CanSplice are what tests outside of the package know of its limits.
const (
	BufferSize = bufferSize
	CanSplice  = canSplice
)

// A Piecer is a gate that takes no more than a piece at once.
type Piecer = piecer

// Held gives the bytes that each open connection holds, in both directions.
func (p *Proxy) Held() (forward, both []int64) {
	for _, l := range p.live() {
		f := l.forward.held.Load()
		forward, both = append(forward, f), append(both, f+l.back.held.Load())
	}
	return forward, both
}

// Numbered tells how many requests and connections have a number, which probes don't.
func (p *Proxy) Numbered() uint64 { return p.requests.Load() + p.connections.Load() }

// ExpectedProbes is the number of probes that have not connected yet.
func (p *Proxy) ExpectedProbes() int { return len(p.expectedProbes) }

// TCPAddr is where the proxy listens.
func (p *Proxy) TCPAddr() *net.TCPAddr { return p.listener.addr }
