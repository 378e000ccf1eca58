package targets

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"golang.org/x/net/http/httpproxy"
)

// Proxies say by which proxy a load reaches a URL: one that the load names, those that
// the environment names once the load says so, or none. Where the environment names one
// and the load says nothing, a measurement would be of who knows what: that is refused.
type Proxies struct {
	setting string
	fixed   *url.URL
	lookup  func(string) (string, bool)
}

// NewProxies reads what a load says: nothing, none, env, or the URL of a proxy. Env is
// the environment.
func NewProxies(setting string, env func(string) (string, bool)) (*Proxies, error) {
	p := &Proxies{setting: setting, lookup: env}
	switch setting {
	case "", "env", "none":
		return p, nil
	}
	var err error
	if p.fixed, err = parseProxy(setting); err != nil {
		return nil, fmt.Errorf("%w; want env, none or such as http://127.0.0.1:3128", err)
	}
	return p, nil
}

// Fixed is the proxy that the load names; nil is that it names none.
func (p *Proxies) Fixed() *url.URL { return p.fixed }

// Passwords are the secrets of the proxies that a load may go by.
func (p *Proxies) Passwords() (out []string) {
	all := []*url.URL{p.fixed}
	for _, scheme := range []string{"http", "https"} {
		if _, value := p.variable(scheme); value != "" {
			u, _ := parseProxy(value)
			all = append(all, u)
		}
	}
	for _, u := range all {
		if u == nil || u.User == nil {
			continue
		}
		if pw, ok := u.User.Password(); ok {
			out = append(out, pw)
		}
	}
	return out
}

// parseProxy reads the URL of a proxy; http:// may be left out. The error shows no
// credentials.
func parseProxy(s string) (*url.URL, error) {
	bare, user, shown := cutUser(s)
	if !strings.Contains(bare, "://") {
		bare = "http://" + bare
	}
	u, err := syntax.ParseURL(bare)
	switch {
	case err != nil && strings.HasPrefix(bare, "socks"):
		return nil, fmt.Errorf("%q is no HTTP proxy, and brunt goes by no other", shown)
	case err != nil:
		return nil, err
	case u.Scheme != "http":
		return nil, fmt.Errorf("%q: the way to a proxy is plain http", shown)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return nil, fmt.Errorf("%q: the URL of a proxy has neither path nor query", shown)
	}
	if user == "" {
		return u, nil
	}
	name, pw, has := strings.Cut(user, ":")
	name, err1 := url.PathUnescape(name)
	pw, err2 := url.PathUnescape(pw)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("%q: credentials are escaped in a URL", shown)
	}
	if u.User = url.User(name); has {
		u.User = url.UserPassword(name, pw)
	}
	return u, nil
}

// cutUser takes the credentials out of a proxy's URL: all before its last @, as it has no
// path. Shown is the URL for messages.
func cutUser(s string) (bare, user, shown string) {
	from, at := 0, strings.LastIndexByte(s, '@')
	if i := strings.Index(s, "://"); i >= 0 {
		from = i + len("://")
	}
	if at < from {
		return s, "", s
	}
	return s[:from] + s[at+1:], s[from:at], s[:from] + syntax.Masked + s[at:]
}

// variable is the one of the environment that names a proxy for URLs of a scheme.
func (p *Proxies) variable(scheme string) (name, value string) {
	if p.lookup == nil {
		return "", ""
	}
	for _, name := range []string{strings.ToUpper(scheme) + "_PROXY", scheme + "_proxy", "ALL_PROXY", "all_proxy"} {
		if v, _ := p.lookup(name); v != "" {
			return name, v
		}
	}
	return "", ""
}

// exempt tells that the environment lets a URL be reached directly: it is on loopback,
// or NO_PROXY names it.
func (p *Proxies) exempt(u *url.URL) bool {
	const some = "http://proxy.invalid"
	c := httpproxy.Config{HTTPProxy: some, HTTPSProxy: some}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if v, _ := p.lookup(name); v != "" {
			c.NoProxy = v
			break
		}
	}
	via, err := c.ProxyFunc()(u)
	return err == nil && via == nil
}

