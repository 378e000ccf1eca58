// Package openapi converts OpenAPI 3 documents into scenarios.
package openapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"

	"github.com/getkin/kin-openapi/openapi3"
)

// maxReferred is the maximum length of a referenced file, in bytes.
const maxReferred = 16 << 20

// Converter returns the converter for OpenAPI 3 documents.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "openapi", Source: "an OpenAPI 3 document", Convert: convert,
		Doc: "a step for each operation, with its parameters and body from examples or defaults; a comment marks values " +
			"that were made up",
	}
}

// convert reads an OpenAPI 3 document, JSON or YAML. It makes a load that picks one operation per
// iteration, with the examples of the document.
func convert(d *draft.Builder, source []byte) (err error) {
	defer func() { // the OpenAPI library may panic on untrusted documents
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: this can't be read as a document of OpenAPI 3", d.O.File)
		}
	}()
	doc, err := loadOpenAPI(d, source)
	if err != nil { // perhaps of a text that is a number
		if doc, err = loadOpenAPI(d, mended(d.O.File, source)); err != nil {
			return reason(d, source, err)
		}
		d.Tell(0, "some texts of the document, such as a version or a description, are no texts: they are read as such")
	}
	a := api{d: d, doc: doc, load: d.Arrivals("10/s", "operations a second, all together")}
	a.servers()
	a.security()
	for _, name := range draft.SortedKeys(doc.Webhooks) {
		d.Lost(0, "the webhook %s, which the server calls", draft.Clip(name, 60))
	}
	var all []*draft.Request
	for _, op := range a.operations() {
		if r := a.request(op); r != nil {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil
	}
	draft.MixOf(d, a.load, all)
	d.Load.Set("operations", a.load)
	return nil
}

// wrongType matches the library's error for a value of a wrong type.
var wrongType = regexp.MustCompile(`line (\d+): cannot construct !!(\w+) .* in (/\S+)`)

// reason says why a document can't be read.
func reason(d *draft.Builder, source []byte, err error) error {
	m, nodes := syntax.NewMistakes(nil, nil), 0
	if syntax.Read(d.O.File, source, m, &nodes); m.Err() != nil {
		return m.Err()
	}
	if wrong := wrongType.FindStringSubmatch(err.Error()); wrong != nil { // several may be joined
		return fmt.Errorf("%s:%s: %s is of the type %s, which OpenAPI 3 does not allow there", d.O.File, wrong[1], wrong[3],
			wrong[2])
	}
	return fmt.Errorf("%s: this is no valid document of OpenAPI 3: %w", d.O.File, err)
}

// loadOpenAPI reads the document, and the files beside it that it references.
func loadOpenAPI(d *draft.Builder, source []byte) (*openapi3.T, error) {
	load := func(source []byte) (*openapi3.T, error) {
		l := openapi3.NewLoader()
		l.IncludeOrigin = true
		l.ReadFromURIFunc = func(l *openapi3.Loader, from *url.URL) ([]byte, error) { return referred(d, l, from) }
		return l.LoadFromDataWithPath(source, &url.URL{Path: filepath.ToSlash(filepath.Base(d.O.File))})
	}
	// The comment makes the library parse JSON as YAML, which gives line numbers.
	doc, err := load(append(slices.Clone(source), "\n#"...))
	if err != nil {
		doc, err = load(source)
	}
	if err == nil && doc.OpenAPI == "" {
		err = errors.New("want a document of OpenAPI 3, with openapi: 3.…")
	}
	return doc, err
}

// referred reads a file in the folder of the document, or below. Other files are refused.
func referred(d *draft.Builder, _ *openapi3.Loader, from *url.URL) ([]byte, error) {
	name := filepath.FromSlash(from.Path)
	if from.Scheme != "" || from.Host != "" || !filepath.IsLocal(name) {
		return nil, fmt.Errorf("a reference to %q: only files beside the document are read", draft.Clip(from.String(), 80))
	}
	return disk.Read(filepath.Join(d.O.From, name), maxReferred)
}

// An api is an OpenAPI document under conversion.
type api struct {
	d    *draft.Builder
	doc  *openapi3.T
	load *draft.Node
	main string // the base of relative paths
}

// An operation is an operation of a path.
type operation struct {
	*openapi3.Operation
	method, path string
	item         *openapi3.PathItem
	line         int
}

func line(o *openapi3.Origin) int {
	if o == nil || o.Key == nil {
		return 0
	}
	return o.Key.Line
}

