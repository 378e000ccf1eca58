package http

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// A Recorded is a request recorded outside a scenario. It is sent unchanged and has no
// placeholders.
type Recorded struct {
	At     syntax.Pos
	Method string
	URL    string // absolute, or a path under the target's URL
	Header []Field
	Body   []byte
}

// A Field is a header of a request.
type Field struct{ Name, Value string }

// recordedSettings is the YAML of the settings that all recorded requests share: the settings of a step apart from
// the request itself.
type recordedSettings struct {
	syntax.Place
	Headers map[string]template.Header `yaml:"headers"` // by name; those of the request override them
	// how it proves its identity; nil is the load's setting, off is not at all
	Auth  *syntax.Node    `yaml:"auth"`
	Sign  *syntax.Node    `yaml:"sign"`  // how it is signed; nil is the load's setting, off is not at all
	Check *check.Response `yaml:"check"` // conditions for an ok answer; nil is a status below 400
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want      *check.Wants `yaml:"want"`
	Redirects *int         `yaml:"redirects"` // how many are followed at most; nil is 10, 0 is none
}

// RecordedSettingsType is for the JSON Schema.
func RecordedSettingsType() reflect.Type { return reflect.TypeFor[recordedSettings]() }

// Recordings compiles recorded requests, which share their settings.
type Recordings struct {
	in    targets.Scope
	step  requestStep
	model *Call           // the common settings
	known map[string]bool // values of requests that were made secret
	more  bool            // there are more such values than are remembered
}

// mostKnown is the maximum number of different values of recorded requests that are masked wherever they appear from
// the beginning of the run.
const mostKnown = 4096

// hide makes the values of a request with secret names secret.
func (r *Recordings) hide(q *Recorded) {
	if r.more {
		return
	}
	values := secret.Values(q.URL)
	for _, f := range q.Header {
		if secret.IsName(f.Name) {
			values = append(values, secret.Of(f.Value)...)
		} else {
			values = append(values, secret.Values(f.Value)...)
		}
	}
	for _, v := range append(values, secret.Values(string(q.Body[:min(len(q.Body), learnedBody)]))...) {
		switch {
		case r.known[v]:
		case len(r.known) == mostKnown:
			r.more = true
			return
		default:
			r.known[v] = true
			r.in.AddSecret(v)
		}
	}
}

// Unhidden says which secret values of the requests are not masked wherever they appear. It is empty if all are. The
// others are masked at their places, and everywhere once a sample keeps their request.
func (r *Recordings) Unhidden() string {
	if !r.more {
		return ""
	}
	return fmt.Sprintf("the requests hold more than %d different secret values: brunt masks the first %d wherever they "+
		"appear, "+
		"and others after a secret name and in samples of their requests", mostKnown, mostKnown)
}

// NewRecordings reads the settings that requests share. A nil with means no settings. It notes mistakes in m.
func NewRecordings(with *syntax.Node, in targets.Scope, m *syntax.Mistakes) *Recordings {
	var s recordedSettings
	if with != nil {
		syntax.Decode(with, &s, m)
	}
	r := &Recordings{in: in, known: map[string]bool{}}
	r.step = requestStep{
		Place: s.Place, Headers: s.Headers, Auth: s.Auth, Sign: s.Sign, Check: s.Check, Redirects: s.Redirects,
	}
	r.model = &Call{redirects: defaultRedirects}
	r.model.compileHeaders(&r.step, m)
	for i := range r.model.headers {
		r.model.headers[i].shared = true
	}
	r.model.compileProofs(&r.step, in, m)
	r.model.compileRedirects(&r.step, m)
	r.model.compileChecks(s.Check, in, m)
	r.model.compileWants(s.Want)
	return r
}

// of returns a call with all shared settings.
func (r *Recordings) of(name, method string) *Call {
	c := r.model
	return &Call{
		name: name, method: method, host: c.host, headers: slices.Clone(c.headers), redirects: c.redirects, auth: c.auth,
		sign:     c.sign,
		expected: c.expected, traced: c.has(TraceHeader),
	}
}

// Call compiles one request. It notes mistakes in m, at their place.
func (r *Recordings) Call(q *Recorded, name string, m *syntax.Mistakes) (scenarios.Call, bool) {
	before := m.Len()
	r.hide(q)
	c := r.of(name, q.Method)
	u, err := template.LiteralURL(q.URL)
	if err == nil {
		u.At = q.At
		targets.CheckURL(&u, r.in, m)
	} else {
		m.Add(q.At, "%v", err)
	}
	c.url = &u
	for _, f := range q.Header {
		if err := c.replace(f); err != nil {
			m.Add(q.At, "%v", err)
		}
	}
	if len(q.Body) > 0 {
		t := template.Literal(string(q.Body))
		c.body = &t.Template
		if c.method == "HEAD" {
			m.Add(q.At, "a HEAD request has no body")
		}
	}
	c.dropOverwritten()
	c.traced = c.has(TraceHeader)
	c.fixed = len(c.refs()) == 0 && c.auth == nil && c.sign == nil
	return c, m.Len() == before
}

// replace sets a header of the request itself. It replaces a shared header.
func (c *Call) replace(f Field) error {
	switch {
	case !check.IsToken(f.Name):
		return fmt.Errorf("%q is not a header name", f.Name)
	case !targets.IsOneLine(strings.ReplaceAll(f.Value, "\t", " ")):
		return fmt.Errorf("the value of header %s is not one line", f.Name)
	case IsOwnHeader(f.Name):
		return fmt.Errorf("header %s is brunt's to set", f.Name)
	}
	value := template.Literal(f.Value).Template
	if strings.EqualFold(f.Name, "host") {
		c.host = &template.Header{Template: value}
		return nil
	}
	c.headers = slices.DeleteFunc(c.headers,
		func(h headerTemplate) bool { return h.shared && strings.EqualFold(h.name, f.Name) })
	c.headers = append(c.headers, headerTemplate{name: f.Name, Template: value})
	return nil
}

// IsOwnHeader reports whether brunt sets a header itself, because its value depends on how the request is sent.
func IsOwnHeader(name string) bool {
	return strings.EqualFold(name, "content-length") || strings.EqualFold(name, "transfer-encoding") ||
		strings.EqualFold(name, "connection")
}

// Replay compiles the requests of a log that have the same method. The iterations provide their URLs: paths under the
// target's URL.
func (r *Recordings) Replay(name, method string) scenarios.Call {
	c := r.of(name, method)
	u := template.RecordedURL()
	c.url = &u
	return c
}
