// Package h2 is an HTTP/2 client (RFC 9113) that measures each request exactly.
//
//	Line.Ask: newStream -> join (waits for a place) -> ask -> Receive, which reads the answer -> finish
//
// A [Line] holds an origin's connections and the requests that wait for a stream. Each connection has one goroutine
// that reads and one that writes, so that no request waits for the write of another. The codec is
// golang.org/x/net/http2; this package keeps streams, windows and times.
package h2
