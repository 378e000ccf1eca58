package postgres

import (
	"bytes"
	"encoding/binary"
	"time"

	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/http/h1"
	"brunt/targets/sql"
)

// connection is one to a server.
type connection struct {
	*h1.Conn
	o        *targets.Options
	keeps    bool // statements are prepared and kept
	prepared map[*sql.Statement]*prepared
	names    int    // number of names given to prepared statements so far
	writes   bool   // the endpoint requires a server that accepts writes
	demoted  bool   // the server no longer accepts writes
	state    byte   // of the server: idle, in a transaction, or lost
	out      []byte // buffer of the messages to send
}

// The relevant states of a connection, as in ReadyForQuery.
const (
	idle = 'I'
	lost = 0 // the answer was not read to its end
)

// prepared is a statement that the connection has prepared.
type prepared struct {
	name      string
	described bool // the rest is known
	returns   bool // it returns rows
	columns   []column
}

// column is one column of rows.
type column struct {
	name string
	kind uint32 // the number of its type
}

// Cut implements [sql.Conn]. It closes the raw socket, because TLS might wait for a write.
func (c *connection) Cut() { _ = c.Raw.Close() }

func (c *connection) Usable() bool { return c.state != lost }

// Idle implements [sql.Conn]. A server that no longer accepts writes is not the one that the endpoint requires.
func (c *connection) Idle() bool { return c.state == idle && !c.demoted }

// farewellTime is how long the last message of either side may take.
const farewellTime = 50 * time.Millisecond

// Close ends the connection in order, so that the server logs no error.
func (c *connection) Close() error {
	if c.state == idle {
		_ = c.SetWriteDeadline(time.Now().Add(farewellTime))
		_, _ = c.Conn.Write([]byte{'X', 0, 0, 0, 4})
	}
	c.state = lost
	return c.Conn.Close()
}

func (c *connection) Run(x *calls.Progress, s *sql.Statement, args [][]byte, r *sql.Result) error {
	in := reader{conn: c, of: s, to: r}
	defer func() {
		x.Out.Bytes += in.size
		in.claim.Release()
	}()
	in.plan = c.compose(s, args)
	state := c.state
	c.state = lost
	br, err := x.Ask(c.Conn, c.out)
	if err != nil {
		if state != idle && !c.WasSent {
			return c.lastWords(x, &in, err)
		}
		return err
	}
	defer h1.Release(br)
	x.Came(c.First, 0)
	in.br = br
	err = in.read()
	x.Out.End = x.EndOf(c.Conn, err)
	if err == nil && s.Form == sql.Listening && r.Failure.Code == "" {
		err = c.listen(x, &in)
	}
	if br.Buffered() > 0 {
		c.state = lost
	}
	return err
}

// lastWords reads the message that the server sent before it closed a connection within a transaction.
func (c *connection) lastWords(x *calls.Progress, in *reader, err error) error {
	_ = c.SetReadDeadline(time.Now().Add(farewellTime)) // the message has already arrived
	br := h1.Reader(c.Unasked())
	defer h1.Release(br)
	in.br = br
	if in.read() != nil || in.to.Failure.Code == "" {
		return err
	}
	x.Came(x.Now(), 0)
	return nil
}

// listen waits for the notifications that the step wants, and then stops listening.
func (c *connection) listen(x *calls.Progress, in *reader) error {
	r := in.to
	for int(r.Rows) < in.of.Messages {
		if err := in.message(); err != nil {
			if in.fatal { // the earlier error is the answer
				c.state, x.Out.End = lost, x.Now()
				return nil
			}
			return err
		}
		if r.Rows == 1 {
			x.Out.First = x.Now()
		}
	}
	r.Returns, x.Out.End = true, x.Now()
	c.state = lost // until the next answer is read
	c.out = appendQuery(c.out[:0], "unlisten "+in.of.Channel)
	if _, err := c.Conn.Write(c.out); err != nil {
		return nil
	}
	quiet := reader{conn: c, br: in.br, of: new(sql.Statement), to: new(sql.Result)}
	_ = quiet.read()
	return nil
}

// be32 reads a big-endian number.
func be32(b []byte) int { return int(int32(binary.BigEndian.Uint32(b))) }

// cString splits off a text that ends with a zero byte.
func cString(b []byte) (text, rest []byte, ok bool) { return bytes.Cut(b, []byte{0}) }
