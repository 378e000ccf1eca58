package smtp

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

// FuzzRead: whatever a server says, a reply is read or refused, and what is read is no more than was said.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"250 ok\r\n", "250-a\r\n250-b\r\n250 c\r\n", "250\r\n", "354 go\n", "99 a\r\n", "250-a\r\n550 b\r\n", "2500\r\n", "\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		for r, size := bufio.NewReaderSize(bytes.NewReader(said), 64), 0; ; {
			p, err := read(r)
			if err != nil {
				return
			}
			if size += p.size; size > len(said) || p.code < 200 || p.code > 599 {
				t.Fatalf("%+v of %q", p, said)
			}
			for line := range strings.SplitSeq(p.text, "\n") {
				if !bytes.Contains(said, []byte(line)) {
					t.Fatalf("%q was not said", line)
				}
			}
		}
	})
}