// For gives the proxy by which u is reached; nil is none.
func (p *Proxies) For(u *url.URL) (*url.URL, error) {
	if p == nil || p.setting == "none" {
		return nil, nil
	}
	if p.fixed != nil {
		return p.fixed, nil
	}
	name, value := p.variable(u.Scheme)
	if value == "" || p.exempt(u) {
		return nil, nil
	}
	via, err := parseProxy(value)
	_, _, shown := cutUser(value)
	switch {
	case p.setting == "":
		return nil, fmt.Errorf("%s=%s names a proxy for %s, and the load does not say whether to go by it: connections: {proxy: env}, or {proxy: none}", name, shown, u.Host)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return via, nil
}

// Via gives the proxy by which a load with these settings connects to u; nil is none. A
// host that its resolve gives an address is connected to directly.
func Via(p *Proxies, u *url.URL, resolve map[string]string) (*url.URL, error) {
	if _, _, own := Resolved(u.Hostname(), portOf(u), resolve); own {
		return nil, nil
	}
	return p.For(u)
}

// Beyond refuses a URL that is reached by a proxy and lies outside the blast radius. It
// is the proxy that looks its name up, so that no address of it counts, only the name.
func (g Gate) Beyond(u *url.URL) error {
	host, hostport := u.Hostname(), HostPort(u)
	if g == nil || scenarios.IsLocalhost(host) {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return g(ip.Unmap(), hostport, host)
	}
	if g(netip.Addr{}, hostport, host) != nil {
		return fmt.Errorf("%s is reached by a proxy, which looks the name up itself; name %s under guard.allow.load to let load go there", host, host)
	}
	return nil
}

// A via is the proxy between an origin and its connections.
type via struct {
	url  *url.URL
	auth string // of Proxy-Authorization
}

// viaPlain tells that requests to o are written for a proxy, which passes them on.
func (o *origin) viaPlain() bool { return o.via != nil && o.tls == nil }

// by gives the proxy between this client and an origin; nil is none.
func (o *Options) by(u *url.URL) (*via, error) {
	p, err := Via(o.Proxies, u, o.Resolve)
	if err == nil && p != nil {
		err = o.Gate.Beyond(u)
	}
	if err != nil {
		return nil, &notAllowed{HostPort(u), err}
	}
	if p == nil {
		return nil, nil
	}
	v := &via{url: p}
	if p.User != nil {
		pw, _ := p.User.Password()
		v.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(p.User.Username()+":"+pw))
	}
	return v, nil
}

// proxyError is what a proxy has done to a request.
type proxyError struct {
	proxy string
	err   error
}

func (e *proxyError) Error() string { return "the proxy " + e.proxy + ": " + e.err.Error() }
func (e *proxyError) Unwrap() error { return e.err }

// reach opens a connection to o, or to the proxy before it: over TLS that is asked for a
// tunnel (RFC 9110, section 9.3.6).
func (p *pool) reach(ctx context.Context, o *origin) (*net.TCPConn, error) {
	n := o.turn.Add(1) - 1
	if o.via == nil {
		return p.dialer.dial(ctx, o.name, o.port, n)
	}
	at := o.via.url
	raw, err := p.dialer.dial(ctx, at.Hostname(), portOf(at), n)
	if err == nil && o.tls != nil {
		if err = o.via.tunnel(ctx, raw, net.JoinHostPort(o.name, o.port), p.o.Agent); err != nil {
			_ = raw.Close()
		}
	}
	if err != nil {
		return nil, &proxyError{at.Host, err}
	}
	return raw, nil
}

// tunnel has the proxy connect to hostport.
func (v *via) tunnel(ctx context.Context, raw *net.TCPConn, hostport, agent string) error {
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	err := v.ask(raw, hostport, agent)
	if !stop() && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (v *via) ask(raw *net.TCPConn, hostport, agent string) error {
	req := append([]byte("CONNECT "+hostport+" HTTP/1.1\r\n"), "Host: "+hostport+"\r\n"...)
	req = header(req, "User-Agent", agent)
	if v.auth != "" {
		req = header(req, "Proxy-Authorization", v.auth)
	}
	if _, err := raw.Write(append(req, "\r\n"...)); err != nil {
		return err
	}
	br := bufio.NewReader(io.LimitReader(raw, maxHead))
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
	switch {
	case err != nil:
		return err
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("it answered %q when it was asked for a way to %s", resp.Status, hostport)
	case br.Buffered() > 0:
		return errors.New("it sent something before it was asked")
	}
	return nil
}
