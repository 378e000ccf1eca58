package redis_test

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

// server is a server of Redis's protocol with the behaviours that the suite needs. The first word of a command says
// which; say answers all others.
type server struct {
	net.Listener
	scheme      string
	certificate []byte
	say         func(words []string) string // the whole answer; empty: an error

	opened, requests, held atomic.Int64
	release                chan struct{}
	once                   sync.Once

	mu      sync.Mutex
	marks   []string
	greeted [][]string // commands of logins
}

// options are the settings of a server.
type options struct {
	secure bool
	old    bool   // it knows no HELLO
	user   string // USER PASSWORD that a login must have; empty: none
	say    func(words []string) string
}

// start starts a server that ends with the test.
func start(t testing.TB, o options) *server {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, scheme: "redis", say: o.say, release: make(chan struct{})}
	if o.secure {
		h := httptest.NewUnstartedServer(nil)
		h.StartTLS()
		defer h.Close()
		s.certificate = h.TLS.Certificates[0].Certificate[0]
		s.Listener, s.scheme = tls.NewListener(l, &tls.Config{Certificates: h.TLS.Certificates}), "rediss"
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
				s.serve(c, o)
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

// Requests implements [targetstest.Server]: those of calls, without those of logins.
func (s *server) Requests() int64 { return s.requests.Load() }

func (s *server) Connections() int64 { return s.opened.Load() }

func (s *server) Held() int64 { return s.held.Load() }

func (s *server) Release() { s.once.Do(func() { close(s.release) }) }

func (s *server) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.marks)
}

// logins returns the commands of all logins.
func (s *server) logins() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.greeted)
}

// readCommand reads a command.
func readCommand(in *bufio.Reader) ([]string, error) {
	length := func(kind byte) (int, error) {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if line[0] != kind {
			return 0, fmt.Errorf("%q is not a length", line)
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := length('*')
	if err != nil {
		return nil, err
	}
	var words []string
	for range n {
		size, err := length('$')
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+2)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, err
		}
		words = append(words, string(b[:size]))
	}
	return words, nil
}

func (s *server) serve(c net.Conn, o options) {
	for in := bufio.NewReader(c); ; {
		words, err := readCommand(in)
		if err != nil {
			return
		}
		answer := s.answer(words, o)
		switch words[0] {
		case "RESET_IT":
			_ = c.(*net.TCPConn).SetLinger(0)
			return
		case "CUT":
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

// slowTime is how long the answer to SLOW takes.
const slowTime = 200 * time.Millisecond

func (s *server) answer(words []string, o options) string {
	switch words[0] {
	case "HELLO", "AUTH", "SELECT":
		s.mu.Lock()
		s.greeted = append(s.greeted, words)
		s.mu.Unlock()
		switch {
		case words[0] == "HELLO" && o.old:
			return "-ERR unknown command 'HELLO'\r\n"
		case words[0] == "HELLO" && o.user != "" && strings.Join(words[2:], " ") != "AUTH "+o.user:
			return "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
		case words[0] == "HELLO":
			return "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n"
		}
		return "+OK\r\n"
	}
	s.requests.Add(1)
	switch words[0] {
	case "SLOW":
		time.Sleep(slowTime) // simulates work
	case "HOLD":
		if len(words) > 1 {
			s.mu.Lock()
			s.marks = append(s.marks, words[1])
			s.mu.Unlock()
		}
		s.held.Add(1)
		<-s.release
	case "FAIL":
		return "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
	default:
		if s.say != nil {
			return s.say(words)
		}
	}
	return "+PONG\r\n"
}