// operations lists the operations in the order of the document.
func (a *api) operations() []operation {
	var out []operation
	if a.doc.Paths == nil {
		return nil
	}
	for path, item := range a.doc.Paths.Map() {
		if item == nil {
			continue
		}
		for method, op := range item.Operations() {
			if op != nil {
				out = append(out, operation{op, method, path, item, line(op.Origin)})
			}
		}
	}
	slices.SortFunc(out, func(x, y operation) int {
		return cmp.Or(cmp.Compare(x.line, y.line), cmp.Compare(x.path, y.path), cmp.Compare(x.method, y.method))
	})
	return out
}

// servers uses the first server as the target.
func (a *api) servers() {
	if len(a.doc.Servers) == 0 {
		return
	}
	at, ok := a.server(a.doc.Servers[0])
	if !ok {
		return
	}
	a.main = at
	for _, s := range a.doc.Servers[1:] {
		if s != nil {
			a.d.Head = append(a.d.Head, "another server: "+s.URL)
		}
	}
	u, err := url.Parse(at)
	if err != nil {
		return
	}
	a.d.At(u)
	a.d.Base = draft.Lit(draft.OriginOf(u) + u.EscapedPath())
}

// server returns the URL of a server, with its variables at their defaults.
func (a *api) server(s *openapi3.Server) (string, bool) {
	if s == nil {
		return "", false
	}
	out := s.URL
	for _, name := range draft.SortedKeys(s.Variables) {
		if v := s.Variables[name]; v != nil {
			out = strings.ReplaceAll(out, "{"+name+"}", v.Default)
		}
	}
	u, err := url.Parse(out)
	switch {
	case err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		a.d.Tell(line(s.Origin), "a server at %q", draft.Clip(out, 80))
		return "", false
	case u.Host == "" && u.Scheme == "": // the server that the document was fetched from
		a.d.Tell(line(s.Origin), "the server %q is relative to where the document was got from: set target.url",
			draft.Clip(out, 80))
		u = &url.URL{Scheme: "http", Host: "127.0.0.1:8080", Path: u.Path}
	case !draft.IsWeb(u):
		a.d.Tell(line(s.Origin), "a server at %q", draft.Clip(out, 80))
		return "", false
	}
	return strings.TrimSuffix(u.String(), "/"), true
}

// security describes the authentication that the document requires. It becomes a comment, because a document has no
// example credentials.
func (a *api) security() {
	if a.doc.Components == nil {
		return
	}
	for _, name := range draft.SortedKeys(a.doc.Components.SecuritySchemes) {
		ref := a.doc.Components.SecuritySchemes[name]
		if ref == nil || ref.Value == nil {
			continue
		}
		s, how := ref.Value, ""
		env := strings.ToUpper(strings.ReplaceAll(draft.Slug(name, "secret"), "-", "_"))
		switch {
		case s.Type == "http" && strings.EqualFold(s.Scheme, "basic"):
			how = `auth: {basic: {user: NAME, password: "${env.` + env + `}"}}`
		case s.Type == "http" && strings.EqualFold(s.Scheme, "bearer"):
			how = `headers: {Authorization: "Bearer ${env.` + env + `}"}, in each step`
		case s.Type == "apiKey" && s.In == "header":
			how = `headers: {` + s.Name + `: "${env.` + env + `}"}, in each step`
		case s.Type == "apiKey":
			how = fmt.Sprintf("the %s %s, in each step", s.In, s.Name)
		case s.Type == "oauth2" && s.Flows != nil && s.Flows.ClientCredentials != nil:
			how = `auth: {oauth2: {token_url: "` + s.Flows.ClientCredentials.TokenURL +
				`", client_id: NAME, client_secret: "${env.` + env + `}"}}`
		default:
			how = s.Type + ", which is for you to write"
		}
		a.d.Tell(line(s.Origin), "security %s is not carried over: %s", name, how)
		a.d.Head = append(a.d.Head, fmt.Sprintf("not carried over: security %s: %s", name, how))
	}
}

