package http

import (
	"io"
	"slices"
	"strings"
	"testing"

	"brunt/targets/targetstest"
)

// readEvents reads a stream that comes n bytes at a time.
func readEvents(s string, n int) (out []string) {
	e := &eventReader{r: targetstest.Pieces([]byte(s), n)}
	for {
		ev, err := e.next()
		if err != nil {
			return out
		}
		out = append(out, ev.kind+"|"+ev.id+"|"+string(ev.data))
	}
}

// The streams of the standard (WHATWG HTML, section 9.2), and its other rules.
func TestEventReader(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         []string
	}{
		{"lines of one event", "data: YHOO\ndata: +2\ndata: 10\n\n", []string{"message||YHOO\n+2\n10"}},
		{
			"comments and ids", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
			[]string{"message|1|first event", "message||second event", "message|| third event"},
		},
		{"empty data", "data\n\ndata\ndata\n\ndata:", []string{"message||", "message||\n"}},
		{"one blank behind the colon", "data:test\n\ndata: test\n\n", []string{"message||test", "message||test"}},
		{
			"types", "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: x\n\n",
			[]string{"add||73857293", "remove||2153", "message||x"},
		},
		{"a type without data is not an event", "event: add\n\ndata: x\n\n", []string{"message||x"}},
		{
			"an id stays", "id: 7\ndata: a\n\ndata: b\n\nid: 8\n\ndata: c\n\n",
			[]string{"message|7|a", "message|7|b", "message|8|c"},
		},
		{"an id with a NUL is none", "id: 7\ndata: a\n\nid: 8\x00\ndata: b\n\n", []string{"message|7|a", "message|7|b"}},
		{"CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []string{"message||a\nb", "message||c"}},
		{"CR", "data: a\rdata: b\r\rdata: c\r\r", []string{"message||a\nb", "message||c"}},
		{"all three", "data: a\r\n\ndata: b\r\r\ndata: c\n\r", []string{"message||a", "message||b", "message||c"}},
		{"a byte order mark", "\ufeffdata: a\n\n", []string{"message||a"}},
		{"one mark only", "\ufeff\ufeffdata: a\n\ndata: b\n\n", []string{"message||b"}},
		{"a mark within", "data: \ufeffa\n\n", []string{"message||\ufeffa"}},
		{"unknown fields, and retry", "retry: 10\nfoo: bar\ndata: a\nDATA: b\n\n", []string{"message||a"}},
		{"a colon in the value", "data: a: b\n\n", []string{"message||a: b"}},
		{"an end without an empty line", "data: a\n\ndata: b\n", []string{"message||a"}},
		{"nothing", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for n := 1; n <= len(c.stream)+1; n++ {
				if got := readEvents(c.stream, n); !slices.Equal(got, c.want) {
					t.Fatalf("%d bytes at a time: got %q, want %q", n, got, c.want)
				}
			}
		})
	}
}

// An event is available at its empty line: the reader does not wait for an LF after a CR.
func TestEventReader_AtOnce(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r\n", "\r\n\r"} {
		r, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, "data: a"+end) }()
		e := &eventReader{r: r}
		if ev, err := e.next(); err != nil || string(ev.data) != "a" {
			t.Errorf("%q: %q, %v", end, ev.data, err)
		}
		_ = w.Close()
	}
}

// However a stream is split, its events are the same, and none holds more bytes than came.
func FuzzEventReader(f *testing.F) {
	for _, s := range []string{
		"data: a\n\n", "\ufeffid: 1\r\nevent: x\r\ndata\r\n\r\n:c\r\rdata: b\r\r", "data:\ndata:\n\n",
	} {
		f.Add(s, uint8(1))
	}
	f.Fuzz(func(t *testing.T, s string, n uint8) {
		whole, cut := readEvents(s, len(s)+1), readEvents(s, int(n)+1)
		if !slices.Equal(whole, cut) {
			t.Fatalf("whole %q, in pieces %q", whole, cut)
		}
		if total := len(strings.Join(whole, "")); total > 10*len(s)+10*len(s)*len(s) {
			t.Fatalf("%d bytes of %d", total, len(s))
		}
	})
}
