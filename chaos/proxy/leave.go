package proxy

import (
	"net/netip"

	"brunt/chaos/proxy/codec/http1"
)

// Leave asks the clients of open connections to make their next requests on others: HTTP/1.x by an answer that closes
// the connection, HTTP/2 by a GOAWAY that takes what is under way, and what crosses it, for accepted. It cuts nothing.
// Other protocols have no word for it.
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

// closes is the change to the last answer of a connection of HTTP/1.x.
var closes = http1.Draft{Headers: map[string]*string{"Connection": new("close")}}

// leaves reports whether the answer that begins is to be the last of its connection: no other request is on its way.
func (x *exchange) leaves() bool {
	return x.final && len(x.open) == 1 && x.l.p.leaving.Load() && !x.l.isProbe()
}

// Between returns how many connections are open, and the clients of those among them that are between two requests. Of
// a connection that is not parsed it knows only that the proxy holds none of its bytes.
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

// leave sends a client of HTTP/2 away.
func (s *streams) leave() {
	s.conn.Leave()
	s.flush()
}
