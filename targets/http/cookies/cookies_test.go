package cookies_test

import (
	"strings"
	"testing"
	"time"

	"brunt/targets/http/cookies"
)

// TestJar_LikeClients: what comes back is what curl 7.88 sends, byte for byte, whose answers are in the table. Python's
// http.cookiejar sends the same, except where the table says so.
func TestJar_LikeClients(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{`sid="abc def"`, `sid="abc def"`},
		{`sid="user=7\073role=admin"`, `sid="user=7\073role=admin"`},
		{`prefs={"theme":"dark"}`, `prefs={"theme":"dark"}`},
		{"n=café", "n=café"},
		{"n=caf\xe9", "n=caf\xe9"},
		{"=v", ""},
		{"noname", ""}, // Python: noname
		{"x=  a b  ", "x=a b"},
		{`x="a;b"`, `x="a`},
		{"x=a\tb", "x=a\tb"}, // curl keeps none; RFC 6265bis allows it
		{"x=a\x01b", ""},     // Python returns it
		{"x=", "x="},
		{"x=a,b", "x=a,b"},
		{"na me=1", "na me=1"},
		{"x = 1", "x=1"},
		{"x=1=2", "x=1=2"},
		{`x="`, `x="`},
		{"x=1; Secure", "x=1"}, // on loopback; Python: none
		{"x=1; Domain=com", ""},
		{"x=1; Path=/other", ""},
		{"x=1; Max-Age=0", ""},
		{"x=1; Expires=Wed, 09 Jun 2049 10:18:14 GMT", "x=1"},
		{"x=1; Expires=09-Jun-49 10:18:14", "x=1"},
		{"x=1; Expires=Wed, 09 Jun 1999 10:18:14 GMT", ""},
		{"x=1; Max-Age=9; Expires=Wed, 09 Jun 1999 10:18:14 GMT", "x=1"},
		{"__Host-a=1", ""}, // Python returns it
		{"x=1; Domain=127.0.0.1", "x=1"},
		{"@x=1", "@x=1"},
		{"x[1]=2", "x[1]=2"},
		{`x=\"q\"`, `x=\"q\"`},
		{"x=1; Max-Age=abc", "x=1"}, // RFC 6265, section 5.2.2; curl and Python keep none
		{"x=1;Path=y", "x=1"},
		{strings.Repeat("a", 300) + "=" + strings.Repeat("b", 5000), ""},
	} {
		if got := back(c.set); got != c.want {
			t.Errorf("%s: %q, want %q", c.set, got, c.want)
		}
	}
}

// back returns the Cookie header of a request to a server on this machine after it has set a cookie.
func back(line string) string {
	now := time.Now()
	var jar cookies.Jar
	if c, err := cookies.Parse(line, now); err == nil {
		_ = jar.Set(c, &cookies.Origin{Host: "127.0.0.1", Path: "/set", Secure: true}, now)
	}
	return string(jar.Append(nil, &cookies.Origin{Host: "127.0.0.1", Path: "/get", Secure: true}, now))
}

// TestJar_Goes: domain, path, Secure and age decide where a cookie goes; longer paths come first, then older cookies.
func TestJar_Goes(t *testing.T) {
	now := time.Now()
	var jar cookies.Jar
	from := &cookies.Origin{Host: "api.shop.test", Path: "/a/b", Secure: true}
	for _, line := range []string{
		"host=1", "site=1; Domain=.SHOP.test; Path=/", "deep=1; Path=/a/b", "safe=1; Secure; Path=/",
		"old=1; Path=/; Max-Age=60",
		"__Secure-x=1; Path=/; Secure", "__Host-y=1; Path=/; Secure", "host=2",
	} {
		c, err := cookies.Parse(line, now)
		if err == nil {
			err = jar.Set(c, from, now)
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, c := range []struct {
		to    cookies.Origin
		after time.Duration
		want  string
	}{
		{*from, 0, "deep=1; host=2; site=1; safe=1; old=1; __Secure-x=1; __Host-y=1"},
		{*from, time.Minute, "deep=1; host=2; site=1; safe=1; __Secure-x=1; __Host-y=1"},
		{cookies.Origin{Host: "api.shop.test", Path: "/a/b/c"}, 0, "deep=1; host=2; site=1; old=1"},
		{cookies.Origin{Host: "api.shop.test", Path: "/a/bc"}, 0, "host=2; site=1; old=1"},
		{cookies.Origin{Host: "api.shop.test", Path: "/ab"}, 0, "site=1; old=1"},
		{cookies.Origin{Host: "www.shop.test", Path: "/a", Secure: true}, 0, "site=1"},
		{cookies.Origin{Host: "x.api.shop.test", Path: "/a", Secure: true}, 0, "site=1"},
		{cookies.Origin{Host: "myshop.test", Path: "/a", Secure: true}, 0, ""},
	} {
		if got := string(jar.Append(nil, &c.to, now.Add(c.after))); got != c.want {
			t.Errorf("%+v after %v: %q, want %q", c.to, c.after, got, c.want)
		}
	}
	plain := &cookies.Origin{Host: "api.shop.test", Path: "/"}
	for line, why := range map[string]string{
		"a=1; Secure": "plain HTTP", "a=1; Domain=other.test": "not that of the host",
		"a=1; Domain=test":   "not that of the host",
		"__Host-a=1; Path=/": "__Host-",
	} {
		c, _ := cookies.Parse(line, now)
		if err := jar.Set(c, plain, now); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"a=b; Path=/; Max-Age=1", `a="b c"; Expires=Wed, 09 Jun 2049 10:18:14 GMT`,
		"=;;", "a=\xff;Domain=.",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := back(line)
		name, value, _ := strings.Cut(got, "=")
		if strings.ContainsAny(got, "\r\n\x00;") || !strings.Contains(line, name) || !strings.Contains(line, value) {
			t.Errorf("%q came back as %q", line, got)
		}
	})
}
