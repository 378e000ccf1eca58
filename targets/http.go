package targets

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"

	"github.com/ohler55/ojg/jp"
)

// HTTP is HTTP/1.1 over TCP and TLS.
type HTTP struct{}

var _ Protocol = (*HTTP)(nil)

var methods = []string{"get", "post", "put", "patch", "delete", "head", "options"}

// Kinds implements [Protocol].
func (*HTTP) Kinds() []string { return methods }

// HTTPStep is the YAML of one request. Exactly one of the methods is given.
type HTTPStep struct {
	scenarios.Place
	Get       scenarios.URLTemplate               `yaml:"get"`
	Post      scenarios.URLTemplate               `yaml:"post"`
	Put       scenarios.URLTemplate               `yaml:"put"`
	Patch     scenarios.URLTemplate               `yaml:"patch"`
	Delete    scenarios.URLTemplate               `yaml:"delete"`
	Head      scenarios.URLTemplate               `yaml:"head"`
	Options   scenarios.URLTemplate               `yaml:"options"`
	Headers   map[string]scenarios.HeaderTemplate `yaml:"headers"`
	JSON      *scenarios.JSONTemplate             `yaml:"json"` // sent as application/json
	Form      map[string]scenarios.FormTemplate   `yaml:"form"` // sent as application/x-www-form-urlencoded
	Body      *scenarios.TextTemplate             `yaml:"body"` // sent as it stands
	Check     *checks                             `yaml:"check"`
	Extract   map[string]extraction               `yaml:"extract"`   // variable to where its value stands
	Redirects *int                                `yaml:"redirects"` // how many are followed; nil is 10, 0 is none
}

func (h *HTTPStep) url(kind string) *scenarios.URLTemplate {
	return map[string]*scenarios.URLTemplate{
		"get": &h.Get, "post": &h.Post, "put": &h.Put, "patch": &h.Patch, "delete": &h.Delete, "head": &h.Head, "options": &h.Options,
	}[kind]
}

const defaultRedirects = 10

// checks are what an answer must be to be ok.
type checks struct {
	status  *matcher // nil is under 400
	shed    []int
	within  time.Duration
	body    *matcher
	headers []fieldCheck
	paths   []fieldCheck
}

type fieldCheck struct {
	name string
	path jp.Expr
	matcher
}

// DecodeNode implements [scenarios.NodeDecoder].
func (c *checks) DecodeNode(n *scenarios.Node, m *scenarios.Mistakes) {
	if n.Kind != scenarios.Map {
		m.AddHint(n.Pos, `such as {status: 200, "$.items": not empty}`, "check wants a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "status":
			c.status = new(matcher)
			c.status.status(f.Value, m)
		case f.Key == "shed":
			scenarios.Decode(f.Value, &c.shed, m)
		case f.Key == "within":
			var d scenarios.Duration
			scenarios.Decode(f.Value, &d, m)
			c.within = d.D()
		case f.Key == "body":
			c.body = new(matcher)
			c.body.DecodeNode(f.Value, m)
		case f.Key == "header" || f.Key == "headers":
			if f.Value.Kind != scenarios.Map {
				m.Add(f.Value.Pos, "want a map of header names to values")
				continue
			}
			for _, h := range f.Value.Fields {
				k := fieldCheck{name: h.Key}
				k.DecodeNode(h.Value, m)
				c.headers = append(c.headers, k)
			}
		case strings.HasPrefix(f.Key, "$"):
			path, err := jp.ParseString(f.Key)
			if err != nil {
				m.Add(f.Pos, "%q is no JSON path: %v", f.Key, err)
				continue
			}
			k := fieldCheck{name: f.Key, path: path}
			k.DecodeNode(f.Value, m)
			c.paths = append(c.paths, k)
		default:
			m.AddHint(f.Pos, scenarios.DidYouMean(f.Key, []string{"status", "shed", "within", "body", "header", "$.path"}), "unknown check %q", f.Key)
		}
	}
}

