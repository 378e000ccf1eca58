package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"testing"
)

// FuzzFraming: what is written with a framing is read again, and whatever a server sends, reading it ends.
func FuzzFraming(f *testing.F) {
	f.Add("hello", []byte("hello\r\nthere\n"))
	f.Add("", []byte{0, 0, 0, 9, 1})
	f.Fuzz(func(t *testing.T, text string, b []byte) {
		body := framing{until: "\r\n", body: regexp.MustCompile(`^BODY ([0-9]+)$`)}
		if wire, err := body.append(nil, fmt.Appendf(nil, "BODY %d\r\n%s", len(text), text)); err != nil {
			t.Fatal(err)
		} else if back, err := body.read(bufio.NewReader(bytes.NewReader(wire)), nil, func() {}); err != nil ||
			!bytes.Equal(back, wire[:len(wire)-2]) {
			t.Fatalf("%q came back as %q: %v", wire, back, err)
		}
		for _, how := range []framing{
			body, {until: "\r\n\r\n"}, {length: 1}, {length: 4}, {length: 8}, {length: 2, after: 3}, {bytes: 3},
		} {
			br := bufio.NewReader(bytes.NewReader(b))
			for n := 0; ; n++ {
				if _, err := how.read(br, nil, func() {}); err != nil {
					break
				}
				if n > len(b) {
					t.Fatal("more messages than bytes")
				}
			}
			wire, err := how.append(nil, []byte(text))
			if err != nil || how.bytes > 0 || how.after > len(text) {
				continue
			}
			back, err := how.read(bufio.NewReader(io.MultiReader(bytes.NewReader(wire), bytes.NewReader(b))), nil, func() {})
			if how.until != "" && bytes.Contains(wire[:len(wire)-1], []byte(how.until)) {
				continue // the text's end and the delimiter make an earlier one
			}
			if err != nil || string(back) != text {
				t.Fatalf("%q came back as %q: %v", text, back, err)
			}
		}
	})
}
