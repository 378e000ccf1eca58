package http

import (
	"net/url"

	"brunt/scenarios"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

const defaultRedirects = 10

// ErrRedirects is the error of a request that was redirected more often than its step allows.
var ErrRedirects = error(&targets.Error{
	Cause: scenarios.Redirects, Text: "more redirects than the step allows", Final: true,
})

// redirect returns the location that the answer redirects to; nil: none.
func (t *exchange) redirect() []byte {
	switch t.ans.Status() {
	case 301, 302, 303, 307, 308:
		if location := t.ans.Head().Peek("Location"); len(location) > 0 {
			return location
		}
	}
	return nil
}

// follow prepares the request after a redirect. A 307 or 308 repeats the request; other codes lead to a GET (RFC
// 9110, section 15.4).
func (t *exchange) follow(location []byte) error {
	if err := t.fill(); err != nil {
		return err
	}
	from := t.wire.origin
	to, err := resolveURL(from, t.wire.target, location)
	if err != nil {
		return err
	}
	for _, v := range secret.Values(to) { // the target may show them when the request comes
		t.it.Offer([]byte(v))
	}
	prefix, target := targets.SplitURL([]byte(to))
	o, err := t.client.origin(prefix)
	if err != nil {
		return err
	}
	if code := t.ans.Status(); code < 307 && t.wire.method != "GET" && t.wire.method != "HEAD" {
		t.wire.method, t.wire.bare = "GET", true
	}
	t.dropAnswer()
	t.wire.away = t.wire.away || o != from
	t.wire.origin, t.wire.target = o, escapeTarget(withSlash(target))
	t.wire.cookie = t.cookies(o, t.wire.target)
	return t.compose()
}

// resolveURL resolves location against target and returns the absolute URL.
func resolveURL(from *origin, target, location []byte) (string, error) {
	at, err := url.ParseRequestURI(string(target)) // not Parse, because a path may begin with //
	if err != nil {
		return "", &syntax.BadURL{Why: err.Error()}
	}
	at.Scheme, at.Host = from.url.Scheme, from.url.Host
	to, err := at.Parse(string(location))
	if err != nil {
		return "", &syntax.BadURL{Why: err.Error()}
	}
	to.Fragment, to.RawFragment = "", ""
	return to.String(), nil
}

// escapeTarget makes a path and query from a server safe for a request line.
func escapeTarget(target []byte) []byte {
	const hex = "0123456789ABCDEF"
	var out []byte
	for i, c := range target {
		if c > ' ' && c < 0x7f {
			if out != nil {
				out = append(out, c)
			}
			continue
		}
		if out == nil {
			out = append(out, target[:i]...)
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	if out == nil {
		return target
	}
	return out
}
