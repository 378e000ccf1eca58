package nats_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets/targetstest"
)

// server is a server of NATS's protocol with the behaviours that the suite needs. The first word of a subject says
// which; say answers all others.
type server struct {
	*targetstest.Backend
	scheme string
	say    func(subject, reply, body string) string // all that it sends; empty: an echo to reply

	pongs atomic.Int64

	mu    sync.Mutex
	hello []string // of logins
}

// options are the settings of a server.
type options struct {
	secure bool
	info   string // JSON of INFO; empty: one with headers
	refuse string // -ERR to each login
	say    func(subject, reply, body string) string
}

// start starts a server that ends with the test.
func start(t testing.TB, o options) *server {
	s := &server{Backend: targetstest.Listen(t), scheme: "nats", say: o.say}
	var config *tls.Config
	if o.secure {
		s.scheme, config = "nats+tls", targetstest.Certificate()
	}
	if o.info == "" {
		o.info = fmt.Sprintf(`{"server_id":"x","headers":true,"tls_required":%t,"max_payload":1048576}`, o.secure)
	}
	s.Serve(t, func(c net.Conn) { s.serve(c, config, o) })
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

func (s *server) serve(raw net.Conn, config *tls.Config, o options) {
	c := raw
	if _, err := fmt.Fprintf(c, "INFO %s\r\n", o.info); err != nil {
		return
	}
	if config != nil {
		c = tls.Server(raw, config)
	}
	for in := bufio.NewReader(c); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			return
		}
		answer := ""
		switch words[0] {
		case "CONNECT":
			s.mu.Lock()
			s.hello = append(s.hello, line)
			s.mu.Unlock()
			if o.refuse != "" {
				answer = "-ERR '" + o.refuse + "'\r\n"
			}
		case "PING":
			answer = "PONG\r\n"
		case "PONG":
			s.pongs.Add(1)
		case "SUB":
			switch words[1] {
			case "pings":
				time.AfterFunc(targetstest.SlowTime, func() { _, _ = io.WriteString(c, "PING\r\n") })
			case "kept":
				answer = fmt.Sprintf("MSG kept %s 2\r\nhi\r\n", words[len(words)-1])
			case "ends":
				sid := words[len(words)-1]
				for _, text := range []string{"1", "2", "3"} {
					_, _ = fmt.Fprintf(c, "MSG ends %s 1\r\n%s\r\n", sid, text)
				}
				_ = raw.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, in) // until the client has closed it
				return
			}
		case "PUB", "HPUB":
			n, err := strconv.Atoi(words[len(words)-1])
			if err != nil {
				return
			}
			body := make([]byte, n+2)
			if _, err := io.ReadFull(in, body); err != nil {
				return
			}
			reply := ""
			if fixed := map[string]int{"PUB": 3, "HPUB": 4}[words[0]]; len(words) > fixed {
				reply = words[2]
			}
			var cut bool
			if answer, cut = s.answer(raw, words[1], reply, string(body[:n])); cut {
				return
			}
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

func (s *server) answer(raw net.Conn, subject, reply, body string) (answer string, cut bool) {
	switch {
	case !s.Behave(raw, subject, body):
		return "", true
	case subject == "fail":
		return msg(reply, "NATS/1.0 503\r\n\r\n", ""), false
	case subject == "pings":
		time.AfterFunc(targetstest.SlowTime, func() { _, _ = io.WriteString(raw, "PING\r\n") })
	case s.say != nil:
		return s.say(subject, reply, body), false
	}
	return msg(reply, "", body), false
}

// msg is a message to a subject of the client, with or without headers.
func msg(to, headers, body string) string {
	if to == "" {
		return ""
	}
	if headers == "" {
		return fmt.Sprintf("MSG %s 1 %d\r\n%s\r\n", to, len(body), body)
	}
	return fmt.Sprintf("HMSG %s 1 %d %d\r\n%s%s\r\n", to, len(headers), len(headers)+len(body), headers, body)
}
