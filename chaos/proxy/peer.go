package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// A peer is the upstream of a probe: a listener in this process that lives as long as the probe.
type peer struct {
	l     *net.TCPListener
	serve func(*net.TCPConn)
	wg    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  []*net.TCPConn
}

// newPeer makes a peer in the network where the proxy listens.
func (c *Config) newPeer(serve func(*net.TCPConn)) (*peer, error) {
	var l *net.TCPListener
	err := c.InNamespace(func() (err error) {
		l, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		return err
	})
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

// echo sends back what it receives.
func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
}

// peerHeader marks a peer's responses, to distinguish them from the proxy's own.
const peerHeader = "Brunt-Peer"

// arrivals records the requests that a peer received.
type arrivals struct {
	mu  sync.Mutex
	all []Message
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all)
}

// after returns the request after the first n, or the zero value if there is none.
func (a *arrivals) after(n int) Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n >= len(a.all) {
		return Message{}
	}
	return a.all[n]
}

// linesOf formats headers as lines.
func linesOf(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

// peerBody is the body of a peer's response, where its status allows one.
const peerBody = "probe"

// web serves the requests of a probe as it specifies.
func (a *arrivals) web(q *ProbeRequest) func(c *net.TCPConn) {
	answer := "HTTP/1.1 204 No Content\r\n" + peerHeader + ": yes\r\n" + linesOf(q.Says) + "\r\n"
	if q.Status != 0 {
		answer = fmt.Sprintf("HTTP/1.1 %03d %s\r\n%s: yes\r\n%sContent-Length: %d\r\n\r\n%s",
			q.Status, http.StatusText(q.Status), peerHeader, linesOf(q.Says), len(peerBody), peerBody)
	}
	head, _ := strings.CutSuffix(answer, peerBody)
	keep := q.Keep
	return func(c *net.TCPConn) {
		for br := bufio.NewReader(c); ; {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			if keep {
				r.Header.Set("Host", r.Host)
				a.mu.Lock()
				a.all = append(a.all, Message{Target: r.RequestURI, Header: r.Header, Body: string(body)})
				a.mu.Unlock()
			}
			says := answer
			if r.Method == http.MethodHead {
				says = head
			}
			if _, err := io.WriteString(c, says); err != nil || r.Close {
				return
			}
		}
	}
}
