package smtp_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server is a server of SMTP with the behaviours that the suite needs. The name of the first recipient says which.
type server struct {
	net.Listener
	scheme string
	options
	config *tls.Config

	opened, requests, held atomic.Int64
	release                chan struct{}
	once                   sync.Once

	mu    sync.Mutex
	marks []string
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
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, scheme: "smtp", options: o, release: make(chan struct{})}
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	defer h.Close()
	s.config = &tls.Config{Certificates: h.TLS.Certificates}
	if o.secure {
		s.scheme = "smtps"
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			raw, err := s.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			all.Go(func() {
				defer raw.Close()
				s.serve(raw)
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

// Requests implements [targetstest.Server]: the mails that begin.
func (s *server) Requests() int64 { return s.requests.Load() }

func (s *server) Connections() int64 { return s.opened.Load() }

func (s *server) Held() int64 { return s.held.Load() }

func (s *server) Release() { s.once.Do(func() { close(s.release) }) }

func (s *server) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.marks)
}

func (s *server) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// slowTime is how long the answer to slow takes.
const slowTime = 200 * time.Millisecond

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
			s.requests.Add(1)
			begun, to = true, ""
		case "RCPT":
			if to == "" {
				to, _, _ = strings.Cut(strings.TrimPrefix(line, "RCPT TO:<"), "@")
			}
			switch to {
			case "fail":
				answer = "550 5.1.1 no such user\r\n"
			case "cut":
				return
			case "reset":
				_ = raw.(*net.TCPConn).SetLinger(0)
				return
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
			answer = s.take(to, string(text))
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

func (s *server) take(to, text string) string {
	s.mu.Lock()
	s.mails = append(s.mails, text)
	n := len(s.mails)
	s.mu.Unlock()
	switch to {
	case "slow":
		time.Sleep(slowTime) // simulates work
	case "hold":
		if m, err := mail.ReadMessage(strings.NewReader(text)); err == nil && m.Header.Get("Subject") != "" {
			s.mu.Lock()
			s.marks = append(s.marks, m.Header.Get("Subject"))
			s.mu.Unlock()
		}
		s.held.Add(1)
		<-s.release
	}
	return fmt.Sprintf("250 2.0.0 Ok: queued as Q%d\r\n", n)
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
