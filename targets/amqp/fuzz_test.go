package amqp

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzRead: whatever a server says, a method is read or refused, and a content that is read is one that was sent.
func FuzzRead(f *testing.F) {
	var w writer
	w.begin(0, connectionStart).octet(0).octet(9).table([]field{{"a", "b"}, {"n", int64(7)}})
	w.longText("PLAIN").longText("en").end()
	f.Add(bytes.Clone(w.b))
	w = writer{}
	w.begin(one, basicDeliver).shortText("t").longlong(1).bits(false).shortText("").shortText("q").end()
	w.content(one, &properties{correlation: "7", replyTo: "r", persistent: true, headers: []field{{"a", true}}},
		bytes.Repeat([]byte("x"), 40), 24)
	f.Add(bytes.Clone(w.b))
	f.Add([]byte("AMQP\x00\x00\x09\x01"))
	f.Add([]byte("\x08\x00\x00\x00\x00\x00\x00\xce"))
	f.Fuzz(func(t *testing.T, said []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(said), 16)
		for {
			m, err := read(r)
			if err != nil {
				return
			}
			if len(m.body) > len(said) || !bytes.Contains(said, []byte(m.correlation)) {
				t.Fatalf("%+v was not said", m)
			}
			m.refusal()
			m.tag()
		}
	})
}

// TestContent_Read: a content that is sent is read as it was, with its properties and in several frames.
func TestContent_Read(t *testing.T) {
	body := bytes.Repeat([]byte("hello "), 1000)
	for _, p := range []properties{
		{},
		{correlation: "7"},
		{correlation: "8", replyTo: "r", persistent: true, headers: []field{{"a", "b"}, {"c", int64(-1)}}},
	} {
		var w writer
		w.begin(one, basicDeliver).shortText("tag").longlong(9).bits(true).shortText("").shortText("q").end()
		w.content(one, &p, body, leastFrame)
		m, err := read(bufio.NewReader(bytes.NewReader(w.b)))
		tag, again := m.tag()
		if err != nil || m.method != basicDeliver || m.correlation != p.correlation || !bytes.Equal(m.body, body) ||
			tag != 9 || !again {
			t.Errorf("%+v is read as %q of %d bytes, %v", p, m.correlation, len(m.body), err)
		}
	}
}
