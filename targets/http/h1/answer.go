package h1

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/targets/http/cookies"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/molecule-man/go-brrr"
	"github.com/ohler55/ojg/jp"
	"github.com/valyala/fasthttp"
)

// An Answer is a response, for checks and extractions. It decodes and parses the body once, on demand.
type Answer struct {
	scanned head                    // the header, if it is plain
	head    fasthttp.ResponseHeader // otherwise, or after a call of Head
	parses  bool                    // head has been used
	Raw     []byte                  // the part of the body that was kept, as received
	Size    int64                   // size of the whole body
	Whole   bool                    // all of the body is kept
	cut     bool                    // the connection ended right after it
	plain   []byte                  // the body without its encoding
	ready   bool                    // plain is valid
	most    int                     // maximum size of the decoded body; zero is MaxBody
	grown   error                   // the error if it is larger
	unread  error                   // the bound over which its document is
	claim   budget.Claim            // of the body, as it came and decoded, and of its document
	doc     any
	parsed  int8 // 1 is parsed, -1 is not JSON
	rest    io.LimitedReader

	Events                int           // number of events of a stream so far
	FirstEvent, LastEvent time.Duration // when the first and the last event came
	EventKind, EventID    string        // kind and id of the last event
}

// Reset prepares the answer for the next response. It keeps buffers of moderate size.
func (a *Answer) Reset() {
	if a.parses {
		a.head.Reset()
		a.head.SetNoDefaultContentType(true) // a header that was not sent is absent
		a.parses = false
	}
	a.scanned.clear()
	if a.Raw = a.Raw[:0]; cap(a.Raw) > KeptBody {
		a.Raw = nil
	}
	a.Events, a.FirstEvent, a.LastEvent, a.EventKind, a.EventID = 0, 0, 0, "", ""
	a.Size, a.Whole, a.cut, a.plain, a.ready, a.doc, a.parsed, a.rest = 0, false, false, nil, false, nil, 0,
		io.LimitedReader{}
	a.most, a.grown, a.unread = 0, nil, nil
	a.claim.Release()
}

// Inflate decodes the content encoding of the body. If the decoded body is larger than most bytes, the error is
// [TooLarge], and only its beginning is kept.
func (a *Answer) Inflate(most int) error {
	if !a.ready {
		a.most = most
	}
	a.Body()
	return a.grown
}

// Body returns the body without its content encoding. If the decoded body is larger than 64 MiB, or than Inflate
// allows, it returns only the beginning.
func (a *Answer) Body() []byte {
	if a.ready {
		return a.plain
	}
	a.ready = true
	a.plain = a.Raw
	encoding := a.encoding()
	if r := decoder(encoding, a.Raw); r != nil {
		most := cmp.Or(a.most, MaxBody)
		b, err := a.claim.ReadAll(r, most)
		full := budget.Over(err)
		if full != nil || len(b) > most {
			if a.grown = full; full == nil {
				a.grown = tooLarge("the body without its encoding "+encoding, most)
			}
			a.claim.Give(cap(b))
			b, err = slices.Clone(b[:min(most, someBody, len(b))]), nil
		}
		// If the body was not kept whole, its decoded beginning is enough.
		if err == nil || !a.Whole {
			a.plain = b
		}
	}
	return a.plain
}

// decoder returns a reader that decodes a content encoding. It is nil if there is no encoding or it is unknown.
func decoder(encoding string, body []byte) io.Reader {
	var r io.Reader
	var err error
	switch src := bytes.NewReader(body); strings.ToLower(strings.TrimSpace(encoding)) {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(src)
	case "deflate":
		if r, err = zlib.NewReader(src); err != nil { // many servers omit the zlib header
			r, err = flate.NewReader(bytes.NewReader(body)), nil
		}
	case "br":
		r = brrr.NewReader(src)
	case "zstd":
		r, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxBody))
	}
	if err != nil {
		return nil
	}
	return r
}

// JSON returns the values at path, or nil if the body is not JSON. An empty body has no values.
func (a *Answer) JSON(path jp.Expr) []any {
	if a.parsed == 0 {
		a.parsed = -1
		var err error
		if a.doc, err = check.Parse(a.Body(), &a.claim); err == nil {
			a.parsed = 1
		}
		a.unread = budget.Over(err)
	}
	switch {
	case a.parsed > 0:
		return check.AtPath(a.doc, path)
	case len(a.Body()) == 0:
		return []any{}
	}
	return nil
}

// Unread returns the bound over which the document is, for package targets; nil: it is over none.
func (a *Answer) Unread() error { return a.unread }

// Document implements [targets.Answer].
func (a *Answer) Document() (doc any, ok bool) { return check.First(a.JSON(jp.R())) }

// Header returns the values of a header.
func (a *Answer) Header(name string) [][]byte {
	if strings.EqualFold(name, "Set-Cookie") {
		var all [][]byte
		for _, line := range a.Head().Cookies() {
			all = append(all, line)
		}
		return all
	}
	all := a.Head().PeekAll(name)
	if len(all) == 1 && len(all[0]) == 0 && strings.EqualFold(name, "Content-Length") {
		return nil // the codec always has a value
	}
	return all
}

// Cookies returns the cookies that the answer sets, and that have a form that clients take.
func (a *Answer) Cookies() (list []cookies.Cookie) {
	for _, line := range a.Head().Cookies() {
		if c, err := cookies.Parse(string(line), time.Time{}); err == nil {
			list = append(list, c)
		}
	}
	return list
}

// Cookie returns the value of a cookie that the answer sets, as it came. If the name occurs several times, the last
// value counts.
func (a *Answer) Cookie(name string) (value string, ok bool) {
	for _, c := range a.Cookies() {
		if c.Name == name {
			value, ok = c.Value, true
		}
	}
	return value, ok
}

// Excerpt returns the beginning of the body as text, for a sample.
func (a *Answer) Excerpt() string {
	const most = 300
	b := a.Body()
	cut := len(b) > most || int64(len(a.Raw)) < a.Size
	s := strings.ToValidUTF8(string(b[:min(len(b), most)]), "�")
	if cut {
		s += "…"
	}
	return s
}
