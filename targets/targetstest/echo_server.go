package targetstest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// EchoServer is a server of [Echo]: it sends each line back, except for some words. The answer "refused 7" is an
// error with the number 7.
//
//	add KEY     stores a key; "find KEY" is answered by none if it is not stored
//	hold MARK   is answered after a call of Release
//	slow        is answered after 200 ms
//	wrong       is answered by another line
//	cut, reset  end the connection without an answer
type EchoServer struct {
	Address string // host:port

	opened, requests, held atomic.Int64
	release                chan struct{}
	once                   sync.Once

	mu    sync.Mutex
	keys  map[string]bool
	marks []string
}

// StartEcho starts a server that ends with the test.
func StartEcho(t testing.TB) *EchoServer {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &EchoServer{Address: l.Addr().String(), keys: map[string]bool{}, release: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			all.Go(func() {
				defer c.Close()
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.Release()
		all.Wait()
	})
	return s
}

func (s *EchoServer) Base() string { return "parrot://" + s.Address }

func (s *EchoServer) Requests() int64 { return s.requests.Load() }

func (s *EchoServer) Connections() int64 { return s.opened.Load() }

func (s *EchoServer) Held() int64 { return s.held.Load() }

func (s *EchoServer) Release() { s.once.Do(func() { close(s.release) }) }

func (s *EchoServer) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks
}

func (s *EchoServer) serve(c net.Conn) {
	for in := bufio.NewReader(c); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		s.requests.Add(1)
		answer := s.answer(line)
		if answer == "reset\n" {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		if answer == "reset\n" || answer == "cut\n" {
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

// slowEcho is how long the answer to "slow" takes.
const slowEcho = 200 * time.Millisecond

func (s *EchoServer) answer(line string) string {
	verb, key, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch verb {
	case "slow":
		time.Sleep(slowEcho) // simulates work
		return line
	case "wrong":
		return "another line\n"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case verb == "hold":
		s.marks = append(s.marks, key)
		s.mu.Unlock()
		s.held.Add(1)
		<-s.release
		s.mu.Lock()
	case verb == "add":
		s.keys[key] = true
	case verb == "find" && !s.keys[key]:
		return "none\n"
	}
	return line
}
