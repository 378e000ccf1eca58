package http_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/targetstest"
)

// TestProxies checks the proxy of a URL for settings of load and environment.
func TestProxies(t *testing.T) {
	const http, https = "http://shop.test/", "https://shop.test/"
	for _, c := range []struct {
		name, setting string
		env           map[string]string
		url           string
		via, says     string
	}{
		{"nothing named", "", nil, http, "", ""},
		{
			"unasked", "",
			map[string]string{"HTTP_PROXY": "http://10.1.2.3:3128"},
			http, "",
			"HTTP_PROXY=http://10.1.2.3:3128 names a proxy for shop.test, and the load does not say whether to use it: " +
				"connections: {proxy: env}, or {proxy: none}",
		},
		{
			"unasked, with a password", "",
			map[string]string{"http_proxy": "http://ann:sesame@10.1.2.3"},
			http, "",
			"http_proxy=http://***@10.1.2.3 names",
		},
		{"unasked, spoilt", "", map[string]string{"HTTP_PROXY": "::"}, http, "", "HTTP_PROXY=:: names"},
		{"for another scheme", "", map[string]string{"HTTPS_PROXY": "http://10.1.2.3"}, http, "", ""},
		{
			"for this scheme", "",
			map[string]string{"HTTPS_PROXY": "http://10.1.2.3"},
			https, "",
			"HTTPS_PROXY=http://10.1.2.3 names",
		},
		{"for all", "", map[string]string{"all_proxy": "10.1.2.3:1"}, https, "", "all_proxy=10.1.2.3:1 names"},
		{"loopback", "", map[string]string{"HTTP_PROXY": "http://10.1.2.3"}, "http://127.0.0.9:80/", "", ""},
		{"localhost", "", map[string]string{"HTTP_PROXY": "http://10.1.2.3"}, "http://localhost:80/", "", ""},
		{"exempt", "", map[string]string{"HTTP_PROXY": "http://10.1.2.3", "NO_PROXY": "x,.test"}, http, "", ""},
		{
			"exempt by port", "env",
			map[string]string{"HTTP_PROXY": "http://10.1.2.3", "no_proxy": "shop.test:80"},
			http, "",
			"",
		},
		{"exempt of all", "", map[string]string{"HTTP_PROXY": "http://10.1.2.3", "NO_PROXY": "*"}, http, "", ""},
		{
			"not exempt", "env",
			map[string]string{"HTTP_PROXY": "http://10.1.2.3", "NO_PROXY": "other.test"},
			http,
			"http://10.1.2.3", "",
		},
		{"asked", "env", map[string]string{"HTTP_PROXY": "10.1.2.3:3128"}, http, "http://10.1.2.3:3128", ""},
		{
			"its own before that for all", "env",
			map[string]string{"HTTP_PROXY": "http://a", "ALL_PROXY": "http://b"},
			http,
			"http://a", "",
		},
		{"asked in vain", "env", nil, http, "", ""},
		{
			"asked, and socks", "env",
			map[string]string{"ALL_PROXY": "socks5://ann:sesame@a:1080"},
			http, "",
			`ALL_PROXY: "socks5://***@a:1080" is not an HTTP proxy; brunt supports no other kind`,
		},
		{"none", "none", map[string]string{"HTTP_PROXY": "http://10.1.2.3"}, http, "", ""},
		{
			"named", "http://127.0.0.1:3128",
			map[string]string{"HTTP_PROXY": "http://10.1.2.3", "NO_PROXY": "*"},
			http,
			"http://127.0.0.1:3128", "",
		},
		{"named, for loopback", "127.0.0.1:3128", nil, "https://127.0.0.1/", "http://127.0.0.1:3128", ""},
		{
			"named, with credentials", "http://ann:ses%40me@127.0.0.1:3128/", nil, http, "http://ann:ses%40me@127.0.0.1:3128/",
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := dial.NewProxies(c.setting, func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			via, err := p.For(u)
			got := ""
			if via != nil {
				got = via.String()
			}
			if got != c.via || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("by %q: %v", got, err)
			}
		})
	}
	for setting, want := range map[string]string{
		"ENV":                        `"http://ENV"`, // a host of that name
		"http://a:99999":             "a port lies from 1 to 65535",
		"https://a":                  `"https://a": brunt connects to a proxy by plain http`,
		"socks5://ann:sesame@a":      `"socks5://***@a" is not an HTTP proxy`,
		"http://ann:sesame@a/b":      `"http://***@a/b": the URL of a proxy has neither path nor query`,
		"http://ann:ses%zzame@a":     `"http://***@a": the credentials are not escaped as in a URL`,
		"http://ann:sesame@:1":       "names no host",
		"http://ann:sesame@a:nobody": "a port lies from 1 to 65535",
	} {
		_, err := dial.NewProxies(setting, nil)
		if setting == "ENV" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "same") ||
			!strings.Contains(err.Error(), "want env, none or such as http://127.0.0.1:3128") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// forward is a proxy for tests. It resolves every name to loopback.
