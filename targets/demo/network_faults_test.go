package demo

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// A RequestEffect is what an edge does with a request.
type RequestEffect struct {
	Delay  time.Duration // before it is passed on
	Status int           // of the answer; 0 is the server's own
	Late   bool          // the request is passed on, and the status of its answer is replaced; else the edge answers it
}

// exchange passes the requests of a connection on, and their answers back. It knows HTTP/1.1 without pipelining, and
// notices the end of a caller only between two requests.
func (e *edge) exchange(near, remote net.Conn, queue chan struct{}) {
	defer e.end(near, remote)
	in, out := bufio.NewReader(near), bufio.NewReader(remote)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		e.wait(queue)
		f := e.effectOf(req)
		time.Sleep(f.Delay) // simulates a request that is passed on late
		if f.Status != 0 && !f.Late {
			canned := http.Response{StatusCode: f.Status, ProtoMajor: 1, ProtoMinor: 1, Request: req}
			if canned.Write(near) != nil {
				return
			}
			continue
		}
		if req.Write(remote) != nil {
			return
		}
		resp, err := http.ReadResponse(out, req)
		if err != nil {
			return
		}
		e.wait(nil)
		if f.Late {
			resp.StatusCode, resp.Status = f.Status, ""
		}
		if resp.Write(near) != nil {
			return
		}
	}
}

func (e *edge) effectOf(req *http.Request) RequestEffect {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.effect == nil {
		return RequestEffect{}
	}
	return e.effect(req.Method, req.URL.Path)
}

// exhaust lets a unit open no descriptor, until undo: nothing answers on new connections into it, as they wait to be
// accepted, and its own calls to others fail where they need a new connection. Connections that it has go on.
func (n *network) exhaust(unit string) (undo func()) {
	edges, queue := n.of(unit), make(chan struct{})
	set := func(spent bool, queue chan struct{}) {
		for _, e := range edges {
			e.mu.Lock()
			if e.to == unit {
				e.queue = queue
			} else {
				e.spent = spent
			}
			e.mu.Unlock()
		}
	}
	set(true, queue)
	return func() {
		set(false, nil)
		close(queue)
	}
}

// A life is the time from the start of a unit to its end.
type life struct {
	mu   sync.Mutex
	over bool // it reaches no other unit any more
	end  func()
}

// live starts a unit.
func (s *system) live(service, unit string, env map[string]string, log io.Writer) *life {
	l := &life{}
	n := node{
		name:   service,
		getenv: func(k string) string { return env[k] },
		stdout: log,
		listen: s.net.listen,
		dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.over {
				return nil, net.ErrClosed
			}
			return s.net.dial(ctx, network, addr)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.serve(ctx) }()
	l.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("%s: %v", unit, err)
		}
	})
	return l
}

// crash ends a unit as a signal does: from one moment to the next it has no connection, and never gets another one, so
// that nothing of what it holds reaches any other. Restart starts the unit again, without what it held.
func (s *system) crash(unit string) (restart func()) {
	l := s.lives[unit]
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	edges := s.net.of(unit)
	for _, e := range edges {
		e.kill()
	}
	s.dying.Go(l.end) // its last seconds are behind the cut
	return func() {
		s.lives[unit] = s.launch[unit]()
		for _, e := range edges {
			e.revive()
		}
	}
}
