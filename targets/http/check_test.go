package http_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/molecule-man/go-brrr"
)

const document = `{"n": 5, "f": 1.5, "big": 123456789012345678901234567890, "s": "text", "v": "1.10", "t": true, "z": null, "e": "", "el": [], "em": {},
 "items": [{"id": 17, "tags": ["a", "b"]}, {"id": 18, "tags": []}]}`

func answer(status int, header, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
}

func TestHTTP_Checks(t *testing.T) {
	const header = "Content-Type: application/json\r\nX-Count: 12\r\nX-Many: one\r\nX-Many: two\r\nX-Empty: " +
		"\r\nSet-Cookie: a=1\r\nSet-Cookie: sid=7; Path=/\r\n"
	for _, c := range []struct {
		name   string
		status int // zero means 200
		check  string
		want   string
	}{
		{"default takes 200", 0, `{}`, "ok 200"},
		{"default takes 399", 399, `{}`, "ok 399"},
		{"default takes no 404", 404, `{}`, "status 404"},
		{"default takes no 503", 503, `{"$.n": 5}`, "status 503"},
		{"status", 201, `{status: 201}`, "ok 201"},
		{"another status", 200, `{status: 201}`, "status 200"},
		{"an error that is wanted", 404, `{status: 404}`, "ok 404"},
		{"class", 204, `{status: 2xx}`, "ok 204"},
		{"class in capitals", 503, `{status: 5XX}`, "ok 503"},
		{"another class", 301, `{status: 2xx, shed: []}`, "status 301"},
		{"list", 404, `{status: [2xx, 404]}`, "ok 404"},
		{"not in the list", 405, `{status: [2xx, 404]}`, "status 405"},
		{"under", 499, `{status: < 500}`, "ok 499"},
		{"not under", 500, `{status: < 500}`, "status 500"},
		{"not", 500, `{status: "!= 200"}`, "ok 500"},
		{"shed", 429, `{status: 201, shed: [429, 503]}`, "shed 429"},
		{"shed by one", 503, `{shed: [503]}`, "shed 503"},
		{"within", 0, `{within: 10s}`, "ok 200"},
		{"not within", 0, `{within: 1us}`, "check within"},
		{"header", 0, `{header: {content-type: application/json}}`, "ok 200"},
		{"headers", 0, `{headers: {X-Count: "> 10", X-Many: exists}}`, "ok 200"},
		{"header among several", 0, `{header: {X-Many: two}}`, "ok 200"},
		{"cookie header", 0, `{header: {Set-Cookie: "~ ^sid="}}`, "ok 200"},
		{"other header", 0, `{header: {X-Count: "> 12"}}`, "check header X-Count"},
		{"missing header", 0, `{header: {X-None: exists}}`, "check header X-None"},
		{"missing header is not unequal", 0, `{header: {X-None: "!= 5"}}`, "check header X-None"},
		{"empty header exists", 0, `{header: {X-Empty: exists}}`, "ok 200"},
		{"empty header is empty", 0, `{header: {X-Empty: not empty}}`, "check header X-Empty"},
		{"body", 0, `{body: "~ \"id\": 1[78]"}`, "ok 200"},
		{"body not empty", 0, `{body: not empty}`, "ok 200"},
		{"other body", 0, `{body: "~ ^x"}`, "check body"},
		{"number", 0, `{"$.n": 5}`, "ok 200"},
		{"number as written otherwise", 0, `{"$.n": 5.0}`, "ok 200"},
		{"other number", 0, `{"$.n": 6}`, "check $.n"},
		{"comparisons", 0, `{"$.n": "> 4", "$.f": "<= 1.5", "$.items[0].id": ">= 17", "$.items[1].id": "< 19"}`, "ok 200"},
		{"failed comparison", 0, `{"$.f": "> 1.5"}`, "check $.f"},
		{"large number", 0, `{"$.big": "> 1e28"}`, "ok 200"},
		{"text", 0, `{"$.s": text}`, "ok 200"},
		{"other text", 0, `{"$.s": texts}`, "check $.s"},
		{"versions are texts", 0, `{"$.v": "1.1"}`, "check $.v"},
		{"equal versions", 0, `{"$.v": "1.10"}`, "ok 200"},
		{"unequal versions", 0, `{"$.v": "!= 1.1"}`, "ok 200"},
		{"a text is compared as a number", 0, `{"$.v": "< 1.2"}`, "ok 200"},
		{"switch", 0, `{"$.t": true}`, "ok 200"},
		{"other switch", 0, `{"$.t": false}`, "check $.t"},
		{"null", 0, `{"$.z": "null", "$.z.z": exists}`, "check $.z.z"},
		{"null exists", 0, `{"$.z": exists}`, "ok 200"},
		{"null is empty", 0, `{"$.z": not empty}`, "check $.z"},
		{"empty text", 0, `{"$.e": not empty}`, "check $.e"},
		{"empty list", 0, `{"$.el": not empty}`, "check $.el"},
		{"empty map", 0, `{"$.em": not empty}`, "check $.em"},
		{"not empty", 0, `{"$.items": not empty, "$.n": not empty}`, "ok 200"},
		{"missing", 0, `{"$.none": exists}`, "check $.none"},
		{"missing is not unequal", 0, `{"$.none": "!= 1"}`, "check $.none"},
		{"one of a list", 0, `{"$.s": [test, text]}`, "ok 200"},
		{"none of a list", 0, `{"$.s": [test, rest]}`, "check $.s"},
		{"pattern", 0, `{"$.s": "~ ^te"}`, "ok 200"},
		{"pattern over a structure", 0, `{"$.items[0]": "~ tags"}`, "ok 200"},
		{"the document", 0, `{"$": not empty}`, "ok 200"},
		{"filter", 0, `{"$.items[?(@.id == 18)].id": 18}`, "ok 200"},
		{"absent", 0, `{"$.none": absent, "$.items[5]": not exists, header: {X-None: absent}}`, "ok 200"},
		{"null is not absent", 0, `{"$.z": absent}`, "check $.z"},
		{"header not absent", 0, `{header: {X-Empty: not exists}}`, "check header X-Empty"},
		{"nothing in an empty body", 204, `{"$.none": absent}`, "ok 204"},
		{"absent or something", 0, `{"$.none": [absent, 5], "$.n": [absent, 5]}`, "ok 200"},
		{"contains", 0, `{body: 'contains "n": 5', "$.s": contains ex, "$.v": "contains \".1\"", header: {X-Many: contains w}}`, "ok 200"},
		{"contains not", 0, `{body: contains nobody}`, "check body"},
		{"contains an item", 0, `{"$.items[0].tags": contains b, "$.items[*].id": contains 18}`, "ok 200"},
		{"contains no such item", 0, `{"$.items[*].id": contains 1}`, "check $.items[*].id"},
		{"not contains", 0, `{body: not contains nobody, "$.items[*].id": not contains 19, header: {X-Many: not contains z}}`, "ok 200"},
		{"not contains a value of several", 0, `{header: {X-Many: not contains o}}`, "check header X-Many"},
		{"nothing contains nothing", 0, `{"$.none": not contains x}`, "check $.none"},
		{"another pattern", 0, `{"$.s": "!~ ^x", body: "not ~ ^x"}`, "ok 200"},
		{"not another pattern", 0, `{"$.s": "!~ ^te"}`, "check $.s"},
		{"schema", 0, `{schema: testdata/document.json}`, "ok 200"},
		{"another schema", 0, `{schema: testdata/other.json}`, "check schema testdata/other.json"},
		{"schema of an empty body", 204, `{schema: testdata/document.json}`, "check schema testdata/document.json"},
		{"the first that fails is reported", 0, `{body: "~ ^x", "$.n": 6}`, "check body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.status == 0 {
				c.status = 200
			}
			body := document
			if c.status == 204 {
				body = ""
			}
			url := script(t, each(func(string) string { return answer(c.status, header, body) }))
			r := newFixture(t, targets.Options{Base: url}, `{get: /, redirects: 0, check: `+c.check+`}`)
			o := r.user(0).Do(0, long)
			r.want(o, c.want)
			if failed := o.Kind == scenarios.Error; failed != (o.Failed > 0) || o.Kind != scenarios.Shed && o.Checks == 0 ||
				o.Failed > o.Checks {
				t.Errorf("%d of %d checks failed", o.Failed, o.Checks)
			}
		})
	}
}

