package h1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/targets"

	"github.com/valyala/fasthttp"
)

// Limits on an answer, in bytes. An answer beyond them is an error of its request.
const (
	MaxHead  = 1 << 20
	MaxBody  = 64 << 20 // default limit if checks or extractions read the body; otherwise its size is not limited
	KeptBody = 64 << 10 // largest buffer that is kept for the next answer
	someBody = 4 << 10  // how much is kept of a body that no check needs
)

// Errors of an answer that the parser refuses.
var (
	ErrNotHTTP = errors.New("what came back is not HTTP")
	ErrTooLong = fmt.Errorf("the header is over %d KiB", MaxHead>>10)
)

// TooLarge is the error of a body with more bytes than checks and extractions may read.
func TooLarge(most int) error { return tooLarge("the body", most) }

func tooLarge(what string, most int) error {
	return &targets.Error{Cause: scenarios.TooLarge, Final: true, Text: fmt.Sprintf(
		"%s is over %s, the most that checks and extractions look into; `check: {max_body: …}` of the step raises it", what,
		quantity.Size(most))}
}

// Answers holds the pool of answers. A request takes one only once its answer has begun.
var Answers = sync.Pool{New: func() any {
	a := &Answer{parses: true}
	a.Reset()
	return a
}}

// Read reads the answer to a request; br holds its first byte. It keeps a body of up to most bytes whole; if most is
// 0, it keeps only the beginning. Clean reports that the connection can carry another request.
func (a *Answer) Read(br *bufio.Reader, method string, most int) (clean bool, err error) {
	first := br
	// Interim answers such as 100 Continue precede the final one.
	for code := 0; code < 200 && code != 101; code = a.Status() {
		if br, err = a.ReadHead(br); err != nil {
			return false, err
		}
	}
	return a.ReadRest(br, first, method, most)
}

// ReadRest reads the part of an answer after the header, from br. First is the reader in which the answer began.
func (a *Answer) ReadRest(br, first *bufio.Reader, method string, most int) (clean bool, err error) {
	a.Whole = most > 0
	switch code := a.Status(); {
	case method == "HEAD" || code == 204 || code == 304:
	case code == 101: // another protocol follows
		return false, nil
	default:
		if err := a.readBody(br, most); err != nil {
			return false, err
		}
	}
	return !a.cut && !a.closes() && br.Buffered() == 0 && first.Buffered() == 0, nil
}

// ReadHead reads a status line and a header. It returns the reader to continue with, which is larger if the header
// needs it.
func (a *Answer) ReadHead(br *bufio.Reader) (*bufio.Reader, error) {
	const begin = "HTTP/"
	if b, err := br.Peek(len(begin)); !strings.HasPrefix(begin, string(b)) {
		return br, ErrNotHTTP
	} else if err != nil {
		return br, err
	}
	if a.scan(br) {
		return br, nil
	}
	a.parses = true
	for {
		err := a.head.Read(br)
		if err == nil {
			if code := a.Status(); code < 100 || code > 999 {
				err = ErrNotHTTP
			}
			return br, err
		}
		if _, small := errors.AsType[*fasthttp.ErrSmallBuffer](err); !small {
			return br, err
		}
		if br.Size() >= MaxHead {
			return br, ErrTooLong
		}
		// Subtle: the codec consumes bytes of br only if br has the whole header.
		br = bufio.NewReaderSize(br, min(MaxHead, 4*br.Size()))
	}
}

func (a *Answer) readBody(br *bufio.Reader, most int) error {
	switch n := a.length(); {
	case n >= 0:
		a.rest = io.LimitedReader{R: br, N: n}
		if err := a.Take(&a.rest, n, most); err != nil {
			return err
		}
		if a.Size < n {
			return io.ErrUnexpectedEOF
		}
	case n == -1: // chunked
		if err := a.Take(httputil.NewChunkedReader(br), -1, most); err != nil {
			return err
		}
		switch err := a.readTrailer(br); err {
		case nil:
		case io.EOF: // the last chunk came; only the final line is missing
			a.cut = true
		default:
			return err
		}
	default: // until the connection ends
		return a.Take(br, -1, most)
	}
	return nil
}

