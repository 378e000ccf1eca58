package proxied

import (
	"context"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// HTTPRewrite is the fault http.rewrite.
type HTTPRewrite struct {
	Requests `yaml:",inline"`
	Request  requestDraft `yaml:"request"` // changes to a request
	Answer   answerDraft  `yaml:"answer"`  // changes to its answer
	// a path that matches and is changed, for the proof; zero is one that brunt derives from the patterns
	Probe string `yaml:"probe"`
}

// requestDraft holds the changes of a request.
type requestDraft struct {
	syntax.Place
	// a new path, or "~ REGEXP -> REPLACEMENT" with $1 for a group; the query stays
	Path    pathDraft          `yaml:"path"`
	Headers map[string]*string `yaml:"headers"` // new values by name; null removes the header
	Body    *string            `yaml:"body"`    // the new body; its length and coding are adjusted
}

// answerDraft holds the changes of an answer.
type answerDraft struct {
	syntax.Place
	Status  int                `yaml:"status,min=200,max=599"` // the new status; zero is the server's
	Headers map[string]*string `yaml:"headers"`                // new values by name; null removes the header
	Body    *string            `yaml:"body"`                   // the new body; its length and coding are adjusted
}

// pathDraft is a new path, or a pattern with its replacement.
type pathDraft struct{ http1.PathDraft }

// group matches the groups that a replacement names.
var group = regexp.MustCompile(`\$(?:\$|(\w+)|\{(\w+)\})`)

func (p *pathDraft) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	pattern, isPattern := strings.CutPrefix(s, "~")
	if !isPattern {
		if p.To = s; !strings.HasPrefix(s, "/") {
			m.AddHint(n.Pos, "such as /v0/posts, or ~ ^/v1/ -> /v0/", "a path begins with /, and %q does not", s)
		}
		return
	}
	from, to, ok := strings.Cut(pattern, " -> ")
	if !ok {
		m.AddHint(n.Pos, "such as ~ ^/v1/ -> /v0/", "%q does not say what comes in place of the pattern", s)
		return
	}
	re, err := regexp.Compile(strings.TrimSpace(from))
	if err != nil {
		m.Add(n.Pos, "%v", err)
		return
	}
	p.Match, p.To = re, strings.TrimSpace(to)
	for _, g := range group.FindAllStringSubmatch(p.To, -1) {
		name := g[1] + g[2]
		i, err := strconv.Atoi(name)
		if name != "" && (err == nil && i > re.NumSubexp() || err != nil && !slices.Contains(re.SubexpNames(), name)) {
			m.AddHint(n.Pos, "a group is a part in brackets: ~ ^/v1/(.*) -> /v0/$1; a letter behind its number is separated "+
				"by $${1}", "the pattern has no group %q",
				name)
		}
	}
}

func (*pathDraft) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "string", "pattern": `^/|^~.* -> |\$\{`, "examples": []any{"/v0/posts", "~ ^/v1/(.*) -> /v0/$1"},
	}
}

var _ chaos.Fault = (*HTTPRewrite)(nil)

func (f *HTTPRewrite) toxic() toxics.HTTPRewrite {
	return toxics.HTTPRewrite{
		Request: http1.Draft{Path: f.Request.Path.PathDraft, Headers: f.Request.Headers, Body: f.Request.Body},
		Answer:  http1.Draft{Status: f.Answer.Status, Headers: f.Answer.Headers, Body: f.Answer.Body},
		Share:   proof.OrAll(f.Percent), Path: f.Path, Method: f.Method,
	}
}

func (f *HTTPRewrite) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	before := m.Len()
	f.Requests.check(at, sc, m)
	t := f.toxic()
	switch {
	case t.Request.Zero() && t.Answer.Zero():
		m.AddHint(at, "such as answer: {status: 500}, or request: {headers: {X-Tenant: other}}",
			"it does not say what is rewritten")
	case m.Len() > before:
	default:
		if err := t.Check(true); err != nil {
			m.Add(at, "%v", err)
		} else if f.probed() == "" {
			f.checkProbe(at, m)
		}
	}
}

// checkProbe notes a mistake if there is no path with which the fault can be verified.
func (f *HTTPRewrite) checkProbe(at syntax.Pos, m *syntax.Mistakes) {
	if f.Probe != "" {
		m.Add(f.Edge.Of("probe"),
			"a request to %q is not rewritten: it does not match `path`, or the pattern changes nothing in it", f.Probe)
		return
	}
	if f.Request.Has("path") {
		at = f.Request.Of("path")
	}
	m.AddHint(at, "such as probe: /v1/posts/7",
		"no path is found that fits and is changed; `probe` names one to verify it by")
}

