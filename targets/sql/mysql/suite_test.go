package mysql_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/sql"
	"brunt/targets/sql/mysql"
	"brunt/targets/targetstest"
)

// front stands before a MariaDB: it counts what a client asks, and holds, cuts or resets what a statement tells it to.
// All else is the real server's.
type front struct {
	net.Listener
	to string

	requests, opened, held atomic.Int64
	release                chan struct{}
	once                   sync.Once

	mu    sync.Mutex
	marks []string
	conns []net.Conn
}

// before starts a front of a MariaDB that ends with the test.
func before(t testing.TB, to string) *front {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{Listener: l, to: to, release: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.opened.Add(1)
			s, err := net.Dial("tcp", to)
			if err != nil {
				_ = c.Close()
				continue
			}
			f.mu.Lock()
			f.conns = append(f.conns, c, s)
			f.mu.Unlock()
			all.Go(func() {
				_, _ = io.Copy(c, s)
				_ = c.Close()
			})
			all.Go(func() {
				defer s.Close()
				f.pass(c.(*net.TCPConn), s)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		f.Release()
		f.mu.Lock()
		for _, c := range f.conns {
			_ = c.Close()
		}
		f.mu.Unlock()
		all.Wait()
	})
	return f
}

func (f *front) Base() string       { return "mysql://app:sesame@" + f.Addr().String() + "/shop" }
func (f *front) Requests() int64    { return f.requests.Load() }
func (f *front) Connections() int64 { return f.opened.Load() }
func (f *front) Held() int64        { return f.held.Load() }
func (f *front) Release()           { f.once.Do(func() { close(f.release) }) }
func (f *front) Marks() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.marks)
}

// pass passes what a client sends, packet by packet.
func (f *front) pass(c *net.TCPConn, s net.Conn) {
	const query, prepare, execute = 0x03, 0x16, 0x17
	var texts []string // of prepared statements, whose numbers MariaDB counts from 1
	for head := make([]byte, 4); ; {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		body := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		text := ""
		switch {
		case head[3] != 0 || len(body) == 0: // of the login
		case body[0] == prepare:
			texts = append(texts, string(body[1:]))
		case body[0] == query:
			text = string(body[1:])
		case body[0] == execute:
			text = texts[binary.LittleEndian.Uint32(body[1:])-1]
		}
		if text != "" && !strings.HasPrefix(text, "SET ") {
			f.requests.Add(1)
			if !f.obeys(text, body, c) {
				return
			}
		}
		if _, err := s.Write(append(bytes.Clone(head), body...)); err != nil {
			return
		}
	}
}

// obeys does what a statement asks of the front; false ends the connection.
func (f *front) obeys(text string, body []byte, c *net.TCPConn) bool {
	switch {
	case strings.Contains(text, "hold"):
		f.mu.Lock()
		if strings.Contains(text, "?") { // the mark is the last of the packet
			f.marks = append(f.marks, string(body[bytes.LastIndexByte(body, ':')+1:]))
		}
		f.mu.Unlock()
		f.held.Add(1)
		<-f.release
	case strings.Contains(text, "cut"):
		_ = c.Close()
		return false
	case strings.Contains(text, "reset"):
		_ = c.SetLinger(0)
		_ = c.Close()
		return false
	}
	return true
}

// TestMySQL_Suite holds the client of MySQL to the promises of all protocols, with a real MariaDB.
func TestMySQL_Suite(t *testing.T) {
	addr, _ := serve(t)
	targetstest.Run(t, targetstest.Suite{
		Protocol: sql.Descriptor(mysql.Dialect()), Start: func(t testing.TB) targetstest.Server { return before(t, addr) },
		Steps: targetstest.Steps{
			Answer: "sql: select 'answer'", Slow: "sql: select sleep(0.2)", Hold: "sql: select 'hold'",
			Marked: `{sql: "select 'hold', ?", args: [":${var.mark}"]}`, Fail: "sql: select no_such_column",
			Cut: "sql: select 'cut'", Reset: "sql: select 'reset'",
		},
		Failed:  mysql.Dialect().Causes.Cause(1054),
		Network: func(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) },
	})
}
