package responder

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"brunt/chaos/netns/kernel"
)

// relay returns answers over UDP to their clients.
func (r *Responder) relay(s *socket) {
	b := make([]byte, longest)
	for {
		n, from, err := s.forward.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < 2 {
			continue
		}
		if q, ok := s.pending.take(binary.BigEndian.Uint16(b), from); ok {
			binary.BigEndian.PutUint16(b, q.id)
			s.udp.WriteToUDPAddrPort(b[:n], q.client)
		}
	}
}

// A query is a forwarded query.
type query struct {
	client, to netip.AddrPort
	id         uint16 // the client's
	at         time.Time
}

// pending holds forwarded UDP queries by the ids under which they were forwarded, because two
// clients may use the same id.
type pending struct {
	mu      sync.Mutex
	queries map[uint16]query
	next    uint16
}

// forgotten is the age at which a forwarded query is dropped.
const forgotten = 30 * time.Second

// put stores q and writes its new id into the message. If many consecutive ids are in use, it
// replaces one of the stored queries.
func (p *pending) put(message []byte, q query) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q.at = time.Now()
	for range 100 {
		p.next++
		if old, taken := p.queries[p.next]; !taken || q.at.Sub(old.at) > forgotten {
			break
		}
	}
	p.queries[p.next] = q
	binary.BigEndian.PutUint16(message, p.next)
}

// waiting reports whether a query has no answer yet that may still come.
func (p *pending) waiting() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queries {
		if time.Since(q.at) < drainFor {
			return true
		}
	}
	return false
}

// take removes and returns the query that an answer belongs to.
func (p *pending) take(id uint16, from netip.AddrPort) (query, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, ok := p.queries[id]
	if !ok || q.to != netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) {
		return query{}, false
	}
	delete(p.queries, id)
	return q, true
}

// dial connects from the namespace, with the mark that exempts the connection from redirection.
func (r *Responder) dial(to netip.AddrPort) (c net.Conn, err error) {
	d := net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, _ string, raw syscall.RawConn) error { return kernel.SetMark(raw, r.mark) },
	}
	err = r.home.Do(func() (err error) {
		c, err = d.DialContext(r.ctx, "tcp", to.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.keep(c, toResolver)
}

// readMessage reads a TCP message, which is preceded by its length.
func readMessage(c io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	_, err := io.ReadFull(c, b)
	return b, err
}

func writeMessage(c io.Writer, m []byte) error {
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
	return err
}
