package h1

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

var heads = []struct {
	head   string
	plain  bool
	length int64
}{
	{"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 64\r\nConnection: keep-alive\r\n\r\n", true, 64},
	{"HTTP/1.1 503 \r\ncontent-length:0\r\nSet-Cookie: a=b\r\nset-cookie:\r\n\r\n", true, 0},
	{"HTTP/1.1 201\r\nTransfer-Encoding: Chunked\r\nContent-Encoding: gzip\r\nX: \t b c \r\n\r\n", true, -1},
	// not complete
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", false, 0},
	// nor is this
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r", false, 0},
	// a body up to the end
	{"HTTP/1.1 200 OK\r\n\r\n", false, 0},
	{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, 0},                      // closes
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", false, 0}, // closes
	// perhaps another protocol
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, upgrade\r\n\r\n", false, 0},
	// not the final one
	{"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n", false, 0},
	// no body
	{"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", false, 0},
	// no status
	{"HTTP/1.1 2x0 OK\r\nContent-Length: 5\r\n\r\n", false, 0},
	// no status
	{"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n", false, 0},
	// no status
	{"HTTP/1.1 200\r\r\nContent-Length: 5\r\n\r\n", false, 0},
	// line feeds alone
	{"HTTP/1.1 200 OK\nContent-Length: 5\n\n", false, 0},
	// a folded line
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n c\r\n\r\n", false, 0},
	// a space in the name
	{"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", false, 0},
	// no number
	{"HTTP/1.1 200 OK\r\nContent-Length: 5 \r\n\r\n", false, 0},
	// two lengths
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", false, 0},
	// two framings
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false, 0},
	// an unusual one
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false, 0},
	// a control character
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\x00\r\n\r\n", false, 0},
	// declared trailers
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTrailer: X\r\n\r\n", false, 0},
	// too long
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nLong: " + strings.Repeat("x", mostScanned) + "\r\n\r\n", false, 0},
}

func TestHead_Scan(t *testing.T) {
	for _, c := range heads {
		a := NewAnswer()
		br := bufio.NewReaderSize(strings.NewReader(c.head+"body"), 16<<10)
		_, _ = br.Peek(1)
		if plain := a.scanHead(br); plain != c.plain || plain && (a.length() != c.length || br.Buffered() != len("body")) {
			t.Errorf("%.80q: plain %v, length %d, %d bytes left", c.head, plain, a.length(), br.Buffered())
		}
		a.Release()
	}
}

// What scan reads is what the codec reads.
func FuzzHead(f *testing.F) {
	for _, c := range heads {
		f.Add([]byte(c.head))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a := NewAnswer()
		defer a.Release()
		br := bufio.NewReaderSize(bytes.NewReader(b), max(16, len(b)))
		_, _ = br.Peek(1)
		if !a.scanHead(br) {
			return
		}
		var codec fasthttp.ResponseHeader
		codec.SetNoDefaultContentType(true)
		rest := bufio.NewReaderSize(bytes.NewReader(b), max(16, len(b)))
		if err := codec.Read(rest); err != nil {
			t.Fatalf("plain, but %v", err)
		}
		if rest.Buffered() != br.Buffered() || a.Status() != codec.StatusCode() ||
			a.length() != int64(codec.ContentLength()) {
			t.Fatalf("%d left, status %d, length %d; the codec has %d, %d, %d", br.Buffered(), a.Status(), a.length(),
				rest.Buffered(), codec.StatusCode(), codec.ContentLength())
		}
		if codec.ConnectionClose() || len(codec.Peek("Set-Cookie")) > 0 && !a.SetsCookies() ||
			len(codec.ContentEncoding()) > 0 && !a.scanned.encoded {
			t.Fatalf("closes %v, cookies %q, encoding %q", codec.ConnectionClose(), codec.Peek("Set-Cookie"),
				codec.ContentEncoding())
		}
		if full := a.Head(); full.String() != codec.String() {
			t.Fatalf("%q\nthe codec has\n%q", full, &codec)
		}
	})
}

// BenchmarkAnswer_Read measures an answer that is in the buffer.
func BenchmarkAnswer_Read(b *testing.B) {
	msg := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 20 Nov 2026 09:22:25 GMT\r\nContent-Type: " +
		"text/plain\r\n" +
		"Content-Length: 64\r\nConnection: keep-alive\r\n\r\n" + strings.Repeat("x", 64))
	src := bytes.NewReader(msg)
	br := bufio.NewReaderSize(src, 16<<10)
	a := NewAnswer()
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(msg)
		br.Reset(src)
		_, _ = br.Peek(1)
		a.Reset()
		if clean, err := a.Read(br, "GET", 0); err != nil || !clean {
			b.Fatal(err)
		}
	}
}
