package proxy

import (
	"net"
	"time"

	"brunt/chaos/proxy/codec/query"
)

// BufferSize and CanSplice export limits to external tests.
const (
	BufferSize = bufferSize
	CanSplice  = canSplice
)

// WithCodec makes each open connection of a protocol of package query use another codec.
func (p *Proxy) WithCodec(c query.Codec) {
	for _, l := range p.live() {
		l.http.mu.Lock()
		l.http.queries.codec = c
		l.http.mu.Unlock()
	}
}

// LimitFlows limits the associations of the relay.
func (p *Proxy) LimitFlows(most int, unused time.Duration) {
	p.relay.mu.Lock()
	defer p.relay.mu.Unlock()
	p.relay.most, p.relay.unused = most, unused
}

// Flows counts the associations of the relay.
func (p *Proxy) Flows() int {
	p.relay.mu.Lock()
	defer p.relay.mu.Unlock()
	return len(p.relay.flows)
}

// ErrClosed is the error of a closed proxy.
var ErrClosed = errClosed

// OutcomeOf returns the outcome that an error of a connection stands for.
func OutcomeOf(err error) Outcome { return outcomeOf(err) }

// A Piecer is a gate that processes limited pieces.
type Piecer = piecer

// Held returns the bytes that each open connection holds, forward and in both directions.
func (p *Proxy) Held() (forward, both []int64) {
	for _, l := range p.live() {
		f := l.forward.q.held.Load()
		forward, both = append(forward, f), append(both, f+l.back.q.held.Load())
	}
	return forward, both
}

// Numbered returns the number of requests and connections that have a number. Probes have none.
func (p *Proxy) Numbered() uint64 { return p.requests.Load() + p.connections.Load() }

// ExpectedProbes returns the number of probes that have not connected yet.
func (p *Proxy) ExpectedProbes() int { return len(p.expectedProbes) }

// TCPAddr returns the address of the listener.
func (p *Proxy) TCPAddr() *net.TCPAddr { return p.listener.Addr() }
