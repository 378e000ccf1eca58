package websocket

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/gobwas/ws"
)

// FuzzWebSocket: whatever a server sends, reading it ends, and a message is no longer than what came.
func FuzzWebSocket(f *testing.F) {
	for _, one := range []ws.Frame{
		ws.NewTextFrame([]byte("hello")), ws.NewBinaryFrame([]byte{1, 2}), ws.NewPingFrame([]byte("x")),
		ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "bye")),
		ws.NewFrame(ws.OpText, false, []byte("he")), ws.NewFrame(ws.OpContinuation, true, []byte("llo")),
	} {
		b, err := ws.CompileFrame(one)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x81, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		br := bufio.NewReader(bytes.NewReader(b))
		w := &Reader{
			Compressed: true, Began: func() {}, Answer: func(op ws.OpCode, data []byte) { AppendMasked(nil, op, 0, data) },
		}
		for range len(b) + 1 {
			data, _, err := w.Read(br, nil)
			if err != nil {
				return
			}
			if len(data) > 1100*len(b) { // a byte of deflate holds 1032 at most
				t.Fatalf("%d bytes of %d", len(data), len(b))
			}
		}
		t.Fatal("more messages than bytes")
	})
}
