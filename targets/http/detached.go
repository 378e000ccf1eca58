package http

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// A Detached is a rendered request for a client outside this package.
type Detached struct {
	Method string
	URL    string
	Header http.Header // names as the step writes them
	Body   []byte
}

// Detach renders a call for another client, without credentials, signature, cookies and trace. Paths are appended to
// base, which may be nil.
func (c *Call) Detach(it *template.Iter, base *url.URL) (*Detached, error) {
	to, err := c.url.Append(nil, it)
	if err != nil {
		return nil, err
	}
	if len(to) == 0 || to[0] == '/' {
		if base == nil {
			return nil, targets.ErrNoBase
		}
		b := *base
		b.RawPath, b.Path = "", ""
		to = append([]byte(b.String()+strings.TrimRight(base.EscapedPath(), "/")), to...)
	}
	u, err := url.Parse(string(to))
	if err == nil && u.Host == "" {
		err = targets.ErrNoBase
	}
	if err != nil {
		return nil, err
	}
	var f rendered
	if err := f.fill(c, it); err != nil {
		return nil, err
	}
	d := &Detached{Method: c.method, URL: u.String(), Header: http.Header{}}
	if c.host != nil {
		d.Header["Host"] = []string{string(f.host)}
	}
	for i := range c.headers {
		name := c.headers[i].name
		d.Header[name] = append(d.Header[name], string(f.value(i)))
	}
	if c.bodyType != "" {
		d.Header["Content-Type"] = []string{c.bodyType}
	}
	switch {
	case c.segments != nil:
		d.Body = c.segments[0].file
	case c.body != nil:
		d.Body = f.body
	}
	return d, nil
}

// Inspects reports whether the call needs more of an answer than its status.
func (c *Call) Inspects() bool { return c.rest.Checks() > 0 || c.graphql != nil }

// NeedsBody reports whether checks or extractions read the body.
func (c *Call) NeedsBody() bool { return c.whole }

// MaxBody returns the maximum size of a body that checks and extractions read, in bytes.
func (c *Call) MaxBody() int { return cmp.Or(c.most, h1.MaxBody) }

// keeps returns the maximum size of a body that is kept whole; 0 keeps only its beginning.
func (c *Call) keeps() int {
	if c.whole {
		return c.MaxBody()
	}
	return 0
}

// Fixed reports whether every request of the call is the same.
func (c *Call) Fixed() bool { return c.fixed }

// Traces reports whether the step sets a traceparent itself.
func (c *Call) Traces() bool { return c.traced }

// Redirects returns how many redirects are followed at most.
func (c *Call) Redirects() int { return c.redirects }

// CheckDetach returns why another client can't make the call. It is empty if it can.
func (c *Call) CheckDetach() string {
	switch {
	case c.auth != nil || c.sign != nil:
		return "it has auth or sign"
	case c.stream != nil:
		return "it reads a stream of events"
	case c.group != nil:
		return "it groups answers"
	case c.segments != nil && !c.oneFile():
		return "its body has several parts"
	case len(c.rest.Refs()) > 0:
		return "its check compares with " + c.rest.Refs()[0].String()
	case c.rest.Extracts() > 0:
		return "it extracts values, and there is no next step to use them"
	}
	return ""
}
