package smtp_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/targets/targetstest"
)

// server is a server of SMTP with the behaviours that the suite needs. The first recipient says
// which: BEHAVIOUR@, or BEHAVIOUR+MARK@.
type server struct {
	*targetstest.Backend
	scheme string
	options
	config *tls.Config

	mu    sync.Mutex
	lines []string // the lines of clients, apart from mails
	mails []string
}

// options are the settings of a server.
type options struct {
	secure   bool
	greeting string            // empty: 220
	can      []string          // extensions
	login    string            // user:password that may log in
	says     map[string]string // replies by the beginnings of lines
}

// start starts a server that ends with the test.
func start(t testing.TB, o options) *server {
	s := &server{Backend: targetstest.Listen(t), scheme: "smtp", options: o, config: targetstest.Certificate()}
	if o.secure {
		s.scheme = "smtps"
	}
	s.Serve(t, s.serve)
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

func (s *server) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

func (s *server) serve(raw net.Conn) {
	c := raw
	if s.secure {
		c = tls.Server(raw, s.config)
	}
	greeting := s.greeting
	if greeting == "" {
		greeting = "220 mail.test\r\n"
	}
	if _, err := io.WriteString(c, greeting); err != nil {
		return
	}
	begun, to := false, ""
	for in := textproto.NewReader(bufio.NewReader(c)); ; {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
		answer := "250 ok\r\n"
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO":
			answer = "250-mail.test\r\n"
			for _, e := range s.can {
				answer += "250-" + e + "\r\n"
			}
			answer += "250 HELP\r\n"
		case "STARTTLS":
			if _, err := io.WriteString(c, "220 go\r\n"); err != nil {
				return
			}
			c = tls.Server(raw, s.config)
			in = textproto.NewReader(bufio.NewReader(c))
			continue
		case "AUTH":
			answer = s.auth(c, in, line)
		case "RSET":
			begun = false
		case "MAIL":
			if begun { // RFC 5321, 4.1.4
				answer = "503 nested MAIL\r\n"
			}
			begun, to = true, ""
		case "RCPT":
			first := to == ""
			if first {
				to, _, _ = strings.Cut(strings.TrimPrefix(line, "RCPT TO:<"), "@")
			}
			name, mark, _ := strings.Cut(to, "+")
			if first && !s.Behave(raw, name, mark) {
				return
			}
			if name == "fail" {
				answer = "550 5.1.1 no such user\r\n"
			}
		case "DATA":
			if _, err := io.WriteString(c, "354 go\r\n"); err != nil {
				return
			}
			text, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			begun = false
			answer = s.take(string(text))
		}
		for begin, says := range s.says {
			if strings.HasPrefix(line, begin) {
				answer = says
			}
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

func (s *server) take(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, text)
	return fmt.Sprintf("250 2.0.0 Ok: queued as Q%d\r\n", len(s.mails))
}

// auth is the server's side of a login.
func (s *server) auth(c net.Conn, in *textproto.Reader, line string) string {
	ask := func(what string) string {
		_, _ = io.WriteString(c, "334 "+base64.StdEncoding.EncodeToString([]byte(what))+"\r\n")
		said, _ := in.ReadLine()
		b, _ := base64.StdEncoding.DecodeString(said)
		return string(b)
	}
	got := ""
	if rest, plain := strings.CutPrefix(line, "AUTH PLAIN "); plain {
		b, _ := base64.StdEncoding.DecodeString(rest)
		got = strings.ReplaceAll(strings.TrimPrefix(string(b), "\x00"), "\x00", ":")
	} else {
		got = ask("Username:") + ":"
		got += ask("Password:")
	}
	if got != s.login {
		return "535 5.7.8 bad credentials\r\n"
	}
	return "235 2.7.0 welcome\r\n"
}
