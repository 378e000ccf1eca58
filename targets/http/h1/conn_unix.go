//go:build unix

package h1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"

	"brunt/targets"

	"golang.org/x/sys/unix"
)

// direct reads and writes plain TCP by calls that never block, inside the callback of the runtime's poller. Compared
// with net.Conn it saves a failed read per request, checks an idle connection without an extra call, and holds no
// buffer while it waits.
//
//	checking: a read must say "nothing there"; an end or a byte makes it stale; left out if an answer came just now
//	writing:  the request; bytes that the socket does not take are written the ordinary way
//	reading:  the first byte; until it comes the goroutine is parked
//
// Subtle: the poller reports edges, and clears them when a callback begins. No event is lost: the check reads after
// that, so a later event is a new edge.
type direct struct {
	rc    syscall.RawConn
	step  func(fd uintptr) bool // conn.advance, bound once because binding allocates
	fd    int
	phase phase
	req   []byte
	tail  net.Buffers // sent after req
	br    *bufio.Reader
	err   error
	spare uint8 // number of requests for which it does not try to yield
	probe [1]byte
	found bool // the probe read a byte although none should be there
}

type phase uint8

const (
	resting phase = iota
	checking
	writing
	reading
)

var errWouldBlock = errors.New("nothing to read yet")

// GoDirect makes c, a plain connection, use direct input and output.
func (c *Conn) GoDirect() {
	rc, err := c.Raw.SyscallConn()
	if err != nil {
		return
	}
	c.direct.rc, c.direct.step = rc, c.advance
}

func (d *direct) able() bool { return d.rc != nil }

// Unasked returns a reader of what the server sent without a request, after Ask refused to write to the connection.
func (c *Conn) Unasked() io.Reader {
	if c.direct.found {
		return io.MultiReader(bytes.NewReader(c.direct.probe[:]), c)
	}
	return c
}

// waiting reports whether Read is called inside the poller's callback.
func (d *direct) waiting() bool { return d.phase == reading }

func (d *direct) read(b []byte) (int, error) {
	n, err := sysRead(d.fd, b)
	switch {
	case err == unix.EAGAIN:
		return 0, errWouldBlock
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (c *Conn) askDirect(req []byte, tail net.Buffers) (*bufio.Reader, error) {
	d := &c.direct
	d.phase, d.req, d.tail, d.br, d.err = checking, req, tail, nil, nil
	if d.spare == 0 && c.fresh() { // it reads after it has written, and so sees an end that came before
		d.phase = writing
	}
	err := d.rc.Read(d.step)
	if err == nil && d.phase == writing && d.err == nil {
		err = c.writeRest()
	}
	at, br := d.phase, d.br
	d.phase, d.req, d.tail, d.br = resting, nil, nil, nil
	switch {
	case err != nil:
		return nil, err
	case at == writing && targets.IsReset(d.err):
		c.Sent, c.WasSent = c.now(), true
		return c.await(d.err)
	}
	return br, d.err
}

// writeRest sends the bytes for which the socket buffer had no room, and waits for the answer.
func (c *Conn) writeRest() error {
	d := &c.direct
	_, err := c.Conn.Write(d.req)
	if err == nil && d.tail != nil {
		err = writeTail(c.Conn, d.tail)
	}
	if err != nil {
		if targets.IsReset(err) {
			d.err = err
			return nil
		}
		return err
	}
	c.Sent, c.WasSent = c.now(), true
	d.phase = reading
	return d.rc.Read(d.step)
}

// sparing is the number of requests for which a connection does not yield after it yielded in vain.
const sparing = 32

// advance does everything that is possible without waiting. It returns false if it must wait.
func (c *Conn) advance(fd uintptr) bool {
	d := &c.direct
	d.fd = int(fd)
	if d.phase == checking {
		if n, err := sysRead(d.fd, d.probe[:]); err != unix.EAGAIN {
			d.found = n > 0
			d.err = c.unusable(n, err)
			return true
		}
		d.phase = writing
	}
	if d.phase == writing {
		n, err := sysWrite(d.fd, d.req)
		if err != nil && err != unix.EAGAIN {
			d.err, c.unsent = os.NewSyscallError("write", err), true
			return true
		}
		if d.req = d.req[n:]; len(d.req) > 0 || d.tail != nil {
			return true
		}
		c.Sent, c.WasSent = c.now(), true
		d.phase = reading
		if d.spare > 0 {
			d.spare--
			return false
		}
		// While many requests are under way, the answer often arrives while other goroutines run. Then no wake-up is
		// needed.
		runtime.Gosched()
		if !c.poll() {
			d.spare = sparing
			return false
		}
		return true
	}
	return c.poll()
}

// poll reports whether the answer has begun, or never will.
func (c *Conn) poll() bool {
	br := readers.Get().(*bufio.Reader)
	br.Reset(c)
	_, err := br.Peek(1)
	if err == errWouldBlock {
		c.Reads--
		Release(br)
		return false
	}
	c.First = c.now()
	if err != nil {
		Release(br)
		c.direct.err = err
		return true
	}
	c.direct.br = br
	return true
}

// unusable returns why a connection can't carry a request, after a read that should have found no data.
func (c *Conn) unusable(n int, err error) error {
	switch {
	case c.Used:
		return targets.ErrStale
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return io.EOF
	}
	return errUnasked
}

// stillOpen reports whether an idle connection is usable: the other side has neither closed it nor sent data without
// a request.
func stillOpen(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, err := sysPeek(int(fd), b[:])
		open = err == unix.EAGAIN
	})
	return err == nil && open
}
