package redis

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets"
)

// Limits on a reply.
const (
	mostBulk    = 512 << 20 // bytes of one text, the limit of Redis itself
	mostItems   = 1 << 31   // replies within a reply
	mostDecoded = 64 << 20  // approximate bytes of memory for the values of a reply
	mostDepth   = 64        // nesting depth of replies whose values are decoded
)

// bad is the error for an answer that violates the protocol.
func bad(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(format, args...)}
}

// reader reads replies of RESP3 and RESP2. It takes memory only for data that has arrived, not for lengths that a
// reply announces.
type reader struct {
	br   *bufio.Reader
	size int64 // bytes of the replies read so far
	room int   // bytes of memory that decoded values may still take
	// of these values; nil: it is not counted
	claim *budget.Claim
	of    *expected // decides which errors are expected; nil: none is
}

// head is the first line of a reply.
type head struct {
	kind byte
	n    int64  // length of a text or number of replies; -1: nil
	line []byte // after the kind; valid until the next read
}

// reply describes a reply without its values.
type reply struct {
	none   bool   // the reply is nil
	failed bool   // it is an error, or contains one
	rank   rank   // of the worst error; of equally bad errors the first counts
	number int32  // of that error
	text   []byte // beginning of the text of that error
}

// rank says how bad an error is for its call.
type rank uint8

const (
	allowedError rank = iota
	shedError
	badError
)

// longestError is the maximum length of the text of an error that is kept, in bytes.
const longestError = 300

// note keeps an error, unless an equally bad or worse one was kept before.
func (r *reader) note(p *reply, text []byte) {
	word, _, _ := bytes.Cut(text, []byte(" "))
	is := r.of.rank(word)
	if p.failed && is <= p.rank {
		return
	}
	p.failed, p.rank, p.number = true, is, numbers[string(word)]
	p.text = append(p.text[:0], text[:min(len(text), longestError)]...)
}

// next reads the first line of a reply.
func (r *reader) next() (h head, err error) {
	line, err := r.br.ReadSlice('\n')
	r.size += int64(len(line))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return h, bad("the answer has a line of more than %d bytes", r.br.Size())
	case errors.Is(err, io.EOF):
		return h, io.ErrUnexpectedEOF
	case err != nil:
		return h, err
	case len(line) < 3 || line[len(line)-2] != '\r':
		return h, bad("the answer has the line %s, which is not of Redis", targets.Quote(string(line)))
	}
	h.kind, h.line = line[0], line[1:len(line)-2]
	switch h.kind {
	case '+', '-', '_', ',', '#', '(':
	case ':':
		if _, ok := integer(h.line); !ok {
			return h, bad("the answer has the number %s", targets.Quote(string(h.line)))
		}
	case '$', '!', '=', '*', '~', '>', '%', '|':
		n, ok := integer(h.line)
		switch {
		case !ok, n < -1, n < 0 && h.kind != '$' && h.kind != '*':
			return h, bad("the answer has the length %s", targets.Quote(string(h.line)))
		case n > mostItems, n > mostBulk && (h.kind == '$' || h.kind == '!' || h.kind == '='):
			return h, bad("the answer announces %d bytes or values", n)
		}
		h.n = n
	default:
		return h, bad("the answer begins with %s, which is not of Redis", targets.Quote(string(line)))
	}
	return h, nil
}

// integer parses a whole number.
func integer(b []byte) (n int64, ok bool) {
	minus := len(b) > 1 && b[0] == '-'
	if minus || len(b) > 1 && b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = 10*u + uint64(c-'0')
	}
	if u > 1<<63-1 && !(minus && u == 1<<63) {
		return 0, false
	}
	if n = int64(u); minus {
		n = -n
	}
	return n, true
}

// begin reads the first line of a reply. It drops pushes and attributes that the server sends before it.
func (r *reader) begin() (head, error) {
	for {
		h, err := r.next()
		if err != nil || h.kind != '>' && h.kind != '|' {
			return h, err
		}
		n := h.n
		if h.kind == '|' {
			n *= 2
		}
		if err := r.drop(n, new(reply)); err != nil {
			return h, err
		}
	}
}

// read reads a reply and drops its values.
func (r *reader) read(p *reply) error {
	h, err := r.begin()
	if err != nil {
		return err
	}
	p.none = h.kind == '_' || h.n < 0
	n, err := r.inside(h, p)
	if err != nil || n == 0 {
		return err
	}
	return r.drop(n, p)
}

// inside reads the rest of the reply that h begins, and returns how many replies it contains.
func (r *reader) inside(h head, p *reply) (int64, error) {
	switch h.kind {
	case '-':
		r.note(p, h.line)
	case '$', '=':
		if h.n >= 0 {
			return 0, r.skip(h.n)
		}
	case '!':
		text, err := r.blob(h.n)
		if err != nil {
			return 0, err
		}
		r.note(p, text)
	case '*', '~', '>':
		return max(h.n, 0), nil
	case '%':
		return 2 * h.n, nil
	case '|':
		return 2*h.n + 1, nil // one more, for the reply after the attribute
	}
	return 0, nil
}

// drop reads n replies and keeps the worst error in them.
func (r *reader) drop(n int64, p *reply) error {
	for ; n > 0; n-- {
		h, err := r.next()
		if err != nil {
			return err
		}
		more, err := r.inside(h, p)
		if err != nil {
			return err
		}
		if n += more; n > mostItems {
			return bad("the answer announces %d values", n)
		}
	}
	return nil
}

// skip reads the n bytes of a text, and the end of its line.
func (r *reader) skip(n int64) error {
	got, err := r.br.Discard(int(n))
	r.size += int64(got)
	if err != nil {
		return broken(err)
	}
	return r.lineEnd()
}

// blob reads a text of n bytes and returns its beginning.
func (r *reader) blob(n int64) ([]byte, error) {
	text := make([]byte, min(n, longestError))
	got, err := io.ReadFull(r.br, text)
	r.size += int64(got)
	if err != nil {
		return nil, broken(err)
	}
	return text, r.skip(n - int64(len(text)))
}

func (r *reader) lineEnd() error {
	b, err := r.br.Peek(2)
	if err != nil {
		return broken(err)
	}
	if b[0] != '\r' || b[1] != '\n' {
		return bad("the answer has %s where a text of it ends", targets.Quote(string(b)))
	}
	r.size += 2
	_, err = r.br.Discard(2)
	return err
}

// broken is the error for an answer that ends before it is complete.
func broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
