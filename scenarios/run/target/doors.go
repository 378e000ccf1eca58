package target

import (
	"context"
	"io"
	"net"
	"sync"
)

// A door is a port on this machine's loopback that forwards to a port of a pod. It is for requests of brunt itself;
// the load is made in the cluster.
type door struct {
	l    net.Listener
	dial func(ctx context.Context) (net.Conn, error)
	over sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil means that the door is closed
}

// openDoor opens a door. Each connection calls dial, so that a pod whose address has changed is found.
func openDoor(dial func(ctx context.Context) (net.Conn, error)) (*door, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &door{l: l, dial: dial, conns: map[net.Conn]bool{}}
	d.over.Go(d.serve)
	return d, nil
}

func (d *door) serve() {
	for {
		c, err := d.l.Accept()
		if err != nil {
			return
		}
		if d.keep(c) {
			d.over.Go(func() { d.pass(c) })
		}
	}
}

// keep records a connection, to close it with the door. If the door is already closed, it closes the connection at
// once.
func (d *door) keep(c net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns == nil {
		_ = c.Close()
		return false
	}
	d.conns[c] = true
	return true
}

func (d *door) drop(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
	_ = c.Close()
}

// pass copies between a connection and the pod until one end closes.
func (d *door) pass(c net.Conn) {
	defer d.drop(c)
	ctx, cancel := context.WithTimeout(context.Background(), doorWithin)
	defer cancel()
	pod, err := d.dial(ctx)
	if err != nil || !d.keep(pod) {
		return // the client sees the same as for a port at which nothing listens
	}
	defer d.drop(pod)
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(pod, c)
		_ = pod.Close()
	}()
	_, _ = io.Copy(c, pod)
	_ = c.Close()
	<-back
}

// addr returns the door's host:port.
func (d *door) addr() string { return d.l.Addr().String() }

func (d *door) close() error {
	err := d.l.Close()
	d.mu.Lock()
	for c := range d.conns {
		_ = c.Close()
	}
	d.conns = nil
	d.mu.Unlock()
	d.over.Wait()
	return err
}
