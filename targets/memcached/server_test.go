package memcached_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server is a server of memcached's protocol with the behaviours that the suite needs. The key says which; say answers
// all others.
type server struct {
	net.Listener
	scheme, say string // say: all that it sends; empty: HD

	opened, requests, held atomic.Int64
	release                chan struct{}
	ended                  chan struct{} // receives a value when it has answered end, and writes no more
	once                   sync.Once

	mu    sync.Mutex
	marks []string
}

// start starts a server that ends with the test.
func start(t testing.TB, secure bool, say string) *server {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, scheme: "memcached", say: say, release: make(chan struct{}), ended: make(chan struct{}, 1)}
	var config *tls.Config
	if secure {
		h := httptest.NewUnstartedServer(nil)
		h.StartTLS()
		defer h.Close()
		s.scheme, config = "memcached+tls", &tls.Config{Certificates: h.TLS.Certificates}
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			all.Go(func() {
				defer c.Close()
				s.serve(c, config)
			})
		}
	})
	t.Cleanup(func() {
		_ = s.Close()
		s.Release()
		all.Wait()
	})
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

// Requests implements [targetstest.Server].
func (s *server) Requests() int64 { return s.requests.Load() }

func (s *server) Connections() int64 { return s.opened.Load() }

func (s *server) Held() int64 { return s.held.Load() }

func (s *server) Release() { s.once.Do(func() { close(s.release) }) }

func (s *server) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.marks)
}

// slowTime is how long the answer to slow takes.
const slowTime = 200 * time.Millisecond

func (s *server) serve(raw net.Conn, config *tls.Config) {
	c := raw
	if config != nil {
		c = tls.Server(raw, config)
	}
	for in := bufio.NewReader(c); ; {
		text, err := in.ReadString('\n')
		if err != nil {
			return
		}
		words, body, answer := append(strings.Fields(text), ""), "", "HD\r\n"
		if words[0] == "ms" {
			n, _ := strconv.Atoi(words[2])
			b := make([]byte, n+2)
			if _, err := io.ReadFull(in, b); err != nil {
				return
			}
			body = string(b[:n])
		}
		if words[0] == "version" {
			answer = "VERSION 1.6.18\r\n"
		} else {
			s.requests.Add(1)
			switch words[1] {
			case "slow":
				time.Sleep(slowTime) // simulates work
			case "hold":
				if body != "" {
					s.mu.Lock()
					s.marks = append(s.marks, body)
					s.mu.Unlock()
				}
				s.held.Add(1)
				<-s.release
			case "fail":
				answer = "SERVER_ERROR out of memory storing object\r\n"
			case "cut":
				return
			case "reset":
				_ = raw.(*net.TCPConn).SetLinger(0)
				return
			default:
				if s.say != "" {
					answer = s.say
				}
			}
		}
		if _, err := fmt.Fprint(c, answer); err != nil {
			return
		}
		if strings.HasPrefix(text, "mg end ") {
			_ = raw.(*net.TCPConn).CloseWrite()
			s.ended <- struct{}{}
		}
	}
}
