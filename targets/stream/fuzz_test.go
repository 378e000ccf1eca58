package stream

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/gobwas/ws"
)

// FuzzWebSocket: whatever a server sends, reading it ends, and a message is no longer than what came.
func FuzzWebSocket(f *testing.F) {
	for _, one := range []ws.Frame{
		ws.NewTextFrame([]byte("hello")), ws.NewBinaryFrame([]byte{1, 2}), ws.NewPingFrame([]byte("x")), ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "bye")),
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
		w := &webSocket{compressed: true, began: func() {}, answer: func(op ws.OpCode, data []byte) { appendMasked(nil, op, 0, data) }}
		for range len(b) + 1 {
			data, _, err := w.read(br)
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

// FuzzFraming: what is written with a framing is read again, and whatever a server sends, reading it ends.
func FuzzFraming(f *testing.F) {
	f.Add("hello", []byte("hello\r\nthere\n"))
	f.Add("", []byte{0, 0, 0, 9, 1})
	f.Fuzz(func(t *testing.T, text string, b []byte) {
		for _, how := range []framing{{until: "\r\n\r\n"}, {length: 1}, {length: 4}, {length: 8}, {bytes: 3}} {
			br := bufio.NewReader(bytes.NewReader(b))
			for n := 0; ; n++ {
				if _, err := how.read(br, func() {}); err != nil {
					break
				}
				if n > len(b) {
					t.Fatal("more messages than bytes")
				}
			}
			wire, err := how.append(nil, []byte(text))
			if err != nil || how.bytes > 0 {
				continue
			}
			back, err := how.read(bufio.NewReader(io.MultiReader(bytes.NewReader(wire), bytes.NewReader(b))), func() {})
			if how.until != "" && bytes.Contains(wire[:len(wire)-1], []byte(how.until)) {
				continue // the text's end and the delimiter make an earlier one
			}
			if err != nil || string(back) != text {
				t.Fatalf("%q came back as %q: %v", text, back, err)
			}
		}
	})
}
