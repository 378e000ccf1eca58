package proxy

import "sync"

// bufferSize is what is read at once.
const bufferSize = 32 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) { buffers.Put(b) }

// keep makes an item's bytes of n bytes in a buffer: few are copied, so that what is
// held costs what it is; for many the buffer is given away.
func keep(buf *[]byte, n int) (b []byte, whole *[]byte) {
	if n > bufferSize/2 {
		return (*buf)[:n], buf
	}
	b = append([]byte(nil), (*buf)[:n]...)
	putBuffer(buf)
	return b, nil
}
