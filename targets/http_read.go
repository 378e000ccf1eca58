package targets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

// Bounds on an answer. One that is beyond them is an error of its request, never
// an end to the run.
const (
	maxHead   = 1 << 20
	maxBody   = 64 << 20 // where checks or extractions look into it; else it may be of any size
	smallBody = 64 << 10 // whose memory is kept for the next
	someBody  = 4 << 10  // what is kept of a body that nobody looks into
)

var (
	errNotHTTP  = errors.New("what came back is not HTTP")
	errTooLarge = fmt.Errorf("the body is over %d MiB, the most that checks and extractions look into", maxBody>>20)
	errTooLong  = fmt.Errorf("the header is over %d KiB", maxHead>>10)
)

// answers are lent to a request only once its answer has begun.
var answers = sync.Pool{New: func() any {
	a := new(answer)
	a.reset()
	return a
}}

// read reads the answer to a request whose first byte br holds. Clean tells that
// the connection can carry another.
func (a *answer) read(br *bufio.Reader, method string, whole bool) (clean bool, err error) {
	first := br
	for code := 0; code < 200 && code != 101; code = a.head.StatusCode() { // 100 Continue and its like come before the answer
		if br, err = a.readHead(br); err != nil {
			return false, err
		}
	}
	return a.readRest(br, first, method, whole)
}

// readRest reads what follows the header that br was read for; first is the reader that
// it began in.
func (a *answer) readRest(br, first *bufio.Reader, method string, whole bool) (clean bool, err error) {
	a.whole = whole
	switch code := a.head.StatusCode(); {
	case method == "HEAD" || code == 204 || code == 304:
	case code == 101: // what follows is another protocol
		return false, nil
	default:
		if err := a.readBody(br); err != nil {
			return false, err
		}
	}
	return !a.cut && !a.closes() && br.Buffered() == 0 && first.Buffered() == 0, nil
}

// readHead reads a status line with its header. It gives the reader to go on
// with: one with more room where the header needs it.
func (a *answer) readHead(br *bufio.Reader) (*bufio.Reader, error) {
	const begin = "HTTP/"
	if b, err := br.Peek(len(begin)); !strings.HasPrefix(begin, string(b)) {
		return br, errNotHTTP
	} else if err != nil {
		return br, err
	}
	for {
		err := a.head.Read(br)
		if err == nil {
			if code := a.head.StatusCode(); code < 100 || code > 999 {
				err = errNotHTTP
			}
			return br, err
		}
		if _, small := errors.AsType[*fasthttp.ErrSmallBuffer](err); !small {
			return br, err
		}
		if br.Size() >= maxHead {
			return br, errTooLong
		}
		// subtle: the codec takes nothing out of br unless it has the whole header.
		br = bufio.NewReaderSize(br, min(maxHead, 4*br.Size()))
	}
}

// closes tells that the server won't take another request on this connection.
func (a *answer) closes() bool {
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

func (a *answer) readBody(br *bufio.Reader) error {
	switch n := a.head.ContentLength(); {
	case n >= 0:
		a.rest = io.LimitedReader{R: br, N: int64(n)}
		if err := a.take(&a.rest); err != nil {
			return err
		}
		if a.size < int64(n) {
			return io.ErrUnexpectedEOF
		}
	case n == -1: // chunked
		if err := a.take(httputil.NewChunkedReader(br)); err != nil {
			return err
		}
		switch err := a.head.ReadTrailer(br); err {
		case nil:
		case io.EOF: // the last chunk was there; only the line after it is missing
			a.cut = true
		default:
			return err
		}
	default: // to the end of the connection
		return a.take(br)
	}
	return nil
}

// take reads r to its end. What nobody looks into is counted and let go.
func (a *answer) take(r io.Reader) error {
	keep := someBody
	if a.whole {
		keep = maxBody
	}
	a.raw = a.raw[:0]
	for len(a.raw) < keep {
		if len(a.raw) == cap(a.raw) {
			a.raw = slices.Grow(a.raw, 512)
		}
		n, err := r.Read(a.raw[len(a.raw):min(cap(a.raw), keep)])
		a.raw = a.raw[:len(a.raw)+n]
		a.size += int64(n)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	if a.whole {
		if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 {
			return errTooLarge
		} else if err != io.EOF {
			return err
		}
		return nil
	}
	n, err := io.Copy(io.Discard, r)
	a.size += n
	return err
}
