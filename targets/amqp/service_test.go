package amqp_test

import (
	"bufio"
	"encoding/binary"
	"net"
	"slices"
	"sync/atomic"
	"testing"
)

// serve starts a service that replies to each message of a queue with its body. It speaks the protocol by the codec of
// the tests. It returns how many calls the service had.
func serve(t *testing.T, addr, queue string) (served func() int64) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	ready, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		_ = c.Close()
		<-done
	})
	say := func(frames ...[]byte) { _, _ = c.Write(slices.Concat(frames...)) }
	say([]byte("AMQP\x00\x00\x09\x01"))
	go func() {
		defer close(done)
		var to, id string
		for in := bufio.NewReader(c); ; {
			kind, b, err := next(in)
			if err != nil {
				return
			}
			switch kind {
			case 1:
				switch binary.BigEndian.Uint32(b) {
				case 10<<16 | 10:
					say(made(0, 10, 11, []byte{}, "PLAIN", []byte("\x00guest\x00guest"), "en_US"))
				case 10<<16 | 30:
					say(made(0, 10, 31, uint16(1), uint32(131072), uint16(0)), made(0, 10, 40, "/", "", byte(0)))
				case 10<<16 | 41:
					say(made(1, 20, 10, ""))
				case 20<<16 | 11:
					say(made(1, 60, 20, uint16(0), queue, "", byte(2), []byte{})) // without acknowledgements
				case 60<<16 | 21:
					close(ready)
				}
			case 2: // of a content with a correlation-id and a place for the reply, besides the delivery mode
				p := b[12:]
				if flags := binary.BigEndian.Uint16(p); flags != 1<<12|1<<10|1<<9 {
					t.Errorf("properties %x", flags)
					return
				}
				p = p[3:]
				id, p = string(p[1:1+p[0]]), p[1+p[0]:]
				to = string(p[1 : 1+p[0]])
			case 3:
				calls.Add(1)
				h := header(len(b))
				h = h[7 : len(h)-1]
				binary.BigEndian.PutUint16(h[12:], 1<<10)
				h = append(append(h, byte(len(id))), id...)
				say(made(1, 60, 40, uint16(0), "", to, byte(0)), framed(2, 1, h), framed(3, 1, b))
			}
		}
	}()
	<-ready
	return calls.Load
}