// A check compares an answer with values that earlier steps extracted, and with data.
func TestHTTP_ChecksAgainstValues(t *testing.T) {
	url := script(t, each(func(string) string { return answer(200, "X-Id: 17\r\nX-Empty: \r\n", document) }))
	for _, c := range []struct{ name, check, want, message string }{
		{"number", `{"$.items[0].id": "${var.id}", header: {X-Id: "${var.id}"}}`, "ok 200", ""},
		{"another number", `{"$.n": "${var.id}"}`, "check $.n", `$.n was "5", and "17" (${var.id}) was wanted`},
		{"text", `{"$.s": "${var.text}", "$.v": "!= ${var.text}"}`, "ok 200", ""},
		{"part of a text", `{"$.s": "te${var.x}t"}`, "ok 200", ""},
		{"comparison", `{"$.n": "< ${var.id}", "$.big": "> ${var.id}0"}`, "ok 200", ""},
		{"failed comparison", `{"$.n": "> ${var.id}"}`, "check $.n", "> 17 (${var.id}) was wanted"},
		{"comparison with no number", `{"$.n": "> ${var.text}"}`, "check $.n", `"text" is not a number`},
		{"data", `{"$.s": "${data.rows.word}"}`, "ok 200", ""},
		{"contains", `{body: "contains \"${var.text}\"", "$.items[*].id": "contains ${var.id}"}`, "ok 200", ""},
		{"not contains", `{"$.items[*].id": "not contains ${var.n}"}`, "ok 200", ""},
		{"not contains what is there", `{"$.items[*].id": "not contains ${var.id}"}`, "check $.items[*].id", "[17,18]"},
		{"one of a list", `{"$.s": [other, "${var.text}"]}`, "ok 200", ""},
		{"a value is no operator", `{"$.n": "${var.operator}"}`, "check $.n", `"> 4" (${var.operator}) was wanted`},
		{"function", `{"$.s": "${base64(var.n)}"}`, "check $.s", `"NQ==" (${base64(var.n)}) was wanted`},
		{"nothing extracted", `{"$.n": "${var.never}"}`, "check $.n", "never extracted"},
		{"want", `{"$.n": 5}, want: {"$.n": "${var.id}"}`, "ok 200 partial", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &samples{}
			r := newFixtureWith(t, targets.Options{Base: url, Sampler: k}, "data: {rows: {inline: [{word: text}]}}",
				`{get: /, extract: {id: "$.items[0].id", text: $.s, n: $.n, x: "~ (x)t\""}}`, `{get: /, check: `+c.check+`}`,
				`{get: "/${var.operator}${var.never}"}`)
			u := r.user(0)
			u.It.Vars[slices.Index(r.Vars, "operator")].SetText("> 4")
			r.want(u.Do(0, long), "ok 200")
			o := u.Do(1, long)
			got := r.says(o)
			if o.Partial {
				got += " partial"
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.message != "" && !strings.Contains(k.last().Message, c.message) {
				t.Errorf("the sample says %q", k.last().Message)
			}
		})
	}
}