// request makes a request of an operation, from its examples.
func (a *api) request(op operation) *draft.Request {
	r := &draft.Request{Line: op.line, Method: op.method, Public: true, Name: op.OperationID}
	if r.Name == "" {
		r.Name = op.method + " " + op.path
	}
	if op.Deprecated {
		a.d.LoseAt(&a.d.Head, op.line, "%s is deprecated", draft.StepName(r.Name))
		return nil
	}
	m := &made{}
	path, query := draft.Lit(op.path), url.Values{}
	var cookies []string
	for _, p := range a.parameters(op) {
		v, ok := p.value(m)
		if !ok {
			a.d.LoseAt(&r.Above, cmp.Or(line(p.Origin), op.line), "the %s parameter %s, which is optional and has no example", p.In,
				draft.Clip(p.Name, 40))
			continue
		}
		if len(p.Examples) > 1 {
			a.d.LoseAt(&r.Above, cmp.Or(line(p.Origin), op.line), "the other examples of %s", draft.Clip(p.Name, 40))
		}
		switch p.In {
		case "path":
			before, after, found := path.Cut("{" + p.Name + "}")
			if found {
				path = draft.Join(before, draft.Lit(p.simple(v, url.PathEscape)), after)
			}
		case "query":
			p.query(query, v)
		case "header":
			if p.Name = strings.TrimSpace(p.Name); !slices.Contains([]string{"accept", "content-type", "authorization"},
				strings.ToLower(p.Name)) {
				value := p.simple(v, func(s string) string { return s })
				r.Headers = append(r.Headers, draft.Header{Name: p.Name, Value: draft.Lit(value)})
			}
		case "cookie":
			cookies = append(cookies, p.Name+"="+url.QueryEscape(joined(v, ",")))
		}
	}
	if len(cookies) > 0 {
		r.Headers = append(r.Headers, draft.Header{Name: "Cookie", Value: draft.Lit(strings.Join(cookies, "; "))})
	}
	r.URL = path.Mapped(func(s string) string {
		return draft.URLText(strings.NewReplacer("?", "%3F", "#",
			"%23").Replace(s))
	})
	if !strings.HasPrefix(op.path, "/") {
		r.URL = draft.Join(draft.Lit("/"), r.URL)
	}
	if at := a.elsewhere(op); at != "" {
		r.URL = draft.Join(draft.Lit(at), r.URL)
	}
	if len(query) > 0 {
		r.URL = append(r.URL, draft.Piece{Lit: "?" + query.Encode()})
	}
	a.body(op, r, m)
	r.Check = statuses(op.Responses)
	a.links(op, r)
	if len(m.names) > 0 {
		what := "made up, as there is no example: " + draft.Clip(strings.Join(m.names, ", "), 160)
		r.Above = append(r.Above, what)
		a.d.Tell(op.line, "%s: %s", draft.StepName(r.Name), what)
	}
	return r
}

// elsewhere returns the server of an operation that has its own.
func (a *api) elsewhere(op operation) string {
	servers := op.item.Servers
	if op.Servers != nil && len(*op.Servers) > 0 {
		servers = *op.Servers
	}
	if len(servers) == 0 {
		return ""
	}
	at, ok := a.server(servers[0])
	if !ok || at == a.main {
		return ""
	}
	if u, err := url.Parse(at); err == nil {
		if a.main == "" {
			a.main = at
			a.d.At(u)
			a.d.Base = draft.Lit(draft.OriginOf(u) + u.EscapedPath())
			return ""
		}
		a.d.Reach(u)
	}
	return at
}

type parameter struct{ *openapi3.Parameter }

// parameters returns the parameters of an operation and of its path. Parameters of the operation take precedence.
func (a *api) parameters(op operation) []parameter {
	var out []parameter
	for _, list := range []openapi3.Parameters{op.Parameters, op.item.Parameters} {
		for _, ref := range list {
			if ref == nil || ref.Value == nil || slices.ContainsFunc(out,
				func(p parameter) bool { return p.Name == ref.Value.Name && p.In == ref.Value.In }) {
				continue
			}
			p := *ref.Value
			out = append(out, parameter{&p})
		}
	}
	return out
}

// value returns the value of a parameter. It reports false if the parameter is left out, because it is not required
// and has no example.
func (p parameter) value(m *made) (any, bool) {
	if p.Example != nil {
		return p.Example, true
	}
	if v, ok := first(p.Examples); ok {
		return v, true
	}
	schema, isJSON := p.Schema, false
	for _, kind := range draft.SortedKeys(p.Content) {
		if mt := p.Content[kind]; mt != nil && schema == nil {
			if mt.Example != nil {
				return compact(mt.Example), true
			}
			schema, isJSON = mt.Schema, true
		}
	}
	v, known := exampleOf(schema)
	if !known {
		if !p.Required && p.In != "path" {
			return nil, false
		}
		v = m.sample(schema, p.Name, 0)
	}
	if isJSON {
		return compact(v), true
	}
	return v, true
}

