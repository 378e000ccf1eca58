package leaks

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"html"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// edge is the length of the beginning and of the end of a secret that count as a leak of it.
const edge = 10

// A finder finds secrets in texts.
type finder struct {
	pieces []piece
	heads  map[string][]piece // by their first three bytes
	first  [1 << 16]bool      // of two bytes, that a piece begins with them
}

// A piece is a secret, its beginning or its end.
type piece struct {
	name string // of the secret
	text string
}

// A leak is a secret in a text.
type leak struct {
	name string // of the secret
	how  string // the encodings that it was found in, the outermost first
	near string // what stands around it
}

func (l leak) String() string { return fmt.Sprintf("%s (%s): …%q…", l.name, l.how, l.near) }

// newFinder returns a finder of these secrets, by their names.
func newFinder(secrets map[string]string) *finder {
	f := &finder{heads: map[string][]piece{}}
	for name, v := range secrets {
		texts := []string{v}
		if len(v) >= 2*edge {
			texts = append(texts, v[:edge], v[len(v)-edge:])
		}
		for _, text := range texts {
			p := piece{name, text}
			f.pieces = append(f.pieces, p)
			f.heads[text[:3]] = append(f.heads[text[:3]], p)
			f.first[int(text[0])<<8|int(text[1])] = true
		}
	}
	return f
}

// in returns the secrets that stand in a text as it is.
func (f *finder) in(text string) (found []piece, at []int) {
	for i := 0; i+3 <= len(text); i++ {
		if !f.first[int(text[i])<<8|int(text[i+1])] {
			continue
		}
		for _, p := range f.heads[text[i:i+3]] {
			if strings.HasPrefix(text[i:], p.text) {
				found, at = append(found, p), append(at, i)
			}
		}
	}
	return found, at
}

// A decoding turns a text into one without an encoding.
type decoding struct {
	name string
	do   func(string) string
}

// Decodings of a text. Those of texts may follow on each other; those of runs give what is between other text.
var (
	ofTexts = []decoding{
		{"json", withoutJSON},
		{"query", withoutQuery},
		{"url", withoutURL},
		{"html", html.UnescapeString},
		{"chunks", withoutChunks},
		{"terminal", withoutTerminal},
		{"quotes of a shell", func(s string) string { return strings.NewReplacer(`'\''`, `'`, `"'"`, `'`).Replace(s) }},
	}
	ofRuns = []decoding{{"base64", outOfBase64}, {"hex", outOfHex}}
)

// Encodings that may lie within each other; of a long text fewer are tried, to save time.
const (
	mostDecodings = 3
	mostOfLong    = 2
	long          = 32 << 10 // bytes
)

var seed = maphash.MakeSeed()

// find returns the secrets in a text, each once for each secret.
func (f *finder) find(text string) []leak {
	known := map[string]bool{}
	seen := map[uint64]bool{}
	var out []leak
	var search func(text, how string, depth int)
	search = func(text, how string, depth int) {
		sum := maphash.String(seed, text)
		if seen[sum] || text == "" {
			return
		}
		seen[sum] = true
		found, at := f.in(text)
		for i, p := range found {
			if !known[p.name] {
				known[p.name] = true
				out = append(out, leak{p.name, strings.TrimPrefix(how, " < "), text[max(0, at[i]-60):min(len(text), at[i]+len(p.text)+20)]})
			}
		}
		if depth == mostDecodings || len(text) > long && depth >= mostOfLong {
			return
		}
		for _, d := range slices.Concat(ofTexts, ofRuns) {
			if next := d.do(text); next != text {
				search(next, how+" < "+d.name, depth+1)
			}
		}
	}
	search(text, "", 0)
	for _, d := range decompressed(text) {
		search(d, " < compression", 1)
	}
	for i := range out {
		if out[i].how == "" {
			out[i].how = "raw"
		}
	}
	return out
}

var escapes = regexp.MustCompile(`\\+(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|["/\\bfnrt'])`)

// withoutJSON takes the escapes of JSON, Go and JavaScript off.
func withoutJSON(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return escapes.ReplaceAllStringFunc(s, func(e string) string {
		e = strings.TrimLeft(e, `\`)
		switch {
		case e == "":
			return `\`
		case e[0] == 'u' || e[0] == 'x':
			n, _ := strconv.ParseUint(e[1:], 16, 32)
			return string(rune(n))
		}
		if i := strings.IndexByte("bfnrt", e[0]); i >= 0 {
			return string("\b\f\n\r\t"[i])
		}
		return e
	})
}

var percent = regexp.MustCompile(`(?:%[0-9a-fA-F]{2})+`)

func withoutQuery(s string) string { return withoutURL(strings.ReplaceAll(s, "+", " ")) }

func withoutURL(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	return percent.ReplaceAllStringFunc(s, func(e string) string {
		if v, err := url.PathUnescape(e); err == nil {
			return v
		}
		return e
	})
}

var (
	chunkSize = regexp.MustCompile(`\r\n[0-9a-fA-F]{1,8}\r\n`)
	newlines  = regexp.MustCompile(`\s*\r?\n\s*(?:data: ?|\|\s?)?`)
	ansi      = regexp.MustCompile("\x1b(?:\\[[0-9;?]*[a-zA-Z]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\))")
)

// withoutChunks joins chunks of HTTP, and lines.
func withoutChunks(s string) string {
	return newlines.ReplaceAllString(chunkSize.ReplaceAllString(s, ""), "")
}

// withoutTerminal takes off what controls a terminal.
func withoutTerminal(s string) string {
	if !strings.Contains(s, "\x1b") {
		return s
	}
	return ansi.ReplaceAllString(s, "")
}

var (
	base64Runs = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)
	hexRuns    = regexp.MustCompile(`[0-9a-fA-F]{10,}`)
)

// outOfBase64 returns what each run of base64 holds, from each of the four places that a character may have in its group.
func outOfBase64(s string) string {
	var b strings.Builder
	for _, run := range base64Runs.FindAllString(s, -1) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for from := range 4 {
			part := run[from:]
			if len(part)%4 == 1 {
				part = part[:len(part)-1]
			}
			if v, err := base64.RawStdEncoding.DecodeString(part); err == nil {
				b.Write(v)
			}
			b.WriteString(" ~ ")
		}
	}
	return b.String()
}

// outOfHex returns what each run of hex digits holds, from both places that a digit may have.
func outOfHex(s string) string {
	var b strings.Builder
	for _, run := range hexRuns.FindAllString(s, -1) {
		for from := range 2 {
			part := run[from:]
			v, _ := hex.DecodeString(part[:len(part)/2*2])
			b.Write(v)
			b.WriteString(" ~ ")
		}
	}
	return b.String()
}

// decompressed returns what a file or a body holds that is compressed.
func decompressed(s string) (out []string) {
	const most = 256 << 20
	if r, err := gzip.NewReader(strings.NewReader(s)); err == nil {
		b, _ := io.ReadAll(io.LimitReader(r, most))
		out = append(out, string(b))
	}
	if strings.HasPrefix(s, "\x28\xb5\x2f\xfd") {
		if r, err := zstd.NewReader(strings.NewReader(s)); err == nil {
			b, _ := io.ReadAll(io.LimitReader(r, most))
			r.Close()
			out = append(out, string(b))
		}
	}
	if n, err := snappy.DecodedLen([]byte(s)); err == nil && n < most {
		if b, err := snappy.Decode(nil, []byte(s)); err == nil && !bytes.Equal(b, []byte(s)) {
			out = append(out, string(b))
		}
	}
	return out
}