// status reads a status, a class such as 2xx, a comparison or a list of them.
func (k *matcher) status(n *scenarios.Node, m *scenarios.Mistakes) {
	if n.Kind == scenarios.List {
		k.op = "any"
		for _, item := range n.Items {
			var one matcher
			one.status(item, m)
			k.any = append(k.any, one)
		}
		return
	}
	if s, ok := n.Text(m); ok && len(s) == 3 && strings.HasSuffix(strings.ToLower(s), "xx") && s[0] >= '1' && s[0] <= '5' {
		low := strconv.Itoa(int(s[0]-'0') * 100)
		high := strconv.Itoa(int(s[0]-'0')*100 + 99)
		for code := int(s[0]-'0') * 100; code <= int(s[0]-'0')*100+99; code++ {
			k.any = append(k.any, matcher{op: "=", text: strconv.Itoa(code), number: float64(code), isNum: true})
		}
		k.op, k.text = "any", low+".."+high
		return
	}
	k.DecodeNode(n, m)
	if !k.isNum && k.op != "any" {
		m.Add(n.Pos, "want a status such as 200, 2xx or < 500, not %q", k.text)
	}
}

// extraction is where the value of a variable stands in an answer.
type extraction struct{ finder }

// DecodeNode implements [scenarios.NodeDecoder].
func (e *extraction) DecodeNode(n *scenarios.Node, m *scenarios.Mistakes) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	f, err := parseFinder(s)
	if err != nil {
		m.Add(n.Pos, "%v", err)
		return
	}
	e.finder = f
}

// httpCall is a compiled request.
type httpCall struct {
	name      string
	method    string
	url       *scenarios.URLTemplate
	headers   []headerTemplate
	host      *scenarios.HeaderTemplate // a Host header of the author's
	body      *scenarios.Template
	bodyType  string
	redirects int

	status   *matcher
	shed     []int
	within   time.Duration
	checks   []httpCheck
	extracts []httpExtract
	needBody bool
	static   atomic.Pointer[rendered] // of a request without placeholders
}

type headerTemplate struct {
	name string
	scenarios.Template
}

type httpCheck struct {
	id     int // number in the plan
	header string
	path   jp.Expr
	body   bool
	within time.Duration
	matcher
}

type httpExtract struct {
	id   int
	slot int
	finder
}

// rendered is a request as it goes on the wire to one origin.
type rendered struct {
	client *httpClient
	origin *origin
	target []byte
	bytes  []byte
}

// Name implements [scenarios.Call].
func (c *httpCall) Name() string { return c.name }

