package proxy

import (
	"errors"
	"io"
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

const canSplice = true

// pipeSize is the capacity of a pipe in bytes, which a flow holds in addition to its stages.
const pipeSize = 256 << 10

// A pipe holds spliced bytes between two sockets.
type pipe struct {
	r, w int
	data int
}

func (p *pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// pipes keeps a few unused pipes. A flow uses one only while bytes are in it, so thousands of idle
// connections share them. (io.Copy keeps one while it waits, and loses its bytes when its write is
// interrupted.)
type pipes struct {
	mu     sync.Mutex
	idle   []*pipe
	closed bool
}

const mostIdle = 16

func (ps *pipes) get() (*pipe, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if n := len(ps.idle); n > 0 {
		p := ps.idle[n-1]
		ps.idle = ps.idle[:n-1]
		return p, nil
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	// The kernel may refuse this above the user's limit on pipe memory; then the pipe is smaller.
	_, _ = unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, pipeSize)
	return &pipe{r: fds[0], w: fds[1]}, nil
}

// put returns a pipe; one that isn't empty is closed.
func (ps *pipes) put(p *pipe) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p.data > 0 || ps.closed || len(ps.idle) >= mostIdle {
		p.close()
		return
	}
	ps.idle = append(ps.idle, p)
}

func (ps *pipes) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.closed = true
	for _, p := range ps.idle {
		p.close()
	}
	ps.idle = nil
}

// A bridge passes a flow's bytes from src to dst: by read and write while messages are small, and by splice while there
// is more to read than a buffer holds. A message of some hundred bytes costs half as much by read and write. Its
// functions are created once, because they are called for every message. The flow's lock guards all of it.
type bridge struct {
	f       *flow
	p       *pipe   // holds bytes in transit; nil if there are none
	buf     *[]byte // holds bytes in transit; nil if there are none
	rest    []byte  // of buf
	bulk    bool    // the last read filled its buffer: the next bytes go by splice
	err     error
	in, out func(fd uintptr) bool
}

// errEnough reports that a stage was added.
var errEnough = errors.New("no longer clean")

func (b *bridge) setup(f *flow) {
	if b.f == nil {
		b.f, b.in, b.out = f, b.fill, b.drain
	}
}

// holds reports whether bytes are in transit.
func (b *bridge) holds() bool { return b.p != nil && b.p.data > 0 || len(b.rest) > 0 }

// fill takes the available bytes from src. It returns false if there are none yet.
func (b *bridge) fill(fd uintptr) bool {
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	if b.bulk {
		b.fillPipe(int(fd))
	} else {
		b.fillBuffer(int(fd))
	}
	return b.err != unix.EAGAIN
}

func (b *bridge) fillBuffer(fd int) {
	buf := getBuffer()
	var n int
	if n, b.err = retried(unix.Read, fd, *buf); n > 0 {
		b.buf, b.rest, b.bulk = buf, (*buf)[:n], n == len(*buf)
		return
	}
	putBuffer(buf)
	if b.err == nil {
		b.err = io.EOF
	}
}

func (b *bridge) fillPipe(fd int) {
	ps := &b.f.l.p.pipes
	if b.p, b.err = ps.get(); b.err != nil {
		b.err = errNoPipe
		return
	}
	b.p.data, b.err = move(fd, b.p.w, pipeSize)
	b.bulk = b.p.data >= bufferSize
	switch {
	case b.err == unix.EINVAL:
		b.err = errNoPipe
	case b.err == nil && b.p.data == 0:
		b.err = io.EOF
	}
	if b.err != nil {
		ps.put(b.p)
		b.p = nil
	}
}

// drain writes to dst as much as it accepts. It returns false if dst accepts no more now.
func (b *bridge) drain(fd uintptr) bool {
	f := b.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if b.err = f.clean(); b.err != nil {
		return true
	}
	for b.holds() && b.err == nil {
		b.write(int(fd))
	}
	switch b.err {
	case nil:
		b.empty()
	case unix.EAGAIN:
		return false
	default:
		f.dst.lost = b.err
	}
	return true
}

// write writes some of the bytes in transit.
func (b *bridge) write(fd int) {
	var n int
	if b.p != nil {
		n, b.err = move(b.p.r, fd, b.p.data)
		b.p.data -= n
	} else {
		n, b.err = retried(unix.Write, fd, b.rest)
		b.rest = b.rest[n:]
	}
	b.f.passed(n)
}

// empty releases the memory of the bytes in transit.
func (b *bridge) empty() {
	if b.p != nil {
		b.f.l.p.pipes.put(b.p)
		b.p = nil
	}
	if b.buf != nil {
		putBuffer(b.buf)
		b.buf, b.rest = nil, nil
	}
}

// retried calls read(2) or write(2) until no signal interrupts it.
func retried(call func(fd int, b []byte) (int, error), fd int, b []byte) (n int, err error) {
	for {
		if n, err = call(fd, b); err != unix.EINTR {
			return max(0, n), err
		}
	}
}

// clean returns an error if bytes may no longer pass by splice. The lock is held.
func (f *flow) clean() error {
	switch {
	case f.dead:
		return net.ErrClosed
	case len(f.q.stages) > 0 || f.src.lost != nil:
		return errEnough
	}
	return nil
}

// move calls splice(2).
func move(from, to, n int) (int, error) {
	for {
		m, err := unix.Splice(from, nil, to, nil, n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err != unix.EINTR {
			return max(0, int(m)), err
		}
	}
}

// errNoPipe reports that the kernel gave no pipe or refused to splice. No data is lost.
var errNoPipe = errors.New("no pipe")

// splice passes bytes from src to dst until the stream ends or a stage is added.
// Bytes that were read but not written then go to the stage.
func (f *flow) splice() error {
	b := &f.bridge
	b.setup(f)
	err := b.cross()
	f.mu.Lock()
	if err == errNoPipe {
		f.splices = false
	}
	if err == errNoPipe || err == errEnough {
		err = nil
	}
	lost := f.dst.lost
	f.salvage()
	f.splicing = false
	f.changed()
	f.mu.Unlock()
	if lost != nil {
		f.opp.lose(lost)
		return nil
	}
	f.kick(true)
	return err
}

// cross is the loop of splice.
func (b *bridge) cross() error {
	for {
		err := b.f.src.raw.Read(b.in)
		if err == nil {
			err = b.err
		}
		if err == nil {
			err = b.f.dst.raw.Write(b.out)
		}
		if err == nil {
			err = b.err
		}
		if err != nil {
			return err
		}
	}
}

// salvage moves the bytes in transit to the stages. The lock is held.
func (f *flow) salvage() {
	b := &f.bridge
	for p := b.p; p != nil && p.data > 0 && f.dst.lost == nil; {
		buf := getBuffer()
		n, err := retried(unix.Read, p.r, *buf)
		if n <= 0 || err != nil {
			break // impossible
		}
		p.data -= n
		kept, whole := keep(buf, n)
		f.put(Item{Bytes: kept, whole: whole})
	}
	if len(b.rest) > 0 && f.dst.lost == nil {
		f.put(Item{Bytes: append([]byte(nil), b.rest...)})
	}
	b.empty()
}
