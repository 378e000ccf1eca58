package targets

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"

	"github.com/valyala/fasthttp"
)

type tlsOptions = scenarios.TLS

// httpClient is one load's HTTP client.
type httpClient struct {
	*pool
	base      *origin
	basePath  string // of the base URL, without its last /
	keepAlive bool
}

var (
	_ Client  = (*httpClient)(nil)
	_ Session = (*httpSession)(nil)
)

// Client implements [Protocol].
func (*HTTP) Client(o Options) (Client, error) {
	p, err := newPool(o)
	if err != nil {
		return nil, err
	}
	c := &httpClient{pool: p, keepAlive: o.Connections.KeepAlive == nil || *o.Connections.KeepAlive}
	if o.Base != "" {
		prefix, rest := splitURL([]byte(o.Base))
		if c.base, err = p.origin(prefix); err != nil {
			return nil, err
		}
		c.basePath = strings.TrimSuffix(string(rest), "/")
	}
	return c, nil
}

// Open implements [Client].
func (c *httpClient) Open(int) (Session, error) { return &httpSession{client: c}, nil }

// Abort implements [Client].
func (c *httpClient) Abort() { c.abort() }

// Opened implements [Client].
func (c *httpClient) Opened() int64 { return c.opened.Load() }

// Close implements [Client].
func (c *httpClient) Close() error {
	c.abort()
	return nil
}

// splitURL divides an absolute URL into scheme and host, and path and query.
func splitURL(u []byte) (prefix, rest []byte) {
	i := bytes.Index(u, []byte("://"))
	if i < 0 {
		return u, nil
	}
	for j := i + 3; j < len(u); j++ {
		if u[j] == '/' || u[j] == '?' {
			return u[:j], u[j:]
		}
	}
	return u, nil
}

// httpSession is a virtual user: its cookies and its memory.
type httpSession struct {
	client *httpClient
	jar    *cookiejar.Jar
	url    []byte
	wire   []byte
	w      wire
	last   *origin // that was asked last
	ans    answer
}

var responses = sync.Pool{New: func() any { return new(fasthttp.Response) }}

// Close implements [Session].
func (s *httpSession) Close() error { return nil }

// Do implements [Session].
func (s *httpSession) Do(it *scenarios.Iter, call scenarios.Call, out *scenarios.Outcome) {
	c := call.(*httpCall)
	req, o, err := s.request(c, it)
	if err != nil {
		out.Slot = s.client.now()
		s.fail(c, it, out, err)
		return
	}
	resp := responses.Get().(*fasthttp.Response)
	method := c.method
	for hop := 0; ; hop++ {
		err = s.exchange(o, method, req, resp, it.Deadline, hop == 0, out)
		if err != nil {
			break
		}
		next, again := redirect(resp, method)
		if next == nil || c.redirects == 0 {
			break
		}
		if hop == c.redirects {
			err = errRedirects
			break
		}
		if req, o, err = s.follow(c, it, o, next, &method, again); err != nil {
			break
		}
	}
	if err != nil {
		s.fail(c, it, out, err)
	} else {
		s.ans.reset(resp)
		c.judge(&s.ans, it, out)
		if out.Kind == scenarios.Error {
			s.sample(c, out, nil)
		}
		s.ans.reset(nil)
	}
	resp.Reset()
	if cap(resp.Body()) <= 64<<10 {
		responses.Put(resp)
	}
}

var errRedirects = errors.New("more redirects than the step allows")

// request gives the bytes of the request and where they go.
func (s *httpSession) request(c *httpCall, it *scenarios.Iter) ([]byte, *origin, error) {
	if r := c.static.Load(); r != nil && s.jar == nil && r.client == s.client {
		s.w.target = r.target
		return r.bytes, r.origin, nil
	}
	o, target, err := s.target(c, it)
	if err != nil {
		return nil, nil, err
	}
	s.w.origin, s.w.target, s.w.agent, s.w.keepAlive = o, target, s.client.o.Agent, s.client.keepAlive
	s.w.cookie = s.cookies(o, target)
	if s.wire, err = c.render(s.wire[:0], it, &s.w); err != nil {
		return nil, nil, err
	}
	if s.jar == nil && c.isStatic() {
		c.static.Store(&rendered{client: s.client, origin: o, target: bytes.Clone(target), bytes: bytes.Clone(s.wire)})
	}
	return s.wire, o, nil
}

