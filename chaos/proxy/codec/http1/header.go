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

// Headers are read by net/http, so that what it takes for a request is one here,
// and ends where it ends there.

// headers are what net/http reads a header from.
type headers struct {
	src bytes.Reader
	br  *bufio.Reader
}

var headerReaders = sync.Pool{New: func() any {
	h := &headers{}
	h.br = bufio.NewReaderSize(&h.src, 4096)
	return h
}}

// readHeader lets read take a header from b, which contains the end of one. It
// gives how many bytes that took.
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

// complete tells whether b contains an empty line, or that it can't get to one.
func complete(b []byte, looks func(line []byte, whole bool) bool) error {
	line, _, whole := bytes.Cut(b, []byte("\n"))
	if !looks(line, whole) {
		return ErrNotHTTP
	}
	if !bytes.Contains(b, []byte("\n\r\n")) && !bytes.Contains(b, []byte("\n\n")) {
		return errMore
	}
	return nil
}

// ReadRequest reads a request's header. Empty lines before it are part of it, as
// RFC 9112 2.2 allows.
func ReadRequest(b []byte) (r *http.Request, n int, err error) {
	skip := len(b) - len(bytes.TrimLeft(b, "\r\n"))
	if skip > 4 {
		return nil, 0, ErrNotHTTP
	}
	if err := complete(b[skip:], looksRequest); err != nil {
		return nil, 0, err
	}
	n, err = readHeader(b[skip:], func(br *bufio.Reader) (err error) {
		r, err = http.ReadRequest(br)
		return err
	})
	return r, skip + n, err
}

// looksRequest tells whether a line, or its beginning, can be a request's first.
// It finds out at once about what is not text.
func looksRequest(line []byte, whole bool) bool {
	method, rest, spaced := bytes.Cut(line, []byte(" "))
	if len(method) > 64 || spaced && len(method) == 0 || whole && !spaced || strings.ContainsFunc(string(method), notToken) {
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

// ReadResponse reads a response's header; method is its request's.
func ReadResponse(b []byte, method string) (r *http.Response, n int, err error) {
	if err := complete(b, looksResponse); err != nil {
		return nil, 0, err
	}
	n, err = readHeader(b, func(br *bufio.Reader) (err error) {
		r, err = http.ReadResponse(br, &http.Request{Method: method})
		return err
	})
	return r, n, err
}

func looksResponse(line []byte, _ bool) bool {
	const begins = "HTTP/"
	n := min(len(line), len(begins))
	return string(line[:n]) == begins[:n]
}

// FramingOf says how a body ends that net/http describes by these.
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
