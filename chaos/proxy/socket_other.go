//go:build !unix

package proxy

import "io"

// receive reads what there is.
func (f *flow) receive() (b []byte, whole *[]byte, err error) {
	buf := getBuffer()
	n, err := f.src.Read(*buf)
	if n > 0 {
		b, whole = keep(buf, n)
		return b, whole, nil
	}
	putBuffer(buf)
	if err == nil {
		err = io.EOF
	}
	return nil, nil, err
}

// send writes what is in out first. The lock is held, but while it writes.
//
// Subtle: a write that Windows is told to cancel may have sent some of it. So what
// is being written counts as gone, and is never poked.
func (f *flow) send() {
	it := f.out.pop()
	f.mu.Unlock()
	n, err := f.dst.Write(it.Bytes)
	f.passed(n)
	f.mu.Lock()
	f.forget(it)
	if err != nil {
		f.stuck = err
	}
}

func (f *flow) pokeWrite() {}
