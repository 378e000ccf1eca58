package targets

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

func TestCauseOf(t *testing.T) {
	op := func(err error) error {
		return fmt.Errorf("reading: %w", &net.OpError{Op: "read", Err: os.NewSyscallError("read", err)})
	}
	for _, c := range []struct {
		err  error
		want scenarios.Cause
	}{
		{op(syscall.ECONNREFUSED), scenarios.Refused},
		{op(syscall.ECONNRESET), scenarios.Reset},
		{op(syscall.EPIPE), scenarios.Reset},
		{op(syscall.EHOSTUNREACH), scenarios.Unreachable},
		{op(syscall.ENETUNREACH), scenarios.Unreachable},
		{op(syscall.ETIMEDOUT), scenarios.Unreachable},
		{op(syscall.EMFILE), scenarios.NoSocket},
		{op(syscall.EADDRNOTAVAIL), scenarios.NoPort},
		{op(syscall.EADDRINUSE), scenarios.NoPort},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, scenarios.TLSFailed},
		{op(os.ErrDeadlineExceeded), scenarios.Timeout},
		{op(io.EOF), scenarios.Closed},
		{io.ErrUnexpectedEOF, scenarios.Closed},
		{op(net.ErrClosed), scenarios.Closed},
		{&net.DNSError{Err: "no such host"}, scenarios.NameNotFound},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, scenarios.NameNotFound},
		{&tlsError{errors.New("bad certificate")}, scenarios.TLSFailed},
		{&tlsError{op(syscall.ECONNRESET)}, scenarios.TLSFailed},
		{&net.OpError{Op: "dial", Err: &notAllowed{"a", errors.New("no")}}, scenarios.NotAllowed},
		{errAborted, scenarios.Unfinished},
		{errLate, scenarios.Timeout},
		{errNotHTTP, scenarios.Protocol},
	} {
		if got := causeOf(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got.Name(nil), c.want.Name(nil))
		}
	}
}

func TestSplitURL(t *testing.T) {
	for _, c := range []struct{ url, prefix, target string }{
		{"http://a", "http://a", ""},
		{"http://a/", "http://a", "/"},
		{"http://a:1/b/c?d=e", "http://a:1", "/b/c?d=e"},
		{"http://a?b", "http://a", "?b"},
		{"http://a#f", "http://a", ""},
		{"http://a/b#f/g?h", "http://a", "/b"},
		{"http://a?b#f", "http://a", "?b"},
		{"http://[::1]:1/b", "http://[::1]:1", "/b"},
		{"a/b", "a", "/b"},
		{"", "", ""},
		{"://", "://", ""},
	} {
		if p, rest := splitURL([]byte(c.url)); string(p) != c.prefix || string(rest) != c.target {
			t.Errorf("%s: %q and %q", c.url, p, rest)
		}
	}
}

func FuzzSplitURL(f *testing.F) {
	for _, s := range []string{"http://a/b?c#d", "://", "#", "http://[::1]:80?x", "https://a b/\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		prefix, target := splitURL([]byte(s))
		if !strings.HasPrefix(s, string(prefix)+string(target)) {
			t.Fatalf("%q became %q and %q", s, prefix, target)
		}
		if strings.ContainsRune(string(target), '#') || len(target) > 0 && target[0] != '/' && target[0] != '?' {
			t.Fatalf("%q leads to %q", s, target)
		}
		u, err := syntax.ParseURL(string(prefix))
		if err != nil {
			return
		}
		if u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(u.Host, " \r\n/?#") {
			t.Fatalf("%q has the origin %+v", s, u)
		}
		escaped := escapeTarget(rooted(target))
		for _, c := range escaped {
			if c <= ' ' || c >= 0x7f {
				t.Fatalf("%q asks for %q", s, escaped)
			}
		}
	})
}

func FuzzFinder(f *testing.F) {
	for _, s := range []string{"$.a[0].b", "$..a", "$[?(@.a > 1)]", "header X-A", "cookie a", "~ a(b)?", "header ", "$", "$.[", "~ ("} {
		f.Add(s, `{"a": [{"b": 1}]}`)
	}
	f.Fuzz(func(t *testing.T, s, body string) {
		find, err := parseFinder(s)
		if err != nil {
			return
		}
		a := answers.New().(*answer)
		a.raw, a.whole = []byte(body), true
		a.head.Set("X-A", "1")
		a.head.Add("Set-Cookie", "a=b")
		var v template.Value
		if find.find(a, &v) && !v.Set {
			t.Fatalf("%q found something without setting it", s)
		}
	})
}
