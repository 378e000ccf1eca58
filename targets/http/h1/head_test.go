package h1

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

const okay, five = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"

var heads = []struct {
	name, head string
	plain      bool
	length     int64
}{
	{"plain", okay + "Server: x\r\nContent-Length: 64\r\nConnection: keep-alive\r\n\r\n", true, 64},
	{"cookies", "HTTP/1.1 503 \r\ncontent-length:0\r\nSet-Cookie: a=b\r\nset-cookie:\r\n\r\n", true, 0},
	{"chunks", "HTTP/1.1 201\r\nTransfer-Encoding: Chunked\r\nContent-Encoding: gzip\r\nX: \t b c \r\n\r\n", true, -1},
	{"a tab in a long value", five + "A: 0123456789\tabcdef\r\n\r\n", true, 5},
	{"a long value in Latin 1", five + "A: 0123456\x80\xff\xa0\r\n\r\n", true, 5},
	{"not complete", five, false, 0},
	{"without its last byte", five + "\r", false, 0},
	{"a body up to the end", okay + "\r\n", false, 0},
	{"HTTP/1.0, which closes", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, 0},
	{"closes", five + "Connection: close\r\n\r\n", false, 0},
	{"perhaps another protocol", five + "Connection: keep-alive, upgrade\r\n\r\n", false, 0},
	{"not the final one", "HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n", false, 0},
	{"no body", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", false, 0},
	{"a letter in the status", "HTTP/1.1 2x0 OK\r\nContent-Length: 5\r\n\r\n", false, 0},
	{"a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n", false, 0},
	{"a return behind the status", "HTTP/1.1 200\r\r\nContent-Length: 5\r\n\r\n", false, 0},
	{"line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 5\n\n", false, 0},
	{"a line feed alone at the end", five + "\n", false, 0},
	{"a line feed alone in the middle", five + "A: b\n\r\n", false, 0},
	{"a folded line", five + "A: b\r\n c\r\n\r\n", false, 0},
	{"a space in a name", okay + "Content-Length : 5\r\n\r\n", false, 0},
	{"a space behind the length", okay + "Content-Length: 5 \r\n\r\n", false, 0},
	{"a length of 16 digits", okay + "Content-Length: 1234567890123456\r\n\r\n", false, 0},
	{"two lengths", five + "Content-Length: 6\r\n\r\n", false, 0},
	{"two framings", five + "Transfer-Encoding: chunked\r\n\r\n", false, 0},
	{"an unusual framing", okay + "Transfer-Encoding: gzip, chunked\r\n\r\n", false, 0},
	{"a control character", five + "A: b\x00\r\n\r\n", false, 0},
	{"a control character in a long value", five + "A: 0123456789abcde\x1f0123456789\r\n\r\n", false, 0},
	{"a DEL in a long value", five + "A: 0123456789abcdef\x7f0123456789\r\n\r\n", false, 0},
	{"a return in a value", five + "A: b\rc\r\n\r\n", false, 0},
	{"declared trailers", five + "Trailer: X\r\n\r\n", false, 0},
	{"too long", five + "Long: " + strings.Repeat("x", mostScanned) + "\r\n\r\n", false, 0},
}

func TestAnswer_Scan(t *testing.T) {
	for _, c := range heads {
		t.Run(c.name, func(t *testing.T) {
			a := NewAnswer()
			defer a.Release()
			br := bufio.NewReaderSize(strings.NewReader(c.head+"body"), 16<<10)
			_, _ = br.Peek(1)
			plain := a.scan(br)
			if plain != c.plain || plain && (a.length() != c.length || br.Buffered() != len("body")) {
				t.Errorf("%.80q: plain %v, length %d, %d bytes left", c.head, plain, a.length(), br.Buffered())
			}
		})
	}
}

// FuzzHead: the codec accepts each header that the scan accepts, and reads the same in it.
func FuzzHead(f *testing.F) {
	for _, c := range heads {
		f.Add([]byte(c.head))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a := NewAnswer()
		defer a.Release()
		br := bufio.NewReaderSize(bytes.NewReader(b), max(16, len(b)))
		_, _ = br.Peek(1)
		if !a.scan(br) {
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
			string(codec.ContentEncoding()) != a.encoding() {
			t.Fatalf("closes %v, cookies %q, encoding %q", codec.ConnectionClose(), codec.Peek("Set-Cookie"),
				codec.ContentEncoding())
		}
		if full := a.Head(); full.String() != codec.String() {
			t.Fatalf("%q\nthe codec has\n%q", full, &codec)
		}
	})
}
