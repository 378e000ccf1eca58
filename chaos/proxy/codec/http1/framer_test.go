package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"brunt/chaos/proxy/codec/http1/http1test"
)

// A message is the position of a message that a framer found.
type message struct{ from, to int } // to is -1 where it did not end

// framed returns the messages that a framer finds in b, fed in pieces, and the position at which
// raw data begins.
func framed(
	t testing.TB, b []byte, piece int, begin func([]byte) (int, Framing, uint64, error),
) (ms []message, raw int) {
	t.Helper()
	var got []byte
	raw = -1
	f := Framer{Begin: begin, Broken: func() {}}
	f.Emit = func(b []byte, first, last bool) {
		if first {
			ms = append(ms, message{len(got), -1})
		}
		got = append(got, b...)
		if last {
			ms[len(ms)-1].to = len(got)
		}
		if raw < 0 && f.Raw && !first && !last {
			raw = len(got) - len(b)
		}
	}
	for rest := b; len(rest) > 0; {
		n := min(piece, len(rest))
		f.Feed(slices.Clone(rest[:n]))
		rest = rest[n:]
	}
	waiting := len(f.head)
	if len(got)+waiting != len(b) {
		t.Fatalf("%d bytes came out of %d, %d wait", len(got), len(b), waiting)
	}
	if waiting > maxHeader {
		t.Fatalf("%d bytes wait", waiting)
	}
	f.Flush()
	if !bytes.Equal(got, b) {
		t.Fatalf("%q came out of %q", got, b)
	}
	return ms, raw
}

func beginRequest(b []byte) (int, Framing, uint64, error) {
	r, n, err := ReadRequest(b)
	if err != nil {
		return 0, NoBody, 0, err
	}
	body, size := FramingOf(r.ContentLength, r.TransferEncoding)
	return n, body, size, nil
}

func beginResponse(b []byte) (int, Framing, uint64, error) {
	r, n, err := ReadResponse(b, "GET")
	if err != nil {
		return 0, NoBody, 0, err
	}
	if !BodyAllowed(r.StatusCode) {
		return n, NoBody, 0, nil
	}
	body, size := FramingOf(r.ContentLength, r.TransferEncoding)
	return n, body, size, nil
}

// standard returns the requests that net/http finds in b and reads to their end.
func standard(b []byte) (ms []message) {
	src := bytes.NewReader(b)
	br := bufio.NewReaderSize(src, 1<<20)
	at := func() int { return len(b) - src.Len() - br.Buffered() }
	for {
		m := message{from: at()}
		r, err := http.ReadRequest(br)
		if err != nil || r.Method == "PRI" {
			return ms
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return ms
		}
		m.to = at()
		ms = append(ms, m)
	}
}

func TestFramerFindsWhatNetHTTPFinds(t *testing.T) {
	var stream strings.Builder
	n := 0
	for _, e := range http1test.Exchanges() {
		if !e.Foreign && e.Name != "empty line before" {
			stream.WriteString(e.Request)
			n++
		}
	}
	b := []byte(stream.String())
	want := standard(b)
	if len(want) != n {
		t.Fatalf("net/http finds %d of %d requests", len(want), n)
	}
	for _, piece := range []int{1, 2, 3, 7, 100, 1 << 20} {
		if got, raw := framed(t, b, piece, beginRequest); !slices.Equal(got, want) || raw >= 0 {
			t.Errorf("in pieces of %d: %v, raw from %d, want %v", piece, got, raw, want)
		}
	}
}

func TestFramerGivesUpAtOnce(t *testing.T) {
	// Data that can't be HTTP must not wait for more.
	for _, s := range []string{
		"\x00", "\x16\x03", "GET /\x00", " GET", "(", "HELLO\r\n", "GET / HTTP\r\n", "\r\n\r\n\r\n", strings.Repeat("A", 65),
	} {
		if _, raw := framed(t, []byte(s), 1<<20, beginRequest); raw != 0 {
			t.Errorf("%q waits", s)
		}
	}
	for _, s := range []string{"\x00", "X", "HTTX", "ICY 200 OK"} {
		if _, raw := framed(t, []byte(s), 1<<20, beginResponse); raw != 0 {
			t.Errorf("the answer %q waits", s)
		}
	}
}

func FuzzFramer(f *testing.F) {
	for i, e := range http1test.Exchanges() {
		if len(e.Request) < 10_000 {
			f.Add([]byte(e.Request+http1test.HitMe), uint8(i))
			f.Add([]byte(e.Response), uint8(i))
		}
	}
	f.Add([]byte("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n"), uint8(3))
	f.Add([]byte("GET / HTTP/1.1\r\nA: b\r\n c\r\n\t\r\n\r\n"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		whole, raw := framed(t, b, 1<<20, beginRequest)
		if parts, rawParts := framed(t, b, 1+int(piece), beginRequest); !slices.Equal(whole, parts) ||
			raw >= 0 != (rawParts >= 0) {
			t.Errorf("in pieces %v raw %d, at once %v raw %d", parts, rawParts, whole, raw)
		}
		framed(t, b, 1+int(piece), beginResponse)
		framed(t, b, 1<<20, beginResponse)
		want := standard(b)
		if len(whole) < len(want) || !slices.Equal(whole[:len(want)], want) {
			t.Errorf("%q: found %v, net/http finds %v", b, whole, want)
		}
	})
}

func BenchmarkFramer(b *testing.B) {
	for _, size := range []int{0, 1000} {
		b.Run(fmt.Sprintf("body=%d", size), func(b *testing.B) {
			msg := fmt.Appendf(nil,
				"POST /posts/17 HTTP/1.1\r\nHost: example\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", size,
				strings.Repeat("x", size))
			f := Framer{Begin: beginRequest, Emit: func([]byte, bool, bool) {}}
			b.ReportAllocs()
			for b.Loop() {
				f.Feed(msg)
			}
		})
	}
}
