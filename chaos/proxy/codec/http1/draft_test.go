package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"regexp"
	"testing"
)

// FuzzRewrite checks that a rewritten message is still a message and contains the requested
// changes.
func FuzzRewrite(f *testing.F) {
	for _, seed := range [][2]string{
		{
			"GET /old?q=1 HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: s\r\n\r\nhello",
		},
		{"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 204 No Content\r\n\r\n"},
		{
			"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		},
		{"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil the end"},
		{"\r\nGET /a%2f HTTP/1.1\nhost: x\nX-Fold: a\n b\n\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, ask, answer []byte) {
		forRequest := Draft{
			Path:    PathDraft{Match: regexp.MustCompile("[0-9a]+"), To: "n"},
			Headers: map[string]*string{"X-New": new("1"), "Cookie": nil},
			Body:    new("new"),
		}
		forAnswer := Draft{Status: 299, Headers: map[string]*string{"X-New": new("1"), "Server": nil}, Body: new("new")}
		q, n, err := ReadRequest(ask)
		if err != nil {
			return
		}
		v := ReviseRequest(ask[:n], []*Draft{&forRequest})
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(v.head)))
		if err != nil {
			t.Fatalf("%q became %q: %v", ask[:n], v.head, err)
		}
		if b, err := io.ReadAll(got.Body); string(b) != "new" || err != nil || got.Header.Get("X-New") != "1" ||
			got.Header.Get("Cookie") != "" ||
			got.Method != q.Method {
			t.Fatalf("%q became %q: %q, %v", ask[:n], v.head, b, err)
		}
		h, n, err := ReadResponse(answer, "GET")
		if err != nil || h.StatusCode < 200 {
			return
		}
		v = ReviseAnswer(answer[:n], h, "GET", []*Draft{&forAnswer})
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(v.head)), nil)
		if err != nil {
			t.Fatalf("%q became %q: %v", answer[:n], v.head, err)
		}
		if b, err := io.ReadAll(resp.Body); string(b) != "new" || err != nil || resp.StatusCode != 299 ||
			resp.Header.Get("X-New") != "1" ||
			resp.Header.Get("Server") != "" {
			t.Fatalf("%q became %q: %q, %v", answer[:n], v.head, b, err)
		}
	})
}
