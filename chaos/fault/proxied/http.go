package proxied

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Requests says which requests on a link a fault hits.
type Requests struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"` // share of the requests that match; nil is all
	Path          string          `yaml:"path"`    // pattern such as /posts/7 or /posts/*; zero is all
	Method        string          `yaml:"method"`  // zero is all
}

// HTTPError is the fault http.error.
type HTTPError struct {
	Requests `yaml:",inline"`
	Status   int               `yaml:"status,min=200,max=599"` // zero is 503
	Body     string            `yaml:"body"`                   // answer's body; text/plain unless a header says otherwise
	Headers  map[string]string `yaml:"headers"`                // answer's headers, besides those for its length
}

// HTTPDelay is the fault http.delay.
type HTTPDelay struct {
	Requests `yaml:",inline"`
	Delay    quantity.Duration `yaml:"delay,required,positive"` // time until a request is passed on
	Jitter   quantity.Duration `yaml:"jitter"`                  // the delay varies by at most this much, uniformly
}

var (
	_ chaos.Fault = (*HTTPError)(nil)
	_ chaos.Fault = (*HTTPDelay)(nil)
)

// probe returns a request that matches: it replaces each * in the path by an empty string.
func (r *Requests) probe() proxy.ProbeRequest {
	return proxy.ProbeRequest{Method: r.Method, Path: strings.ReplaceAll(r.Path, "*", "")}
}

func (r *Requests) check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	r.Edge.CheckEdge(at, sc, m)
	before := m.Len()
	spoken(&r.Edge, "HTTP", "its requests", formatHTTP, at, sc, m)
	if m.Len() == before && sc.Encrypted && r.On(chaos.LoadName, chaos.TargetName, nil) {
		m.Add(at, "the load speaks TLS, so that no link can look into its requests; network.* faults work")
	}
	r.CheckPercent(r.Percent, leastShare, "requests", m)
	switch {
	case r.Path != "" && r.Path[0] != '/' && r.Path[0] != '*':
		m.Add(r.Of("path"), "a path begins with /, such as /posts/*")
	case strings.ContainsAny(r.Path, "?#"):
		m.Add(r.Of("path"), "a path ends before the query; requests with any query fit it")
	}
	if r.Method != strings.ToUpper(r.Method) {
		m.AddHint(r.Of("method"), "such as "+strings.ToUpper(r.Method), "a method is in upper case; %q is not a method",
			r.Method)
	}
}

func (f *HTTPError) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	before := m.Len()
	f.Requests.check(at, sc, m)
	if m.Len() > before {
		return
	}
	if err := f.toxic().Check(true); err != nil {
		m.Add(at, "%v", err)
	}
}

func (f *HTTPDelay) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.Requests.check(at, sc, m)
	f.CheckJitter(f.Delay, f.Jitter, m)
}

func (r *Requests) Traits(sc chaos.Scope) chaos.Traits { return parsed(&r.Edge, sc) }

func (r *Requests) text() string {
	of := ""
	if r.Method+r.Path != "" {
		of = r.Method + " " + r.Path
	}
	return some(r.Percent, "requests", of)
}

func (f *HTTPError) toxic() toxics.HTTPError {
	t := toxics.HTTPError{
		Status: f.Status, Share: proof.OrAll(f.Percent), Path: f.Path, Method: f.Method, Body: f.Body, Headers: f.Headers,
	}
	if t.Status == 0 {
		t.Status = http.StatusServiceUnavailable
	}
	return t
}

func (f *HTTPError) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t := f.toxic()
	r := refused{&f.Edge, f.Percent, "requests", f.text(), strconv.Itoa(t.Status), t.Status, f.probe, t}
	return r.plan(ctx, env)
}

func (f *HTTPDelay) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	d := delayed{
		Edge: &f.Edge, percent: f.Percent, delay: f.Delay, jitter: f.Jitter, what: "requests", text: f.text(), probe: f.probe,
		toxic: toxics.HTTPDelay{
			Delay: f.Delay.D(), Jitter: f.Jitter.D(), Share: proof.OrAll(f.Percent), Path: f.Path,
			Method: f.Method,
		},
	}
	return d.plan(ctx, env)
}

func (*HTTPError) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "http.error", New: func() chaos.Fault { return new(HTTPError) },
		Example: "{from: web, to: store, status: 503}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Verb: "answering errors", Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc:     "Answers requests on a link with an error, in place of the server.",
	}
}

func (*HTTPDelay) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "http.delay", New: func() chaos.Fault { return new(HTTPDelay) },
		Example: "{from: web, to: store, delay: 100ms}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "slow"},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc:     "Delays requests on a link before they are passed on.",
	}
}
