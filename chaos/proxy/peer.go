package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
)

// A peer is the upstream of a probe: a listener of this process for as long as the
// probe takes.
type peer struct {
	l     *net.TCPListener
	serve func(*net.TCPConn)
	wg    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  []*net.TCPConn
}

func newPeer(serve func(*net.TCPConn)) (*peer, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	p := &peer{l: l, serve: serve}
	p.wg.Add(1)
	go p.accept()
	return p, nil
}

func (p *peer) addr() string { return p.l.Addr().String() }

func (p *peer) accept() {
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

func (p *peer) close() {
	_ = p.l.Close()
	p.mu.Lock()
	p.closed = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// echo sends back what comes.
func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
}

// peerHeader is in a peer's answers, so that they can be told from the proxy's own.
const peerHeader = "Brunt-Peer"

// noContent answers every request with 204.
func noContent(c *net.TCPConn) {
	for br := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if _, err := io.WriteString(c, "HTTP/1.1 204 No Content\r\n"+peerHeader+": yes\r\n\r\n"); err != nil || r.Close {
			return
		}
	}
}