// probed returns an unescaped path that matches and, if paths are rewritten, is changed. It is "" if there is none.
func (f *HTTPRewrite) probed() string {
	plain := strings.ReplaceAll(f.Path, "*", "")
	paths := []string{f.Probe}
	if f.Probe == "" {
		paths = []string{plain, "/", "/probe"}
		if f.Request.Path.Match != nil {
			some := example(f.Request.Path.Match)
			paths = append(paths, some, "/"+some, plain+some, strings.Replace(f.Path, "*", some, 1),
				strings.Replace(f.Path, "*", strings.TrimPrefix(some, "/"), 1))
		}
	}
	for _, p := range paths {
		changed := f.Request.Path.Zero() || f.Request.Path.Of(p) != p
		if strings.HasPrefix(p, "/") && !strings.ContainsAny(p, "?#") && proxy.Fits(f.Path, p) && changed {
			return p
		}
	}
	return ""
}

// text describes the changes.
func (f *HTTPRewrite) text() string {
	of := func(d http1.Draft) string {
		var parts []string
		if d.Status != 0 {
			parts = append(parts, "status "+strconv.Itoa(d.Status))
		}
		if !d.Path.Zero() {
			parts = append(parts, "path")
		}
		for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
			parts = append(parts, map[bool]string{true: "no ", false: ""}[d.Headers[name] == nil]+"header "+name)
		}
		if d.Body != nil {
			parts = append(parts, "body")
		}
		return strings.Join(parts, ", ")
	}
	t := f.toxic()
	var s strings.Builder
	s.WriteString("rewrite " + f.Requests.text())
	for _, d := range []struct{ what, of string }{{"request", of(t.Request)}, {"answer", of(t.Answer)}} {
		if d.of != "" {
			s.WriteString("; " + d.what + ": " + d.of)
		}
	}
	return s.String()
}

// request returns the request of a probe. It carries every header that is to be removed, and asks for an answer whose
// status differs from the new one.
func (f *HTTPRewrite) request() proxy.ProbeRequest {
	carried := func(headers map[string]*string) http.Header {
		h := http.Header{}
		for name := range headers {
			if canonical := textproto.CanonicalMIMEHeaderKey(name); canonical != "Host" && canonical != "Content-Encoding" {
				h.Set(canonical, "probe")
			}
		}
		return h
	}
	q := proxy.ProbeRequest{
		Method: f.Method, Path: f.probed(), Asks: carried(f.Request.Headers), Says: carried(f.Answer.Headers),
		Status: http.StatusOK,
		Keep:   true,
	}
	if f.Answer.Status == q.Status {
		q.Status = http.StatusAccepted
	}
	return q
}

// rewritten reports whether an exchange has all the changes.
func (f *HTTPRewrite) rewritten(x proxy.Exchange, path string) bool {
	headers := func(want map[string]*string, got http.Header) bool {
		for name, v := range want {
			values := got.Values(name)
			if v == nil && len(values) > 0 || v != nil && !slices.Equal(values, []string{strings.TrimSpace(*v)}) {
				return false
			}
		}
		return true
	}
	if to := f.Request.Path; !to.Zero() && x.Request.Target != (&url.URL{Path: to.Of(path)}).EscapedPath() {
		return false
	}
	status := f.Answer.Status
	bodiless := f.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
	return x.Request.Target != "" && headers(f.Request.Headers, x.Request.Header) &&
		headers(f.Answer.Headers, x.Answer.Header) &&
		(f.Request.Body == nil || x.Request.Body == *f.Request.Body) &&
		(status == 0 || x.Answer.Status == status) &&
		(f.Answer.Body == nil || bodiless || x.Answer.Body == *f.Answer.Body)
}

func (f *HTTPRewrite) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t, q := f.toxic(), f.request()
	ask := func(l *chaos.Link) func(ctx context.Context, n int) (asked, error) {
		return func(ctx context.Context, n int) (asked, error) {
			return exchanges(ctx, l, n, q, func(x proxy.Exchange) bool { return f.rewritten(x, q.Path) })
		}
	}
	return link.Plan(ctx, &f.Edge, env, &link.Toxic{
		What:  f.text(),
		Toxic: t, Counts: "requests",
		Evidence: link.Evidence{
			Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
				return find(ctx, f.Percent, "exchanges", "rewritten", ask(l))
			},
			Undone: func(ctx context.Context, l *chaos.Link) (string, error) {
				return gone(ctx, f.Percent, "exchanges", "rewritten", ask(l))
			},
		},
	})
}

// exchanges makes n requests over the link, and counts those whose received request and answer satisfy
// hit.
func exchanges(
	ctx context.Context, l *chaos.Link, n int, q proxy.ProbeRequest, hit func(proxy.Exchange) bool,
) (asked, error) {
	return requests(ctx, l, n, q, func(got answer) bool { return got.exchange != nil && hit(*got.exchange) })
}

func (*HTTPRewrite) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "http.rewrite", New: func() chaos.Fault { return new(HTTPRewrite) },
		Example: "{from: web, to: store, answer: {status: 418}}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc:     "Changes requests on a link and the answers to them, as a wrong deployment or a proxy in between does.",
	}
}
