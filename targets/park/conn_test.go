package park_test

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"brunt/targets/park"
)

// late is a connection whose deadlines pass at once.
type late struct {
	net.Conn
	at time.Time
}

func (l *late) SetReadDeadline(at time.Time) error { l.at = at; return nil }

func (l *late) Read([]byte) (int, error) {
	if l.at.IsZero() {
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

// TestConn: the deadline of a wait ends the reader between two messages and not within one, and the time that the other
// side has to end the connection is no such wait.
func TestConn(t *testing.T) {
	for _, c := range []struct {
		name  string
		gap   time.Duration
		plain bool
		use   func(*park.Conn)
		waits bool
		idle  bool
		reads error
	}{
		{
			name: "soon after the one before", gap: 1, plain: true, waits: true, idle: true,
			reads: os.ErrDeadlineExceeded,
		},
		{name: "long after the one before", gap: time.Second, plain: true, reads: io.EOF},
		{
			name: "long after the one before, with TLS", gap: time.Second, waits: true, idle: true,
			reads: os.ErrDeadlineExceeded,
		},
		{
			name: "within a message", gap: 1, plain: true, use: func(c *park.Conn) { c.Waits = false }, waits: true,
			reads: io.EOF,
		},
		{
			name: "while brunt leaves", gap: 1, plain: true, use: func(c *park.Conn) { _ = c.LeaveBy(time.Now()) }, waits: true,
			reads: os.ErrDeadlineExceeded,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := new(late)
			on := &park.Conn{Conn: l, Plain: c.plain, Last: time.Second}
			if waits := on.Wait(time.Second + c.gap); waits != c.waits || l.at.IsZero() == c.waits {
				t.Fatalf("it waits: %v, until %v", waits, l.at)
			}
			if c.use != nil {
				c.use(on)
			}
			if _, err := on.Read(nil); err != c.reads || on.Idle(err) != c.idle {
				t.Errorf("it reads %v", err)
			}
		})
	}
}
