package memcached

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzRead: whatever a server says, a frame is read or refused, and a value that is read is one that was sent.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"VA 2 c7\r\nhi\r\n", "VA 0\r\n\r\n", "VA 2\r\nhello\r\n", "VA 4294967295\r\n", "HD c1\r\n", "EN\r\n", "STAT a 1\r\nEND\r\n",
		"CLIENT_ERROR bad\r\n", "VERSION 1.6\r\n", "VALUE a 0 1\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(said), 64)
		for {
			m, err := read(r)
			if err != nil {
				return
			}
			m.flag('c')
			m.refusal()
			if !bytes.Contains(said, m.body) || m.body == nil && m.op == "VA" {
				t.Fatalf("%+v was not said", m)
			}
		}
	})
}