// simple formats a parameter of a path or a header, according to its style: simple, label (.a) or matrix (;name=a).
func (p parameter) simple(v any, escape func(string) string) string {
	explode := p.Explode != nil && *p.Explode
	lead, sep := map[string]string{"label": ".", "matrix": ";"}[p.Style], ","
	if explode && lead != "" {
		sep = lead
	}
	named := p.Style == "matrix"
	var all []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			s := escape(joined(item, ","))
			if named && explode {
				s = p.Name + "=" + s
			}
			all = append(all, s)
		}
		named = named && !explode
	case map[string]any:
		between := ","
		if explode {
			between = "="
		}
		for _, key := range draft.SortedKeys(v) {
			all = append(all, escape(key)+between+escape(joined(v[key], ",")))
		}
		named = named && !explode
	default:
		all = []string{escape(joined(v, ","))}
	}
	if named {
		lead += p.Name + "="
	}
	return lead + strings.Join(all, sep)
}

// query adds a parameter to a query, according to its style.
func (p parameter) query(q url.Values, v any) {
	explode := p.Explode == nil && (p.Style == "" || p.Style == "form") || p.Explode != nil && *p.Explode
	switch v := v.(type) {
	case []any:
		if explode {
			for _, item := range v {
				q.Add(p.Name, joined(item, ","))
			}
			return
		}
		q.Set(p.Name, joined(v, map[string]string{"spaceDelimited": " ", "pipeDelimited": "|"}[p.Style]))
	case map[string]any:
		for _, key := range draft.SortedKeys(v) {
			switch {
			case p.Style == "deepObject":
				q.Set(p.Name+"["+key+"]", joined(v[key], ","))
			case explode:
				q.Set(key, joined(v[key], ","))
			}
		}
		if p.Style != "deepObject" && !explode {
			q.Set(p.Name, joined(v, ","))
		}
	default:
		q.Set(p.Name, joined(v, ","))
	}
}

// joined formats a value for a parameter.
func joined(v any, sep string) string {
	if sep == "" {
		sep = ","
	}
	switch v := v.(type) {
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, joined(item, sep))
		}
		return strings.Join(all, sep)
	case map[string]any:
		var all []string
		for _, key := range draft.SortedKeys(v) {
			all = append(all, key, joined(v[key], sep))
		}
		return strings.Join(all, sep)
	case string:
		return v
	}
	return compact(v)
}

// compact writes a value as JSON.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// body sets the operation's example, of the content type that the language writes best.
func (a *api) body(op operation, r *draft.Request, m *made) {
	if op.RequestBody == nil || op.RequestBody.Value == nil || len(op.RequestBody.Value.Content) == 0 {
		return
	}
	content := op.RequestBody.Value.Content
	kinds := draft.SortedKeys(content)
	rank := func(kind string) int {
		switch kind = strings.ToLower(kind); {
		case strings.HasPrefix(kind, "application/json"):
			return 0
		case strings.Contains(kind, "+json"):
			return 1
		case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
			return 2
		case strings.HasPrefix(kind, "multipart/form-data"):
			return 3
		}
		return 4
	}
	slices.SortStableFunc(kinds, func(x, y string) int { return cmp.Compare(rank(x), rank(y)) })
	kind, mt := kinds[0], content[kinds[0]]
	if mt == nil {
		return
	}
	v, known := mt.Example, mt.Example != nil
	if !known {
		if v, known = first(mt.Examples); len(mt.Examples) > 1 {
			a.d.LoseAt(&r.Above, op.line, "the other examples of the body")
		}
	}
	if len(kinds) > 1 {
		a.d.LoseAt(&r.Above, op.line, "the content of the other types of the body: %s", draft.Clip(strings.Join(kinds[1:], ", "), 100))
	}
	if !known {
		v, known = exampleOf(mt.Schema)
	}
	if !known {
		v = m.sample(mt.Schema, "body", 0)
	}
	fields, isMap := v.(map[string]any)
	text, isText := v.(string)
	sendKind := true
	switch n := rank(kind); {
	case n <= 1:
		r.Body = draft.Body{Text: draft.Lit(compact(v)), Sent: true}
	case n == 2 && isMap:
		form := url.Values{}
		for _, key := range draft.SortedKeys(fields) {
			a.field(op, r, form, mt, key, fields[key])
		}
		r.Body = draft.Body{Text: draft.Lit(form.Encode()), Sent: true}
	case n == 3 && isMap:
		sendKind = false
		r.Body.Sent = true
		for _, key := range draft.SortedKeys(fields) {
			a.parts(op, r, mt, key, fields[key])
		}
	case isText:
		r.Body = draft.Body{Text: draft.Lit(text), Sent: true}
	default:
		a.d.LoseAt(&r.Above, op.line, "a body of the type %s without an example as text", draft.Clip(kind, 60))
		return
	}
	if sendKind && !strings.Contains(kind, "*") {
		r.Headers = append(r.Headers, draft.Header{Name: "Content-Type", Value: draft.Lit(kind)})
	}
}