// Nothing is known of the values of a body that is not JSON, so that none of them is absent.
func TestHTTP_AbsentNeedsJSON(t *testing.T) {
	url := script(t, each(func(string) string { return answer(200, "", "<p>an error</p>") }))
	k := &samples{}
	r := newFixture(t, targets.Options{Base: url, Sampler: k}, `{get: /, check: {"$.error": absent}}`)
	r.want(r.user(0).Do(0, long), "check $.error")
	if said := k.last().Message; said != "the body is not JSON, and absent was wanted at $.error" {
		t.Error(said)
	}
}

func TestHTTP_AllChecksAreCounted(t *testing.T) {
	url := script(t, each(func(string) string { return answer(200, "", document) }))
	r := newFixture(t, targets.Options{Base: url},
		`{get: /, check: {status: 200, "$.n": 5, "$.s": no, "$.t": true, "$.none": exists}}`)
	if o := r.user(0).Do(0, long); o.Checks != 5 || o.Failed != 2 {
		t.Errorf("%d of %d failed", o.Failed, o.Checks)
	}
}

// `within` uses the time of the objectives: response time in an open load, service time in a
// closed one.
func TestHTTP_Within(t *testing.T) {
	url := script(t, each(func(string) string { return hello }))
	r := newFixture(t, targets.Options{Base: url}, `{get: /, check: {within: 2s}}`)
	u := r.user(0)
	r.want(u.At(0, time.Since(r.t0)-5*time.Second, long), "check within")
	u.It.Intended = time.Since(r.t0) - 5*time.Second
	u.It.Deadline = u.It.Intended + long
	out := scenarios.Outcome{Intended: u.It.Intended, Closed: true}
	u.Session.Do(&u.It, r.Calls[0], &out)
	r.want(out, "ok 200")
}

