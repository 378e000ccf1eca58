package http1

import (
	"bytes"
	"errors"
	"slices"
)

// maxHeader is the largest header of a message that is waited for; a larger one
// passes as it is.
const maxHeader = 64 << 10

// certain is how much of a header is looked at again with each byte, in case that
// it turns out not to be one; after that only with each line.
const certain = 256

// maxLine bounds a line of chunked coding.
const maxLine = 4096

var (
	errMore     = errors.New("the header is not complete")
	ErrNotHTTP  = errors.New("not HTTP")
	errChunking = errors.New("malformed chunked coding")
)

// Framing is how a message's body ends.
type Framing uint8

const (
	NoBody     Framing = iota
	Sized              // after a number of bytes
	Chunked            // with a chunk of no bytes
	UntilClose         // with the connection
)

// end is where a framer is in a message.
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

// A framer finds where messages begin and end in one direction of an HTTP/1.x
// connection. It reads what it must to know that, and changes nothing.
//
// What is not HTTP makes it raw: from there on it only passes bytes.
type Framer struct {
	// Begin reads a header, which b begins with, and says how long it is and how
	// the body goes on. It gives errMore until the header is complete.
	Begin func(b []byte) (n int, body Framing, size uint64, err error)
	// Emit gets every byte, in order. First and last tell that b begins or ends a
	// message.
	Emit func(b []byte, first, last bool)
	// Broken is told that what came makes no sense and that all that follows is raw.
	// If it was a body, the message's last bytes are emitted after that.
	Broken func()

	Raw  bool
	part part
	head []byte // of a header that is not complete
	left uint64 // bytes of the body or the chunk
	line []byte // of chunked coding that is not complete
}

// Idle tells that no message is under way.
func (f *Framer) Idle() bool { return !f.Raw && f.part == inHeader && len(f.head) == 0 }

// Feed takes what came.
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

// expect sets the framer on a body.
func (f *Framer) expect(body Framing, size uint64) {
	f.left = size
	switch {
	case body == Chunked:
		f.part = inSizeLine
	case body == UntilClose:
		f.part = inEndless
	default: // an empty one is one of size 0
		f.part = inSized
	}
}

// body takes what of b is body. Done tells that the message ends there.
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

// read takes a line, with its end; nil is that it is not complete.
func (f *Framer) read(b []byte) (n int, line []byte, err error) {
	if f.part == inChunkEnd && len(f.line) == 0 && len(b) > 0 && b[0] != '\r' {
		return 0, nil, errChunking // don't wait for a line's end
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

// lined follows a line of chunked coding. Done tells that it ends the message.
func (f *Framer) lined(line []byte) (done bool, err error) {
	text, crlf := bytes.CutSuffix(line, []byte("\r\n"))
	switch f.part {
	case inChunkEnd:
		if !crlf || len(text) > 0 {
			return false, errChunking
		}
		f.part = inSizeLine
	case inSizeLine:
		if !crlf || bytes.IndexByte(text, '\r') >= 0 { // RFC 9112 7.1: no bare LF here
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

// hex reads a chunk's size.
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
