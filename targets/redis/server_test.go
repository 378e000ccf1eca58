package redis_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"brunt/targets/targetstest"
)

// server is a server of Redis's protocol with the behaviours that the suite needs. The first word of a command says
// which; say answers all others.
type server struct {
	*targetstest.Backend
	scheme      string
	certificate []byte
	say         func(words []string) string // the whole answer; empty: an error

	mu      sync.Mutex
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
	s := &server{Backend: targetstest.Listen(t), scheme: "redis", say: o.say}
	if o.secure {
		config := targetstest.Certificate()
		s.certificate = config.Certificates[0].Certificate[0]
		s.Listener, s.scheme = tls.NewListener(s.Listener, config), "rediss"
	}
	s.Serve(t, func(c net.Conn) { s.serve(c, o) })
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

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
		answer, cut := s.answer(c, words, o)
		if cut {
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

func (s *server) answer(c net.Conn, words []string, o options) (answer string, cut bool) {
	switch words[0] {
	case "HELLO", "AUTH", "SELECT":
		s.mu.Lock()
		s.greeted = append(s.greeted, words)
		s.mu.Unlock()
		switch {
		case words[0] == "HELLO" && o.old:
			return "-ERR unknown command 'HELLO'\r\n", false
		case words[0] == "HELLO" && o.user != "" && strings.Join(words[2:], " ") != "AUTH "+o.user:
			return "-WRONGPASS invalid username-password pair or user is disabled.\r\n", false
		case words[0] == "HELLO":
			return "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n", false
		}
		return "+OK\r\n", false
	}
	name := strings.TrimSuffix(strings.ToLower(words[0]), "_it")
	switch {
	case !s.Behave(c, name, append(words, "")[1]):
		return "", true
	case name == "fail":
		return "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", false
	case s.say != nil:
		return s.say(words), false
	}
	return "+PONG\r\n", false
}
