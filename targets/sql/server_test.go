package sql_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/targets/targetstest"

	"github.com/jackc/pgx/v5/pgproto3"
)

// server speaks PostgreSQL's protocol with the behaviours that the suite needs. The first word of a statement says
// which; say answers all others.
type server struct {
	*targetstest.Backend
	base   string
	tls    *tls.Config // nil: it refuses TLS
	greet  func(b *pgproto3.Backend, user string) error
	say    func(asked question) []pgproto3.BackendMessage // nil: a row of nothing
	raw    []byte                                         // the answer to whatever comes; nil: it answers in the protocol
	again  bool                                           // raw is the answer each time, and not only once
	logged atomic.Int64                                   // connections that were ended in order
}

// question is what a server was asked.
type question struct {
	text   string
	args   []string // NULL is <nil>
	parsed bool     // it was prepared with this question
	simple bool
}

// start starts a server that ends with the test.
func start(t testing.TB, change func(*server)) *server {
	s := &server{Backend: targetstest.Listen(t)}
	s.base = "postgres://app@" + s.Addr().String() + "/shop"
	if change != nil {
		change(s)
	}
	s.Serve(t, s.serve)
	return s
}

// secure makes a server take connections with TLS alone.
func secure(s *server) {
	s.tls = targetstest.Certificate()
	s.base += "?sslmode=require"
}

func (s *server) Base() string { return s.base }

// login reads the start of a connection.
func (s *server) login(c net.Conn) (*pgproto3.Backend, error) {
	for {
		b := pgproto3.NewBackend(c, c)
		m, err := b.ReceiveStartupMessage()
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *pgproto3.SSLRequest:
			if s.tls == nil {
				_, err = c.Write([]byte{'N'})
			} else if _, err = c.Write([]byte{'S'}); err == nil {
				c = tls.Server(c, s.tls)
			}
			if err != nil {
				return nil, err
			}
		case *pgproto3.StartupMessage:
			if s.greet != nil {
				if err := s.greet(b, m.Parameters["user"]); err != nil {
					return nil, err
				}
			}
			b.Send(&pgproto3.AuthenticationOk{})
			b.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			return b, b.Flush()
		default:
			return nil, fmt.Errorf("a start of %T", m)
		}
	}
}

func (s *server) serve(c net.Conn) {
	b, err := s.login(c)
	if err != nil {
		return
	}
	if s.raw != nil {
		for mem := make([]byte, 4<<10); ; {
			if _, err := c.Read(mem); err != nil {
				return
			}
			if _, err := c.Write(s.raw); err != nil || !s.again {
				return
			}
		}
	}
	texts, q, state := map[string]string{}, question{}, byte('I')
	for {
		m, err := b.Receive()
		if err != nil {
			return
		}
		switch m := m.(type) {
		case *pgproto3.Terminate:
			s.logged.Add(1)
			return
		case *pgproto3.Parse:
			texts[m.Name] = m.Query
			q.parsed = true
			b.Send(&pgproto3.ParseComplete{})
			continue
		case *pgproto3.Bind:
			q.text = texts[m.PreparedStatement]
			for _, p := range m.Parameters {
				if p == nil {
					q.args = append(q.args, "<nil>")
				} else {
					q.args = append(q.args, string(p))
				}
			}
			b.Send(&pgproto3.BindComplete{})
			continue
		case *pgproto3.Query:
			q.text, q.simple = m.String, true
		case *pgproto3.Sync:
		default:
			continue
		}
		answer, err := s.answer(c, q)
		if err != nil {
			return
		}
		for _, one := range answer {
			b.Send(one)
			switch one := one.(type) {
			case *pgproto3.CommandComplete:
				state = after(string(one.CommandTag), state)
			case *pgproto3.ErrorResponse:
				if state == 'T' {
					state = 'E'
				}
				if one.Severity == "FATAL" {
					_ = b.Flush()
					return
				}
			}
		}
		b.Send(&pgproto3.ReadyForQuery{TxStatus: state})
		if b.Flush() != nil {
			return
		}
		q = question{}
	}
}

// after is the state of a transaction after a command.
func after(tag string, state byte) byte {
	switch tag {
	case "BEGIN":
		return 'T'
	case "COMMIT", "ROLLBACK":
		return 'I'
	}
	return state
}

func done(tag string) *pgproto3.CommandComplete {
	return &pgproto3.CommandComplete{CommandTag: []byte(tag)}
}

func refusal(state, text string) *pgproto3.ErrorResponse {
	severity := "ERROR"
	if strings.HasPrefix(state, "57P") {
		severity = "FATAL"
	}
	return &pgproto3.ErrorResponse{Severity: severity, SeverityUnlocalized: severity, Code: state, Message: text}
}

var errEnd = errors.New("the connection ends")

func (s *server) answer(c net.Conn, q question) ([]pgproto3.BackendMessage, error) {
	verb, _, _ := strings.Cut(q.text, " ")
	if !s.Behave(c, verb, append(q.args, "")[0]) {
		return nil, errEnd
	}
	switch verb {
	case "begin", "commit", "rollback":
		return []pgproto3.BackendMessage{done(strings.ToUpper(verb))}, nil
	case "slow", "hold":
	case "fail":
		return []pgproto3.BackendMessage{refusal("40001", "could not serialize access due to concurrent update")}, nil
	default:
		if s.say != nil {
			return s.say(q), nil
		}
	}
	return []pgproto3.BackendMessage{&pgproto3.NoData{}, done("UPDATE 1")}, nil
}
