package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"brunt/scenarios"

	"github.com/moby/spdystream"
)

// streamWithin is the time within which the node must accept a stream.
const streamWithin = 20 * time.Second

// mostSaid bounds the node's message about a failed connection, in bytes.
const mostSaid = 4 << 10

// Dial connects to a port of a pod through the API server, with a separate upgraded connection. The port need only be
// open on the pod's loopback, and no port is opened on this machine. ctx bounds only the connecting.
func (c *Cluster) Dial(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
	raw, err := c.upgrade(ctx, Pods(c, namespace).at(pod)+"/portforward")
	if err != nil {
		return nil, fmt.Errorf("connect to port %d of the pod %s: %w", port, pod, err)
	}
	f := &forwarded{raw: raw}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	err = f.open(ctx, port)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("connect to port %d of the pod %s: %w", port, pod, err)
	}
	return f, nil
}

// forwarded is a connection to a port of a pod: a stream of data, and a stream with the node's errors.
type forwarded struct {
	*spdystream.Stream
	raw   net.Conn
	spdy  *spdystream.Connection
	ended chan struct{} // closed when the stream of errors has ended

	mu   sync.Mutex
	said string // message on the stream of errors
	shut bool
}

// open opens the streams.
func (f *forwarded) open(ctx context.Context, port int) error {
	var err error
	if f.spdy, err = spdystream.NewConnection(f.raw, false); err != nil {
		return err
	}
	f.ended = make(chan struct{})
	go func() { // ends when raw is closed
		if err := serve(f.spdy); err != nil {
			_ = f.raw.Close()
		}
	}()
	h := http.Header{"streamType": {"error"}, "port": {strconv.Itoa(port)}, "requestID": {"0"}}
	faults, err := f.stream(ctx, h)
	if err != nil {
		close(f.ended)
		return err
	}
	_ = faults.Close() // nothing is sent on it
	go f.listen(faults)
	h = h.Clone()
	h["streamType"] = []string{"data"}
	f.Stream, err = f.stream(ctx, h)
	return err
}

// serve reads what the node sends until the connection ends.
func serve(c *spdystream.Connection) (err error) {
	defer scenarios.Recover(&err)
	c.Serve(spdystream.NoOpStreamHandler)
	return nil
}

func (f *forwarded) stream(ctx context.Context, h http.Header) (*spdystream.Stream, error) {
	within := streamWithin
	if at, limited := ctx.Deadline(); limited {
		within = max(time.Millisecond, min(within, time.Until(at))) // zero would be without a limit
	}
	s, err := f.spdy.CreateStream(h, nil, false)
	if err == nil {
		err = s.WaitTimeout(within)
	}
	return s, err
}

// listen reads the node's error message, until its stream ends.
func (f *forwarded) listen(faults io.Reader) {
	defer close(f.ended)
	text, _ := io.ReadAll(io.LimitReader(faults, mostSaid))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = clean(string(text))
}

// Read reads from the pod. At the end it returns the node's error message, or [io.EOF].
func (f *forwarded) Read(p []byte) (int, error) {
	n, err := f.Stream.Read(p)
	if err == nil || n > 0 {
		return n, nil
	}
	select {
	case <-f.ended: // the node ends both streams
	case <-time.After(time.Second):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.shut:
		err = net.ErrClosed
	case f.said != "":
		err = errors.New(f.said)
	}
	return 0, err
}

// CloseWrite ends the data to the pod.
func (f *forwarded) CloseWrite() error { return f.Stream.Close() }

// Close closes the connection at once.
func (f *forwarded) Close() error {
	f.mu.Lock()
	f.shut = true
	f.mu.Unlock()
	err := f.raw.Close()
	if f.Stream != nil {
		_ = f.Stream.Reset() // wakes those that read it
	}
	return err
}

// LocalAddr returns the local address of the connection to the API server.
func (f *forwarded) LocalAddr() net.Addr { return f.raw.LocalAddr() }

// RemoteAddr returns the address of the API server.
func (f *forwarded) RemoteAddr() net.Addr { return f.raw.RemoteAddr() }
