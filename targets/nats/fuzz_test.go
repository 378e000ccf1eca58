package nats

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzRead: whatever a server says, a frame is read or refused, and a message that is read is one that was sent.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"MSG a 1 5\r\nhello\r\n", "MSG a 1 r 0\r\n\r\n", "HMSG a 1 12 17\r\nNATS/1.0\r\n\r\nhello\r\n", "PING\r\n", "+OK\r\n",
		"INFO {}\r\n", "-ERR 'no'\r\n", "HMSG a 1 r 99 5\r\n", "MSG a 1 -1\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(said), 16)
		for {
			m, err := read(r)
			if err != nil {
				return
			}
			m.status()
			m.header("Nats-Service-Error-Code")
			if m.op == "MSG" && !bytes.Contains(said, append(bytes.Clone(m.headers), m.body...)) {
				t.Fatalf("%+v was not said", m)
			}
		}
	})
}

// TestPublish_Read: what is published is read as it was.
func TestPublish_Read(t *testing.T) {
	headers, body := []byte("NATS/1.0\r\nA: b\r\n\r\n"), []byte("hello\r\n")
	for _, c := range []struct {
		reply   string
		headers []byte
	}{{"", nil}, {"r", nil}, {"", headers}, {"r", headers}} {
		said := appendPublish(nil, "s", c.reply, c.headers, body)
		// a server adds the number of the subscription
		said = bytes.Replace(said, []byte("PUB s"), []byte("MSG s 1"), 1)
		m, err := read(bufio.NewReader(bytes.NewReader(said)))
		if err != nil || m.subject != "s" || m.reply != c.reply || !bytes.Equal(m.body, body) ||
			!bytes.Equal(m.headers, c.headers) {
			t.Errorf("%q is read as %+v, %v", said, m, err)
		}
	}
}
