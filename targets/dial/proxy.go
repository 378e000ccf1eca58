package dial

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"brunt/scenarios/syntax"
	"brunt/targets"

	"golang.org/x/net/http/httpproxy"
)

// ProxySetting is a load's setting for proxies: a proxy that the load names, the proxies of the environment, or none.
// If the environment names a proxy and the load has no setting, the URL is refused, because it would be unclear what
// the run measures.
type ProxySetting struct {
	setting string
	fixed   *url.URL
	lookup  func(string) (string, bool)
}

// NewProxies reads a load's setting: empty, none, env, or the URL of a proxy. Env looks up an
// environment variable.
func NewProxies(setting string, env func(string) (string, bool)) (*ProxySetting, error) {
	p := &ProxySetting{setting: setting, lookup: env}
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

// Fixed returns the proxy that the load names; nil: none.
func (p *ProxySetting) Fixed() *url.URL { return p.fixed }

// Passwords returns the passwords of all proxies that the load may use.
func (p *ProxySetting) Passwords() (out []string) {
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

// parseProxy reads the URL of a proxy, which may lack http://. The error shows no credentials.
func parseProxy(s string) (*url.URL, error) {
	bare, user, shown := cutUser(s)
	if !strings.Contains(bare, "://") {
		bare = "http://" + bare
	}
	u, err := syntax.ParseURL(bare)
	switch {
	case err != nil && strings.HasPrefix(bare, "socks"):
		return nil, fmt.Errorf("%q is not an HTTP proxy; brunt supports no other kind", shown)
	case err != nil:
		return nil, err
	case u.Scheme != "http":
		return nil, fmt.Errorf("%q: brunt connects to a proxy by plain http", shown)
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
		return nil, fmt.Errorf("%q: the credentials are not escaped as in a URL", shown)
	}
	if u.User = url.User(name); has {
		u.User = url.UserPassword(name, pw)
	}
	return u, nil
}

// cutUser removes the credentials from a proxy's URL. They are the text before the last @, because the URL has no
// path. Shown is the URL with the credentials masked.
func cutUser(s string) (bare, user, shown string) {
	from, at := 0, strings.LastIndexByte(s, '@')
	if i := strings.Index(s, "://"); i >= 0 && i < at && strings.IndexAny(s, ":@") == i { // else it is no scheme's
		from = i + len("://")
	}
	if at < from {
		return s, "", s
	}
	return s[:from] + s[at+1:], s[from:at], s[:from] + syntax.Masked + s[at:]
}

// variable finds the environment variable that names a proxy for URLs of a scheme.
func (p *ProxySetting) variable(scheme string) (name, value string) {
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

// exempt reports whether the environment exempts a URL: it is on loopback, or NO_PROXY names
// it.
func (p *ProxySetting) exempt(u *url.URL) bool {
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

func (p *ProxySetting) For(u *url.URL) (*url.URL, error) {
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
		return nil, fmt.Errorf("%s=%s names a proxy for %s, and the load does not say whether to use it: connections: "+
			"{proxy: env}, or {proxy: none}", name,
			shown, u.Host)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return via, nil
}

// Via returns the URL of the proxy through which a load with these settings connects to u;
// nil: none. A host that resolve maps to an address is reached directly.
func Via(p targets.Proxies, u *url.URL, resolve map[string]string) (*url.URL, error) {
	if _, own := Resolved(u.Hostname(), targets.PortOf(u), resolve); own {
		return nil, nil
	}
	if p == nil {
		return nil, nil
	}
	return p.For(u)
}

// A Proxy is the proxy between a client and an origin.
type Proxy struct {
	URL  *url.URL
	Auth string // value of Proxy-Authorization; empty sends none
}

// ProxyFor returns the proxy through which a client with these options reaches u; nil: none.
// The error is a [targets.NotAllowedError].
func ProxyFor(o *targets.Options, u *url.URL) (*Proxy, error) {
	p, err := Via(o.Proxies, u, o.Resolve)
	if err == nil && p != nil {
		err = targets.CheckProxied(o.Allow, u)
	}
	if err != nil {
		return nil, &targets.NotAllowedError{Addr: targets.HostPort(u), Err: err}
	}
	if p == nil {
		return nil, nil
	}
	v := &Proxy{URL: p}
	if p.User != nil {
		pw, _ := p.User.Password()
		v.Auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(p.User.Username()+":"+pw))
	}
	return v, nil
}

// Tunnel asks the proxy to connect to hostport (RFC 9110, section 9.3.6).
func (v *Proxy) Tunnel(ctx context.Context, raw *net.TCPConn, hostport, agent string) error {
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	err := v.connect(raw, hostport, agent)
	if !stop() && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// maxConnectHead bounds the answer to CONNECT, in bytes.
const maxConnectHead = 1 << 20

func (v *Proxy) connect(raw *net.TCPConn, hostport, agent string) error {
	req := "CONNECT " + hostport + " HTTP/1.1\r\nHost: " + hostport + "\r\nUser-Agent: " + agent + "\r\n"
	if v.Auth != "" {
		req += "Proxy-Authorization: " + v.Auth + "\r\n"
	}
	if _, err := raw.Write([]byte(req + "\r\n")); err != nil {
		return err
	}
	br := bufio.NewReader(io.LimitReader(raw, maxConnectHead))
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
	switch {
	case err != nil:
		return err
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("it answered %q to CONNECT %s", resp.Status, hostport)
	case br.Buffered() > 0:
		return errors.New("it sent data before it was asked")
	}
	return nil
}
