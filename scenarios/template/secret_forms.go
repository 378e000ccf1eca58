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
)

// mostLines is the maximum number of lines of a secret that are masked one by one.
const mostLines = 200

// allForms returns every encoding of a secret that is masked.
func allForms(v string) []string {
	all := []string{v, strings.TrimSpace(v)}
	if n := strings.Count(v, "\n"); n > 0 && n < mostLines {
		for line := range strings.Lines(v) {
			if line = strings.TrimSpace(line); len(line) >= 2*shortestSecret {
				all = append(all, line)
			}
		}
	}
	var out []string
	for i, v := range all {
		if len(strings.TrimSpace(v)) < shortestSecret {
			continue
		}
		out = append(out, formsOf(v)...)
		if i < 2 { // a single line is not encoded on its own
			// Bodies are encoded as a whole.
			for _, v := range slices.Compact([]string{v, url.QueryEscape(v), string(appendJSON(nil, v))}) {
				digits := hex.EncodeToString([]byte(v))
				out = append(append(out, base64Of(v)...), digits, strings.ToUpper(digits))
			}
		}
	}
	// Subtle: an encoding can be shorter than the secret. For example, the host of a URL ends before a #. Masking a
	// short encoding would mask every occurrence of its letters.
	out = slices.DeleteFunc(out, func(f string) bool { return len(strings.TrimSpace(f)) < shortestSecret })
	slices.Sort(out)
	return slices.Compact(out)
}

// Encodings of HTML in addition to the one in Go.
var (
	entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")
	inHTML   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "/", "&#x2F;")
)

// lowerHex returns an encoded URL with the digits of its escapes in lower case.
func lowerHex(v string) string {
	b := []byte(v)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

// formsOf returns v as it appears at each place of a template, and as messages and reports quote it.
func formsOf(v string) []string {
	query, path := url.QueryEscape(v), url.PathEscape(v)
	forms := []string{
		v, query, path, lowerHex(query), lowerHex(path), strings.ReplaceAll(query, "+", "%20"),
		lowerHex(strings.ReplaceAll(query, "+", "%20")),
		url.QueryEscape(query), url.QueryEscape(path), html.EscapeString(v), entities.Replace(v), inHTML.Replace(v),
	}
	for _, esc := range []escape{escBase, escPath, escHeader} {
		forms = append(forms, string(appendEscaped(nil, v, esc, false)))
	}
	for _, read := range []string{v, asLatin1(v), html.EscapeString(v)} {
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

// asLatin1 returns v as read by programs that decode each byte as a character, which many do with headers.
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

// base64Of returns v in base64 after any number of other bytes: the characters that depend only on v. If v ends the
// encoded text, its last characters are included.
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
