package template

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
)

// TestMask checks that a secret is masked in every encoding.
func TestMask(t *testing.T) {
	for _, secret := range []string{
		"plain-token", `q"uo\te`, "a b&c=d/e?f#g%h+i", "é ü 😀 x", "two\nlines here", "\ttab and blank ", "<b>&'\"",
		"\x00\x7f\x1bctl", "bad \xff utf-8",
	} {
		var s Secrets
		s.Add(secret)
		for form, text := range map[string]string{
			"raw":                         secret,
			"trimmed":                     strings.TrimSpace(secret),
			"json":                        marshal(secret),
			"our json":                    string(appendQuoted(nil, secret)),
			"query":                       url.QueryEscape(secret),
			"path":                        url.PathEscape(secret),
			"our query":                   string(appendEscaped(nil, secret, escQuery, false)),
			"our URL":                     string(appendEscaped(nil, secret, escBase, false)),
			"our header":                  string(appendEscaped(nil, secret, escHeader, false)),
			"quoted by Go":                fmt.Sprintf("%q", secret),
			"html":                        html.EscapeString(secret),
			"json of json":                marshal(marshal(secret)),
			"our json, in that of others": marshal(string(appendQuoted(nil, secret))),
			"in ASCII":                    `"` + inASCII(secret) + `"`,
			"a response, quoted by Go":    fmt.Sprintf("%q", marshal(secret)),
			"in a sentence":               "before " + secret + " and " + secret + " after",
		} {
			masked := s.Mask(text)
			if !strings.Contains(masked, syntax.Masked) {
				t.Errorf("%q %s: %q", secret, form, masked)
			}
			rest := strings.ReplaceAll(masked, syntax.Masked, "")
			if form != "in a sentence" && strings.Trim(rest, "\" \t\n%0AD+2\\n") != "" {
				t.Errorf("%q %s: %q is left", secret, form, rest)
			}
		}
	}
}

func marshal(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestMask_Echo masks a secret of a JSON request that a server returns as a string in its own JSON.
func TestMask_Echo(t *testing.T) {
	const secret = `p@ss w/"rd&é+1😀`
	var s Secrets
	s.Add(secret)
	for name, body := range map[string]string{
		"this server":         `{"got":"{\"pw\":\"p@ss w/\\\"rd&é+1😀\"}"}`,
		"one in Go":           `{"got":"{\"pw\":\"p@ss w/\\\"rd\u0026é+1😀\"}"}`,
		"one in Ascii":        `{"got": "{\"pw\": \"p@ss w/\\\"rd&\u00e9+1\ud83d\ude00\"}"}`,
		"a header in Latin-1": `{"got":"{\"pw\":\"p@ss w/\\\"rd&Ã©+1` + "\u00f0\u009f\u0098\u0080" + `\"}"}`,
		"PHP":                 `{"got":"{\"pw\":\"p@ss w\/\\\"rd&\u00e9+1\ud83d\ude00\"}"}`,
	} {
		t.Run(name, func(t *testing.T) {
			want := body[:strings.Index(body, "p@ss")] + syntax.Masked + body[strings.LastIndex(body, `\"}"}`):]
			if got := s.Mask(body); got != want {
				t.Errorf("%s is masked as %s", body, got)
			}
		})
	}
}

// TestMask_Base64 masks a secret at any position of a base64 text.
func TestMask_Base64(t *testing.T) {
	for _, secret := range []string{
		"abc", "abcd", "hunter2", "hunter22", "hunter222", "p@ss w/\"rd&é+1", "\xff\xfe\xfd\xfc\xfb",
	} {
		var s Secrets
		s.Add(secret)
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			for _, before := range []string{"", "u", "us", "user:", "anna:", "any1:x"} {
				for _, after := range []string{"", ":", "@@", " and more"} {
					text := enc.EncodeToString([]byte(before + secret + after))
					if len(secret) == shortestSecret && len(before)%3 > 0 && after != "" {
						continue // too few bits of such short secrets are unambiguous
					}
					got := s.Mask("Basic " + text)
					left := strings.Replace(strings.TrimPrefix(got, "Basic "), syntax.Masked, "", 1)
					if !strings.HasPrefix(got, "Basic ") || !strings.Contains(got, syntax.Masked) {
						t.Errorf("%q in %q: %s is masked as %s", secret, before+secret+after, text, got)
					}
					if most := (len(before)+len(after))*4/3 + 2 + strings.Count(text, "="); len(left) > most+2 {
						t.Errorf("%q in %q: of %s is left %s", secret, before+secret+after, text, got)
					}
				}
			}
		}
		const other = "a b c, YW, ab and YWJ; FiY hYm p@ s" // "abc" after one byte, and after two
		if got := s.Mask(other); got != other {
			t.Errorf("%q masks %s", secret, got)
		}
	}
}

// TestMask_ShortForm checks that no encoding of a secret masks common text.
func TestMask_ShortForm(t *testing.T) {
	for _, secret := range []string{"#secret", "x#secret", "ab#", "\n\n#a\n"} {
		var s Secrets
		s.Add(secret)
		if got := s.Mask("an axe, ab, a word"); got != "an axe, ab, a word" {
			t.Errorf("%q masks %s", secret, got)
		}
	}
}

func TestSecrets(t *testing.T) {
	var none *Secrets
	if got := none.Mask("x"); got != "x" {
		t.Errorf("got %s", got)
	}
	var s Secrets
	for _, v := range []string{"", "  ", "1", "on", " a ", "\n"} {
		s.Add(v)
	}
	if got := s.Mask("1 on a"); got != "1 on a" {
		t.Errorf("what is shorter than three bytes is masked: %s", got)
	}
	s.Add("abc")
	s.Add("abcdef")
	s.Add("abc")
	if got := s.Mask("abcdef abc abx"); got != "*** *** abx" {
		t.Errorf("the longer goes first: %s", got)
	}
	if got := s.Mask("x abcd… ab… … abcde…f"); got != "x ***… ab… … ***…f" {
		t.Errorf("one that was cut off: %s", got)
	}
	s.Add("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQ\n-----END KEY-----\n")
	if got := s.Mask("error in MIIEvQIBADANBgkq"); got != "error in ***" {
		t.Errorf("a line of a secret: %s", got)
	}
}