// target fills in the URL: where it goes, and its path and query.
func (s *httpSession) target(c *httpCall, it *scenarios.Iter) (o *origin, target []byte, err error) {
	if s.url, err = c.url.Append(append(s.url[:0], s.client.basePath...), it); err != nil {
		return nil, nil, err
	}
	rel := s.url[len(s.client.basePath):]
	if len(rel) > 0 && rel[0] == '/' {
		if s.client.base == nil {
			return nil, nil, errors.New("a path needs a target with a URL")
		}
		return s.client.base, s.url, nil
	}
	prefix, target := splitURL(rel)
	if o, err = s.client.origin(prefix); err != nil {
		return nil, nil, err
	}
	return o, rooted(target), nil
}

// rooted gives a path its leading slash.
func rooted(target []byte) []byte {
	if len(target) == 0 {
		return []byte("/")
	}
	if target[0] != '/' {
		return append([]byte("/"), target...)
	}
	return target
}

// exchange sends a request and reads its answer. What it needs of time is written
// into out; the slot is that of the first request of a chain of redirects.
func (s *httpSession) exchange(o *origin, method string, req []byte, resp *fasthttp.Response, deadline time.Duration, first bool, out *scenarios.Outcome) error {
	p := s.client.pool
	s.last = o
	c, slot, err := p.get(o, deadline)
	if first {
		out.Slot = slot
	}
	if err != nil {
		return err
	}
	c.until(p.o.T0, deadline, p.o.Timeout)
	if _, err := c.Write(req); err != nil {
		p.put(o, c, false)
		return err
	}
	if first {
		out.Sent, out.WasSent = p.now(), true
	}
	br := readers.Get().(*bufio.Reader)
	br.Reset(c.Conn)
	_, err = br.Peek(1)
	out.First = p.now()
	if err == nil {
		err = readResponse(resp, br, method)
	}
	out.End = p.now()
	keep := err == nil && s.client.keepAlive && !resp.ConnectionClose() && br.Buffered() == 0
	br.Reset(nil)
	readers.Put(br)
	p.put(o, c, keep)
	if err != nil {
		return err
	}
	if out.End > deadline { // it came, but too late
		return errLate
	}
	out.Status, out.Answered = int32(resp.StatusCode()), true
	out.Bytes += int64(len(resp.Body()))
	if len(resp.Header.Peek("Set-Cookie")) > 0 {
		s.store(o, resp)
	}
	return nil
}

var errLate = errors.New("the answer came after the timeout")

// until sets the deadline of a connection. To spare a request that cost, a
// deadline a little later than asked for is left as it is; what comes too late is
// refused by its time.
func (c *conn) until(t0 time.Time, deadline, timeout time.Duration) {
	slack := min(10*time.Millisecond, timeout/100)
	if c.deadline >= deadline && c.deadline <= deadline+slack {
		return
	}
	c.deadline = deadline + slack
	_ = c.SetDeadline(t0.Add(c.deadline))
}

// redirect gives where an answer sends its reader, and whether the same request
// is made there. A nil URL is no redirect.
func redirect(resp *fasthttp.Response, method string) (location []byte, again bool) {
	switch resp.StatusCode() {
	case 301, 302, 303:
		again = method == "GET" || method == "HEAD"
	case 307, 308:
		again = true
	default:
		return nil, false
	}
	if location = resp.Header.Peek("Location"); len(location) == 0 {
		return nil, false
	}
	return location, again
}

