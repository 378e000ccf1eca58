package template

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"brunt/scenarios/syntax"
)

// shortestSecret is the minimum length in bytes of a masked secret. Masking shorter texts, such
// as every 1 or on, would make a report unreadable and protect nothing.
const shortestSecret = 3

// Secrets are the values that came from the environment or a file. They are masked in every
// output: report, journal, log, samples. The zero value masks nothing.
type Secrets struct {
	values []string // all encodings of the secrets, longest first
}

// mostLines is the maximum number of lines of a secret whose lines are masked individually.
const mostLines = 200

// Add makes v a secret, in all its encodings: as it is, without surrounding blanks, line by line,
// inside JSON, inside JSON within a JSON string, in base64 at any position of the encoded text, in hex digits,
// inside a URL, in a header's line, and quoted by Go. Texts shorter than three bytes are not
// masked.
func (s *Secrets) Add(v string) {
	known := make(map[string]bool, len(s.values))
	for _, f := range s.values {
		known[f] = true
	}
	all := []string{v, strings.TrimSpace(v)}
	if n := strings.Count(v, "\n"); n > 0 && n < mostLines {
		for line := range strings.Lines(v) {
			if line = strings.TrimSpace(line); len(line) >= 2*shortestSecret {
				all = append(all, line)
			}
		}
	}
	for i, v := range all {
		if len(strings.TrimSpace(v)) < shortestSecret {
			continue
		}
		forms := formsOf(v)
		if i < 2 { // a single line is not encoded on its own
			forms = append(forms, base64Of(v)...)
			forms = append(forms, hex.EncodeToString([]byte(v)))
		}
		for _, f := range forms {
			// subtle: an encoding can be shorter than the secret, such as that of a URL's host, which ends
			// before a #. Masking a short one would mask every such letter.
			if !known[f] && len(strings.TrimSpace(f)) >= shortestSecret {
				known[f] = true
				s.values = append(s.values, f)
			}
		}
	}
	slices.SortStableFunc(s.values, func(a, b string) int { return len(b) - len(a) })
}

// formsOf returns v as it appears at every place of a template, and as messages and reports quote it.
func formsOf(v string) []string {
	forms := []string{v, url.QueryEscape(v), url.PathEscape(v), html.EscapeString(v)}
	for _, esc := range []escape{escBase, escPath, escHeader} {
		forms = append(forms, string(appendEscaped(nil, v, esc, false)))
	}
	for _, read := range []string{v, asLatin1(v)} {
		forms = append(forms, read)
		for _, once := range quotings(read) {
			forms = append(forms, once)
			if once != read { // a second escape makes a difference only if the first did
				forms = append(forms, quotings(once)...)
			}
		}
	}
	return forms
}

// asLatin1 returns v as read by programs that decode each byte as a character, as many do with headers.
func asLatin1(v string) string {
	runes := make([]rune, len(v))
	for i := range len(v) {
		runes[i] = rune(v[i])
	}
	return string(runes)
}

// quotings returns v inside a JSON string, as common encoders including brunt's write it, and
// inside a Go string.
func quotings(v string) []string {
	ascii := inASCII(v)
	out := []string{string(appendJSON(nil, v)), ascii, strings.ReplaceAll(ascii, "/", `\/`)}
	if q, err := json.Marshal(v); err == nil {
		out = append(out, string(q[1:len(q)-1]))
	}
	q := strconv.Quote(v)
	out = append(out, q[1:len(q)-1])
	slices.Sort(out)
	return slices.Compact(out)
}

// inASCII returns v inside a JSON string as written by encoders that escape all characters beyond ASCII.
func inASCII(v string) string {
	var b strings.Builder
	for _, r := range string(appendJSON(nil, v)) {
		switch hi, lo := utf16.EncodeRune(r); {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case hi == utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		}
	}
	return b.String()
}

// base64Of returns v in base64 after any number of other bytes: the characters that depend on v
// alone. If v ends the encoded text, its last characters are included.
func base64Of(v string) []string {
	var out []string
	for before := range 3 {
		from, to := (8*before+5)/6, 8*(before+len(v))/6
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(append(make([]byte, before), v...))
			for _, form := range []string{text[from:to], text[from:]} {
				// This many characters hold the bits of the shortest secret.
				if len(form) >= base64.RawStdEncoding.EncodedLen(shortestSecret) {
					out = append(out, form)
				}
			}
		}
	}
	return out
}

// Mask returns text with every secret masked, and every beginning of a secret before an ellipsis.
func (s *Secrets) Mask(text string) string {
	if s == nil || len(s.values) == 0 {
		return text
	}
	if rest := strings.Split(text, syntax.Ellipsis); len(rest) > 1 {
		for i, r := range rest[:len(rest)-1] {
			if n := s.cutOff(r); n > 0 {
				rest[i] = r[:len(r)-n] + syntax.Masked
			}
		}
		text = strings.Join(rest, syntax.Ellipsis)
	}
	for _, v := range s.values {
		if strings.Contains(text, v) {
			text = strings.ReplaceAll(text, v, syntax.Masked)
		}
	}
	return text
}

// longestCut bounds the length of the beginning of a secret before an ellipsis, in bytes.
const longestCut = 2000

// cutOff returns how many bytes at the end of text are the beginning of a secret.
func (s *Secrets) cutOff(text string) int {
	most := 0
	for _, v := range s.values {
		for k := min(len(v), len(text), longestCut); k > most && k >= shortestSecret; k-- {
			if strings.HasSuffix(text, v[:k]) {
				most = k
			}
		}
	}
	return most
}