type forward struct {
	mu    sync.Mutex
	asked []string // METHOD target, and the proxy headers
	want  string   // Proxy-Authorization; empty: none required
	say   string   // sent in place of forwarding
}

func (f *forward) serve(p *peer) {
	for {
		r, err := nethttp.ReadRequest(p.br)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.asked = append(f.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Method, r.RequestURI, r.Host,
			r.Header.Get("Proxy-Authorization"))))
		f.mu.Unlock()
		switch {
		case f.say != "":
			p.say(f.say)
			return
		case r.Header.Get("Proxy-Authorization") != f.want:
			p.say("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		up, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1",
			targets.HostPort(r.URL)[strings.LastIndexByte(targets.HostPort(r.URL), ':')+1:]))
		if r.Method == nethttp.MethodConnect {
			up, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", portOf(r.Host)))
		}
		if err != nil {
			p.say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		if r.Method == nethttp.MethodConnect {
			p.say("HTTP/1.1 200 Connection established\r\n\r\n")
			go func() {
				_, _ = io.Copy(up, p.br)
				_ = up.Close()
			}()
			_, _ = io.Copy(p.Conn, up)
			return
		}
		r.Header.Del("Proxy-Authorization")
		_ = r.Write(up)
		resp, err := nethttp.ReadResponse(bufio.NewReader(up), r)
		if err == nil {
			_ = resp.Write(p.Conn)
		}
		_ = up.Close()
	}
}

func (f *forward) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.asked
	f.asked = nil
	return out
}

