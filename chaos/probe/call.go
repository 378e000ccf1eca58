package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/connect"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	"github.com/ohler55/ojg/oj"
)

// Call is an HTTP call that the author writes, with exactly one of its methods.
type Call struct {
	syntax.Place
	Get     Address                    `yaml:"get"`     // the URL to GET
	Post    Address                    `yaml:"post"`    // the URL to POST to
	Put     Address                    `yaml:"put"`     // the URL to PUT to
	Patch   Address                    `yaml:"patch"`   // the URL to PATCH
	Delete  Address                    `yaml:"delete"`  // the URL to DELETE
	Headers map[string]template.Header `yaml:"headers"` // headers of the request, by name
	JSON    *template.JSON             `yaml:"json"`    // body of the request, written as YAML
	Body    *template.Text             `yaml:"body"`    // body of the request, as text
	Check   *check.Response            `yaml:"check"`   // check of the answer, of its status only; nil is any under 400
}

// Method returns the method of a call with its URL, or "" if it has none or several.
func (c *Call) Method() (method string, to *Address) {
	for _, m := range []struct {
		method string
		url    *Address
	}{{"GET", &c.Get}, {"POST", &c.Post}, {"PUT", &c.Put}, {"PATCH", &c.Patch}, {"DELETE", &c.Delete}} {
		if m.url.IsZero() {
			continue
		}
		if method != "" {
			return "", nil
		}
		method, to = m.method, m.url
	}
	return method, to
}

// Validate notes every mistake in the call.
func (c *Call) Validate(sc chaos.Scope, m *syntax.Mistakes) {
	method, to := c.Method()
	if method == "" {
		m.AddHint(c.At, `such as {post: "http://127.0.0.1:8080/failover"}`,
			"want exactly one of get, post, put, patch, delete")
		return
	}
	to.check(Use{}, sc, m)
	checkHeaders(c.Headers, Use{}, m)
	if c.JSON != nil && c.Body != nil {
		m.Add(c.Of("body"), "a call has one body, json or body")
	}
	if c.JSON != nil {
		CheckPlaceholders(&c.JSON.Template, m)
	}
	if c.Body != nil {
		CheckPlaceholders(&c.Body.Template, m)
	}
	if k := c.Check; k != nil && (k.Within > 0 || k.MaxBody > 0 || len(k.Shed)+len(k.Headers)+len(k.Paths) > 0 ||
		k.Body != nil || k.Valid != nil) {
		m.Add(c.Of("check"), "only the status of inject and revert is checked; `verify` checks their effect")
	}
}

func checkHeaders(headers map[string]template.Header, use Use, m *syntax.Mistakes) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		h := headers[name]
		if !check.IsToken(name) {
			m.Add(h.At, "%q is not a name of a header", name)
		}
		checkPlaceholders(&h.Template, use, m)
	}
}

// String returns the call with its secrets by name.
func (c *Call) String() string {
	method, to := c.Method()
	return method + " " + to.Text()
}

// ResolvedCall is a call that can be stored in a journal and made by any process that reads it.
type ResolvedCall struct {
	Method  string                       `json:"method"`
	Shows   string                       `json:"shows"` // the URL with its secrets by name
	URL     template.Resolved            `json:"url"`
	Headers map[string]template.Resolved `json:"headers,omitempty"`
	Body    template.Resolved            `json:"body,omitempty"`
	Status  []string                     `json:"status,omitempty"` // accepted statuses; empty: any under 400
	Timeout time.Duration                `json:"timeout"`
	Allow   [][]string                   `json:"allow,omitempty"` // allow-lists besides loopback; all must match
	Stays   bool                         `json:"stays,omitempty"` // a redirect to another host is not followed
}

// Resolve resolves the call.
func (c *Call) Resolve(on chaos.Host, timeout time.Duration) (*ResolvedCall, error) {
	method, to := c.Method()
	s := &ResolvedCall{
		Method: method, Shows: to.Text(), Timeout: timeout, Allow: allowed(on, nil), Headers: map[string]template.Resolved{},
	}
	if err := s.fill(on, to, c.Headers); err != nil {
		return nil, err
	}
	body := &template.Template{}
	switch {
	case c.JSON != nil:
		body = &c.JSON.Template
		if !slices.ContainsFunc(slices.Collect(maps.Keys(c.Headers)),
			func(name string) bool { return strings.EqualFold(name, "content-type") }) {
			s.Headers["Content-Type"] = Literal("application/json")
		}
	case c.Body != nil:
		body = &c.Body.Template
	}
	if c.Check != nil && c.Check.Status != nil {
		s.Status = c.Check.Status.Forms()
	}
	var err error
	s.Body, err = resolve(on, body)
	return s, err
}

// fill resolves the URL and the headers of a call.
func (s *ResolvedCall) fill(on chaos.Host, to *Address, headers map[string]template.Header) (err error) {
	if s.URL, err = to.resolve(on); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		h := headers[name]
		if s.Headers[name], err = resolve(on, &h.Template); err != nil {
			return err
		}
	}
	return nil
}

// String returns the call with its secrets by name.
func (s *ResolvedCall) String() string { return s.Method + " " + s.Shows }

