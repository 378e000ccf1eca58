package leaks

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// encodings are the encodings in which a secret is planted, and in which the echo answers.
var encodings = map[string]func(string) string{
	"raw":                     func(s string) string { return s },
	"url, of a query":         url.QueryEscape,
	"url, of a path":          url.PathEscape,
	"url, in lower case":      func(s string) string { return strings.ToLower(everyByte("%%%02x")(s)) },
	"url, each byte":          everyByte("%%%02X"),
	"base64, after 0 bytes":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64, after 1 byte":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte("u" + s + "!")) },
	"base64, after 2 bytes":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("us" + s + "!!")) },
	"base64 of URLs, 0 bytes": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64 of URLs, 1 byte":  func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(":" + s)) },
	"base64 of URLs, 2 bytes": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("a:" + s)) },
	"hex":                     func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hex, in upper case":      func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"html":                    html.EscapeString,
	"html, each byte":         everyByte("&#%d;"),
	"html, each byte in hex":  everyByte("&#x%x;"),
	"json":                    func(s string) string { return jsonOf(s) },
	"json of json":            func(s string) string { return jsonOf(jsonOf(s)) },
	"json, each byte":         everyByte(`\u%04x`),
	"json, each in upper":     everyByte(`\u%04X`),
	"quoted by Go":            func(s string) string { return fmt.Sprintf("%q", s) },
}

func everyByte(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, format, s[i])
		}
		return b.String()
	}
}

func jsonOf(s any) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestFinder: a planted secret is found in every encoding, raw or within others, cut into chunks and lines, with a
// terminal's escapes in it, compressed, and where its beginning or its end alone is left.
func TestFinder(t *testing.T) {
	secrets := map[string]string{"plain": "q7Wd0xkT3mVb9RzYp2Lc", "odd": `k/9+="<&>'x Y;z%41Qv`}
	f := newFinder(secrets)
	want := func(what, name, text string) {
		t.Helper()
		for _, l := range f.find(text) {
			if l.name == name {
				return
			}
		}
		t.Errorf("%s of %s is not found in %.200q", what, name, text)
	}
	for name, v := range secrets {
		for how, encode := range encodings {
			text := "some text before " + encode(v) + " and behind"
			want(how, name, text)
			want(how+", in json", name, jsonOf(text))
			want(how+", in base64", name, base64.StdEncoding.EncodeToString([]byte(text)))
		}
	}
	v := secrets["plain"]
	for what, text := range map[string]string{
		"a beginning":            "it was " + v[:edge] + "… and so on",
		"an end":                 "…" + v[len(v)-edge:],
		"a beginning, in base64": base64.StdEncoding.EncodeToString([]byte("a:" + v))[:19],
		"lines":                  "a: " + v[:7] + "\n    " + v[7:],
		"chunks":                 "5\r\nab" + v[:3] + "\r\n11\r\n" + v[3:] + "\r\n0\r\n\r\n",
		"events":                 "data: {\"a\":\"" + v[:9] + "\ndata: " + v[9:] + "\"}\n\n",
		"colours":                "\x1b[1m" + v[:8] + "\x1b[0m" + v[8:],
		"a wrapped terminal":     v[:8] + "\x1b[K\r\n  " + v[8:],
		"gzip":                   gzipped("x " + v),
		"zstd":                   string(must(zstd.NewWriter(nil)).EncodeAll([]byte(v), nil)),
		"snappy":                 string(snappy.Encode(nil, []byte(strings.Repeat(v[:3], 40)+v))),
	} {
		want(what, "plain", text)
	}
	for _, text := range []string{
		"nothing at all", "token=***&x=1", jsonOf("***"), strings.Repeat("q7W", 300),
		base64.StdEncoding.EncodeToString([]byte("user:***")),
	} {
		if found := f.find(text); len(found) > 0 {
			t.Errorf("%.40q has none, and %v are found", text, found)
		}
	}
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