// by returns a client's proxies with an empty environment.
func by(t *testing.T, setting string) *dial.ProxySetting {
	t.Helper()
	p, err := dial.NewProxies(setting, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestHTTP_Proxy sends absolute URLs to a proxy, with credentials that only the proxy
// receives, over reused connections.
func TestHTTP_Proxy(t *testing.T) {
	seen := &recorder{}
	target := script(t, seen.serve)
	f := &forward{want: "Basic YW5uOnNlc0BtZQ=="}
	proxy := script(t, f.serve)
	var asked []string
	gate := func(addr netip.Addr, hostport, host string) error {
		asked = append(asked, fmt.Sprint(addr.IsValid(), " ", hostport, " ", host))
		return nil
	}
	base := "http://shop.test:" + portOf(target)
	r := newFixture(t, targets.Options{
		Base: base, Allow: targetstest.Gate(gate), Proxies: by(t, strings.Replace(proxy, "//", "//ann:ses%40me@", 1)),
	}, "get: /a?b=c",
		`{post: /d, body: text, headers: {Host: other.test}}`)
	u := r.user(0)
	for range 3 {
		r.want(u.Do(0, long), "ok 200")
	}
	r.want(u.Do(1, long), "ok 200")
	host := strings.TrimPrefix(base, "http://")
	get := "GET " + base + "/a?b=c " + host + " Basic YW5uOnNlc0BtZQ=="
	if got := f.take(); !slices.Equal(got[:3], []string{get, get, get}) || !strings.HasPrefix(got[3], "POST "+base+"/d ") {
		t.Errorf("the proxy was asked %q", got)
	}
	for _, req := range seen.take() {
		if strings.Contains(req, "Proxy-") {
			t.Errorf("the target got %q", req)
		}
	}
	if r.Opened() != 1 || !slices.Equal(asked,
		[]string{"false " + host + " shop.test", "true " + strings.TrimPrefix(proxy, "http://") + " 127.0.0.1"}) {
		t.Errorf("%d connections, the gate was asked for %q", r.Opened(), asked)
	}
	// Without credentials the proxy forwards nothing.
	r = newFixture(t, targets.Options{Base: base, Proxies: by(t, proxy)}, "get: /")
	r.want(r.user(0).Do(0, long), "status 407")
}

// TestHTTP_ProxyTunnel opens a tunnel through a proxy and speaks TLS to the target in it: the
// name sent and verified is the target's.
func TestHTTP_ProxyTunnel(t *testing.T) {
	ca := newAuthority(t)
	s := ca.secure(&tls.Config{})
	f := &forward{want: "Basic YW5uOnNlc2FtZQ=="}
	proxy := script(t, f.serve)
	base := "https://api.test:" + portOf(s.URL)
	r := newFixture(t, targets.Options{
		Base: base, TLS: &scenarios.TLS{CA: ca.file}, Proxies: by(t, strings.Replace(proxy, "//", "//ann:sesame@", 1)),
	},
		`{get: /, check: {body: TLS 1.3}}`)
	u := r.user(0)
	for range 3 {
		r.want(u.Do(0, long), "ok 200")
	}
	host := strings.TrimPrefix(base, "https://")
	if got := f.take(); !slices.Equal(got, []string{"CONNECT " + host + " " + host + " Basic YW5uOnNlc2FtZQ=="}) ||
		r.Opened() != 1 {
		t.Errorf("%d connections, the proxy was asked %q", r.Opened(), got)
	}
	for _, c := range []struct{ name, say, want, says string }{
		{
			"refused", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "proxy",
			`it answered "403 Forbidden" to CONNECT ` + host,
		},
		{
			"credentials wanted", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "proxy",
			`"407 Proxy Authentication Required"`,
		},
		{"babble", "HTTP/1.1 200 OK\r\n\r\nx", "proxy", "it sent data before it was asked"},
		{"no HTTP", "SSH-2.0\r\n\r\n", "proxy", "malformed HTTP"},
		{"hung up", "HTTP/1.1 200 OK\r\n", "proxy", "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := script(t, (&forward{say: c.say}).serve)
			k := &samples{}
			r := newFixture(t, targets.Options{
				Base: base, Sampler: k, TLS: &scenarios.TLS{CA: ca.file},
				Proxies: by(t, strings.Replace(bad, "//", "//ann:sesame@", 1)),
			}, "get: /")
			o := r.user(0).Do(0, long)
			r.want(o, c.want)
			if m := k.last().Message; o.WasSent || !strings.Contains(m, c.says) ||
				!strings.Contains(m, "the proxy "+strings.TrimPrefix(bad, "http://")) ||
				strings.Contains(m, "sesame") {
				t.Errorf("sent %v: %s", o.WasSent, m)
			}
		})
	}
	silent := script(t, func(p *peer) { p.request(); p.request() })
	r = newFixture(t, targets.Options{Base: base, Proxies: by(t, silent)}, "get: /")
	u = r.user(0)
	o := u.Do(0, 50*time.Millisecond)
	if r.want(o, "timeout"); o.End != u.It.Deadline {
		t.Errorf("%+v", o)
	}
	done := make(chan scenarios.Outcome)
	go func() { done <- u.Do(0, long) }()
	suite.Until(t, "connected", func() bool { return r.Opened() >= 0 && time.Since(r.t0) > 100*time.Millisecond })
	r.Abort()
	r.want(<-done, "unfinished")
}

// TestHTTP_ProxyMissing checks that a missing proxy is an error of the proxy, not of the
// target.
func TestHTTP_ProxyMissing(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	r := newFixture(t, targets.Options{Base: "http://shop.test", Proxies: by(t, "http://"+l.Addr().String())}, "get: /")
	r.want(r.user(0).Do(0, long), "proxy")
}

// TestHTTP_ProxyAndBlastRadius refuses a proxy outside the blast radius, and a host behind a
// proxy.
func TestHTTP_ProxyAndBlastRadius(t *testing.T) {
	f := &forward{}
	proxy := script(t, f.serve)
	target := script(t, local)
	for _, c := range []struct {
		name  string
		base  string
		allow func(addr netip.Addr, host string) bool
		want  string
	}{
		{
			"both", "http://shop.test:" + portOf(target),
			func(addr netip.Addr, host string) bool { return addr.IsLoopback() || host == "shop.test" }, "ok 200",
		},
		{
			"the proxy only", "http://shop.test:" + portOf(target),
			func(addr netip.Addr, _ string) bool { return addr.IsLoopback() }, "not allowed",
		},
		{
			"the host only", "http://shop.test:" + portOf(target),
			func(_ netip.Addr, host string) bool { return host == "shop.test" }, "not allowed",
		},
		{
			"an address beyond", "http://10.1.2.3:" + portOf(target),
			func(addr netip.Addr, _ string) bool { return addr.IsLoopback() }, "not allowed",
		},
		{
			"an address within", "http://10.1.2.3:" + portOf(target),
			func(addr netip.Addr, _ string) bool { return addr.IsValid() }, "ok 200",
		},
		{
			"loopback", "http://localhost:" + portOf(target), func(addr netip.Addr, _ string) bool { return addr.IsLoopback() },
			"ok 200",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "loopback" {
				suite.Needs(t, suite.Localhost)
			}
			gate := targetstest.Gate(func(addr netip.Addr, _, host string) error {
				if c.allow(addr, host) {
					return nil
				}
				return errNo
			})
			r := newFixture(t, targets.Options{Proxies: by(t, proxy), Allow: gate}, "get: "+c.base+"/")
			r.want(r.user(0).Do(0, long), c.want)
			if got := f.take(); len(got) > 0 != (c.want == "ok 200") {
				t.Errorf("the proxy was asked %q", got)
			}
		})
	}
}

