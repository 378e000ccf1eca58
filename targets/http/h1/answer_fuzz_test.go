package h1_test

import (
	"bufio"
	"testing"

	"brunt/targets/http/h1"
	"brunt/targets/targetstest"

	"github.com/ohler55/ojg/jp"
)

// The same without a network, so that the fuzzer tries more: the reader of answers never
// panics, keeps no more bytes than came, and leaves the bytes after the answer.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.0 404 No\r\nConnection: Close\r\nSet-Cookie: a=b; Path=/\r\n\r\nrest",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n \r\nTrailer: X\r\n\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 4\r\n\r\nabcd",
		"\r\nHTTP/1.1 200\n\n", "HTTP/1.1 999 \r\n\r\n",
	} {
		for _, head := range []bool{false, true} {
			f.Add([]byte(s), head, true, uint16(7))
			f.Add([]byte(s), head, false, uint16(1000))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, head, whole bool, piece uint16) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		src := targetstest.Pieces(b, int(piece)%4096+1)
		br := bufio.NewReaderSize(src, 512)
		a := h1.Answers.New().(*h1.Answer)
		most := 0
		if whole {
			most = h1.MaxBody
		}
		clean, err := a.Read(br, method, most)
		if int64(len(a.Raw)) > a.Size || a.Size > int64(len(b)) || cap(a.Raw) > 4*len(b)+1024 {
			t.Fatalf("kept %d (%d) of %d, of %d that came", len(a.Raw), cap(a.Raw), a.Size, len(b))
		}
		if err != nil {
			if clean {
				t.Fatalf("clean in spite of %v", err)
			}
			return
		}
		if code := a.Status(); code < 101 || code > 999 {
			t.Fatalf("status %d", code)
		}
		if whole && a.Size != int64(len(a.Raw)) {
			t.Fatalf("kept %d of %d", len(a.Raw), a.Size)
		}
		a.Cookies()
		a.Header("X")
		a.Header("Content-Type")
		a.Excerpt()
		a.JSON(jp.MustParseString("$.a.b[0]"))
		a.Reset()
	})
}
