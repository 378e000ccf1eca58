package targets_test

import (
	"strings"
	"testing"

	"brunt/targets"
)

func TestParseBase(t *testing.T) {
	for _, c := range []struct{ url, says string }{
		{"http://127.0.0.1", ""},
		{"https://api.test:8443/v1/", ""},
		{"http://[::1]:80/a@b", ""},
		{"ftp://x", `"ftp://x": the scheme is http or https`},
		{"api.test/v1", `"api.test/v1" is neither a path, which begins with /, nor a URL, which begins with http://`},
		{"http://:80", `"http://:80" names no host`},
		{"http://a:99999", `"http://a:99999": a port lies from 1 to 65535`},
		{"http://a:0", `"http://a:0": a port lies from 1 to 65535`},
		{"127.0.0.1:8080", `"127.0.0.1:8080" has no scheme, which is http:// or https://`},
		{"localhost:8080/a", `"localhost:8080/a" has no scheme, which is http:// or https://`},
		{"http://a:b/c", `"http://a:***" is not a URL: a port lies from 1 to 65535`},
		{"http://[::1]:b", `"http://[::1]:b" is not a URL: a port lies from 1 to 65535`},
		{"http://127.0.0.1:80x80/", `"http://127.0.0.1:80x80/" is not a URL: a port lies from 1 to 65535`},
		{"http://a b", `"http://a b" is not a URL: invalid character " " in host name`},
		{"http://a/?", `"http://a/?": the target's URL has no query; it stands in the steps`},
		{"http://a/?x=1", `"http://a/?x=1": the target's URL has no query; it stands in the steps`},
		{"http://ann:sesame@a/?x=1", `"http://***@a/?x=1": credentials go into an Authorization header, not into the URL`},
		{"http://ann:ses#ame@a", `"http://***@a" is not a URL; in a URL, credentials are escaped`},
		{
			"http://ann:sesame@a:99999999999999999999x",
			`"http://***@a:99999999999999999999x" is not a URL; in a URL, credentials are escaped`,
		},
		{"http:ann:sesame@a", `"***@a" names no host`},
		{"ann:sesame@a", `"***@a": the scheme is http or https`},
	} {
		_, err := targets.ParseBase(c.url)
		if got := says(err); got != c.says {
			t.Errorf("%s:\ngot  %s\nwant %s", c.url, got, c.says)
		}
	}
}

func says(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// No message about a URL shows a password, however malformed the URL is.
func FuzzParseBase(f *testing.F) {
	const password = "sesame"
	for _, seed := range [][2]string{
		{"http://ann:", "@a"},
		{"http://ann:", "#@a:1"},
		{"ftp://b:", "x@b/c?d"},
		{"//:", "/@"},
		{"%//%:", "%@"},
		{"http://a:", "?@b"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		_, user, ok := strings.Cut(before, "//")
		if !ok || !strings.HasSuffix(user, ":") || strings.ContainsAny(user, "/?#@[") || !strings.Contains(after, "@") ||
			strings.Contains(before+after, password) {
			t.Skip("not in the place of a password")
		}
		u, err := targets.ParseBase(before + password + after)
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", before+password+after, err)
		}
		if err == nil && u.User != nil {
			t.Errorf("%q was taken", u.Redacted())
		}
	})
}
