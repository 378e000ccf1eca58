package http

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/auth"
	"brunt/targets/http/h1"
)

// Descriptor describes HTTP/1.1 and HTTP/2 over TCP and TLS. An HTTP/1.1 connection carries one request at a time
// ([h1.Conn]), an HTTP/2 connection many (package h2). A request is rendered once, in the form of HTTP/1.1, and both
// versions read the same [h1.Answer].
func Descriptor() *targets.Descriptor {
	return &targets.Descriptor{
		Name: "http", Doc: "Makes a request of HTTP/1.1 or HTTP/2, a GraphQL operation, or reads server-sent events.",
		Kinds: methods, Schemes: []string{"http", "https"}, Base: true,
		Wires: map[string]targets.Wire{
			"http": {Formats: []string{"http"}}, "https": {TLS: true, Plain: "http"},
		},
		Carries:  carries,
		Settings: reflect.TypeFor[requestStep](),
		Compile:  compile, Client: newClient,
		Parts:        groups,
		Absent:       func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == 404 || out.Status == 410 },
		EndIteration: func(s targets.Session, _ *template.Iter) { s.(*session).endIteration() },
		Retry:        func(_ scenarios.Call, out *scenarios.Outcome) bool { return temporary(out.Status) },
		Lasts: func(c scenarios.Call) bool {
			call, ok := c.(*Call)
			return ok && call.stream != nil
		},
	}
}

// carries returns HTTP/2 for loads that speak it, because connections without TLS begin with it, and HTTP/3, whose
// connections are datagrams.
func carries(c *scenarios.Connections) []string {
	if c.HTTP == scenarios.HTTP2 || c.HTTP == scenarios.H2C {
		return []string{"http/2"}
	}
	if c.HTTP == scenarios.HTTP3 {
		return []string{"http/3"}
	}
	return nil
}

// temporary reports whether a later request may get another status: after errors of the server,
// Request Timeout and Too Many Requests.
func temporary(status int32) bool { return status >= 500 || status == 408 || status == 429 }

var methods = []string{"get", "post", "put", "patch", "delete", "head", "options", "graphql", "sse"}

// requestStep is the YAML of one request. Exactly one of the methods is given.
type requestStep struct {
	syntax.Place
	Get     template.URL               `yaml:"get"`     // a path under the target's URL, or a whole URL
	Post    template.URL               `yaml:"post"`    // a path under the target's URL, or a whole URL
	Put     template.URL               `yaml:"put"`     // a path under the target's URL, or a whole URL
	Patch   template.URL               `yaml:"patch"`   // a path under the target's URL, or a whole URL
	Delete  template.URL               `yaml:"delete"`  // a path under the target's URL, or a whole URL
	Head    template.URL               `yaml:"head"`    // a path under the target's URL, or a whole URL
	Options template.URL               `yaml:"options"` // a path under the target's URL, or a whole URL
	GraphQL graphQLStep                `yaml:",inline"`
	SSE     sseStep                    `yaml:",inline"`
	Headers map[string]template.Header `yaml:"headers"` // by name; they override headers that brunt sets
	JSON    *template.JSON             `yaml:"json"`    // sent as application/json
	Form    map[string]template.Form   `yaml:"form"`    // sent as application/x-www-form-urlencoded
	// sent as multipart/form-data: texts and files by the names of their fields
	Multipart *multipartSource `yaml:"multipart"`
	Body      *bodySource      `yaml:"body"` // sent unchanged: a text, or {file: PATH}
	// how it proves its identity; nil is the load's setting, off is not at all
	Auth  *syntax.Node    `yaml:"auth"`
	Sign  *syntax.Node    `yaml:"sign"`  // how it is signed; nil is the load's setting, off is not at all
	Check *check.Response `yaml:"check"` // conditions for an ok answer; nil is a status below 400
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want *check.Wants `yaml:"want"`
	// the answers are also measured in groups, by a header of theirs, such as of two versions of a service
	Group     *group                `yaml:"group"`
	Extract   map[string]extraction `yaml:"extract"`   // variables, each with the place of its value in the answer
	Redirects *int                  `yaml:"redirects"` // how many are followed at most; nil is 10, 0 is none
}

func (h *requestStep) url(kind string) *template.URL {
	return map[string]*template.URL{
		"get": &h.Get, "post": &h.Post, "put": &h.Put, "patch": &h.Patch, "delete": &h.Delete, "head": &h.Head,
		"options": &h.Options,
		"graphql": &h.GraphQL.URL, "sse": &h.SSE.URL,
	}[kind]
}

