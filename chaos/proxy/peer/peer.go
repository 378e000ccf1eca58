package peer

import (
	"io"
	"net"
	"sync"
)

// A Peer is a listener in this process that lives as long as a probe.
type Peer struct {
	l     *net.TCPListener
	serve func(*net.TCPConn)
	wg    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  []*net.TCPConn
}

// New makes a peer. within runs the function that opens the listener, in the network where the proxy listens.
func New(within func(do func() error) error, serve func(*net.TCPConn)) (*Peer, error) {
	var l *net.TCPListener
	err := within(func() (err error) {
		l, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		return err
	})
	if err != nil {
		return nil, err
	}
	p := &Peer{l: l, serve: serve}
	p.wg.Add(1)
	go p.accept()
	return p, nil
}

// Addr returns the host:port of the peer.
func (p *Peer) Addr() string { return p.l.Addr().String() }

func (p *Peer) accept() {
	defer p.wg.Done()
	for {
		c, err := p.l.AcceptTCP()
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.closed {
			_ = c.Close()
		} else {
			p.conns = append(p.conns, c)
			p.wg.Go(func() {
				defer func() { _ = c.Close() }()
				p.serve(c)
			})
		}
		p.mu.Unlock()
	}
}

// Close ends the listener and all connections.
func (p *Peer) Close() {
	_ = p.l.Close()
	p.mu.Lock()
	p.closed = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// Echo sends back what it receives.
func Echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
}
