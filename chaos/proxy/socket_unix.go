//go:build unix

package proxy

import (
	"io"
	"syscall"
)

// receive reads what there is. It takes a buffer only once there is something, so
// that idle connections cost none.
func (f *flow) receive() (b []byte, whole *[]byte, err error) {
	var (
		buf  *[]byte
		n    int
		rerr error
	)
	err = f.rawSrc.Read(func(fd uintptr) bool {
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

// pokeWrite makes who waits for dst look again. The lock is held.
func (f *flow) pokeWrite() {
	if f.dst != nil {
		f.unwrit = true
		_ = f.dst.SetWriteDeadline(past)
	}
}

// send writes out's first bytes, or some of them. It writes nothing if it is poked.
// The lock is held, but while it waits.
func (f *flow) send() {
	f.mu.Unlock()
	// Its own error is a poke, or that the flow is dead.
	_ = f.rawDst.Write(func(fd uintptr) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for f.out.len() > 0 && f.out.head().Kind == Data && !f.dead {
			n, err := syscall.Write(int(fd), f.out.head().Bytes)
			switch err {
			case nil:
				f.sent(n)
				return true
			case syscall.EINTR:
			case syscall.EAGAIN:
				return false
			default:
				f.stuck = err
				return true
			}
		}
		return true
	})
	f.mu.Lock()
}