// A Call is a compiled request.
type Call struct {
	name      string
	method    string
	url       *template.URL
	headers   []headerTemplate
	host      *template.Header // the author's Host header
	body      *template.Template
	segments  []segment // instead of body, if there are files
	bodyType  string
	redirects int
	traced    bool         // the author sets a traceparent
	graphql   *graphQL     // nil: a plain request
	stream    *streamEnd   // nil: an ordinary answer
	group     *group       // nil: the answers are not grouped
	auth      *auth.Prover // nil: no credentials
	sign      *auth.Signer // nil: no signature
	digests   sync.Map     // hashes of a body that is one file, by hash name
	foreign   bool         // the target chooses the host, so secrets meant for the target are not sent
	repeats   bool         // it may be sent twice

	expected
	fixed bool // it has no placeholders: every request is the same
	ready atomic.Pointer[readyRequest]
}

// expected holds the checks of a call's answer, and the variables to extract from it.
type expected struct {
	status *check.Matcher
	shed   []int
	rest   targets.Expected
	whole  bool // checks or extractions read the body
	most   int  // maximum size of the body for them, in bytes; 0 is h1.MaxBody
}

type headerTemplate struct {
	name string
	template.Template
	shared bool // it is shared by many requests, and a request may replace it
}

func (c *Call) Name() string { return c.name }

// Asks returns the method and URL of the call as written.
func (c *Call) Asks() (method, url string) { return c.method, c.url.Text() }

func (c *Call) Traits() scenarios.CallTraits {
	method, url := c.Asks()
	t := scenarios.CallTraits{
		Refs: c.refs(), Sheds: len(c.shed) > 0, Wants: c.rest.Wants(), Origin: c.origin(), Method: method, URL: url,
		Repeats: c.repeats,
	}
	if c.stream != nil {
		t.Unfit = scenarios.Cut(t.Refs)
	}
	return t
}

// origin returns scheme and host of the URL if they are known and differ from the target's.
func (c *Call) origin() string {
	text, static := c.url.Static()
	if !static {
		return targets.KnownOrigin(c.url.Text())
	}
	if strings.HasPrefix(text, "/") {
		return ""
	}
	origin, _ := targets.SplitURL([]byte(text))
	return string(origin)
}

// compile compiles a step.
func compile(step syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(step,
		map[string]func() *requestStep{step.Kind: func() *requestStep { return new(requestStep) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	u := s.url(step.Kind)
	c := &Call{name: in.Name, method: strings.ToUpper(step.Kind), url: u, redirects: defaultRedirects}
	targets.CheckURL(u, in, m)
	c.foreign = u.BeginsWith(syntax.RefVar)
	c.compileGraphQL(step.Kind, s, in, m)
	c.compileStream(step.Kind, s, in, m)
	if c.name == "" {
		c.name = c.method + " " + u.Text()
	}
	c.compileHeaders(s, m)
	c.repeats = idempotent[c.method] || c.has("Idempotency-Key") || c.has("X-Idempotency-Key")
	c.compileBody(s, in, m)
	c.compileProofs(s, in, m)
	c.compileRedirects(s, m)
	c.compileChecks(s.Check, in, m)
	c.compileWants(s.Want)
	c.compileGroup(s.Group, m)
	targets.Extract[*h1.Answer](&c.rest, s.Extract, in)
	for _, name := range slices.Sorted(maps.Keys(s.Extract)) {
		f := s.Extract[name]
		c.whole = c.whole || f.path != nil || f.re != nil
		if f.event != "" && c.stream == nil {
			m.Add(s.Of("extract"), "%s: only a step with a stream of events, sse, has one", f.String())
		}
	}
	c.traced = c.has(TraceHeader)
	c.fixed = len(c.refs()) == 0 && c.auth == nil && c.sign == nil
	return c, m.Len() == before
}

func (c *Call) compileRedirects(s *requestStep, m *syntax.Mistakes) {
	if s.Redirects == nil {
		return
	}
	c.redirects = *s.Redirects
	if c.redirects < 0 || c.redirects > 50 {
		m.Add(s.Of("redirects"), "redirects lies from 0 to 50")
	}
}

// idempotent are the methods of which a server that gets a request twice does what it does for one (RFC 9110, section
// 9.2.2). Of other requests a key says so, as Go's net/http takes it:
// draft-ietf-httpapi-idempotency-key-header.
var idempotent = map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true, "PUT": true, "DELETE": true}

func (c *Call) compileHeaders(s *requestStep, m *syntax.Mistakes) {
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		h := s.Headers[name]
		switch {
		case !check.IsToken(name):
			m.Add(h.At, "%q is not a header name", name)
		case strings.EqualFold(name, "host"):
			c.host = &h
		case IsOwnHeader(name):
			m.Add(h.At, "header %s is brunt's to set", name)
		default:
			c.headers = append(c.headers, headerTemplate{name: name, Template: h.Template})
		}
	}
}

// refs lists the placeholders that are rendered for each request.
func (c *Call) refs() []*syntax.Ref {
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

func (c *Call) has(header string) bool {
	return slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return strings.EqualFold(h.name, header) })
}

// formBody joins the fields of a form in the order of their names.
func formBody(fields map[string]template.Form) *template.Template {
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
