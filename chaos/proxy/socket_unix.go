//go:build unix

package proxy

import (
	"io"
	"syscall"
)

// receive reads the available bytes. It takes a buffer only when there is data, so that idle
// connections use none.
func (s *source) receive() (b []byte, whole *[]byte, err error) {
	var (
		buf  *[]byte
		n    int
		rerr error
	)
	err = s.raw.Read(func(fd uintptr) bool {
		buf = getBuffer()
		for {
			n, rerr = syscall.Read(int(fd), *buf)
			if rerr != syscall.EINTR {
				break
			}
		}
		if n > 0 {
			return true
		}
		putBuffer(buf)
		return rerr != syscall.EAGAIN
	})
	switch {
	case err != nil:
		return nil, nil, err
	case n > 0:
		b, whole = keep(buf, n)
		return b, whole, nil
	case rerr != nil:
		return nil, nil, rerr
	}
	return nil, nil, io.EOF
}

// receive reads a datagram. It takes a buffer only when there is one, so that idle associations use none. The caller
// puts the buffer back if there is no error.
func (a *association) receive() (b *[]byte, n int, err error) {
	var rerr error
	err = a.raw.Read(func(fd uintptr) bool {
		b = datagramBuffers.Get().(*[]byte)
		for {
			n, rerr = syscall.Read(int(fd), *b)
			if rerr != syscall.EINTR {
				break
			}
		}
		if rerr == nil {
			return true
		}
		datagramBuffers.Put(b)
		return rerr != syscall.EAGAIN
	})
	if err == nil {
		err = rerr
	}
	return b, n, err
}

// poke interrupts a pending write.
func (d *destination) poke() {
	if d.conn != nil {
		d.poked = true
		_ = d.conn.SetWriteDeadline(past)
	}
}

// send writes the first bytes in out, or some of them. A poke interrupts it before it writes. The
// lock is held, except while send waits.
func (f *flow) send() {
	f.mu.Unlock()
	// An error of Write itself is a poke or a dead flow.
	_ = f.dst.raw.Write(func(fd uintptr) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for f.q.out.len() > 0 && f.q.out.head().Kind == Data && !f.dead {
			n, err := syscall.Write(int(fd), f.q.out.head().Bytes)
			switch err {
			case nil:
				f.sent(n)
				return true
			case syscall.EINTR:
			case syscall.EAGAIN:
				return false
			default:
				f.dst.lost = err
				return true
			}
		}
		return true
	})
	f.mu.Lock()
}
