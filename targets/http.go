package targets

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// HTTP is HTTP/1.1 and HTTP/2 over TCP and TLS. A connection of HTTP/1.1 carries one
// request at a time (conn), one of HTTP/2 many (mux); a request is written down once, in
// the form of HTTP/1.1, and judged by the same answer.
type HTTP struct{}

var _ Protocol = (*HTTP)(nil)

var methods = []string{"get", "post", "put", "patch", "delete", "head", "options", "graphql", "sse"}

// Kinds implements [Protocol].
func (*HTTP) Kinds() []string { return methods }

// Settings implements [Protocol].
func (*HTTP) Settings() reflect.Type { return reflect.TypeFor[HTTPStep]() }

// HTTPStep is the YAML of one request. Exactly one of the methods is given.
type HTTPStep struct {
	syntax.Place
	Get       template.URLTemplate               `yaml:"get"`     // a path under the target's URL, or a whole URL
	Post      template.URLTemplate               `yaml:"post"`    // a path under the target's URL, or a whole URL
	Put       template.URLTemplate               `yaml:"put"`     // a path under the target's URL, or a whole URL
	Patch     template.URLTemplate               `yaml:"patch"`   // a path under the target's URL, or a whole URL
	Delete    template.URLTemplate               `yaml:"delete"`  // a path under the target's URL, or a whole URL
	Head      template.URLTemplate               `yaml:"head"`    // a path under the target's URL, or a whole URL
	Options   template.URLTemplate               `yaml:"options"` // a path under the target's URL, or a whole URL
	GraphQL   graphQLStep                        `yaml:",inline"`
	SSE       sseStep                            `yaml:",inline"`
	Headers   map[string]template.HeaderTemplate `yaml:"headers"`   // by name; they beat those that brunt would set
	JSON      *template.JSONTemplate             `yaml:"json"`      // sent as application/json
	Form      map[string]template.FormTemplate   `yaml:"form"`      // sent as application/x-www-form-urlencoded
	Multipart *multipartSource                   `yaml:"multipart"` // sent as multipart/form-data: texts and files by the names of their fields
	Body      *bodySource                        `yaml:"body"`      // sent as it stands: a text, or {file: PATH}
	Auth      *syntax.Node                       `yaml:"auth"`      // how it proves who sends it; nil is the load's, off is not at all
	Sign      *syntax.Node                       `yaml:"sign"`      // how it is signed; nil is the load's, off is not at all
	Check     *scenarios.Checks                  `yaml:"check"`     // what the answer must be to be ok; nil is a status under 400
	Extract   map[string]extraction              `yaml:"extract"`   // variable to where its value stands
	Redirects *int                               `yaml:"redirects"` // how many are followed; nil is 10, 0 is none
}

func (h *HTTPStep) url(kind string) *template.URLTemplate {
	return map[string]*template.URLTemplate{
		"get": &h.Get, "post": &h.Post, "put": &h.Put, "patch": &h.Patch, "delete": &h.Delete, "head": &h.Head, "options": &h.Options,
		"graphql": &h.GraphQL.URL, "sse": &h.SSE.URL,
	}[kind]
}

// httpCall is a compiled request.
type httpCall struct {
	name      string
	method    string
	url       *template.URLTemplate
	headers   []headerTemplate
	host      *template.HeaderTemplate // a Host header of the author's
	body      *template.Template
	segments  []segment // in place of body, when files are sent
	bodyType  string
	redirects int
	traced    bool          // its author wrote a traceparent
	graphql   *graphQL      // nil is a plain request
	stream    *eventReading // nil is an answer like any other
	auth      *auth         // nil is without
	sign      *sign         // nil is without
	digests   sync.Map      // of a body that is one file, by the name of the hash
	foreign   bool          // the target tells where it goes: what is meant for the target alone is not told there

	status   *scenarios.Matcher
	shed     []int
	checks   []httpCheck
	extracts []httpExtract
	whole    bool // checks or extractions look into the body
	fixed    bool // there are no placeholders: the request is the same every time
	ready    atomic.Pointer[readyRequest]
}

type headerTemplate struct {
	name string
	template.Template
	shared bool // of many requests, each of which may have its own instead
}

// Name implements [scenarios.Call].
func (c *httpCall) Name() string { return c.name }

// Asks gives what the call asks for, as its author wrote it.
func (c *httpCall) Asks() (method, url string) { return c.method, c.url.Text() }

// Origin is scheme and host of the URL where they are known and not the target's.
func (c *httpCall) Origin() string {
	text, static := c.url.Static()
	if !static {
		return knownOrigin(c.url.Text())
	}
	if strings.HasPrefix(text, "/") {
		return ""
	}
	origin, _ := splitURL([]byte(text))
	return string(origin)
}

