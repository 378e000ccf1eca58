package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// exchanges are requests with what a server answers to each, in bytes that show
// whoever rewrites them.
var exchanges = []struct {
	name    string
	ask     string
	answer  string
	ends    bool // the server ends the connection with it
	strange bool // it is the last that can be told apart
}{
	{name: "simple", ask: "GET /a HTTP/1.1\r\nhost: x\r\nX-Odd:   spaces  \r\n\r\n", answer: "HTTP/1.1 200 Fine\r\ncontent-LENGTH: 5\r\nx-odd:\tyes\r\n\r\nhello"},
	{name: "body", ask: "POST /a?q=/hit HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\nGET /hit HTTP/1.1\r\nA: b\r\n\r\n", answer: "HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n"},
	{name: "chunked", ask: "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=\"1\"\r\nhello\r\n00a\r\n0123456789\r\n0\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
	{name: "trailers", ask: "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n"},
	{name: "length and chunked", ask: "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
	{name: "head", ask: "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
	{name: "204", ask: "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 204 No Content\r\n\r\n"},
	{name: "304", ask: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"},
	{name: "interim", ask: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
	{name: "bare LF", ask: "GET /a HTTP/1.1\nhost: x\n\n", answer: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx"},
	{name: "empty line before", ask: "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
	{name: "HTTP/1.0 keep-alive", ask: "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"},
	{name: "no length", ask: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 this is the body", ends: true},
	{name: "close", ask: "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", ends: true},
	{name: "upgrade", ask: "GET /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n", answer: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n\x01\x02HTTP/", strange: true},
	{name: "tunnel", ask: "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", answer: "HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01", strange: true},
	{name: "HTTP/2", ask: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", answer: "\x00\x00\x00\x04\x01\x00\x00\x00\x00", strange: true},
	{name: "TLS", ask: "\x16\x03\x01\x02\x00\x01", answer: "\x16\x03\x03", strange: true},
	{name: "lines", ask: "PING\r\n", answer: "+PONG\r\n", strange: true},
	{name: "no version", ask: "GET /a\r\n", answer: "<html>", strange: true},
	{name: "bad header", ask: "GET /a HTTP/1.1\r\n: x\r\n\r\n", answer: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", strange: true},
	{name: "bad length", ask: "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", answer: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", strange: true},
	{name: "bad chunk", ask: "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", answer: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", strange: true},
	{name: "bad answer", ask: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "ICY 200 OK\r\n\r\nla la la", strange: true},
	{name: "bad answer's chunk", ask: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX", strange: true},
	{name: "huge header", ask: "GET /a HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", maxHeader) + "\r\n\r\n", answer: "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n", strange: true},
}

const hitMe = "GET /hit HTTP/1.1\r\nHost: x\r\n\r\n"

// TestExchangesPass wants every exchange to pass unchanged, in any pieces, while a
// toxic hits other requests of the same connection, before and after.
func TestExchangesPass(t *testing.T) {
	want503 := string(newAnswer(HTTPError{Status: 503}).to(&request{method: "GET"}))
	for _, tc := range exchanges {
		for _, piece := range []int{1 << 20, 1} {
			if piece == 1 && len(tc.ask) > 10_000 {
				continue
			}
			t.Run(fmt.Sprintf("%s in pieces of %d", tc.name, piece), func(t *testing.T) {
				p := start(t, serve(t, func(c *net.TCPConn) {
					got := make([]byte, len(tc.ask))
					if _, err := io.ReadFull(c, got); err != nil || string(got) != tc.ask {
						t.Errorf("the upstream got %.200q, %v", got, err)
					}
					inPieces(c, tc.answer, piece)
					if tc.ends {
						return
					}
					echo(c)
				}), Config{HTTP: true})
				x := add(t, p, HTTPError{Path: "/hit"})
				c := dial(t, p)
				want := func(s string) {
					t.Helper()
					got := make([]byte, len(s))
					if n, err := io.ReadFull(c, got); err != nil || string(got) != s {
						t.Fatalf("got %q, %v, want %q", got[:n], err, s)
					}
				}
				inPieces(c, hitMe, piece)
				want(want503)
				inPieces(c, tc.ask, piece)
				want(tc.answer)
				switch {
				case tc.ends:
					isEnded(t, c)
				case tc.strange: // out of the toxic's reach, but through
					inPieces(c, hitMe, piece)
					want(hitMe)
				default:
					inPieces(c, hitMe, piece)
					want(want503)
				}
				met := int64(2)
				if tc.ends || tc.strange {
					met = 1
				}
				if s := x.Seen(); s.Hit != met || s.Passed != 0 || s.Connections != 1 || s.Forward != met*int64(len(hitMe)) {
					t.Errorf("it met %+v", s)
				}
			})
		}
	}
}

func inPieces(w io.Writer, s string, n int) {
	for len(s) > 0 {
		m := min(n, len(s))
		_, _ = io.WriteString(w, s[:m])
		s = s[m:]
	}
}