// TestHTTP_ProxyUnnamed sends nothing to a host for which, at run time, the environment names
// a proxy that the load does not, and connects directly if resolve maps the host.
func TestHTTP_ProxyUnnamed(t *testing.T) {
	f := &forward{}
	proxy := script(t, f.serve)
	target := script(t, local)
	p, err := dial.NewProxies("", func(name string) (string, bool) { return proxy, name == "HTTP_PROXY" })
	if err != nil {
		t.Fatal(err)
	}
	k := &samples{}
	base := "http://shop.test:" + portOf(target)
	r := newFixture(t, targets.Options{Base: target, Proxies: p, Sampler: k}, `{get: "`+base+`/"}`, `get: /`)
	r.want(r.user(0).Do(0, long), "not allowed")
	if m := k.last().Message; !strings.Contains(m, "connections: {proxy: env}, or {proxy: none}") {
		t.Errorf("%s", m)
	}
	r.want(r.user(0).Do(1, long), "ok 200") // loopback
	r = newFixture(t, targets.Options{Base: base, Proxies: p, Resolve: map[string]string{"shop.test": "127.0.0.1"}},
		`get: /`)
	r.want(r.user(0).Do(0, long), "ok 200")
	if got := f.take(); len(got) > 0 {
		t.Errorf("the proxy was asked %q", got)
	}
}

// No message about a proxy shows its password, however malformed the URL is.
func FuzzNewProxies(f *testing.F) {
	const password = "sesame"
	for _, seed := range [][2]string{
		{"http://ann:", "@a"},
		{"ann:", "@a:1"},
		{"socks5://b:", "x@b/c?d"},
		{"//:", "/@"},
		{"%//%:", "%@"},
		{"https://a:", "?@b"},
		{":", "@://"},
		{":", "@://@:/@:/"},
		{"A:", "://@"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		_, user, ok := strings.Cut(before, "//")
		if !ok {
			user = before
		}
		if !strings.HasSuffix(user, ":") || strings.ContainsAny(user, "/?#@[") || !strings.Contains(after, "@") ||
			strings.Contains(before+after, password) {
			t.Skip("not in the place of a password")
		}
		if _, err := dial.NewProxies(before+password+after, nil); err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", before+password+after, err)
		}
	})
}
