//go:build !unix

package proxy

import "io"

// receive reads the available bytes.
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

// send writes the first item in out. The lock is held, except while send writes.
//
// Subtle: a cancelled write on Windows may have sent some bytes. Therefore an item counts as sent
// once its write has begun, and the write is never poked.
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