// Compile implements [Protocol].
func (*HTTP) Compile(step syntax.Block, in Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(step, map[string]func() *HTTPStep{step.Kind: func() *HTTPStep { return new(HTTPStep) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	u := s.url(step.Kind)
	c := &httpCall{name: in.Name, method: strings.ToUpper(step.Kind), url: u, redirects: defaultRedirects}
	checkURL(u, in, m)
	c.foreign = u.BeginsWith(syntax.RefVar)
	c.compileGraphQL(step.Kind, s, in, m)
	c.compileStream(step.Kind, s, in, m)
	if c.name == "" {
		c.name = c.method + " " + u.Text()
	}
	c.compileHeaders(s, m)
	c.compileBody(s, in, m)
	c.compileProofs(s, in, m)
	c.compileRedirects(s, m)
	c.compileChecks(s.Check, in)
	for _, name := range slices.Sorted(maps.Keys(s.Extract)) {
		f := s.Extract[name].finder
		c.extracts = append(c.extracts, httpExtract{id: in.check(name), slot: in.Symbols.Var(name), finder: f})
		c.whole = c.whole || f.path != nil || f.re != nil
		if f.event != "" && c.stream == nil {
			m.Add(s.Of("extract"), "%s: only a step with a stream of events, sse, has one", f.String())
		}
	}
	c.traced = c.has(traceHeader)
	c.fixed = len(c.Refs()) == 0 && c.auth == nil && c.sign == nil
	return c, m.Len() == before
}

func (c *httpCall) compileRedirects(s *HTTPStep, m *syntax.Mistakes) {
	if s.Redirects == nil {
		return
	}
	c.redirects = *s.Redirects
	if c.redirects < 0 || c.redirects > 50 {
		m.Add(s.Of("redirects"), "redirects lies from 0 to 50")
	}
}

// checkURL finds what can be known of a URL before the target runs.
func checkURL(u *template.URLTemplate, in Scope, m *syntax.Mistakes) {
	text, static := u.Static()
	if u.IsZero() || static && text == "" {
		m.Add(u.At, "the URL is empty; a path begins with /")
		return
	}
	if !static {
		if t := u.Text(); !strings.HasPrefix(t, "/") && !strings.HasPrefix(t, "http") && !strings.HasPrefix(t, "${") {
			m.AddHint(u.At, "a path begins with /", "%q is neither a path nor a URL", t)
		}
		text = knownOrigin(u.Text())
	}
	if text == "" || strings.HasPrefix(text, "/") {
		return
	}
	o, err := syntax.ParseURL(text)
	if err == nil && in.Host != nil {
		err = in.Host(o)
	}
	if err != nil {
		m.Add(u.At, "%v", err)
	}
}

// knownOrigin is scheme and host of a URL with placeholders, if they stand before the
// first of them; else it is empty.
func knownOrigin(text string) string {
	known, _, _ := strings.Cut(text, "${")
	origin, _ := splitURL([]byte(known))
	if !strings.Contains(known, "://") || len(origin) == len(known) {
		return ""
	}
	return string(origin)
}

func (c *httpCall) compileHeaders(s *HTTPStep, m *syntax.Mistakes) {
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		h := s.Headers[name]
		switch {
		case !scenarios.IsToken(name):
			m.Add(h.At, "%q is no name of a header", name)
		case strings.EqualFold(name, "host"):
			c.host = &h
		case isOwnHeader(name):
			m.Add(h.At, "header %s is brunt's to set", name)
		default:
			c.headers = append(c.headers, headerTemplate{name: name, Template: h.Template})
		}
	}
}

// Refs lists the placeholders that are filled in for each request.
func (c *httpCall) Refs() []*syntax.Ref {
	refs := c.url.Refs()
	if c.host != nil {
		refs = append(refs, c.host.Refs()...)
	}
	for i := range c.headers {
		refs = append(refs, c.headers[i].Refs()...)
	}
	if c.body != nil {
		refs = append(refs, c.body.Refs()...)
	}
	for _, s := range c.segments {
		if s.template != nil {
			refs = append(refs, s.template.Refs()...)
		}
	}
	return refs
}

func (c *httpCall) has(header string) bool {
	return slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return strings.EqualFold(h.name, header) })
}

// formBody joins the fields of a form in the order of their names.
func formBody(fields map[string]template.FormTemplate) *template.Template {
	var t template.Template
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		sep := "&"
		if i == 0 {
			sep = ""
		}
		f := fields[name]
		t.Join(sep+url.QueryEscape(name)+"=", &f.Template)
	}
	return &t
}

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
