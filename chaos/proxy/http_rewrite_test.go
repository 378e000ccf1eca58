package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/toxics"
)

// rewrites are exchanges and their expected results.
var rewrites = []struct {
	name             string
	toxic            toxics.HTTPRewrite
	ask, asked       string
	answer, answered string
	ends             bool // the server ends the connection after it
}{
	{
		name: "headers of both, the others as they were",
		toxic: toxics.HTTPRewrite{
			Request: http1.Draft{Headers: map[string]*string{"x-tenant": new("evil"), "Cookie": nil}},
			Answer:  http1.Draft{Headers: map[string]*string{"Server": nil, "X-New": new("1")}},
		},
		ask: "GET /a?q=1 HTTP/1.1\r\nhost:  x\r\nX-Tenant: good\r\n and more\r\nx-tenant: twice\r\nX-Odd:\ty\r\ncookie: " +
			"a\r\n\r\n",
		asked:    "GET /a?q=1 HTTP/1.1\r\nhost:  x\r\nX-Odd:\ty\r\nX-Tenant: evil\r\n\r\n",
		answer:   "HTTP/1.1 200 Fine\r\nserver: s\r\ncontent-LENGTH: 2\r\n\r\nok",
		answered: "HTTP/1.1 200 Fine\r\ncontent-LENGTH: 2\r\nX-New: 1\r\n\r\nok",
	},
	{
		name: "path by a pattern, query kept",
		toxic: toxics.HTTPRewrite{Request: http1.Draft{Path: http1.PathDraft{
			Match: regexp.MustCompile(`^/v1/(\w+)`),
			To:    "/v0/$1",
		}}},
		ask:    "GET /v1/posts/a%20b?x=/v1/y HTTP/1.1\r\nHost: x\r\n\r\n",
		asked:  "GET /v0/posts/a%20b?x=/v1/y HTTP/1.1\r\nHost: x\r\n\r\n",
		answer: "HTTP/1.1 204 No Content\r\n\r\n", answered: "HTTP/1.1 204 No Content\r\n\r\n",
	},
	{
		name:  "path that loses its beginning, in bare lines",
		toxic: toxics.HTTPRewrite{Request: http1.Draft{Path: http1.PathDraft{Match: regexp.MustCompile(`^/v1/`), To: ""}}},
		ask:   "GET /v1/posts HTTP/1.1\nHost: x\n\n", asked: "GET /posts HTTP/1.1\r\nHost: x\n\r\n",
		answer: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", answered: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
	},
	{
		name:  "path of a target that is none",
		toxic: toxics.HTTPRewrite{Request: http1.Draft{Path: http1.PathDraft{To: "/new"}}},
		ask:   "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", asked: "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		answer: "HTTP/1.1 204 No Content\r\n\r\n", answered: "HTTP/1.1 204 No Content\r\n\r\n",
	},
	{
		name: "bodies, chunked and compressed",
		toxic: toxics.HTTPRewrite{
			Request: http1.Draft{Body: new("new ask"), Path: http1.PathDraft{To: "/a b"}},
			Answer:  http1.Draft{Status: 202, Body: new("new answer")},
		},
		ask: "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: " +
			"t\r\n\r\n5\r\nhello\r\n00a\r\n0123456789\r\n0\r\n\r\n",
		asked: "PUT /a%20b HTTP/1.1\r\nHost: x\r\nContent-Type: t\r\nContent-Length: 7\r\n\r\nnew ask",
		answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\nTrailer: A\r\nETag: " +
			"1\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
		answered: "HTTP/1.1 202 Accepted\r\nETag: 1\r\nContent-Length: 10\r\n\r\nnew answer",
	},
	{
		name:  "a body where there was none",
		toxic: toxics.HTTPRewrite{Request: http1.Draft{Body: new("new")}, Answer: http1.Draft{Body: new("")}},
		ask:   "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nnew",
		answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", answered: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	},
	{
		name:  "status alone, the body stays",
		toxic: toxics.HTTPRewrite{Answer: http1.Draft{Status: 500}},
		ask:   "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		answered: "HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\nContent-Encoding: " +
			"gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	},
	{
		name:  "a status that has no body",
		toxic: toxics.HTTPRewrite{Answer: http1.Draft{Status: 204, Body: new("x")}},
		ask:   "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		answer:   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello",
		answered: "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
	},
	{
		name:  "a status that has one, after one that had none",
		toxic: toxics.HTTPRewrite{Answer: http1.Draft{Status: 200}},
		ask:   "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		answer:   "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
		answered: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	},
	{
		name:  "HEAD",
		toxic: toxics.HTTPRewrite{Answer: http1.Draft{Body: new("four")}},
		ask:   "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n",
		answer: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", answered: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n",
	},
	{
		name:  "interim answers stay",
		toxic: toxics.HTTPRewrite{Answer: http1.Draft{Status: 418}},
		ask:   "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		answer:   "HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
		answered: "HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 418 I'm a teapot\r\nContent-Length: 1\r\n\r\nx",
	},
	{
		name:  "a body that ends with the connection",
		toxic: toxics.HTTPRewrite{Answer: http1.Draft{Body: new("new")}},
		ask:   "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		answer:   "HTTP/1.1 200 OK\r\nA: b\r\n\r\nHTTP/1.1 this is the body",
		answered: "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\nnew",
		ends:     true,
	},
	{
		name:  "an empty line before",
		toxic: toxics.HTTPRewrite{Request: http1.Draft{Headers: map[string]*string{"A": new("b")}}},
		ask:   "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", asked: "GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n",
		answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", answered: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
	},
}

const (
	leaveMe = "DELETE /leave HTTP/1.1\r\nHost: x\r\nA: a\r\nContent-Length: 3\r\n\r\nabc"
	left    = "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 2\r\n\r\nno"
)

// TestHTTPRewrite checks that exactly the requested parts change, for any pieces, and that other
// exchanges on the same connection pass unchanged.
func TestHTTPRewrite(t *testing.T) {
	for _, tc := range rewrites {
		for _, piece := range []int{1 << 20, 1} {
			t.Run(fmt.Sprintf("%s in pieces of %d", tc.name, piece), func(t *testing.T) {
				wants := func(c net.Conn, end, s string) {
					t.Helper()
					got := make([]byte, len(s))
					if n, err := io.ReadFull(c, got); err != nil || string(got) != s {
						t.Errorf("%s got\n%q, %v, want\n%q", end, got[:n], err, s)
					}
				}
				p := start(t, serve(t, func(c *net.TCPConn) {
					_ = c.SetDeadline(time.Now().Add(patience))
					wants(c, "the upstream", leaveMe)
					inPieces(c, left, piece)
					wants(c, "the upstream", tc.asked)
					inPieces(c, tc.answer, piece)
					if tc.ends {
						return
					}
					wants(c, "the upstream", leaveMe)
					inPieces(c, left, piece)
				}), proxy.Config{HTTP: true})
				tc.toxic.Method = strings.Fields(tc.ask)[0]
				x := add(t, p, tc.toxic)
				below := add(t, p, toxics.Slicer{Size: 3})
				c := dial(t, p)
				inPieces(c, leaveMe, piece)
				wants(c, "the client", left)
				inPieces(c, tc.ask, piece)
				wants(c, "the client", tc.answered)
				if tc.ends {
					isEnded(t, c)
				} else {
					inPieces(c, leaveMe, piece)
					wants(c, "the client", left)
				}
				if s := x.Seen(); s.Hit != 1 || s.Passed != 0 || s.Connections != 1 || s.Forward != int64(len(tc.ask)) {
					t.Errorf("it met %+v", s)
				}
				remove(t, below)
				remove(t, x)
			})
		}
	}
}

// Rewrites apply one after another; for the same part the later one wins.
func TestRewritesCombine(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true})
	add(t, p, toxics.HTTPRewrite{
		Request: http1.Draft{Path: http1.PathDraft{Match: regexp.MustCompile("a"), To: "b"}},
		Answer:  http1.Draft{Status: 201, Headers: map[string]*string{"A": new("1"), "B": new("1")}},
	})
	second := add(t, p, toxics.HTTPRewrite{
		Request: http1.Draft{Path: http1.PathDraft{Match: regexp.MustCompile("b"), To: "c"}},
		Answer:  http1.Draft{Headers: map[string]*string{"b": new("2")}},
	})
	c := dial(t, p)
	br := bufio.NewReader(c)
	ask := func() *http.Response {
		fmt.Fprint(c, "GET /aa HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Status = string(b)
		return resp
	}
	if r := ask(); r.Status != "GET /cc 0" || r.StatusCode != 201 || r.Header.Get("A") != "1" || r.Header.Get("B") != "2" {
		t.Errorf("it is %+v", r)
	}
	remove(t, second)
	if r := ask(); r.Status != "GET /bb 0" || r.StatusCode != 201 || r.Header.Get("B") != "1" {
		t.Errorf("without the second it is %+v", r)
	}
}

// A response after the removal is not changed, although its request was selected. The proxy's own
// responses are not changed either.
func TestRewriteRemovedMeanwhile(t *testing.T) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	p := start(t, serve(t, func(c *net.TCPConn) {
		for br := bufio.NewReader(c); ; {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			asked <- struct{}{}
			<-goOn
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
		}
	}), proxy.Config{HTTP: true})
	x := add(t, p, toxics.HTTPRewrite{Answer: http1.Draft{Status: 500, Body: new("new")}})
	c := dial(t, p)
	br := bufio.NewReader(c)
	for i, want := range []string{"500 new", "200 old"} {
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-asked
		if i == 1 {
			remove(t, x)
		}
		goOn <- struct{}{}
		if status, body := answered(t, br, "GET"); fmt.Sprint(status, " ", body) != want {
			t.Errorf("%d %s, want %s", status, body, want)
		}
	}
	add(t, p, toxics.HTTPRewrite{Answer: http1.Draft{Status: 500}})
	add(t, p, toxics.HTTPError{Status: 418})
	if status, _ := get(t, c, br, "GET", "/", ""); status != 418 {
		t.Errorf("the proxy's own answer has status %d", status)
	}
}