// field adds a field to a form, according to its encoding.
func (a *api) field(op operation, r *draft.Request, form url.Values, mt *openapi3.MediaType, key string, value any) {
	encoding := mt.Encoding[key]
	if encoding == nil {
		encoding = new(openapi3.Encoding)
	}
	if encoding.AllowReserved {
		a.d.LoseAt(&r.Above, op.line, "allowReserved of the field %s: its reserved characters are encoded", key)
	}
	_, isMap := value.(map[string]any)
	kind := strings.ToLower(encoding.ContentType)
	isJSON := strings.HasPrefix(kind, "application/json") || strings.Contains(kind, "+json")
	if kind != "" && !isJSON {
		a.d.LoseAt(&r.Above, op.line, "the contentType %s of the field %s", draft.Clip(encoding.ContentType, 60), key)
	}
	switch {
	case isJSON:
		form.Set(key, compact(value))
	case isMap && encoding.Style == "":
		form.Set(key, joined(value, ","))
	default:
		parameter{&openapi3.Parameter{Name: key, Style: encoding.Style, Explode: encoding.Explode}}.query(form, value)
	}
}

// parts adds a field to a multipart body: a part for each item of a list, and JSON for an object, unless its encoding
// gives another type.
func (a *api) parts(op operation, r *draft.Request, mt *openapi3.MediaType, key string, value any) {
	items, isList := value.([]any)
	if !isList {
		items = []any{value}
	}
	file := binary(mt.Schema, key)
	if file {
		a.d.LoseAt(&r.Above, op.line, "the file of the field %s; a text stands for it, and {file: PATH} sends it", key)
	}
	kind := ""
	if encoding := mt.Encoding[key]; encoding != nil {
		var more string
		if kind, more, _ = strings.Cut(encoding.ContentType, ","); more != "" || strings.Contains(kind, "*") {
			a.d.LoseAt(&r.Above, op.line, "the types of the field %s: %s", key, draft.Clip(encoding.ContentType, 60))
		}
		if strings.Contains(kind, "*") {
			kind = ""
		}
		if len(encoding.Headers) > 0 {
			a.d.LoseAt(&r.Above, op.line, "the headers of the field %s: %s", key,
				draft.Clip(strings.Join(draft.SortedKeys(encoding.Headers), ", "), 100))
		}
	}
	for _, item := range items {
		p := draft.Part{Name: key, Text: draft.Lit(joined(item, ",")), Kind: kind}
		switch item.(type) {
		case map[string]any, []any:
			p.Text, p.Kind = draft.Lit(compact(item)), cmp.Or(kind, "application/json")
		}
		if file {
			p.FileName, p.Kind = key+".bin", cmp.Or(kind, "application/octet-stream")
		}
		r.Body.Parts = append(r.Body.Parts, p)
	}
}

// links reports links of answers and callbacks: a step of the load takes nothing from the answer of another one, and
// brunt is no server.
func (a *api) links(op operation, r *draft.Request) {
	if len(op.Callbacks) > 0 {
		a.d.LoseAt(&r.Above, op.line, "the callbacks of the server: %s",
			draft.Clip(strings.Join(draft.SortedKeys(op.Callbacks), ", "), 100))
	}
	if op.Responses == nil {
		return
	}
	for _, code := range slices.Sorted(slices.Values(op.Responses.Keys())) {
		ref := op.Responses.Value(code)
		if ref == nil || ref.Value == nil || len(ref.Value.Links) == 0 {
			continue
		}
		a.d.LoseAt(&r.Above, op.line,
			"the links of the answer %s to other operations: %s; `extract` takes values of an answer", code,
			draft.Clip(strings.Join(draft.SortedKeys(ref.Value.Links), ", "), 100))
	}
}

// statuses makes a check of the successful statuses of an operation.
func statuses(of *openapi3.Responses) *draft.Node {
	if of == nil {
		return nil
	}
	var good []*draft.Node
	for _, code := range slices.Sorted(slices.Values(of.Keys())) {
		if n, err := strconv.Atoi(code); err == nil && n >= 200 && n < 300 {
			good = append(good, draft.Number(n))
		} else if strings.EqualFold(code, "2XX") {
			good = append(good, draft.Plain("2xx"))
		}
	}
	switch len(good) {
	case 0:
		return nil
	case 1:
		return (&draft.Node{}).Set("status", good[0])
	}
	return (&draft.Node{}).Set("status", draft.List(good...))
}
