package proxy

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
		return errNotHTTP
	}
	if !bytes.Contains(b, []byte("\n\r\n")) && !bytes.Contains(b, []byte("\n\n")) {
		return errMore
	}
	return nil
}

// readRequest reads a request's header. Empty lines before it are part of it, as
// RFC 9112 2.2 allows.
func readRequest(b []byte) (r *http.Request, n int, err error) {
	skip := len(b) - len(bytes.TrimLeft(b, "\r\n"))
	if skip > 4 {
		return nil, 0, errNotHTTP
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

// readResponse reads a response's header; method is its request's.
func readResponse(b []byte, method string) (r *http.Response, n int, err error) {
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

// framingOf says how a body ends that net/http describes by these.
func framingOf(length int64, coding []string) (framing, uint64) {
	switch {
	case len(coding) > 0:
		return chunked, 0
	case length < 0:
		return endless, 0
	case length == 0:
		return empty, 0
	}
	return sized, uint64(length)
}
