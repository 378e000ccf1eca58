package memcached_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"brunt/targets/targetstest"
)

// server is a server of memcached's protocol with the behaviours that the suite needs. The key says which; say answers
// all others.
type server struct {
	*targetstest.Backend
	scheme, say string // say: all that it sends; empty: HD

	ended chan struct{} // receives a value when it has answered end, and writes no more
}

// start starts a server that ends with the test.
func start(t testing.TB, secure bool, say string) *server {
	s := &server{Backend: targetstest.Listen(t), scheme: "memcached", say: say, ended: make(chan struct{}, 1)}
	var config *tls.Config
	if secure {
		s.scheme, config = "memcached+tls", targetstest.Certificate()
	}
	s.Serve(t, func(c net.Conn) { s.serve(c, config) })
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

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
			switch {
			case !s.Behave(raw, words[1], body):
				return
			case words[1] == "fail":
				answer = "SERVER_ERROR out of memory storing object\r\n"
			case s.say != "":
				answer = s.say
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
