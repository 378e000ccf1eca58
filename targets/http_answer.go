package targets

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
	"github.com/valyala/fasthttp"
)

// An answer is a response as checks and extractions see it. It parses its body
// once, and only when asked to.
type answer struct {
	resp   *fasthttp.Response
	plain  []byte // the body without its encoding
	doc    any
	parsed int8 // 1 is parsed, -1 is not JSON
	ready  bool
}

func (a *answer) reset(resp *fasthttp.Response) { *a = answer{resp: resp} }

// maxInflated bounds what a compressed body may grow to.
const maxInflated = 64 << 20

// body is the body without its content encoding.
func (a *answer) body() []byte {
	if a.ready {
		return a.plain
	}
	a.ready = true
	a.plain = a.resp.Body()
	if r := decoder(string(a.resp.Header.ContentEncoding()), a.plain); r != nil {
		if b, err := io.ReadAll(io.LimitReader(r, maxInflated)); err == nil {
			a.plain = b
		}
	}
	return a.plain
}

// decoder undoes a content encoding; nil is one that is none or not known.
func decoder(encoding string, body []byte) io.Reader {
	var r io.Reader
	var err error
	switch src := bytes.NewReader(body); strings.ToLower(encoding) {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(src)
	case "deflate":
		r, err = zlib.NewReader(src)
	case "br":
		r = brotli.NewReader(src)
	case "zstd":
		r, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxInflated))
	}
	if err != nil {
		return nil
	}
	return r
}

// json finds the value that path leads to.
func (a *answer) json(path jp.Expr) (any, bool) {
	if a.parsed == 0 {
		a.parsed = -1
		if doc, err := oj.Parse(a.body()); err == nil {
			a.doc, a.parsed = doc, 1
		}
	}
	if a.parsed < 0 {
		return nil, false
	}
	if len(path) == 1 { // $ is the document itself
		return a.doc, true
	}
	if found := path.Get(a.doc); len(found) > 0 {
		return found[0], true
	}
	return nil, false
}

func (a *answer) header(name string) []byte { return a.resp.Header.Peek(name) }

func (a *answer) cookie(name string) (value string, ok bool) {
	for _, line := range a.resp.Header.PeekAll("Set-Cookie") {
		if c, err := http.ParseSetCookie(string(line)); err == nil && c.Name == name {
			return c.Value, true
		}
	}
	return "", false
}

// excerpt is the beginning of the body as text, for a sample.
func (a *answer) excerpt() string {
	const most = 300
	b := a.body()
	cut := len(b) > most
	s := strings.ToValidUTF8(string(b[:min(len(b), most)]), "�")
	if cut {
		s += "…"
	}
	return s
}

// readResponse reads one response; the body of an answer to HEAD is not waited for.
func readResponse(resp *fasthttp.Response, br *bufio.Reader, method string) error {
	resp.SkipBody = method == "HEAD"
	return resp.ReadLimitBody(br, maxBody)
}

// maxBody bounds the body of one answer.
const maxBody = 256 << 20
