package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// net/http parses the headers, so that this package accepts the same requests and finds their ends
// at the same place.

// headers is a reader from which net/http parses a header.
type headers struct {
	src bytes.Reader
	br  *bufio.Reader
}

var headerReaders = sync.Pool{New: func() any {
	h := &headers{}
	h.br = bufio.NewReaderSize(&h.src, 4096)
	return h
}}

// readHeader lets read parse a header from b, which contains a complete one. It returns the length
// of the header in bytes.
func readHeader(b []byte, read func(*bufio.Reader) error) (n int, err error) {
	h := headerReaders.Get().(*headers)
	defer headerReaders.Put(h)
	h.src.Reset(b)
	h.br.Reset(&h.src)
	err = read(h.br)
	n = len(b) - h.src.Len() - h.br.Buffered()
	h.src.Reset(nil)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errMore
	}
	return n, err
}

// complete returns nil if b contains an empty line, and an error if more bytes are needed or can't
// help.
func complete(b []byte, plausible func(line []byte, whole bool) bool) error {
	line, _, whole := bytes.Cut(b, []byte("\n"))
	if !plausible(line, whole) {
		return ErrNotHTTP
	}
	if !bytes.Contains(b, []byte("\n\r\n")) && !bytes.Contains(b, []byte("\n\n")) {
		return errMore
	}
	return nil
}

// ReadRequest parses a request's header and returns its length in bytes. Empty lines before it are
// part of it, as RFC 9112 2.2 allows.
func ReadRequest(b []byte) (r *http.Request, n int, err error) {
	skip := len(b) - len(bytes.TrimLeft(b, "\r\n"))
	if skip > 4 {
		return nil, 0, ErrNotHTTP
	}
	if err := complete(b[skip:], plausibleRequest); err != nil {
		return nil, 0, err
	}
	n, err = readHeader(b[skip:], func(br *bufio.Reader) (err error) {
		r, err = http.ReadRequest(br)
		return err
	})
	return r, skip + n, err
}

// plausibleRequest reports whether a line, or its beginning, can be a request line. It rejects binary
// data at once.
func plausibleRequest(line []byte, whole bool) bool {
	method, rest, spaced := bytes.Cut(line, []byte(" "))
	if len(method) > 64 || spaced && len(method) == 0 || whole && !spaced ||
		strings.ContainsFunc(string(method), notToken) {
		return false
	}
	if bytes.ContainsFunc(bytes.TrimSuffix(rest, []byte("\r")), isControl) {
		return false
	}
	return !whole || bytes.Contains(rest, []byte(" HTTP/"))
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func notToken(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// ReadResponse parses a response's header and returns its length in bytes. method is the method of
// its request.
func ReadResponse(b []byte, method string) (r *http.Response, n int, err error) {
	if err := complete(b, plausibleResponse); err != nil {
		return nil, 0, err
	}
	n, err = readHeader(b, func(br *bufio.Reader) (err error) {
		r, err = http.ReadResponse(br, &http.Request{Method: method})
		return err
	})
	return r, n, err
}

func plausibleResponse(line []byte, _ bool) bool {
	const begins = "HTTP/"
	n := min(len(line), len(begins))
	return string(line[:n]) == begins[:n]
}

// FramingOf returns how the body ends, from the content length and transfer coding that net/http
// reports.
func FramingOf(length int64, coding []string) (Framing, uint64) {
	switch {
	case len(coding) > 0:
		return Chunked, 0
	case length < 0:
		return UntilClose, 0
	case length == 0:
		return NoBody, 0
	}
	return Sized, uint64(length)
}
