package mysql_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"

	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/sql"
	"brunt/targets/sql/mysql"
	"brunt/targets/targetstest"
)

// front stands before a MariaDB: it counts what a client asks, and holds, cuts or resets what a statement tells it to.
// All else is the real server's.
type front struct{ *targetstest.Backend }

// before starts a front of a MariaDB that ends with the test.
func before(t testing.TB, to string) *front {
	t.Helper()
	f := &front{targetstest.Listen(t)}
	f.Serve(t, func(c net.Conn) {
		s, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		var answers sync.WaitGroup
		answers.Go(func() {
			_, _ = io.Copy(c, s)
			_ = c.Close()
		})
		f.pass(c, s)
		_ = s.Close()
		answers.Wait()
	})
	return f
}

func (f *front) Base() string { return "mysql://app:sesame@" + f.Addr().String() + "/shop" }

// pass passes what a client sends, packet by packet.
func (f *front) pass(c, s net.Conn) {
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
			mark := ""
			if strings.Contains(text, "?") { // the mark is the last of the packet
				mark = string(body[bytes.LastIndexByte(body, ':')+1:])
			}
			if !f.Behave(c, behaviours.FindString(text), mark) {
				return
			}
		}
		if _, err := s.Write(append(bytes.Clone(head), body...)); err != nil {
			return
		}
	}
}

// behaviours matches what a statement asks of the front.
var behaviours = regexp.MustCompile("hold|cut|reset")

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
