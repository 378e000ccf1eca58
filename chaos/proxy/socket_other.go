//go:build !unix

package proxy

import "io"

// receive reads the available bytes.
func (s *source) receive() (b []byte, whole *[]byte, err error) {
	buf := getBuffer()
	n, err := s.conn.Read(*buf)
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

// receive reads a datagram. The caller puts the buffer back if there is no error.
func (a *association) receive() (b *[]byte, n int, err error) {
	b = datagramBuffers.Get().(*[]byte)
	if n, err = a.up.Read(*b); err != nil {
		datagramBuffers.Put(b)
	}
	return b, n, err
}

// send writes the first item in out. The lock is held, except while send writes.
//
// Subtle: a cancelled write on Windows may have sent some bytes. Therefore an item counts as sent
// once its write has begun, and the write is never poked.
func (f *flow) send() {
	it := f.q.out.pop()
	f.mu.Unlock()
	n, err := f.dst.conn.Write(it.Bytes)
	f.passed(n)
	f.mu.Lock()
	f.q.forget(it)
	if err != nil {
		f.dst.lost = err
	}
}

func (d *destination) poke() {}
