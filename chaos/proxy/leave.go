package proxy

import (
	"net/netip"

	"brunt/chaos/proxy/codec/http1"
)

// Leave asks the clients of open connections to make their next requests on others: HTTP/1.x by an answer that closes
// the connection, HTTP/2 by a GOAWAY, which still accepts requests under way and those that cross it. It cuts no
// connection. Other protocols have no message for this.
func (p *Proxy) Leave() {
	p.leaving.Store(true)
	for _, l := range p.live() {
		if x := l.http; x != nil && !l.isProbe() {
			x.with(func() {
				if x.streams != nil {
					x.streams.leave()
				}
			}, l.forward)
		}
	}
}

// closes is the change to the last response on a connection of HTTP/1.x.
var closes = http1.Draft{Headers: map[string]*string{"Connection": new("close")}}

// leaves reports whether the answer that begins is to be the last of its connection: no other request is on its way.
func (x *exchange) leaves() bool {
	return x.final && len(x.open) == 1 && x.l.p.leaving.Load() && !x.l.isProbe()
}

// Between returns how many connections are open, and the clients of those among them that are between two requests. A
// connection that is not parsed counts as between two requests if the proxy holds none of its bytes.
func (p *Proxy) Between() (clients []netip.AddrPort, open int) {
	for _, l := range p.live() {
		if l.isProbe() {
			continue
		}
		open++
		if !l.holds() && (l.http == nil || l.http.between()) {
			clients = append(clients, plain(l.down.RemoteAddr()))
		}
	}
	return clients, open
}

// between reports whether no request is under way, as far as the link is parsed.
func (x *exchange) between() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.lost.Load():
		return true
	case x.streams != nil:
		return !x.streams.conn.Busy()
	}
	return len(x.open) == 0 && x.current == nil
}

// leave asks a client of HTTP/2 to use another connection.
func (s *streams) leave() {
	s.conn.Leave()
	s.flush()
}