// follow readies the request that a redirect asks for.
func (s *httpSession) follow(c *httpCall, it *scenarios.Iter, from *origin, location []byte, method *string, again bool) ([]byte, *origin, error) {
	at, err := from.url.Parse(string(s.w.target))
	if err != nil {
		return nil, nil, err
	}
	to, err := at.Parse(string(location))
	if err != nil {
		return nil, nil, err
	}
	to.Fragment = ""
	s.url = append(s.url[:0], to.String()...)
	prefix, target := splitURL(s.url)
	o, err := s.client.origin(prefix)
	if err != nil {
		return nil, nil, err
	}
	target = rooted(target)
	call := c
	if !again {
		*method = "GET"
		call = &httpCall{method: "GET", url: c.url, headers: c.headers}
	}
	if o != from { // what is meant for one host is not told to another
		call = &httpCall{method: call.method, url: c.url, body: call.body, bodyType: call.bodyType}
		for _, h := range c.headers {
			if !strings.EqualFold(h.name, "Authorization") && !strings.EqualFold(h.name, "Cookie") {
				call.headers = append(call.headers, h)
			}
		}
	}
	s.w.origin, s.w.target, s.w.agent, s.w.keepAlive = o, target, s.client.o.Agent, s.client.keepAlive
	s.w.cookie = s.cookies(o, target)
	s.wire, err = call.render(s.wire[:0], it, &s.w)
	return s.wire, o, err
}

// cookies gives the Cookie header for a request.
func (s *httpSession) cookies(o *origin, target []byte) string {
	if s.jar == nil {
		return ""
	}
	var b strings.Builder
	for i, c := range s.jar.Cookies(cookieURL(o, target)) {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.Name + "=" + c.Value)
	}
	return b.String()
}

// cookieURL is what of a URL decides about cookies.
func cookieURL(o *origin, target []byte) *url.URL {
	u := *o.url
	path, _, _ := bytes.Cut(target, []byte("?"))
	u.Path = string(path)
	return &u
}

// store keeps the cookies of an answer.
func (s *httpSession) store(o *origin, resp *fasthttp.Response) {
	if s.jar == nil {
		s.jar, _ = cookiejar.New(nil)
	}
	var list []*http.Cookie
	for _, line := range resp.Header.PeekAll("Set-Cookie") {
		if c, err := http.ParseSetCookie(string(line)); err == nil {
			list = append(list, c)
		}
	}
	s.jar.SetCookies(cookieURL(o, s.w.target), list)
}

// fail makes out the error that err is.
func (s *httpSession) fail(c *httpCall, it *scenarios.Iter, out *scenarios.Outcome, err error) {
	out.Kind, out.Cause = scenarios.Error, causeOf(err)
	out.End = max(s.client.now(), out.Slot)
	var ue *url.Error
	switch {
	case errors.Is(err, errRedirects):
		out.Cause = scenarios.Redirects
	case errors.Is(err, scenarios.ErrUnset), errors.Is(err, scenarios.ErrUsedUp), errors.Is(err, scenarios.ErrNotStart):
		out.Cause = scenarios.NoData
	case errors.As(err, &ue):
		out.Cause = scenarios.Other
	case s.client.over():
		out.Cause = scenarios.Unfinished
	case errors.Is(err, errLate), out.End >= it.Deadline:
		out.Cause = scenarios.Timeout
	}
	if out.Cause == scenarios.Timeout {
		out.Slot = min(out.Slot, it.Deadline)
		out.End = it.Deadline
		if out.First > out.End {
			out.First = out.End
		}
	}
	s.sample(c, out, err)
}

// sample keeps a failed request for the report, when one is still wanted.
func (s *httpSession) sample(c *httpCall, out *scenarios.Outcome, err error) {
	k := s.client.o.Sampler
	if k == nil || !k.Want(out) {
		return
	}
	sm := scenarios.Sample{At: out.Intended.Seconds(), Step: c.name, Request: c.method + " " + s.at(c), Status: int(out.Status)}
	if err != nil {
		sm.Message = err.Error()
	} else {
		sm.Body = s.ans.excerpt()
		sm.Headers = map[string]string{}
		for _, name := range []string{"Content-Type", "Retry-After", "Location", "Traceparent"} {
			if v := s.ans.header(name); len(v) > 0 {
				sm.Headers[name] = string(v)
			}
		}
	}
	k.Keep(out, sm)
}

// at is the URL that was asked for last, for a sample.
func (s *httpSession) at(c *httpCall) string {
	if s.last == nil {
		return c.url.Text()
	}
	return s.last.url.Scheme + "://" + s.last.host + string(s.w.target)
}