// Compile implements [Protocol].
func (*HTTP) Compile(step scenarios.Block, in Scope, m *scenarios.Mistakes) (scenarios.Call, bool) {
	s, ok := scenarios.Resolve(step, map[string]func() *HTTPStep{step.Kind: func() *HTTPStep { return new(HTTPStep) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	u := s.url(step.Kind)
	c := &httpCall{name: in.Name, method: strings.ToUpper(step.Kind), url: u, redirects: defaultRedirects}
	checkURL(u, m)
	if c.name == "" {
		c.name = c.method + " " + u.Text()
	}
	c.compileHeaders(s, m)
	c.compileBody(s, m)
	if s.Redirects != nil {
		c.redirects = *s.Redirects
		if c.redirects < 0 || c.redirects > 50 {
			m.Add(s.Of("redirects"), "redirects lies from 0 to 50")
		}
	}
	c.compileChecks(s.Check, in)
	names := make([]string, 0, len(s.Extract))
	for name := range s.Extract {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := s.Extract[name].finder
		c.extracts = append(c.extracts, httpExtract{id: in.check(name), slot: in.Symbols.Var(name), finder: f})
		c.needBody = c.needBody || f.path != nil || f.re != nil
	}
	return c, m.Len() == before
}

// checkURL finds what can be known of a URL before the target runs.
func checkURL(u *scenarios.URLTemplate, m *scenarios.Mistakes) {
	text, static := u.Static()
	if u.IsZero() || static && text == "" {
		m.Add(u.At, "the URL is empty; a path begins with /")
		return
	}
	if !static {
		if t := u.Text(); !strings.HasPrefix(t, "/") && !strings.HasPrefix(t, "http") && !strings.HasPrefix(t, "${") {
			m.AddHint(u.At, "a path begins with /", "%q is neither a path nor a URL", t)
		}
		return
	}
	if strings.HasPrefix(text, "/") {
		return
	}
	if _, err := parseOrigin(text); err != nil {
		m.Add(u.At, "%v", err)
	}
}

// parseOrigin reads scheme and host of an absolute URL.
func parseOrigin(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is no URL: %w", s, err)
	case u.Scheme == "" && u.Host == "":
		return nil, fmt.Errorf("%q is neither a path, which begins with /, nor a URL, which begins with http://", s)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: the scheme is http or https", s)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q names no host", s)
	case u.User != nil:
		return nil, fmt.Errorf("%q: credentials go into an Authorization header, not into the URL", u.Redacted())
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("%q: a port lies from 1 to 65535", s)
		}
	}
	return u, nil
}

func (c *httpCall) compileHeaders(s *HTTPStep, m *scenarios.Mistakes) {
	names := make([]string, 0, len(s.Headers))
	for name := range s.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := s.Headers[name]
		switch {
		case !isToken(name):
			m.Add(h.At, "%q is no name of a header", name)
		case strings.EqualFold(name, "host"):
			c.host = &h
		case strings.EqualFold(name, "content-length"), strings.EqualFold(name, "transfer-encoding"), strings.EqualFold(name, "connection"):
			m.Add(h.At, "header %s is brunt's to set", name)
		default:
			c.headers = append(c.headers, headerTemplate{name, h.Template})
		}
	}
}

// isToken tells whether s can name a header (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	}) < 0
}

func (c *httpCall) has(header string) bool {
	return slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return strings.EqualFold(h.name, header) })
}

func (c *httpCall) compileBody(s *HTTPStep, m *scenarios.Mistakes) {
	bodies := 0
	if s.JSON != nil {
		bodies++
		c.body, c.bodyType = &s.JSON.Template, "application/json"
	}
	if s.Form != nil {
		bodies++
		c.body, c.bodyType = formBody(s.Form), "application/x-www-form-urlencoded"
	}
	if s.Body != nil {
		bodies++
		c.body = &s.Body.Template
	}
	if bodies > 1 {
		m.Add(s.At, "a request has one of json, form, body")
	}
	if c.has("Content-Type") {
		c.bodyType = ""
	}
	if bodies > 0 && c.method == "HEAD" {
		m.Add(s.At, "a HEAD request has no body")
	}
}

// formBody joins the fields of a form in the order of their names.
func formBody(fields map[string]scenarios.FormTemplate) *scenarios.Template {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	var t scenarios.Template
	for i, name := range names {
		sep := "&"
		if i == 0 {
			sep = ""
		}
		f := fields[name]
		t.Join(sep+url.QueryEscape(name)+"=", &f.Template)
	}
	return &t
}

func (c *httpCall) compileChecks(k *checks, in Scope) {
	if k == nil {
		return
	}
	c.status, c.shed = k.status, k.shed
	if k.within > 0 {
		c.checks = append(c.checks, httpCheck{id: in.check("within"), within: k.within})
	}
	for _, h := range k.headers {
		c.checks = append(c.checks, httpCheck{id: in.check("header " + h.name), header: h.name, matcher: h.matcher})
	}
	if k.body != nil {
		c.needBody = true
		c.checks = append(c.checks, httpCheck{id: in.check("body"), body: true, matcher: *k.body})
	}
	for _, p := range k.paths {
		c.needBody = true
		c.checks = append(c.checks, httpCheck{id: in.check(p.name), path: p.path, matcher: p.matcher})
	}
}

