package proxy

import "sync"

// bufferSize is the size of a read in bytes.
const bufferSize = 32 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) { buffers.Put(b) }

// keep returns the first n bytes of a buffer for an item. It copies a few bytes, to hold no more
// memory than needed, and gives the buffer itself away for many.
func keep(buf *[]byte, n int) (b []byte, whole *[]byte) {
	if n > bufferSize/2 {
		return (*buf)[:n], buf
	}
	b = append([]byte(nil), (*buf)[:n]...)
	putBuffer(buf)
	return b, nil
}
