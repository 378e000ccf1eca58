package live

import (
	"container/list"
	"context"
	"net"
	"sync"
)

// connections are the open connections of clients. Where there are mostConnections of them and one more comes, the one
// goes that has waited longest for its client: to send its request, else to read its answer. So neither clients that
// are silent nor those that are slow keep others out, however many they are. Streams of events stay: there are at most
// mostReaders of them, and one that does not read is disconnected.
type connections struct {
	net.Listener
	most int

	mu       sync.Mutex
	open     int
	waits    list.List // of *connection, which wait for a request; the longest first
	answered list.List // of *connection, whose answers are being written; the longest first
}

// A connection is one of connections.
type connection struct {
	net.Conn
	of   *connections
	in   *list.List    // nil: it is a stream, or closed
	at   *list.Element // its place in it
	over bool
}

func (l *connections) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(256 << 10) // the default is some megabytes for each connection
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

// longest returns the connection that has waited longest for its client, and nil where there are streams alone. l.mu is
// held.
func (l *connections) longest() *connection {
	for _, from := range []*list.List{&l.waits, &l.answered} {
		if first := from.Front(); first != nil {
			return first.Value.(*connection)
		}
	}
	return nil
}

// to moves a connection to the end of a list; nil is none. The lock of its connections is held.
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

// withConnection is the ConnContext of the server.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// answering says that a request of the context's connection has come; the caller calls end when it is answered.
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

// streaming says that the answer on the context's connection is a stream of events.
func streaming(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*connection); ok {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		c.to(nil)
	}
}
