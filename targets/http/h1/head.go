package h1

import (
	"bufio"
	"bytes"
	"encoding/binary"

	"github.com/valyala/fasthttp"
)

// head is the part of a header that every request needs. Most headers are plain: one pass over their bytes finds that
// part, and the codec parses a copy of them only when a check, an extraction or a sample looks into the header. The
// codec reads all others.
//
//	scan: plain -> head, and a copy of the bytes for Answer.Head
//	      else  -> the codec parses at once
type head struct {
	status  int   // 0: the codec has the header
	length  int64 // of the body in bytes; -1: it comes in chunks; -2: unknown
	cookies bool  // it sets cookies
	encoded bool  // it names a content encoding
	raw     []byte
	src     bytes.Reader
}

// mostScanned is the maximum size in bytes of a header that is scanned. The codec parses it in a buffer of [Reader].
const mostScanned = 8 << 10

// clear keeps the buffer for the next answer.
func (h *head) clear() {
	h.status, h.length, h.cookies, h.encoded, h.raw = 0, 0, false, false, h.raw[:0]
}

// inName has the bytes of a name of a field, by RFC 9110, section 5.6.2.
var inName = func() (in [256]bool) {
	for b := range in {
		c := byte(b) | 0x20
		in[b] = c >= 'a' && c <= 'z' && b < 0x80 || b >= '0' && b <= '9' ||
			bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(b)) >= 0
	}
	return in
}()

// clean reports whether a value of a field has no control characters except tabs, by RFC 9110, section 5.5.
func clean(value []byte) bool {
	const each = 0x0101010101010101 // a byte in each byte of a word
	for ; len(value) >= 8; value = value[8:] {
		w := binary.LittleEndian.Uint64(value)
		del := w ^ each*0x7f
		if ((w-each*' ')&^w|(del-each)&^del)&(each*0x80) != 0 { // a byte below a space, or a DEL; see below for a tab
			break
		}
	}
	for _, b := range value {
		if b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

// scan reads the header at the beginning of b and returns its length in bytes; zero: it is not complete, or not plain.
// A plain header is that of a final answer in HTTP/1.1 whose connection stays open after a body of known length or
// in chunks. Each of its lines ends with CRLF.
func (h *head) scan(b []byte) int {
	const begin, digits = "HTTP/1.1 ", 3
	const at = len(begin) + digits
	if len(b) < at || string(b[:len(begin)]) != begin {
		return 0
	}
	status, ok := number(b[len(begin):at])
	if !ok || status < 200 || status == 204 || status == 304 {
		return 0
	}
	h.length = -2
	for from := 0; ; {
		end := bytes.IndexByte(b[from:], '\n')
		if end < 1 || b[from+end-1] != '\r' {
			return 0
		}
		line := b[from : from+end-1]
		switch {
		case from == 0:
			if len(line) > at && line[at] != ' ' {
				return 0
			}
		case len(line) == 0:
			if h.length == -2 {
				return 0
			}
			h.status = int(status)
			return from + end + 1
		case !h.field(line):
			return 0
		}
		from += end + 1
	}
}

// field takes in a field of the header; false: the header is not plain.
func (h *head) field(line []byte) bool {
	colon := 0
	for colon < len(line) && inName[line[colon]] {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return false
	}
	name, value := line[:colon], line[colon+1:]
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	if !clean(value) {
		return false
	}
	switch {
	case is(name, "content-length"):
		n, ok := number(value)
		if !ok || h.length != -2 {
			return false
		}
		h.length = n
	case is(name, "transfer-encoding"):
		if h.length != -2 || !is(value, "chunked") {
			return false
		}
		h.length = -1
	case is(name, "connection"):
		return is(value, "keep-alive")
	case is(name, "trailer"):
		return false
	case is(name, "content-encoding"):
		h.encoded = true
	case is(name, "set-cookie"):
		h.cookies = true
	}
	return true
}

// number returns the number that b writes in up to 15 digits.
func number(b []byte) (n int64, ok bool) {
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = 10*n + int64(d-'0')
	}
	return n, len(b) > 0 && len(b) <= 15
}

// is reports whether b is lower, a text in lower case, in any case.
func is(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// scan scans the header that br holds and consumes it; false: the codec has to parse it.
func (a *Answer) scan(br *bufio.Reader) bool {
	b, _ := br.Peek(min(br.Buffered(), mostScanned))
	n := a.scanned.scan(b)
	if n == 0 {
		a.scanned.clear()
		return false
	}
	a.scanned.raw = append(a.scanned.raw, b[:n]...)
	_, _ = br.Discard(n)
	return true
}

// Head returns the parsed header.
func (a *Answer) Head() *fasthttp.ResponseHeader {
	a.parses = true
	if h := &a.scanned; len(h.raw) > 0 {
		h.src.Reset(h.raw)
		br := Reader(&h.src)
		_ = a.head.Read(br) // the codec accepts what scan accepts: FuzzHead
		Release(br)
		h.src.Reset(nil)
		h.raw = h.raw[:0]
	}
	return &a.head
}

// Status returns the status of the answer.
func (a *Answer) Status() int {
	if a.scanned.status != 0 {
		return a.scanned.status
	}
	return a.head.StatusCode()
}

// SetsCookies reports whether the answer sets cookies.
func (a *Answer) SetsCookies() bool {
	if a.scanned.status != 0 {
		return a.scanned.cookies
	}
	return len(a.head.Peek("Set-Cookie")) > 0
}

// encoding returns the content encoding of the body; empty: none.
func (a *Answer) encoding() string {
	if a.scanned.status != 0 && !a.scanned.encoded {
		return ""
	}
	return string(a.Head().ContentEncoding())
}

// length returns the length of the body in bytes according to the header. -1 means that it comes in chunks, and -2
// that it ends with the connection.
func (a *Answer) length() int64 {
	if a.scanned.status != 0 {
		return a.scanned.length
	}
	return int64(a.head.ContentLength())
}

// closes reports whether the server accepts no further request on this connection.
func (a *Answer) closes() bool {
	if a.scanned.status != 0 {
		return false
	}
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
	return a.Head().ReadTrailer(br)
}
