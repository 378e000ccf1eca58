package http_test

import (
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// server is net/http's server with the behaviours that the suite needs.
type server struct {
	*httptest.Server
	requests, connections, held atomic.Int64
	release                     chan struct{}
	once                        sync.Once

	mu    sync.Mutex
	marks []string
}

func (s *server) Base() string       { return s.URL }
func (s *server) Requests() int64    { return s.requests.Load() }
func (s *server) Connections() int64 { return s.connections.Load() }
func (s *server) Held() int64        { return s.held.Load() }
func (s *server) Release()           { s.once.Do(func() { close(s.release) }) }

func (s *server) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.marks)
}

func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	s.requests.Add(1)
	switch r.URL.Path {
	case "/slow":
		time.Sleep(200 * time.Millisecond) // simulates work
	case "/hold":
		if mark := r.URL.Query().Get("mark"); mark != "" {
			s.mu.Lock()
			s.marks = append(s.marks, mark)
			s.mu.Unlock()
		}
		s.held.Add(1)
		defer s.held.Add(-1)
		select {
		case <-s.release:
		case <-r.Context().Done():
			return
		}
	case "/fail":
		w.WriteHeader(nethttp.StatusTeapot)
	case "/cut", "/reset":
		var c net.Conn
		if r.ProtoMajor == 2 {
			c = connOf(r)
		} else {
			var err error
			if c, _, err = w.(nethttp.Hijacker).Hijack(); err != nil {
				panic(err)
			}
		}
		if r.URL.Path == "/reset" {
			tcp, ok := c.(*net.TCPConn)
			if ok {
				_ = tcp.SetLinger(0)
			}
		}
		_ = c.Close()
		if r.ProtoMajor == 2 {
			panic(nethttp.ErrAbortHandler)
		}
		return
	}
	_, _ = io.WriteString(w, "hello")
}

func newServer(start func(*httptest.Server)) func(testing.TB) targetstest.Server {
	return func(t testing.TB) targetstest.Server {
		s := &server{release: make(chan struct{})}
		s.Server = httptest.NewUnstartedServer(s)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.Config.ConnState = func(_ net.Conn, state nethttp.ConnState) {
			if state == nethttp.StateNew {
				s.connections.Add(1)
			}
		}
		start(s.Server)
		t.Cleanup(func() {
			s.Release()
			s.Close()
		})
		return s
	}
}

var steps = targetstest.Steps{
	Answer: `get: /`,
	Slow:   `get: /slow`,
	Hold:   `get: /hold`,
	Marked: `get: "/hold?mark=${var.mark}"`,
	Fail:   `get: /fail`,
	Cut:    `get: /cut`,
	Reset:  `get: /reset`,
}

func TestHTTP_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: http.Descriptor(), Start: newServer((*httptest.Server).Start), Steps: steps,
		Failed: scenarios.Status(nethttp.StatusTeapot), Waiting: http.Waiting,
	})
}

// insecure is HTTP whose client trusts the test server.
func insecure() *targets.Descriptor {
	d := http.Descriptor()
	client := d.Client
	d.Client = func(o targets.Options) (targets.Client, error) {
		o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
		return client(o)
	}
	return d
}

func TestHTTPS_Suite(t *testing.T) {
	over := steps
	over.Reset = "" // the server's TLS cannot reset the connection
	targetstest.Run(t, targetstest.Suite{
		Protocol: insecure(), Start: newServer((*httptest.Server).StartTLS), Steps: over,
		Failed: scenarios.Status(nethttp.StatusTeapot), Waiting: http.Waiting,
	})
}
