package secret_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"brunt/scenarios/secret"
)

func TestFields(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"JSON", `{"user":"ann","password":"p\"w","pin": 1,"max_tokens":12}`,
			`{"user":"ann","password":"***","pin": ***,"max_tokens":12}`,
		},
		{"JSON in JSON", `{"got":"{\"password\":\"x\\\"y\",\"n\":1}"}`, `{"got":"{\"password\":\"***\",\"n\":1}"}`},
		{
			"JSON of a header of Go", `{"Authorization":["Bearer abc"],"A":["b"]}`,
			`{"Authorization":["Bearer ***"],"A":["b"]}`,
		},
		{"a header printed by Go", `map[Authorization:[Bearer abc] B:[c]]`, `map[Authorization:[Bearer ***] B:[c]]`},
		{"a JSON text that was cut", `{"token":"abc`, `{"token":"***`},
		{"a query", `GET /x?access_token=a%2Fb&n=1 HTTP/1.1`, `GET /x?access_token=***&n=1 HTTP/1.1`},
		{
			"headers", "GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\nCookie: a=b; c=d\r\nX-A: b\r\n",
			"GET / HTTP/1.1\r\nAuthorization: Basic ***\r\nCookie: ***\r\nX-A: b\r\n",
		},
		{"headers in JSON", `"GET /\r\nCookie: a=b; c=d\r\nX-A: b"`, `"GET /\r\nCookie: ***\r\nX-A: b"`},
		{"a curl command", `curl -H 'Authorization: Bearer abc' http://h/`, `curl -H 'Authorization: Bearer ***' http://h/`},
		{"a command line", `run --api-key=abc --db-password 'x'`, `run --api-key=*** --db-password '***'`},
		{
			"flags", "run --pin 1 -v --token --x --secret\ta b --user-token ${env.T} x --no-auth",
			"run --pin *** -v --token --x --secret\ta b --user-token ${env.T} x --no-auth",
		},
		{"an environment", "POSTGRES_PASSWORD=1\nUSER=x", "POSTGRES_PASSWORD=***\nUSER=x"},
		{"YAML", "password: 1\nuser: 1", "password: ***\nuser: 1"},
		{"XML", "<password>1</password><user>1</user>", "<password>***</password><user>1</user>"},
		{"a URL", "amqp://guest:1@h/v and redis://:x@h", "amqp://guest:***@h/v and redis://:***@h"},
		{"a user without a password", "ssh://ann@host/x", "ssh://ann@host/x"},
		{"prose", "invalid token: expired; bad secret: not found", "invalid token: expired; bad secret: not found"},
		{"prose with a token", "invalid token: ab12cd34!", "invalid token: ***"},
		{"a placeholder", "password: ${env.PW}", "password: ${env.PW}"},
		{"a placeholder of a function", "password: ${base64(env.U, ':', env.P)}", "password: ${base64(env.U, ':', env.P)}"},
		{"a placeholder and more", `token=[${var.a}, ${var.b}, "c"]`, `token=[${var.a}, ${var.b}, "***"]`},
		{"a secret after a placeholder", `{"password":"${env.A}-hunter2"}`, `{"password":"${env.A}-***"}`},
		{"a secret within braces", `token=${token=hunter2}`, `token=***}`},
		{"masked already", "token=***&a=b", "token=***&a=b"},
		{"nothing", "token_type=bearer tokens: 5", "token_type=bearer tokens: 5"},
		{
			"a list of several forms", `{"pins":1,"tokens_secret":["a", b, 'c'],"x":["d"]}`,
			`{"pins":1,"tokens_secret":["***", ***, '***'],"x":["d"]}`,
		},
		{"a list of numbers", `{"password":[1234, 5],"x":1}`, `{"password":[***],"x":1}`},
		{
			"a list in JSON in JSON", `{"got":"{\"token\":[\"x\",12],\"n\":[1]}"}`,
			`{"got":"{\"token\":[\"***\",***],\"n\":[1]}"}`,
		},
		{"a list that was cut", `token=[abc, "def`, `token=[***, "***`},
		{"a backslash at the end", `{"password":"a\\","user":"ann"}`, `{"password":"***","user":"ann"}`},
		{
			"the same in JSON in JSON", `"{\"password\":\"a\\\\\",\"user\":\"ann\"}"`,
			`"{\"password\":\"***\",\"user\":\"ann\"}"`,
		},
		{"logfmt", `msg="login" token=abc user="x"`, `msg="login" token=*** user="x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := secret.Fields(c.text); got != c.want {
				t.Errorf("%s\nis masked as %s\nnot       %s", c.text, got, c.want)
			}
		})
	}
}

// TestFields_Time: the time that a text takes grows as its length does, whatever is nested in it.
func TestFields_Time(t *testing.T) {
	for _, piece := range []string{
		"token=[${", "token=${", `token=["${`, `token="${`, "token=[", "cookie: ${", "token=[${}", `{"token":"${`,
		"--token ${", "<token>${",
	} {
		t.Run(piece, func(t *testing.T) {
			text := strings.Repeat(piece, 4<<20/len(piece))
			done := make(chan struct{})
			go func() {
				defer close(done)
				secret.Fields(text)
				secret.Values(text)
			}()
			select {
			case <-done:
			case <-time.After(20 * time.Second): // a quadratic search takes many minutes
				t.Fatal("4 MB are not read in 20 s")
			}
		})
	}
	t.Run("many values", func(t *testing.T) {
		var text strings.Builder
		for i := range 200_000 {
			fmt.Fprintf(&text, "token=value-%d&", i)
		}
		if n := len(secret.Values(text.String())); n != 200_000 {
			t.Errorf("%d values", n)
		}
	})
}

// TestHide: a line keeps its length.
func TestHide(t *testing.T) {
	const line = `  - {get: /x, headers: {X-Api-Key: "ké", A: b}, body: "pin=1"} # password: none`
	if got, want := secret.Hide(line),
		`  - {get: /x, headers: {X-Api-Key: "**", A: b}, body: "pin=*"} # password: none`; got != want {
		t.Errorf("%s\nis hidden as %s\nnot       %s", line, got, want)
	}
}

func TestValues(t *testing.T) {
	const text = "POST /x?token=a%2Fb+cdef&pin=1 HTTP/1.1\r\nCookie: sid=abcdefg; lang=en\r\nAuthorization: Basic " +
		"dXNlcjpodW50ZXIy\r\n\r\n" +
		`{"password":"q\/u0022ote","secret":"short","token":123456}`
	got := secret.Values(text)
	for _, want := range []string{
		"a%2Fb+cdef", "a/b cdef", "a/b+cdef", "abcdefg", "dXNlcjpodW50ZXIy", "hunter2", "q/u0022ote",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	for _, v := range got {
		if v == "1" || v == "short" || v == "123456" || v == "en" {
			t.Errorf("%q is too short to be masked everywhere", v)
		}
	}
}

func TestIsName(t *testing.T) {
	for _, name := range []string{
		"password", "DB_PASSWORD", "X-Api-Key", "Authorization", "Set-Cookie", "accessToken", "csrf-token", "client_secret",
		"PIN", "X-Auth-User", "jwt", "Ocp-Apim-Subscription-Key", "DD-APPLICATION-KEY", "PHPSESSID",
	} {
		if !secret.IsName(name) {
			t.Errorf("%s is secret", name)
		}
	}
	for _, name := range []string{
		"", "user", "max_tokens", "token_type", "token_url", "secretName", "cookies", "spinner", "author", "X-Id",
		"X-Session-Count", "session", "process_id", "subscription",
		strings.Repeat("token", 99),
	} {
		if secret.IsName(name) {
			t.Errorf("%s is not secret", name)
		}
	}
}

// FuzzFields: of any text, each span is replaced by the mask and nothing else changes; Hide keeps the number of
// characters; no value that is long enough to be masked everywhere is one of the masks.
func FuzzFields(f *testing.F) {
	f.Add(`{"a":"{\"token\":[\"x\"]}"}`)
	f.Add("Cookie: a=b\\nToken:[x")
	f.Fuzz(func(t *testing.T, text string) {
		spans := secret.Spans(text)
		var want strings.Builder
		end := 0
		for _, s := range spans {
			if s.From < end || s.To <= s.From || s.To > len(text) {
				t.Fatalf("%v are not in order in %q", spans, text)
			}
			want.WriteString(text[end:s.From] + "***")
			end = s.To
		}
		want.WriteString(text[end:])
		masked := secret.Fields(text)
		if masked != want.String() {
			t.Errorf("%q is masked as %q, want %q", text, masked, want.String())
		}
		if hidden := secret.Hide(text); utf8.RuneCountInString(hidden) != utf8.RuneCountInString(text) {
			t.Errorf("%q is hidden as %q", text, hidden)
		}
		for _, v := range secret.Values(text) {
			if !secret.IsLong(v) || v == "***" {
				t.Errorf("%q is a value of %q", v, text)
			}
		}
	})
}

// TestIsName_Words: each word of the list makes a name secret.
func TestIsName_Words(t *testing.T) {
	for _, w := range append(secret.Words(), secret.WholeNames()...) {
		if !secret.IsName(w) || !secret.IsName(strings.ToUpper(w)) {
			t.Errorf("%s is not secret", w)
		}
	}
}

// TestIsToken: words, paths, times and numbers are no tokens.
func TestIsToken(t *testing.T) {
	for value, want := range map[string]bool{
		"b7f3c1d8-5a42-4e90-8d61-0c9e27ab34f5": true, "q9Zx+/3kLmN0pR5t": true, "english": false,
		"english-and-german-speakers": false,
		"/login/2nd/factor/of-user":   false, "2026-11-22T03:16:20Z": false, "1234567890123456789": false, "": false,
	} {
		if secret.IsToken(value) != want {
			t.Errorf("%q: want %v", value, want)
		}
	}
}
