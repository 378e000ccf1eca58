package h3

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"golang.org/x/net/http/httpguts"
)

// Body is the body of an answer, after its header.
type Body struct {
	br       *bufio.Reader
	stream   *quic.Stream
	t0       time.Time
	now      func() time.Duration
	left     uint64 // bytes left of the current frame
	length   int64  // of the body according to the header; -1: not given
	trailers []qpack.HeaderField
	tail     bool // the trailers have come
	ended    bool // the server has ended the answer
	block    []byte
}

// Until sets the time until which the body is read.
func (b *Body) Until(deadline time.Duration) { _ = b.stream.SetReadDeadline(b.t0.Add(deadline)) }

// errFrames means that the frames of an answer violate the protocol.
func errFrames(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: "what came back is not HTTP/3: " + fmt.Sprintf(format, args...)}
}

// next reads the begin of the next frame of a header or a body, and skips those of unknown types. The error is io.EOF
// at the end of the answer.
func (b *Body) next() (kind, length uint64, err error) {
	for {
		kind, length, err := frame(b.br)
		switch {
		case err != nil:
			b.ended = err == io.EOF
			return 0, 0, err
		case kind == frameData, kind == frameHeaders:
			return kind, length, nil
		case kind <= 0xd: // of a control stream, or reserved since HTTP/2
			return 0, 0, errFrames("a frame of type %#x on the stream of a request", kind)
		case length > 1<<32:
			return 0, 0, errFrames("a frame of %d bytes", length)
		}
		if _, err := io.CopyN(io.Discard, b.br, int64(length)); err != nil {
			return 0, 0, half(err)
		}
	}
}

// half turns an end within something into an error.
func half(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fields reads the block of a header or of trailers, with length bytes.
func (b *Body) fields(length uint64, each func(f qpack.HeaderField) error) error {
	if length > 2*h1.MaxHead {
		return h1.ErrTooLong
	}
	b.block = slices.Grow(b.block[:0], int(length))[:length]
	if _, err := io.ReadFull(b.br, b.block); err != nil {
		return half(err)
	}
	size := 0
	for next := qpack.NewDecoder().Decode(b.block); ; {
		f, err := next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return errFrames("%v", err)
		}
		if size += len(f.Name) + len(f.Value) + 32; size > h1.MaxHead { // RFC 9114, section 4.2.2
			return h1.ErrTooLong
		}
		if err := each(f); err != nil {
			return err
		}
	}
}

// head reads the header of the answer, after those of interim answers such as 100 Continue.
func (b *Body) head() (*h1.Answer, error) {
	a := h1.NewAnswer()
	for {
		kind, length, err := b.next()
		status := 0
		switch {
		case err != nil:
			err = half(err)
		case kind != frameHeaders:
			err = errFrames("a body before its header")
		default:
			b.length = -1
			err = b.fields(length, func(f qpack.HeaderField) error { return b.field(a, &status, f) })
		}
		switch {
		case err == nil && (status == 0 || status == 101):
			err = h1.ErrNotHTTP
		case err == nil && status >= 200:
			return a, nil
		}
		if err != nil {
			a.Release()
			return nil, err
		}
		a.Reset()
	}
}

// field adds a field to the header of an answer.
func (b *Body) field(a *h1.Answer, status *int, f qpack.HeaderField) error {
	switch {
	case f.Name == ":status":
		code, err := strconv.Atoi(f.Value)
		if err != nil || code < 100 || code > 999 || *status != 0 {
			return h1.ErrNotHTTP
		}
		*status = code
		a.Head().SetStatusCode(code)
		return nil
	case *status == 0 || !isField(f):
		return h1.ErrNotHTTP
	case f.Name == "content-length":
		n, err := strconv.ParseInt(f.Value, 10, 64)
		if err != nil || n < 0 {
			return h1.ErrNotHTTP
		}
		b.length = n
	}
	a.Head().Add(f.Name, f.Value)
	return nil
}

// isField reports whether a field may stand in a header.
func isField(f qpack.HeaderField) bool {
	return httpguts.ValidHeaderFieldName(f.Name) && f.Name == strings.ToLower(f.Name) &&
		httpguts.ValidHeaderFieldValue(f.Value)
}

// Read implements [io.Reader].
func (b *Body) Read(p []byte) (int, error) {
	for b.left == 0 {
		kind, length, err := b.next()
		switch {
		case err != nil:
			return 0, err
		case b.tail:
			return 0, errFrames("more after the trailers")
		case kind == frameData:
			b.left = length
			continue
		}
		b.tail = true
		err = b.fields(length, func(f qpack.HeaderField) error {
			if !isField(f) {
				return h1.ErrNotHTTP
			}
			b.trailers = append(b.trailers, f)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	n, err := b.br.Read(p[:min(uint64(len(p)), b.left)])
	if b.left -= uint64(n); b.left == 0 && err == io.EOF { // the end came with the last bytes; the next read finds it
		err = nil
	}
	return n, half(err)
}

// ReadAnswer reads the body of the answer, and its trailers. It keeps a body of up to most bytes whole; if most is 0,
// it keeps only the beginning. End is when the last byte was read.
func (b *Body) ReadAnswer(a *h1.Answer, method string, most int) (end time.Duration, err error) {
	if err := a.TakeFramed(b, b.length, method, most); err != nil {
		return 0, err
	}
	end = b.now()
	for _, f := range b.trailers {
		a.Head().Add(f.Name, f.Value)
	}
	return end, nil
}
