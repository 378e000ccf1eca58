// Package http1test provides HTTP/1.x exchanges for tests of parsers and proxies.
package http1test

import "strings"

// HitMe is a request for the path /hit.
const HitMe = "GET /hit HTTP/1.1\r\nHost: x\r\n\r\n"

// An Exchange is a request and its response, as bytes.
type Exchange struct {
	Name     string
	Request  string
	Response string
	Closes   bool // the server closes the connection after the response
	Foreign  bool // no later message of the connection can be parsed
}

// Exchanges lists requests and responses, valid and invalid, in forms that show whether a parser has rewritten
// them.
func Exchanges() []Exchange {
	return []Exchange{
		{
			Name: "simple", Request: "GET /a HTTP/1.1\r\nhost: x\r\nX-Odd:   spaces  \r\n\r\n",
			Response: "HTTP/1.1 200 Fine\r\ncontent-LENGTH: 5\r\nx-odd:\tyes\r\n\r\nhello",
		},
		{
			Name: "body", Request: "POST /a?q=/hit HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\nGET /hit HTTP/1.1\r\nA: " +
				"b\r\n\r\n",
			Response: "HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n",
		},
		{
			Name: "chunked", Request: "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " +
				"chunked\r\n\r\n5;ext=\"1\"\r\nhello\r\n00a\r\n0123456789\r\n0\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		},
		{
			Name: "trailers",
			Request: "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: " +
				"X-Sum\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n",
		},
		{
			Name:     "length and chunked",
			Request:  "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
		},
		{
			Name: "head", Request: "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
		},
		{Name: "204", Request: "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n", Response: "HTTP/1.1 204 No Content\r\n\r\n"},
		{
			Name: "304", Request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
			Response: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
		},
		{
			Name: "interim", Request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
			Response: "HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 " +
				"OK\r\nContent-Length: 1\r\n\r\nx",
		},
		{Name: "bare LF", Request: "GET /a HTTP/1.1\nhost: x\n\n", Response: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx"},
		{
			Name: "empty line before", Request: "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
		},
		{
			Name: "HTTP/1.0 keep-alive", Request: "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
			Response: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
		},
		{
			Name: "no length", Request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 this is the body", Closes: true,
		},
		{
			Name: "close", Request: "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", Closes: true,
		},
		{
			Name: "upgrade", Request: "GET /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n",
			Response: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n\x01\x02HTTP/",
			Foreign:  true,
		},
		{
			Name: "tunnel", Request: "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01", Foreign: true,
		},
		{
			Name: "HTTP/2", Request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Response: "\x00\x00\x00\x04\x01\x00\x00\x00\x00",
			Foreign: true,
		},
		{Name: "TLS", Request: "\x16\x03\x01\x02\x00\x01", Response: "\x16\x03\x03", Foreign: true},
		{Name: "lines", Request: "PING\r\n", Response: "+PONG\r\n", Foreign: true},
		{Name: "no version", Request: "GET /a\r\n", Response: "<html>", Foreign: true},
		{
			Name: "bad header", Request: "GET /a HTTP/1.1\r\n: x\r\n\r\n",
			Response: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Foreign: true,
		},
		{
			Name: "bad length", Request: "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
			Response: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Foreign: true,
		},
		{
			Name: "bad chunk", Request: "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			Response: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Foreign: true,
		},
		{
			Name: "bad answer", Request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", Response: "ICY 200 OK\r\n\r\nla la la",
			Foreign: true,
		},
		{
			Name: "bad answer's chunk", Request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
			Response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX", Foreign: true,
		},
		{
			Name: "huge header", Request: "GET /a HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
			Response: "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n", Foreign: true,
		},
	}
}
