package cluster

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// dialWithin bounds the time to connect to a pod.
const dialWithin = 10 * time.Second

// A Door is a port on this machine's loopback that forwards to a port of a pod. It is for requests of brunt itself;
// the load is made in the cluster.
type Door struct {
	l    net.Listener
	dial func(ctx context.Context) (net.Conn, error)
	over sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil means that the door is closed
}

// OpenDoor opens a door. Each connection calls dial, so that a pod whose address has changed is found.
func OpenDoor(dial func(ctx context.Context) (net.Conn, error)) (*Door, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &Door{l: l, dial: dial, conns: map[net.Conn]bool{}}
	d.over.Go(d.serve)
	return d, nil
}

func (d *Door) serve() {
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
func (d *Door) keep(c net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns == nil {
		_ = c.Close()
		return false
	}
	d.conns[c] = true
	return true
}

func (d *Door) drop(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
	_ = c.Close()
}

// pass copies between a connection and the pod until one end closes.
func (d *Door) pass(c net.Conn) {
	defer d.drop(c)
	ctx, cancel := context.WithTimeout(context.Background(), dialWithin)
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

// Addr returns the door's host:port.
func (d *Door) Addr() string { return d.l.Addr().String() }

// Close closes the door, and the connections through it.
func (d *Door) Close() error {
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
