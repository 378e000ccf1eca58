package http

import (
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
)

func FuzzSplitURL(f *testing.F) {
	for _, s := range []string{"http://a/b?c#d", "://", "#", "http://[::1]:80?x", "https://a b/\r\n", "http://[]00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		prefix, target := targets.SplitURL([]byte(s))
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
		escaped := escapeTarget(withSlash(target))
		for _, c := range escaped {
			if c <= ' ' || c >= 0x7f {
				t.Fatalf("%q asks for %q", s, escaped)
			}
		}
	})
}

func FuzzFinder(f *testing.F) {
	for _, s := range []string{
		"$.a[0].b", "$..a", "$[?(@.a > 1)]", "header X-A", "cookie a", "~ a(b)?", "header ", "$", "$.[", "~ (",
	} {
		f.Add(s, `{"a": [{"b": 1}]}`)
	}
	f.Fuzz(func(t *testing.T, s, body string) {
		find, err := parseFinder(s)
		if err != nil {
			return
		}
		a := h1.Answers.New().(*h1.Answer)
		a.Raw, a.Whole = []byte(body), true
		a.Head().Set("X-A", "1")
		a.Head().Add("Set-Cookie", "a=b")
		var v template.Value
		if find.Find(a, &v) && !v.Set {
			t.Fatalf("%q found something without setting it", s)
		}
	})
}