// A wire is what a request needs to know to be written for an origin.
type wire struct {
	origin    *origin
	target    []byte // path and query
	cookie    string
	agent     string
	keepAlive bool
	body      []byte // memory for the body
}

// render appends the request for it as it goes on the wire.
func (c *httpCall) render(dst []byte, it *scenarios.Iter, w *wire) (_ []byte, err error) {
	dst = append(dst, c.method...)
	dst = append(dst, ' ')
	dst = append(dst, w.target...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	if c.host != nil {
		if dst, err = c.host.Append(dst, it); err != nil {
			return dst, err
		}
	} else {
		dst = append(dst, w.origin.host...)
	}
	dst = append(dst, "\r\n"...)
	if !c.has("User-Agent") {
		dst = header(dst, "User-Agent", w.agent)
	}
	if !w.keepAlive {
		dst = header(dst, "Connection", "close")
	}
	if w.cookie != "" {
		dst = header(dst, "Cookie", w.cookie)
	}
	for i := range c.headers {
		dst = append(append(dst, c.headers[i].name...), ": "...)
		if dst, err = c.headers[i].Append(dst, it); err != nil {
			return dst, err
		}
		dst = append(dst, "\r\n"...)
	}
	if c.body == nil {
		if c.method == "POST" || c.method == "PUT" || c.method == "PATCH" {
			dst = header(dst, "Content-Length", "0")
		}
		return append(dst, "\r\n"...), nil
	}
	if w.body, err = c.body.Append(w.body[:0], it); err != nil {
		return dst, err
	}
	if c.bodyType != "" {
		dst = header(dst, "Content-Type", c.bodyType)
	}
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(w.body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, w.body...), nil
}

func header(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ": "...)
	return append(append(dst, value...), "\r\n"...)
}

// isStatic tells that the request is the same every time.
func (c *httpCall) isStatic() bool {
	static := func(t *scenarios.Template) bool { return t == nil || len(t.Refs()) == 0 }
	if !static(&c.url.Template) || !static(c.body) || c.host != nil && !static(&c.host.Template) {
		return false
	}
	return !slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return !static(&h.Template) })
}

// judge sets what became of an answered request.
func (c *httpCall) judge(a *answer, it *scenarios.Iter, out *scenarios.Outcome) {
	code := int(out.Status)
	if slices.Contains(c.shed, code) {
		out.Kind = scenarios.Shed
		return
	}
	out.Checks++
	if c.status == nil && code >= 400 || c.status != nil && !c.status.matches(int64(code), true) {
		out.Failed++
		out.Kind, out.Cause = scenarios.Error, scenarios.Status(code)
		return
	}
	for i := range c.checks {
		k := &c.checks[i]
		out.Checks++
		if k.holds(a, out) {
			continue
		}
		out.Failed++
		if out.Kind != scenarios.Error {
			out.Kind, out.Cause = scenarios.Error, scenarios.Check(k.id)
		}
	}
	if out.Kind == scenarios.Error {
		return
	}
	for i := range c.extracts {
		e := &c.extracts[i]
		if !e.find(a, &it.Vars[e.slot]) {
			out.Kind, out.Cause = scenarios.Error, scenarios.Extraction(e.id)
			return
		}
	}
}

func (k *httpCheck) holds(a *answer, out *scenarios.Outcome) bool {
	switch {
	case k.within > 0:
		if out.Closed {
			return out.End-out.Slot <= k.within
		}
		return out.End-out.Intended <= k.within
	case k.header != "":
		b := a.header(k.header)
		return k.matches(string(b), b != nil)
	case k.body:
		return k.matches(string(a.body()), true)
	}
	v, ok := a.json(k.path)
	return k.matches(v, ok)
}