func TestHTTP_NotJSON(t *testing.T) {
	for _, body := range []string{"", "<html>", `{"a": `, `{"a": 1} x`, strings.Repeat("[", 100000)} {
		url := script(t, each(func(string) string { return answer(200, "", body) }))
		r := newFixture(t, targets.Options{Base: url}, `{get: /, check: {"$.a": exists}}`, `{get: /, extract: {x: "$.a"}}`)
		u := r.user(0)
		wants := []string{"check $.a", "extract x"}
		if strings.HasPrefix(body, "[") { // too deep to be read
			wants = []string{"too large", "too large"}
		}
		r.want(u.Do(0, long), wants[0])
		r.want(u.Do(1, long), wants[1])
	}
}

func TestHTTP_Extract(t *testing.T) {
	const header = "Location: /posts/17\r\nX-Many: one\r\nX-Many: two\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: " +
		"sid=x%20y; Path=/\r\nSet-Cookie: sid=last\r\n"
	for _, c := range []struct{ name, from, want string }{
		{"text", "$.s", "text"},
		{"number", "$.n", ":5"},
		{"fraction", "$.f", ":1.5"},
		{"large number", "$.big", ":123456789012345678901234567890"},
		{"switch", "$.t", ":true"},
		{"null", "$.z", ":null"},
		{"empty text", "$.e", ""},
		{"nested", "$.items[1].id", ":18"},
		{"list", "$.items[0].tags", `:["a","b"]`},
		{"first of many", "$.items[*].id", ":17"},
		{"header", "header location", "/posts/17"},
		{"first of several headers", "header X-Many", "one"},
		{"cookie", "cookie a", "1"},
		{"last cookie of a name", "cookie sid", "last"},
		{"group", `~ "id": ([0-9]+)`, "17"},
		{"whole match", `~ "id": [0-9]+`, `"id": 17`},
		{"missing path", "$.none", "unset"},
		{"missing header", "header X-None", "unset"},
		{"missing cookie", "cookie none", "unset"},
		{"no match", "~ nothing", "unset"},
		{"group that took no part", `~ "n"|(never)`, "unset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := script(t, each(func(string) string { return answer(200, header, document) }))
			r := newFixture(t, targets.Options{Base: url}, `{get: /, extract: {x: '`+strings.ReplaceAll(c.from, "'", "''")+`'}}`)
			u := r.user(0)
			o := u.Do(0, long)
			if c.want == "unset" {
				r.want(o, "extract x")
				return
			}
			r.want(o, "ok 200")
			if got := u.Var("x"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A failed check extracts nothing, so that later steps cannot use the value.
func TestHTTP_NothingIsExtractedFromAFailure(t *testing.T) {
	url := script(t, each(func(string) string { return answer(200, "", document) }))
	r := newFixture(t, targets.Options{Base: url}, `{get: /, check: {"$.n": 6}, extract: {x: "$.n"}}`)
	u := r.user(0)
	r.want(u.Do(0, long), "check $.n")
	if got := u.Var("x"); got != "unset" {
		t.Errorf("x is %q", got)
	}
}

func TestHTTP_Encodings(t *testing.T) {
	pack := func(write func(b *bytes.Buffer)) string {
		var b bytes.Buffer
		write(&b)
		return b.String()
	}
	for _, c := range []struct{ name, encoding, body string }{
		{"gzip", "gzip", pack(func(b *bytes.Buffer) {
			w := gzip.NewWriter(b)
			_, _ = w.Write([]byte(document))
			_ = w.Close()
		})},
		{"deflate", "deflate", pack(func(b *bytes.Buffer) {
			w := zlib.NewWriter(b)
			_, _ = w.Write([]byte(document))
			_ = w.Close()
		})},
		{"deflate without a header", "Deflate", pack(func(b *bytes.Buffer) {
			w, _ := flate.NewWriter(b, 5)
			_, _ = w.Write([]byte(document))
			_ = w.Close()
		})},
		{"brotli", "br", pack(func(b *bytes.Buffer) {
			w, _ := brrr.NewWriter(b, 6)
			_, _ = w.Write([]byte(document))
			_ = w.Close()
		})},
		{"zstd", "zstd", pack(func(b *bytes.Buffer) {
			w, _ := zstd.NewWriter(b)
			_, _ = w.Write([]byte(document))
			_ = w.Close()
		})},
		{"identity", "identity", document},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := script(t, each(func(r string) string {
				body := c.body
				if strings.Contains(r, "/broken") {
					body = body[:len(body)/2]
				}
				return answer(200, "Content-Encoding: "+c.encoding+"\r\n", body)
			}))
			k := &samples{}
			r := newFixture(t, targets.Options{Base: url, Sampler: k},
				`{get: /, headers: {Accept-Encoding: "gzip, br"}, check: {"$.items": not empty, body: "~ ^.\"n\": 5"}, extract: {x: "$.items[0].id"}}`,
				`{get: /, check: {status: 404}}`, `{get: /broken, check: {"$.n": 5}}`)
			u := r.user(0)
			o := u.Do(0, long)
			r.want(o, "ok 200")
			if o.Bytes != int64(len(c.body)) || u.Var("x") != ":17" {
				t.Errorf("%d bytes of %d, x is %s", o.Bytes, len(c.body), u.Var("x"))
			}
			r.want(u.Do(1, long), "status 200")
			if b := k.last().Body; !strings.HasPrefix(b, `{"n": 5`) {
				t.Errorf("the sample shows %q", b)
			}
			r.want(u.Do(2, long), "check $.n")
		})
	}
}

// A sample shows the expected value beside the actual one.
func TestHTTP_Wanted(t *testing.T) {
	for step, want := range map[string]string{
		`{get: /, check: {status: [2xx, 404]}}`:                 `status 2xx or "404" was wanted`,
		`{get: /, check: {status: 500, header: {X-N: 7}}}`:      `header X-N was "12", and "7" was wanted`,
		`{get: /, check: {status: 500, header: {X-M: exists}}}`: `there was no header X-M, and exists was wanted`,
		`{get: /, check: {status: 500, body: "~ ^x"}}`:          `a body of ~ ^x was wanted`,
		`{get: /, check: {status: 500, "$.n": "> 5"}}`:          `$.n was "5", and > 5 was wanted`,
		`{get: /, check: {status: 500, "$.q": not empty}}`:      `there was nothing at $.q, and not empty was wanted`,
		`{get: /, check: {status: 500, within: 1us}}`:           `an answer within 1µs was wanted, and it took `,
		`{get: /, check: {status: 500}, extract: {v: "$.q"}}`:   `nothing stands at $.q`,
		`{get: /}`: ``,
	} {
		k := &samples{}
		r := newFixture(t, targets.Options{
			Base: script(t, each(func(string) string { return answer(500, "X-N: 12\r\n", `{"n": 5}`) })), Sampler: k,
		}, step)
		r.user(0).Do(0, long)
		if m := k.last().Message; !strings.HasPrefix(m, want) || want == "" && m != "" {
			t.Errorf("%s: %q, want %q", step, m, want)
		}
	}
}

func TestHTTP_Samples(t *testing.T) {
	url := script(t, each(func(r string) string {
		if strings.Contains(r, "/long") {
			return answer(500, "Retry-After: 5\r\nContent-Type: text/x\r\n", strings.Repeat("ä", 3000)+"\xff")
		}
		return answer(503, "Location: /l\r\nTraceparent: 00-1\r\nX-Other: y\r\n", "sorry\xff")
	}))
	k := &samples{}
	r := newFixture(t, targets.Options{Base: url + "/base", Sampler: k}, `{get: "/a?b=c", name: reading}`, `post: /long`)
	u := r.user(0)
	o := u.Do(0, long)
	s := k.last()
	if s.Step != "reading" || s.Request != "GET "+url+"/base/a?b=c" || s.Status != 503 || s.Body != "sorry�" ||
		s.At != o.Intended.Seconds() || s.Message != "" ||
		s.Headers["Location"] != "/l" || s.Headers["Traceparent"] != "00-1" || len(s.Headers) != 2 {
		t.Errorf("%+v", s)
	}
	u.Do(1, long)
	if s = k.last(); s.Step != "POST /long" || !strings.HasSuffix(s.Body, "ä…") || len(s.Body) > 310 ||
		s.Headers["Retry-After"] != "5" {
		t.Errorf("%+v", s)
	}
}
