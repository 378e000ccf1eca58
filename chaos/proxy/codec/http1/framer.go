package http1

import (
	"bytes"
	"errors"
	"slices"
)

// maxHeader is the size in bytes of the largest header that is parsed. A larger one passes
// unchanged.
const maxHeader = 64 << 10

// certain is the number of header bytes that are parsed again with each byte, to detect other
// protocols early. Beyond it, parsing repeats with each line.
const certain = 256

// maxLine is the largest length in bytes of a line of chunked coding.
const maxLine = 4096

var (
	errMore     = errors.New("the header is not complete")
	ErrNotHTTP  = errors.New("not HTTP") // the bytes begin no message
	errChunking = errors.New("malformed chunked coding")
)

// Framing says how a message's body ends.
type Framing uint8

const (
	NoBody     Framing = iota // with the header
	Sized                     // after a number of bytes
	Chunked                   // with a chunk of no bytes
	UntilClose                // with the connection
)

// part is the position of a framer in a message.
type part uint8

const (
	inHeader part = iota
	inSized
	inEndless
	inSizeLine
	inChunk
	inChunkEnd
	inTrailer
)

// A Framer finds the beginning and end of messages in one direction of an HTTP/1.x connection. It
// parses only what it needs for that, and changes nothing.
//
// Data that is not HTTP makes the framer raw: from then on it passes all bytes unparsed.
type Framer struct {
	// Begin parses a header at the beginning of b and returns its length and how the body
	// continues. It returns errMore until the header is complete.
	Begin func(b []byte) (n int, body Framing, size uint64, err error)
	// Emit receives every byte, in order. first and last report that b begins or ends a message.
	Emit func(b []byte, first, last bool)
	// Broken is called when the data is invalid and everything that follows is raw. If it was a
	// body, the message's last bytes are emitted afterwards.
	Broken func()

	Raw  bool
	part part
	head []byte // of an incomplete header
	left uint64 // remaining bytes of the body or the chunk
	line []byte // of an incomplete line of chunked coding
}

// Idle reports that no message is in progress.
func (f *Framer) Idle() bool { return !f.Raw && f.part == inHeader && len(f.head) == 0 }

// Feed processes received bytes.
func (f *Framer) Feed(b []byte) {
	if waited := len(f.head); waited > 0 {
		done := bytes.IndexByte(b, '\n') >= 0
		b = append(f.head, b...)
		if !done && waited > certain && len(b) < maxHeader {
			f.head = b
			return
		}
		f.head = nil
	}
	for len(b) > 0 && !f.Raw {
		n, first := 0, false
		if f.part == inHeader {
			size, body, left, err := f.Begin(b)
			switch {
			case err == errMore && len(b) < maxHeader && !f.Raw:
				f.head = slices.Clone(b)
				return
			case err != nil:
				f.Raw = true
				f.Broken()
				continue
			}
			n, first = size, true
			f.expect(body, left)
		}
		m, done, err := f.body(b[n:])
		n += m
		if err != nil {
			f.Raw, done = true, true
			f.Broken()
		}
		if done {
			f.part = inHeader
		}
		f.Emit(b[:n], first, done)
		b = b[n:]
	}
	if len(b) > 0 {
		f.Emit(b, false, false)
	}
}

// Flush emits a header that will not be completed.
func (f *Framer) Flush() {
	if h := f.head; len(h) > 0 {
		f.head, f.Raw = nil, true
		f.Emit(h, false, false)
	}
}

// expect prepares the framer for a body.
func (f *Framer) expect(body Framing, size uint64) {
	f.left = size
	switch {
	case body == Chunked:
		f.part = inSizeLine
	case body == UntilClose:
		f.part = inEndless
	default: // an empty body has size 0
		f.part = inSized
	}
}

// body processes the part of b that belongs to the body. done reports the end of the message.
func (f *Framer) body(b []byte) (n int, done bool, err error) {
	for {
		switch f.part {
		case inEndless:
			return len(b), false, nil
		case inSized, inChunk:
			m := int(min(f.left, uint64(len(b)-n)))
			n += m
			f.left -= uint64(m)
			switch {
			case f.left > 0:
				return n, false, nil
			case f.part == inSized:
				return n, true, nil
			}
			f.part = inChunkEnd
		default:
			m, line, err := f.read(b[n:])
			n += m
			if line == nil || err != nil {
				return n, false, err
			}
			done, err := f.lined(line)
			if done || err != nil {
				return n, done, err
			}
		}
	}
}

// read reads a line with its line end; nil means that the line is incomplete.
func (f *Framer) read(b []byte) (n int, line []byte, err error) {
	if f.part == inChunkEnd && len(f.line) == 0 && len(b) > 0 && b[0] != '\r' {
		return 0, nil, errChunking // don't wait for the end of the line
	}
	n = bytes.IndexByte(b, '\n') + 1
	if n == 0 {
		if len(f.line)+len(b) > maxLine {
			return 0, nil, errChunking
		}
		f.line = append(f.line, b...)
		return len(b), nil, nil
	}
	line = b[:n]
	if len(f.line) > 0 {
		line = append(f.line, line...)
		f.line = f.line[:0]
	}
	if len(line) > maxLine {
		return 0, nil, errChunking
	}
	return n, line, nil
}

// lined processes a line of chunked coding. done reports the end of the message.
func (f *Framer) lined(line []byte) (done bool, err error) {
	text, crlf := bytes.CutSuffix(line, []byte("\r\n"))
	switch f.part {
	case inChunkEnd:
		if !crlf || len(text) > 0 {
			return false, errChunking
		}
		f.part = inSizeLine
	case inSizeLine:
		if !crlf || bytes.IndexByte(text, '\r') >= 0 { // RFC 9112 7.1: a bare LF is invalid here
			return false, errChunking
		}
		size, _, _ := bytes.Cut(bytes.TrimRight(text, " \t"), []byte(";"))
		if f.left, err = hex(size); err != nil {
			return false, err
		}
		f.part = inChunk
		if f.left == 0 {
			f.part = inTrailer
		}
	case inTrailer:
		return crlf && len(text) == 0 || len(line) == 1, nil
	}
	return false, nil
}

// hex parses a chunk's size.
func hex(b []byte) (n uint64, err error) {
	if len(b) == 0 || len(b) > 15 {
		return 0, errChunking
	}
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, errChunking
		}
		n = n<<4 | uint64(c)
	}
	return n, nil
}