// Take reads a body to its end. Length is the length in the header, or negative. It keeps a body of up to most bytes
// whole. A larger body is [TooLarge], and only its beginning is kept. If most is 0, the beginning is enough. It
// counts and drops all other bytes.
func (a *Answer) Take(r io.Reader, length int64, most int) error {
	a.Whole = most > 0
	keep, larger := someBody, most > 0 && length > int64(most)
	switch {
	case larger:
		keep = min(most, someBody)
	case most > 0:
		keep = most
	}
	a.Raw = a.Raw[:0]
	for len(a.Raw) < keep {
		if len(a.Raw) == cap(a.Raw) {
			if err := a.grow(length, keep); err != nil {
				return err
			}
		}
		n, err := r.Read(a.Raw[len(a.Raw):min(cap(a.Raw), keep)])
		a.Raw = a.Raw[:len(a.Raw)+n]
		a.Size += int64(n)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	if most > 0 && !larger { // it may end exactly here
		var one [1]byte
		n, err := io.ReadFull(r, one[:])
		if a.Size += int64(n); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		a.claim.Release()
		a.Raw = slices.Clone(a.Raw[:min(most, someBody)])
	}
	n, err := io.Copy(io.Discard, r)
	a.Size += n
	if err == nil && most > 0 {
		a.Whole = false
		err = TooLarge(most)
	}
	return err
}

// grow makes room for more of a body, of which keep bytes are kept at most: all at once, if its length is known and the
// first part has shown that it comes.
func (a *Answer) grow(length int64, keep int) (err error) {
	const shown = 1 << 20
	more := 1
	if len(a.Raw) >= shown && length > int64(len(a.Raw)) {
		more = int(min(length, int64(keep))) - len(a.Raw)
	}
	a.Raw, err = a.claim.Grow(a.Raw, more)
	return err
}

// BodyReader returns a reader that reads the body as it arrives.
func (a *Answer) BodyReader(br *bufio.Reader) io.Reader {
	switch n := a.length(); {
	case n >= 0:
		a.rest = io.LimitedReader{R: br, N: n}
		return &a.rest
	case n == -1:
		return httputil.NewChunkedReader(br)
	}
	return br
}

// SetBody sets the body, without an encoding, for checks and extractions.
func (a *Answer) SetBody(data []byte) {
	a.Raw = append(a.Raw[:0], data...)
	a.plain, a.ready, a.Whole, a.doc, a.parsed, a.unread = a.Raw, true, true, nil, 0, nil
	a.claim.Release() // its reader holds one
}

// NewAnswer takes an answer from the pool; Release puts it back.
func NewAnswer() *Answer { return Answers.Get().(*Answer) }

// Release resets the answer and puts it back into the pool.
func (a *Answer) Release() {
	a.Reset()
	Answers.Put(a)
}

// Fill fills in an answer that another client has read. Body is the part of the body that the client kept.
func (a *Answer) Fill(status int, header http.Header, body []byte) {
	a.Head().SetStatusCode(status)
	for name, values := range header {
		for _, v := range values {
			a.Head().Add(name, v)
		}
	}
	a.Raw, a.Size, a.Whole = append(a.Raw, body...), int64(len(body)), true
}

// errShort means that the length of the body differs from its header.
var errShort = errors.New("the body is not as long as its content-length says")

// TakeFramed is Take for a version of HTTP in which the end of the body does not depend on its length. Length is that
// of the header; -1: not given. The error says so if the body has another length.
func (a *Answer) TakeFramed(r io.Reader, length int64, method string, most int) error {
	code := a.Status()
	bodiless := method == "HEAD" || code == 204 || code == 304
	likely := length
	if method == "HEAD" {
		likely = -1
	}
	if err := a.Take(r, likely, most); err != nil {
		return err
	}
	if length >= 0 && a.Size != length && !bodiless {
		if a.Size < length {
			return fmt.Errorf("%w: %w", errShort, io.ErrUnexpectedEOF)
		}
		return errShort
	}
	return nil
}
