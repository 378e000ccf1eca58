package h1

import (
	"bufio"
	"bytes"

	"github.com/valyala/fasthttp"
)

// Head returns the header.
func (a *Answer) Head() *fasthttp.ResponseHeader { return &a.head }

// Status returns the status of the answer.
func (a *Answer) Status() int { return a.head.StatusCode() }

// SetsCookies reports whether the answer sets cookies.
func (a *Answer) SetsCookies() bool { return len(a.head.Peek("Set-Cookie")) > 0 }

// length returns the length of the body in bytes according to the header. -1 means that it comes in chunks, and -2
// that it ends with the connection.
func (a *Answer) length() int64 { return int64(a.head.ContentLength()) }

// closes reports whether the server accepts no further request on this connection.
func (a *Answer) closes() bool {
	if a.head.ConnectionClose() {
		return true
	}
	for list := a.head.Peek("Connection"); len(list) > 0; {
		var option []byte
		option, list, _ = bytes.Cut(list, []byte(","))
		if bytes.EqualFold(bytes.TrimSpace(option), []byte("close")) {
			return true
		}
	}
	return false
}

// readTrailer reads the lines after the last chunk.
func (a *Answer) readTrailer(br *bufio.Reader) error {
	if end, err := br.Peek(2); err == nil && end[0] == '\r' && end[1] == '\n' {
		_, _ = br.Discard(2)
		return nil
	}
	return a.head.ReadTrailer(br)
}
