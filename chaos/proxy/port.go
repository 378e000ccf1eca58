package proxy

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"
)

// A portListener can be closed for a while and keeps its port. Closing is counted: it opens after one
// Reopen for each Shut.
type portListener struct {
	addr *net.TCPAddr

	mu     sync.Mutex
	l      *net.TCPListener
	shuts  int
	opened chan struct{} // closed while it is open
}

// listenPort listens on an address.
func listenPort(addr string) (*portListener, error) {
	l, err := listen(addr)
	if err != nil {
		return nil, err
	}
	d := &portListener{l: l, addr: l.Addr().(*net.TCPAddr), opened: make(chan struct{})}
	close(d.opened)
	return d, nil
}

// listen listens on a port requested by number, even if any port will do.
//
// Subtle: Linux releases a port that it chose itself when the socket stops listening, but keeps a
// requested one.
func listen(addr string) (*net.TCPListener, error) {
	for range 20 {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, err
		}
		at := l.Addr().(*net.TCPAddr)
		if _, port, _ := net.SplitHostPort(addr); port == strconv.Itoa(at.Port) {
			return l.(*net.TCPListener), nil
		}
		_ = l.Close()
		if again, err := net.ListenTCP("tcp", at); err == nil {
			return again, nil
		} // another process took the port
	}
	return nil, errors.New("no port stays free")
}

// Accept waits for the next connection, also while the listener is shut.
func (d *portListener) Accept(ctx context.Context) (*net.TCPConn, error) {
	for {
		d.mu.Lock()
		l, opened := d.l, d.opened
		d.mu.Unlock()
		select {
		case <-opened:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		c, err := l.AcceptTCP()
		if err == nil {
			return c, nil
		}
		d.mu.Lock()
		same := l == d.l && opened == d.opened
		d.mu.Unlock()
		if same { // otherwise it failed because the listener was shut
			return nil, err
		}
	}
}

// Shut makes the system refuse connections, including those that wait to be accepted.
func (d *portListener) Shut() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shuts == 0 {
		opened := d.opened
		d.opened = make(chan struct{}) // set before the listener fails, so that Accept knows the reason
		if err := pause(d.l); err != nil {
			d.opened = opened
			return err
		}
	}
	d.shuts++
	return nil
}

// rebindFor is the time for which Reopen tries to get its port back.
const rebindFor = 2 * time.Second

// Reopen undoes one Shut. After an error it may be called again.
func (d *portListener) Reopen(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shuts > 1 {
		d.shuts--
		return nil
	}
	l, err := resume(d.l)
	for until := time.Now().Add(rebindFor); err != nil && time.Now().Before(until) && ctx.Err() == nil; {
		time.Sleep(2 * time.Millisecond)
		l, err = net.ListenTCP("tcp", d.addr)
	}
	if err != nil {
		return err
	}
	if ctx.Err() != nil { // closed meanwhile
		_ = l.Close()
		return ctx.Err()
	}
	d.shuts--
	d.l = l
	close(d.opened)
	return nil
}

// Close closes the port for good.
func (d *portListener) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := CloseSocket(d.l)
	if d.shuts > 0 {
		return nil // it may be closed already
	}
	return err
}

// Addr returns the address of the port.
func (d *portListener) Addr() *net.TCPAddr { return d.addr }
