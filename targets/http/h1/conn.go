package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets"
)

// Conn is one connection, used by one request at a time.
//
//	ask: [still open?] -> write -> wait -> first byte; then Read for the rest
//
// A connection that proves to be closed before a byte was written is replaced. What happens after a later end is up to
// [targets.Resend].
type Conn struct {
	targets.Lease
	net.Conn // TLS over raw, or raw itself
	Raw      *net.TCPConn
	Address  string // host:port passed to Dial
	direct   direct
	Watch    *watched  // of HTTP/2, if the system supports it
	t0       time.Time // of the run
	// Fresh is how long after an answer a connection counts as open, without a check; zero: each request checks. It is
	// for servers that do not close a connection after an answer.
	Fresh    time.Duration
	deadline time.Duration // currently set
	Reads    int           // reads since the request was sent
	Fault    error         // of the last failed read, whatever the parser returned
	Sent     time.Duration // when the request was written
	First    time.Duration // when the first byte of the answer came
	last     time.Duration // when the last bytes of an answer came
	WasSent  bool
	unsent   bool // the first write took no byte
	Torn     bool // a write failed, perhaps in the middle of a TLS record
	// Claim is of an answer that is held as a whole; nil: what reads it claims its memory
	Claim *budget.Claim
}

// errUnasked means that the server has sent something on a new connection without a request.
var errUnasked = errors.New("the server sent something before it was asked")

// readers holds read buffers. A request takes one only while there is data to read, so that thousands of waiting
// requests need no buffers.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}

// Release gives a read buffer back for other requests. Its content is lost.
func Release(br *bufio.Reader) {
	br.Reset(nil)
	readers.Put(br)
}

// Reader lends a read buffer over r. [Release] takes it back.
func Reader(r io.Reader) *bufio.Reader {
	br := readers.Get().(*bufio.Reader)
	br.Reset(r)
	return br
}

// noDeadline marks a connection without a deadline.
const noDeadline = time.Duration(-1 << 62)

// NewConn returns a connection without TLS. Its times count from t0.
func NewConn(raw *net.TCPConn, t0 time.Time) *Conn {
	return &Conn{Conn: raw, Raw: raw, t0: t0, deadline: noDeadline}
}

// Dial opens TCP connection n to host:port with the network of o.
func Dial(ctx context.Context, o *targets.Options, address string, n uint64) (*Conn, error) {
	raw, err := o.Network.Dial(ctx, address, n)
	if err != nil {
		return nil, err
	}
	t, ok := raw.(*net.TCPConn)
	if !ok {
		_ = raw.Close()
		return nil, fmt.Errorf("the network opened a %T, and TCP is wanted", raw)
	}
	c := NewConn(t, o.T0)
	c.Address = address
	return c, nil
}

// Limits on how late the deadline of a connection may be.
const (
	slackShare = 100 // divisor of the timeout
	slackMost  = 10 * time.Millisecond
)

// Slack returns how late the deadline of a connection may be, for [Conn.Until].
func Slack(timeout time.Duration) time.Duration { return min(slackMost, timeout/slackShare) }

// Secure makes the TLS handshake.
func (c *Conn) Secure(ctx context.Context, by *tls.Config) error {
	var under net.Conn = c.Raw
	if c.Watch != nil {
		under = c.Watch
	}
	targets.StagesOf(ctx).Enter(scenarios.InTLS)
	t := tls.Client(under, by)
	if err := t.HandshakeContext(ctx); err != nil {
		return &targets.TLSError{Err: err}
	}
	c.Conn = t
	return nil
}

func (c *Conn) now() time.Duration { return time.Since(c.t0) }

// fresh reports whether the connection has just carried an answer.
func (c *Conn) fresh() bool { return c.Fresh > 0 && c.Used && c.now()-c.First < c.Fresh }

// Until sets the deadline. Because that is costly, it keeps a current deadline that is later by at most slack. An
// answer that comes after its own deadline is refused by its time.
func (c *Conn) Until(deadline, slack time.Duration) {
	if c.deadline >= deadline && c.deadline <= deadline+slack {
		return
	}
	c.deadline = deadline + slack
	_ = c.SetDeadline(c.t0.Add(c.deadline))
}

// Ask sends req and tail, and waits for the first byte of the answer, which br then holds. On a connection that has
// carried an answer, it returns [targets.ErrStale] if the connection was closed before anything was sent, and a
// [targets.EndedError] if it ended later.
func (c *Conn) Ask(req []byte, tail net.Buffers) (br *bufio.Reader, err error) {
	defer scenarios.Recover(&err) // of TLS
	c.Reads, c.Fault, c.WasSent, c.unsent = 0, nil, false, false
	if c.direct.able() {
		br, err = c.askDirect(req, tail)
	} else {
		br, err = c.ask(req, tail)
	}
	if err == nil {
		c.last = c.First
		return br, nil
	}
	switch {
	case !c.Used:
	case c.unsent && targets.IsReset(err):
		err = targets.ErrStale
	case c.WasSent:
		err = targets.Ended(err, c.Sent, c.Sent-c.last, c.First-c.Sent)
	}
	return nil, err
}

// ask is Ask without direct input and output.
func (c *Conn) ask(req []byte, tail net.Buffers) (br *bufio.Reader, err error) {
	if c.Used && !c.fresh() && !stillOpen(c.Raw) {
		return nil, targets.ErrStale
	}
	n, err := c.Conn.Write(req)
	if c.unsent = n == 0; err == nil && tail != nil {
		err = writeTail(c.Conn, tail)
	}
	c.Sent, c.WasSent, c.Torn = c.now(), true, err != nil
	if err != nil && !targets.IsReset(err) {
		c.WasSent = false
		return nil, err
	}
	return c.await(err)
}

// writeTail sends the parts of a body without a copy, and consumes the list.
func writeTail(w net.Conn, tail net.Buffers) error {
	_, err := tail.WriteTo(w)
	return err
}

// await waits for the first byte of an answer. An earlier write error is not final: a server that refuses a large
// body answers, and closes the connection without reading the body.
func (c *Conn) await(writing error) (*bufio.Reader, error) {
	br := readers.Get().(*bufio.Reader)
	br.Reset(c)
	_, err := br.Peek(1)
	c.First = c.now()
	if err != nil {
		Release(br)
		if writing != nil {
			c.WasSent = false
			return nil, writing
		}
		return nil, err
	}
	return br, nil
}

// Close closes the connection.
//
// Subtle: crypto/tls would still send a close alert. After half a record the server can't parse it, and if the server
// does not read, the write may take 5 s.
func (c *Conn) Close() error {
	if c.Torn {
		return c.Raw.Close()
	}
	return c.Conn.Close()
}

func (c *Conn) Read(b []byte) (n int, err error) {
	c.Reads++
	if c.direct.waiting() {
		return c.direct.read(b)
	}
	n, err = c.Conn.Read(b)
	if c.Claim != nil && err == nil {
		err = c.Claim.Take(2 * n) // an answer that grows is copied
	}
	if err != nil {
		c.Fault = err
	} else if c.Reads > 1 {
		c.last = c.now()
	}
	return n, err
}
