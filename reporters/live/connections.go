package live

import (
	"container/list"
	"context"
	"net"
	"sync"
)

// connections holds the open connections of clients, at most most of them. If one more client connects, connections
// closes the one that has waited longest for its client: first a connection that waits for a request, else one whose
// answer the client is reading. So any number of silent or slow clients cannot keep others out. It never closes a
// stream of events: there are at most mostReaders of them, and the server disconnects one that does not read.
type connections struct {
	net.Listener
	most int

	mu       sync.Mutex
	open     int
	waits    list.List // of *connection that wait for a request; the one that has waited longest is first
	answered list.List // of *connection whose answers are being written; the longest first
}

// A connection is an element of connections.
type connection struct {
	net.Conn
	of   *connections
	in   *list.List    // the list that has it; nil: it is a stream, or closed
	at   *list.Element // its place in that list
	over bool
}

func (l *connections) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(256 << 10) // the default is several megabytes per connection
	}
	own := &connection{Conn: c, of: l}
	l.mu.Lock()
	var gone *connection
	if l.open++; l.open > l.most {
		gone = l.longest()
	}
	own.to(&l.waits)
	l.mu.Unlock()
	if gone != nil {
		_ = gone.Close()
	}
	return own, nil
}

// longest returns the connection that has waited longest for its client; nil if all are streams. l.mu is held.
func (l *connections) longest() *connection {
	for _, from := range []*list.List{&l.waits, &l.answered} {
		if first := from.Front(); first != nil {
			return first.Value.(*connection)
		}
	}
	return nil
}

// to moves a connection to the end of a list; nil takes it out of its list. The lock of its connections is held.
func (c *connection) to(next *list.List) {
	if c.in != nil {
		c.in.Remove(c.at)
		c.in = nil
	}
	if next != nil && !c.over {
		c.in, c.at = next, next.PushBack(c)
	}
}

func (c *connection) Close() error {
	c.of.mu.Lock()
	if !c.over {
		c.over = true
		c.of.open--
		c.to(nil)
	}
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// connectionKey is the key of a request's connection in its context.
type connectionKey struct{}

// withConnection stores the connection in the context; it is the ConnContext of the server.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// answering records that a request has arrived on the context's connection. The caller calls end once it is answered.
func answering(ctx context.Context) (end func()) {
	c, ok := ctx.Value(connectionKey{}).(*connection)
	if !ok {
		return func() {}
	}
	move := func(to *list.List) {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		c.to(to)
	}
	move(&c.of.answered)
	return func() { move(&c.of.waits) }
}

// streaming records that the answer on the context's connection is a stream of events.
func streaming(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*connection); ok {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		c.to(nil)
	}
}