// Non-HTTP data after a rewritten message passes. Data after a message that could not be parsed to
// its end belongs to it, and is dropped with its body.
func TestRewriteThenStrange(t *testing.T) {
	const asked = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nnew"
	for _, tc := range []struct{ ask, rest string }{
		{"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nold\x16\x03\x01", "\x16\x03\x01"},
		{"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\x16\x03\x01", ""},
	} {
		got := make(chan string, 1)
		p := start(t, serve(t, func(c *net.TCPConn) {
			b, _ := io.ReadAll(c)
			got <- string(b)
		}), proxy.Config{HTTP: true})
		add(t, p, toxics.HTTPRewrite{Request: http1.Draft{Body: new("new")}})
		c := dial(t, p)
		_, _ = io.WriteString(c, tc.ask)
		_ = c.CloseWrite()
		if b := <-got; b != asked+tc.rest {
			t.Errorf("%q became %q, want %q", tc.ask, b, asked+tc.rest)
		}
	}
}

// TestRewriteShare checks that a share of the requests is changed, each in both directions or in
// none.
func TestRewriteShare(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true, Seed: 1})
	x := add(t, p, toxics.HTTPRewrite{
		Request: http1.Draft{Path: http1.PathDraft{To: "/new"}}, Answer: http1.Draft{Status: 299}, Share: .2, Path: "/o*",
	})
	c := dial(t, p)
	br := bufio.NewReader(c)
	hit := 0
	for range 1000 {
		status, body := get(t, c, br, "POST", "/old", "abc")
		switch fmt.Sprint(status, " ", body) {
		case "299 POST /new 3":
			hit++
		case "200 POST /old 3":
		default:
			t.Fatalf("%d %s", status, body)
		}
	}
	// Of 1000 at 20 %, fewer than 140 or more than 260 have a probability of three in a million.
	if s := x.Seen(); hit < 140 || hit > 260 || s.Hit != int64(hit) || s.Passed != int64(1000-hit) {
		t.Errorf("%d are hit, and it met %+v", hit, s)
	}
}
