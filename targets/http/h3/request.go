package h3

import (
	"bytes"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// writing is the memory to write requests.
type writing struct {
	head   []byte // of the last request, in the form of HTTP/1.1
	block  bytes.Buffer
	buf    []byte
	fields []qpack.HeaderField
	before uint64 // packets that had come when the last request was sent
}

var (
	crlf    = []byte("\r\n")
	headEnd = []byte("\r\n\r\n")
)

// write writes a request and ends its side of the stream.
func (w *writing) write(s *quic.Stream, r *Request) error {
	end := bytes.Index(r.Bytes, headEnd) + len(headEnd)
	head, body := r.Bytes[:end], r.Bytes[end:]
	if !bytes.Equal(head, w.head) {
		w.head = append(w.head[:0], head...)
		w.encode(head)
	}
	w.buf = quicvarint.Append(append(w.buf[:0], frameHeaders), uint64(w.block.Len()))
	w.buf = append(w.buf, w.block.Bytes()...)
	size := len(body)
	for _, part := range r.Tail {
		size += len(part)
	}
	if size > 0 {
		w.buf = quicvarint.Append(append(w.buf, frameData), uint64(size))
		w.buf = append(w.buf, body...)
	}
	if _, err := s.Write(w.buf); err != nil {
		return err
	}
	const mostKept = 64 << 10
	if cap(w.buf) > mostKept {
		w.buf = nil
	}
	for _, part := range r.Tail {
		if _, err := s.Write(part); err != nil {
			return err
		}
	}
	_ = s.Close() // an error means that the server has answered already and needs no end
	return nil
}

// encode builds the header block of a request in the form of HTTP/1.1. It refers to no table but the static one, so
// that no request waits for another.
func (w *writing) encode(req []byte) {
	line, rest, _ := bytes.Cut(req, crlf)
	method, line, _ := bytes.Cut(line, []byte(" "))
	target := line[:max(0, bytes.LastIndexByte(line, ' '))]
	host := ""
	w.fields = w.fields[:0]
	for len(rest) > 0 {
		if line, rest, _ = bytes.Cut(rest, crlf); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch lower := string(bytes.ToLower(name)); lower {
		case "host":
			host = string(value)
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te": // only in HTTP/1.1
		default:
			w.fields = append(w.fields, qpack.HeaderField{Name: lower, Value: string(value)})
		}
	}
	w.block.Reset()
	e := qpack.NewEncoder(&w.block)
	for _, f := range [...]qpack.HeaderField{
		{Name: ":method", Value: string(method)},
		{Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: host},
		{Name: ":path", Value: string(target)},
	} {
		_ = e.WriteField(f)
	}
	for _, f := range w.fields {
		_ = e.WriteField(f)
	}
}