// A callAnswer is the answer to a call.
type callAnswer struct {
	status  int
	header  http.Header
	body    []byte
	secrets *template.Secrets // of the call
}

// mostBody bounds the part of the answer that is read, in bytes.
const mostBody = 8 << 20

// Ask makes the call. An error says that there was no complete answer.
func (s *ResolvedCall) Ask(ctx context.Context) (_ *callAnswer, err error) {
	defer scenarios.Recover(&err)
	a := &callAnswer{secrets: &template.Secrets{}}
	to, err := s.URL.Open(a.secrets)
	if err != nil {
		return nil, err
	}
	body, err := s.Body.Open(a.secrets)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, s.Method, to, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: it is not a URL once it is filled in", s)
	}
	for name, secret := range s.Headers {
		v, err := secret.Open(a.secrets)
		if err != nil {
			return nil, err
		}
		if req.Header.Set(name, v); strings.EqualFold(name, "host") {
			req.Host = v
		}
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", s, a.secrets.Mask(bare(err)))
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, mostBody+1)); err != nil {
		return nil, fmt.Errorf("%s: reading the answer: %w", s, err)
	}
	if len(a.body) > mostBody {
		return nil, fmt.Errorf("%s: the answer is over %d MiB", s, mostBody>>20)
	}
	return a, nil
}

// bare returns the text of an error of package http without the URL, which may hold a secret.
func bare(err error) string {
	if u, ok := err.(*url.Error); ok { //nolint:errorlint // it is the outermost error
		err = u.Err
	}
	return err.Error()
}

// Do makes the call and checks the status of the answer.
func (s *ResolvedCall) Do(ctx context.Context) (said string, err error) {
	a, err := s.Ask(ctx)
	if err != nil {
		return "", err
	}
	var want *check.Matcher
	if len(s.Status) > 0 {
		var m syntax.Mistakes
		list := &syntax.Node{Kind: syntax.List}
		for _, form := range s.Status {
			list.Items = append(list.Items, &syntax.Node{Kind: syntax.String, Value: form})
		}
		want = &check.Matcher{}
		if want.DecodeStatus(list, &m); m.Len() > 0 {
			return "", m.Err()
		}
	}
	if said = a.says(); !a.has(want) {
		return said, fmt.Errorf("%s: %s", s, said)
	}
	return said, nil
}

// has reports whether the answer has a wanted status; nil wants any under 400.
func (a *callAnswer) has(want *check.Matcher) bool {
	if want == nil {
		return a.status < 400
	}
	return want.Matches(int64(a.status), true, nil)
}

// says describes the answer.
func (a *callAnswer) says() string {
	var out Output
	_, _ = out.Write(a.body)
	return fmt.Sprintf("status %d%s", a.status, words(out.Lines(a.secrets.Mask)))
}

// client returns a client that connects only to allowed addresses, also on redirects. It uses no
// proxy: one from the environment could lead anywhere.
func (s *ResolvedCall) client() (*http.Client, error) {
	check, err := connect.Lists(s.Allow, scenarios.CallsBeyond)
	if err != nil {
		return nil, err
	}
	via := check.Transport()
	via.DisableKeepAlives = true
	client := &http.Client{Transport: via}
	if s.Stays {
		const most = 5
		client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
			if len(via) >= most || req.URL.Host != via[0].URL.Host {
				return fmt.Errorf("it redirects to %s, and only the named host is read", req.URL.Host)
			}
			return nil
		}
	}
	return client, nil
}

// holds reports whether an answer passes checks, whose placeholders have the values of it, and describes it.
func (a *callAnswer) holds(k *check.Response, it *template.Iter) (bool, string) {
	if k == nil {
		k = &check.Response{}
	}
	if !a.has(k.Status) {
		return false, a.says()
	}
	for _, h := range k.Headers {
		var values [][]byte
		for _, v := range a.header.Values(h.Name) {
			values = append(values, []byte(v))
		}
		if !h.MatchesOne(values, it) {
			return false, fmt.Sprintf("header %s is not %s", h.Name, h.Describe(it))
		}
	}
	if k.Body != nil && !k.Body.MatchesText(a.body, it) {
		return false, a.says()
	}
	var doc any
	var err error
	if len(k.Paths) > 0 {
		if doc, err = oj.Parse(a.body); err != nil {
			return false, "no JSON: " + a.says()
		}
	}
	var judged []string
	for _, p := range k.Paths {
		found := check.AtPath(doc, p.Path)
		v, ok := p.Judged(found)
		is := fmt.Sprintf("%s is %s", p.Name, cut(a.secrets.Mask(check.ValueText(v))))
		switch holds := p.Holds(found, it); {
		case !ok && !holds:
			return false, "nothing stands at " + p.Name
		case !holds:
			return false, is
		case ok:
			judged = append(judged, is)
		}
	}
	// of JSON on many lines, says shows the braces
	if bytes.Count(bytes.TrimSpace(a.body), []byte("\n")) > 1 && len(judged) > 0 {
		return true, fmt.Sprintf("status %d: %s", a.status, strings.Join(judged, ", "))
	}
	return true, a.says()
}
