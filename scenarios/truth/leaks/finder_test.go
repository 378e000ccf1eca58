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
	"iter"
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
		{"quotes of a shell", withoutQuotes},
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
				out = append(out, leak{
					p.name, strings.TrimPrefix(how, " < "), text[max(0, at[i]-60):min(len(text), at[i]+len(p.text)+20)],
				})
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

// These scan bytes by hand, since the search applies them to megabytes, again and again: regular expressions took ten
// times as long.

// isHex reports whether the first n bytes of a text are hex digits.
func isHex(s string, n int) bool {
	if len(s) < n {
		return false
	}
	for i := range n {
		if !hexDigit[s[i]] {
			return false
		}
	}
	return true
}

// Classes of bytes.
var (
	hexDigit   = class("0123456789abcdefABCDEF")
	base64Char = class("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/-_")
	white      = class("\t\n\f\r ")
)

func class(bytes string) (c [256]bool) {
	for i := range len(bytes) {
		c[bytes[i]] = true
	}
	return c
}

// span is the number of bytes of a class that a text begins with.
func span(s string, c *[256]bool) int {
	i := 0
	for i < len(s) && c[s[i]] {
		i++
	}
	return i
}

// withoutJSON takes the escapes of JSON, Go and JavaScript off. However many backslashes stand before a letter, they
// are one.
func withoutJSON(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		for s = s[i:]; s != "" && s[0] == '\\'; {
			s = s[1:]
		}
		digits := 0
		switch {
		case s != "" && s[0] == 'u' && isHex(s[1:], 4):
			digits = 4
		case s != "" && s[0] == 'x' && isHex(s[1:], 2):
			digits = 2
		}
		switch at := -1; {
		case digits > 0:
			n, _ := strconv.ParseUint(s[1:1+digits], 16, 32)
			b.WriteRune(rune(n))
			s = s[1+digits:]
		case s == "":
			b.WriteByte('\\')
		default:
			if at = strings.IndexByte(`bfnrt"/'`, s[0]); at < 0 {
				b.WriteByte('\\')
				break
			}
			b.WriteByte("\b\f\n\r\t\"/'"[at])
			s = s[1:]
		}
	}
	if b.Len() == 0 {
		return s
	}
	return b.String() + s
}

func withoutQuery(s string) string { return withoutURL(strings.ReplaceAll(s, "+", " ")) }

func withoutURL(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && isHex(s[i+1:], 2) {
			v, _ := hex.DecodeString(s[i+1 : i+3])
			b.WriteString(s[from:i])
			b.Write(v)
			i += 2
			from = i + 1
		}
	}
	return b.String() + s[from:]
}

var (
	ansi   = regexp.MustCompile("\x1b(?:\\[[0-9;?]*[a-zA-Z]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\))")
	quotes = strings.NewReplacer(`'\''`, `'`, `"'"`, `'`)
)

// withoutChunks joins chunks of HTTP, and lines.
func withoutChunks(s string) string { return withoutLines(withoutSizes(s)) }

// withoutSizes takes off the sizes of chunks: up to eight hex digits in a line of their own.
func withoutSizes(s string) string {
	var b strings.Builder
	for from := 0; ; {
		i := strings.Index(s[from:], "\r\n")
		if i < 0 {
			return b.String() + s
		}
		i += from
		if n := span(s[i+2:], &hexDigit); n >= 1 && n <= 8 && strings.HasPrefix(s[i+2+n:], "\r\n") {
			b.WriteString(s[:i])
			s, from = s[i+2+n+2:], 0
		} else {
			from = i + 2
		}
	}
}

// withoutLines takes off the ends of lines, with the space around them and what begins a line of an event or of a
// block.
func withoutLines(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); {
		if !white[s[i]] {
			i++
			continue
		}
		n := span(s[i:], &white)
		if strings.IndexByte(s[i:i+n], '\n') < 0 {
			i += n
			continue
		}
		b.WriteString(s[from:i])
		i += n
		switch {
		case strings.HasPrefix(s[i:], "data: "):
			i += len("data: ")
		case strings.HasPrefix(s[i:], "data:"):
			i += len("data:")
		case strings.HasPrefix(s[i:], "|"):
			if i++; i < len(s) && white[s[i]] {
				i++
			}
		}
		from = i
	}
	return b.String() + s[from:]
}

// withoutTerminal takes off what controls a terminal.
func withoutTerminal(s string) string {
	if !strings.Contains(s, "\x1b") {
		return s
	}
	return ansi.ReplaceAllString(s, "")
}

func withoutQuotes(s string) string {
	if !strings.Contains(s, "'") {
		return s
	}
	return quotes.Replace(s)
}

// runs are the stretches of at least n bytes of a class.
func runs(s string, c *[256]bool, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 0; i < len(s); i++ {
			if !c[s[i]] {
				continue
			}
			long := span(s[i:], c)
			if long >= n && !yield(s[i:i+long]) {
				return
			}
			i += long
		}
	}
}

// outOfBase64 returns what each run of base64 holds, from each of the four places that a character may have in its
// group.
func outOfBase64(s string) string {
	var out, in []byte
	for run := range runs(s, &base64Char, 8) {
		in = append(in[:0], run...)
		for i, c := range in {
			switch c {
			case '-':
				in[i] = '+'
			case '_':
				in[i] = '/'
			}
		}
		for from := range 4 {
			part := in[from:]
			if len(part)%4 == 1 {
				part = part[:len(part)-1]
			}
			out, _ = base64.RawStdEncoding.AppendDecode(out, part)
			out = append(out, " ~ "...)
		}
	}
	return string(out)
}

// outOfHex returns what each run of hex digits holds, from both places that a digit may have.
func outOfHex(s string) string {
	var out []byte
	for run := range runs(s, &hexDigit, 10) {
		for from := range 2 {
			part := run[from:]
			out, _ = hex.AppendDecode(out, []byte(part[:len(part)/2*2]))
			out = append(out, " ~ "...)
		}
	}
	return string(out)
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
