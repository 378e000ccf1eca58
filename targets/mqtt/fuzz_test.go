package mqtt

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzRead: whatever a server says, a packet is read or refused, and a message that is read is one that was sent.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"\x20\x03\x00\x00\x00", "\x20\x02\x01\x00", "\x20\x06\x00\x87\x03\x1f\x00\x00", "\x30\x06\x00\x01a\x00hi",
		"\x3c\x08\x00\x01a\x00\x07\x00hi", "\x40\x02\x00\x07", "\x40\x03\x00\x07\x10", "\x50\x04\x00\x07\x00\x00", "\x62\x02\x00\x07",
		"\x90\x04\x00\x07\x00\x01", "\xd0\x00", "\xe0\x01\x8b", "\xe0\x00", "\x30\xff\xff\xff\xff", "\x30\x80\x80\x80\x01",
		"\x30\x0a\x00\x01a\x05\x26\x00\x01a\x00\x00", "\x20\x08\x00\x00\x05\x13\x00\x3c\x24\x01",
	} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, said []byte, five bool) {
		version := byte(4)
		if five {
			version = 5
		}
		r := bufio.NewReaderSize(bytes.NewReader(said), 16)
		for {
			p, err := read(r, version)
			if err != nil {
				return
			}
			if !bytes.Contains(said, p.body) || !bytes.Contains(said, []byte(p.topic)) || p.kind == publish && p.topic == "" {
				t.Fatalf("%+v was not said", p)
			}
		}
	})
}

// FuzzMatches: every filter has the topics of its own levels, and # has all but those that begin with $.
func FuzzMatches(f *testing.F) {
	f.Add("a/b/c")
	f.Add("$SYS/a")
	f.Add("/")
	f.Fuzz(func(t *testing.T, topic string) {
		if badTopic(topic) != nil || badFilter(topic) != nil {
			return
		}
		if topic[0] != '$' && (!matches(topic, topic) || !matches("#", topic) || !matches(topic+"/#", topic)) {
			t.Errorf("%q does not match itself", topic)
		}
		if matches(topic+"/x", topic) || matches(topic+"/+", topic) {
			t.Errorf("%q has a further level", topic)
		}
	})
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/+", "a/b", true},
		{"a/+", "a", false},
		{"a/+", "a/", true},
		{"a/+/c", "a/b/c", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"+", "/a", false},
		{"+/+", "/a", true},
		{"#", "$SYS/a", false},
		{"+/a", "$SYS/a", false},
		{"$SYS/#", "$SYS/a", true},
		{"$share/g/a/+", "a/b", true},
		{"$share/g/a/+", "b/b", false},
	} {
		if got := matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s, %s: %t", c.filter, c.topic, got)
		}
	}
}
