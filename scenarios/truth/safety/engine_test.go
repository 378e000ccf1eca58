//go:build linux

package safety

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// An engine stands before the Docker engine, and loses its answers during gaps.
type engine struct {
	l      net.Listener
	socket string // of the true engine

	mu    sync.Mutex
	gaps  []gap
	began time.Time
	conns map[net.Conn]bool
}

func newEngine(path, socket string) (*engine, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	e := &engine{l: l, socket: socket, conns: map[net.Conn]bool{}}
	go e.serve()
	return e, nil
}

func (e *engine) address() string { return "unix://" + e.l.Addr().String() }

// begin sets the gaps of a program that begins now.
func (e *engine) begin(gaps []gap) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gaps, e.began = gaps, time.Now()
}

// mode is how answers are lost now; "" is not at all.
func (e *engine) mode() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	since := int(time.Since(e.began).Milliseconds())
	for _, g := range e.gaps {
		if since >= g.From && since < g.From+g.For {
			return g.Mode
		}
	}
	return ""
}

func (e *engine) close() {
	_ = e.l.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.conns {
		_ = c.Close()
	}
}

func (e *engine) serve() {
	for {
		c, err := e.l.Accept()
		if err != nil {
			return
		}
		go e.pass(c)
	}
}

// keep notes a connection, so that close ends it.
func (e *engine) keep(c net.Conn, is bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if is {
		e.conns[c] = true
	} else {
		delete(e.conns, c)
	}
}

func (e *engine) pass(c net.Conn) {
	defer c.Close()
	if e.mode() == "refuse" {
		return
	}
	to, err := net.Dial("unix", e.socket)
	if err != nil {
		return
	}
	defer to.Close()
	e.keep(c, true)
	defer e.keep(c, false)
	go func() {
		_, _ = io.Copy(to, c)
		if half, ok := to.(*net.UnixConn); ok {
			_ = half.CloseWrite()
		}
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := to.Read(b)
		switch e.mode() {
		case "drop":
			n = 0
		case "cut", "refuse":
			return
		case "late":
			time.Sleep(500 * time.Millisecond) // simulates a busy engine
		}
		if n > 0 {
			if _, err := c.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if half, ok := c.(*net.UnixConn); ok && errors.Is(err, io.EOF) {
				_ = half.CloseWrite()
			}
			return
		}
	}
}
