// Package postman converts collections of Postman into scenarios.
//
//	collection -item-> requests in the order of a run -> steps of one flow
//	             |                       |
//	   variables, environments      tests: checks, extractions (script.go)
package postman

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

// Converter returns the converter for collections of Postman.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "postman", Source: "a collection of Postman (2.1)", Convert: convert,
		Doc: "its requests as a flow, in the order of a run; tests of a status, a header or a value of JSON as checks, and " +
			"values that tests set as `${var.NAME}`; `--environment` gives the values of variables",
	}
}

// maxEnvironment is the maximum length of an environment, in bytes.
const maxEnvironment = 4 << 20

// A collection is a collection under conversion.
type collection struct {
	d      *draft.Builder
	flow   *draft.Node
	values map[string]value      // of {{name}}
	made   map[string]draft.Text // what stands for variables that were used
	told   map[string]bool       // what was reported once
}

// A value is the value of a variable.
type value struct {
	line   int
	text   string
	secret bool
	set    draft.Text // by a script; nil: text is the value
}

// A scope is what folders give to their requests.
type scope struct {
	folders []string
	auth    *syntax.Node
	events  []*syntax.Node
}

// convert reads a collection, and the environment that the options name.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	if len(docs) != 1 {
		return errors.New("want one collection of Postman")
	}
	root := docs[0]
	if inner := root.Get("collection"); inner != nil { // what the API of Postman gives
		root = inner
	}
	if root.Get("item") == nil {
		if root.Get("requests") != nil {
			return fmt.Errorf("%s: this is a collection of version 1; Postman exports it as 2.1", d.O.File)
		}
		return fmt.Errorf("%s: want a collection of Postman 2.1, with info and item", d.O.File)
	}
	c := &collection{
		d: d, flow: &draft.Node{Block: true, Items: []*draft.Node{}}, values: map[string]value{},
		made: map[string]draft.Text{}, told: map[string]bool{},
	}
	c.variables(root.Get("variable"))
	if err := c.environment(); err != nil {
		return err
	}
	d.Skip(root, "info")
	d.Name = d.Text(root, "info", "name")
	c.items(root, scope{})
	for _, rest := range d.Rest(root) {
		d.Lost(draft.Line(root), "%s", rest)
	}
	if len(c.flow.Items) > 0 {
		d.Load.Set("collection", d.Arrivals("5/s", "runs of the collection a second").Set("flow", c.flow))
	}
	return nil
}

// variables reads a list of variables. Later ones replace earlier ones.
func (c *collection) variables(list *syntax.Node) {
	if list == nil {
		return
	}
	for _, v := range list.Items {
		name := cmp.Or(c.d.Text(v, "key"), c.d.Text(v, "id"))
		text, kind := c.d.Text(v, "value"), c.d.Text(v, "type")
		c.d.Skip(v, "description")
		if c.d.Text(v, "enabled") == "false" || c.d.Text(v, "disabled") == "true" {
			c.d.Lost(draft.Line(v), "the variable %s, which is disabled", name)
			continue
		}
		c.values[name] = value{line: draft.Line(v), text: text, secret: kind == "secret" || draft.IsSecret(name)}
		for _, rest := range c.d.Rest(v) {
			c.d.Lost(draft.Line(v), "%s of the variable %s", rest, name)
		}
	}
}

// environment reads the environment.
func (c *collection) environment() error {
	if c.d.O.Environment == "" {
		return nil
	}
	source, err := disk.Read(c.d.O.Environment, maxEnvironment)
	if err != nil {
		return err
	}
	docs, err := c.d.Documents(source)
	if err != nil {
		return err
	}
	if len(docs) != 1 || docs[0].Get("values") == nil {
		return fmt.Errorf("%s: want an environment of Postman, with values", c.d.O.Environment)
	}
	file := c.d.O.File
	c.d.O.File = filepath.Base(c.d.O.Environment) // for the notes
	c.variables(docs[0].Get("values"))
	c.d.O.File = file
	return nil
}

// items converts the items of a collection or a folder, in order.
func (c *collection) items(folder *syntax.Node, s scope) {
	d := c.d
	if auth := folder.Get("auth"); auth != nil && auth.Kind == syntax.Map {
		s.auth = auth
	}
	if events := folder.Get("event"); events != nil {
		s.events = append(slices.Clip(s.events), events.Items...)
	}
	for _, item := range folder.Get("item").Items {
		name := d.Text(item, "name")
		d.Skip(item, "description")
		d.Skip(item, "id")
		d.Skip(item, "_postman_id")
		if item.Get("item") != nil {
			d.Skip(item, "_postman_isSubFolder")
			in := s
			in.folders = append(slices.Clip(s.folders), name)
			c.items(item, in)
		} else if item.Get("request") != nil {
			c.request(item, name, s)
		}
		for _, rest := range d.Rest(item) {
			d.Lose(c.flow, draft.Line(item), "%s of %s", rest, name)
		}
	}
	d.Skip(folder, "auth")
	d.Skip(folder, "event")
	d.Skip(folder, "item") // each reports its own unread parts
}

// request makes a step of an item.
func (c *collection) request(item *syntax.Node, name string, s scope) {
	d := c.d
	d.Skip(item, "response") // examples of answers
	n := item.Get("request")
	r := &draft.Request{Line: draft.Line(n), Name: name, Method: "GET"}
	if r.Line == 0 {
		r.Line = draft.Line(item)
	}
	lose := func(line int, format string, args ...any) { d.LoseAt(&r.Above, line, format, args...) }
	if key := "folder " + strings.Join(s.folders, " / "); len(s.folders) > 0 && !c.told[key] {
		c.told[key] = true
		r.Above = append(r.Above, key)
	}
	if events := item.Get("event"); events != nil {
		s.events = append(slices.Clip(s.events), events.Items...)
		d.Skip(item, "event")
	}
	r.Check, r.Extract = new(draft.Node), new(draft.Node)
	c.scripts(s.events, "prerequest", r)
	at := n.Get("url")
	if n.Kind == syntax.String { // the URL alone
		at = n
	} else {
		r.Method = cmp.Or(d.Text(n, "method"), "GET")
		c.headers(n.Get("header"), r)
		c.body(n.Get("body"), r)
		d.Skip(n, "description")
	}
	ok := c.aim(at, r)
	auth := s.auth
	if own := n.Get("auth"); own != nil && own.Kind == syntax.Map {
		auth = own
	}
	c.auth(auth, r)
	d.Skip(n, "auth")
	c.scripts(s.events, "test", r)
	if d.Text(item, "protocolProfileBehavior", "followRedirects") == "false" {
		r.Stay = true
	}
	for _, rest := range d.Rest(n) {
		lose(r.Line, "%s of the request", rest)
	}
	if !ok {
		d.Lose(c.flow, r.Line, "the request %s: its URL", name)
		return
	}
	d.Add(c.flow, d.Step(r, c.flow))
}

// dynamic maps variables of Postman that have another value at each use to placeholders.
var dynamic = map[string]string{
	"$guid": "uuid()", "$randomUUID": "uuid()", "$timestamp": "now(unix)", "$isoTimestamp": "now()",
	"$randomInt": "int(0,1000)",
}

// expand replaces each {{name}} in a text of the source.
func (c *collection) expand(text string, line int) (out draft.Text) {
	for {
		before, rest, found := strings.Cut(text, "{{")
		name, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			return append(out, draft.Piece{Lit: text}).Tidy()
		}
		out = draft.Join(out, draft.Lit(before), c.variable(strings.TrimSpace(name), line))
		text = after
	}
}

// variable returns what stands for a variable: a param, a value that a test set, or an environment variable.
func (c *collection) variable(name string, line int) draft.Text {
	if place, ok := dynamic[name]; ok {
		return draft.Ref(place)
	}
	v, known := c.values[name]
	if v.set != nil {
		return v.set
	}
	if text, ok := c.made[name]; ok {
		return text
	}
	d := c.d
	var out draft.Text
	switch whole, static := c.constant(name); {
	case strings.HasPrefix(name, "$"):
		d.Tell(line, "the random value {{%s}}: an empty text stands for it", draft.Clip(name, 40))
		return draft.Lit("")
	case !known || v.secret && v.text == "":
		env := strings.ToUpper(strings.ReplaceAll(draft.Slug(name, "value"), "-", "_"))
		d.NeedEnv(env, "the value of {{"+draft.Clip(name, 40)+"}}")
		d.Tell(line, "the collection has no value of {{%s}}: set %s in the environment", draft.Clip(name, 40), env)
		out = draft.Ref("env." + env)
	case v.secret:
		out = d.Hide(v.line, name, "the value of {{"+draft.Clip(name, 40)+"}}", v.text)
	case !static:
		c.made[name] = draft.Lit("") // a variable that contains itself is empty
		out = c.expand(v.text, v.line)
	default:
		out = d.Param(draft.Unique(d.Params, draft.Slug(name, "param")), draft.Plain(whole), "")
	}
	c.made[name] = out
	return out
}

// deepest is the depth of variables within variables that is followed.
const deepest = 10

// constant returns the value of a variable if it is known and no secret.
func (c *collection) constant(name string) (string, bool) {
	v, ok := c.values[name]
	if !ok || v.secret || v.set != nil {
		return "", false
	}
	return c.resolved(v.text, 1)
}

// resolved replaces the variables in a text whose values are known and no secrets. It reports false if there are
// others.
func (c *collection) resolved(text string, depth int) (string, bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{")
		name, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			out.WriteString(text)
			return out.String(), true
		}
		v, ok := c.values[strings.TrimSpace(name)]
		if !ok || v.secret || v.set != nil || depth > deepest {
			return "", false
		}
		inner, ok := c.resolved(v.text, depth+1)
		if !ok {
			return "", false
		}
		out.WriteString(before + inner)
		text = after
	}
}

// whole returns a URL as it is sent: of its parts, which Postman prefers, or of its text.
func (c *collection) whole(n *syntax.Node) string {
	d := c.d
	if n == nil || n.Kind != syntax.Map {
		return d.Text(n)
	}
	raw := d.Text(n, "raw")
	d.Skip(n, "hash") // is not sent
	d.Skip(n, "description")
	host := strings.Join(d.Texts(n, "host"), ".")
	path := n.Get("path")
	if host == "" && path == nil {
		return raw
	}
	var b strings.Builder
	if scheme := d.Text(n, "protocol"); scheme != "" {
		b.WriteString(scheme + "://")
	}
	b.WriteString(host)
	if port := d.Text(n, "port"); port != "" {
		b.WriteString(":" + port)
	}
	if path != nil {
		for _, item := range path.OneOrMore() {
			segment := item.Value
			if d.Skip(item); item.Kind == syntax.Map {
				segment = d.Text(item, "value")
			}
			b.WriteString("/" + strings.TrimPrefix(c.segment(n, segment), "/"))
		}
	}
	d.Skip(n, "variable")
	sep := "?"
	if q := n.Get("query"); q != nil {
		for _, p := range q.Items {
			name, v := d.Text(p, "key"), p.Get("value")
			d.Skip(p, "description")
			pair := name + "=" + d.Text(p, "value")
			if v == nil || v.Kind == syntax.Null {
				pair = name
			}
			if d.Text(p, "disabled") == "true" {
				d.Lose(c.flow, draft.Line(p), "the parameter %s, which is disabled", name)
				continue
			}
			b.WriteString(sep + pair)
			sep = "&"
		}
	}
	return b.String()
}

// segment returns a segment of a path, or the value of a variable such as :id in its place.
func (c *collection) segment(n *syntax.Node, segment string) string {
	name, ok := strings.CutPrefix(segment, ":")
	list := n.Get("variable")
	if !ok || list == nil {
		return segment
	}
	for _, v := range list.Items {
		if c.d.Text(v, "key") == name {
			return c.d.Text(v, "value")
		}
	}
	return segment
}

// aim sets the URL of a step. It returns false if there is no valid URL.
func (c *collection) aim(n *syntax.Node, r *draft.Request) bool {
	text := c.whole(n)
	line := max(draft.Line(n), r.Line)
	for range deepest { // a variable at the begin holds the host
		name, after, ok := strings.Cut(strings.TrimPrefix(text, "{{"), "}}")
		if !ok || !strings.HasPrefix(text, "{{") {
			break
		}
		v, known := c.constant(strings.TrimSpace(name))
		if !known || v == "" {
			return c.unknownHost(r, c.variable(strings.TrimSpace(name), line), c.expand(after, line))
		}
		text = v + after
	}
	if text == "" {
		return false
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	scheme, rest, _ := strings.Cut(text, "://")
	host, path := rest, ""
	if i := strings.IndexAny(strings.ReplaceAll(rest, "{{", "  "), "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	host, ok := c.resolved(host, 0)
	u, err := url.Parse(scheme + "://" + host)
	if !ok || err != nil || !draft.IsWeb(u) {
		return false
	}
	if path, _, _ = strings.Cut(path, "#"); !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	draft.Credentials(c.d, r, u)
	origin, _ := c.d.Place(u).Static()
	r.URL = draft.Join(draft.Lit(strings.TrimSuffix(origin, "/")), c.expand(path, line).Mapped(draft.URLText)).Tidy()
	return true
}

// unknownHost makes a variable without a value the target, unless another URL is.
func (c *collection) unknownHost(r *draft.Request, host, path draft.Text) bool {
	d := c.d
	if first := path[0]; first.Ref != "" || !strings.HasPrefix(first.Lit, "/") {
		if first.Ref == "" && first.Lit != "" && !strings.HasPrefix(first.Lit, "?") {
			return false // a part of the host
		}
		path = draft.Join(draft.Lit("/"), path)
	}
	if d.Base.IsZero() {
		d.Base, d.Origin = host, host.String()
		what := "the target is " + host.String() + ": set it, and name it under guard.allow.load unless it is this machine"
		d.Tell(r.Line, "%s", what)
		d.Head = append(d.Head, what)
	}
	if r.URL = path.Mapped(draft.URLText); host.String() != d.Origin {
		r.URL = draft.Join(host, r.URL)
	}
	return true
}

// headers reads the headers of a request, a list or a text.
func (c *collection) headers(n *syntax.Node, r *draft.Request) {
	d := c.d
	if n == nil {
		return
	}
	if n.Kind == syntax.String {
		for line := range strings.Lines(d.Text(n)) {
			if name, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				r.Headers = append(r.Headers, draft.Header{Name: name, Value: c.expand(strings.TrimSpace(v), r.Line)})
			}
		}
		return
	}
	for _, h := range n.Items {
		name, v := d.Text(h, "key"), d.Text(h, "value")
		for _, key := range []string{"description", "type", "name", "system", "uuid"} { // what the editor of Postman keeps
			d.Skip(h, key)
		}
		switch {
		case d.Text(h, "disabled") == "true":
			d.LoseAt(&r.Above, draft.Line(h), "the header %s, which is disabled", draft.Clip(name, 40))
		case name != "":
			r.Headers = append(r.Headers, draft.Header{Name: name, Value: c.expand(v, draft.Line(h))})
		}
	}
}

// languages maps the languages of Postman's editor to the types that it sends.
var languages = map[string]string{
	"json": "application/json", "xml": "application/xml", "html": "text/html", "javascript": "application/javascript",
	"text": "text/plain",
}

// body reads the body of a request.
func (c *collection) body(n *syntax.Node, r *draft.Request) {
	d := c.d
	if n == nil || n.Kind != syntax.Map {
		return
	}
	mode := d.Text(n, "mode")
	if d.Text(n, "disabled") == "true" {
		d.LoseAt(&r.Above, draft.Line(n), "the body, which is disabled")
		d.Skip(n)
		return
	}
	kind := ""
	switch of := n.Get(mode); mode {
	case "":
	case "raw":
		if text := d.Text(of); text != "" {
			r.Body = draft.Body{Text: c.expand(text, draft.Line(of)), Sent: true}
			kind = languages[cmp.Or(d.Text(n, "options", "raw", "language"), "text")]
		}
	case "graphql":
		query, variables := c.expand(d.Text(of, "query"), draft.Line(of)), cmp.Or(d.Text(of, "variables"), "{}")
		r.Body = draft.Body{Sent: true, Text: draft.Join(draft.Lit(`{"query": `), draft.Lit(`"`),
			query.Mapped(func(s string) string { return strings.Trim(jsonText(s), `"`) }), draft.Lit(`", "variables": `),
			c.expand(variables, draft.Line(of)))}
		if name := d.Text(of, "operationName"); name != "" {
			r.Body.Text = draft.Join(r.Body.Text, draft.Lit(`, "operationName": `+jsonText(name)))
		}
		r.Body.Text = draft.Join(r.Body.Text, draft.Lit("}"))
		kind = "application/json"
	case "urlencoded", "formdata":
		c.form(of, mode, r)
	case "file":
		if src := d.Text(of, "src"); src != "" {
			r.Body = draft.Body{File: src, Sent: true}
		} else {
			d.LoseAt(&r.Above, draft.Line(n), "the file of the body, which the collection does not name")
			d.Skip(of)
		}
	default:
		d.LoseAt(&r.Above, draft.Line(n), "a body of the mode %s", draft.Clip(mode, 40))
		d.Skip(n)
	}
	for _, other := range []string{"raw", "graphql", "urlencoded", "formdata", "file", "options"} { // of modes not chosen
		if v := n.Get(other); v != nil && other != mode && (len(v.Items) == 0 && v.Value == "" || other == "options") {
			d.Skip(v)
		}
	}
	if kind != "" && r.ContentType() == nil {
		r.Headers = append(r.Headers, draft.Header{Name: "Content-Type", Value: draft.Lit(kind)})
	}
}

// jsonText writes a text as JSON does.
func jsonText(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // no text has such an error
		return `""`
	}
	return string(b)
}

// form reads the fields of a form.
func (c *collection) form(list *syntax.Node, mode string, r *draft.Request) {
	d := c.d
	if list == nil {
		return
	}
	var parts []draft.Part
	var whole draft.Text
	for _, f := range list.Items {
		name, line := d.Text(f, "key"), draft.Line(f)
		d.Skip(f, "description")
		d.Skip(f, "uuid")
		kind := d.Text(f, "type")
		p := draft.Part{Name: name, Kind: d.Text(f, "contentType"), FileName: d.Text(f, "fileName")}
		if d.Text(f, "disabled") == "true" {
			d.LoseAt(&r.Above, line, "the field %s, which is disabled", draft.Clip(name, 40))
			d.Skip(f)
			continue
		}
		files := d.Texts(f, "src")
		if p.Text = c.expand(d.Text(f, "value"), line); kind == "file" && len(files) == 0 {
			d.LoseAt(&r.Above, line, "the file of the field %s, which the collection does not name", draft.Clip(name, 40))
			continue
		}
		for _, file := range files {
			p.File = file
			parts = append(parts, p)
		}
		if len(files) == 0 {
			parts = append(parts, p)
		}
		if whole != nil {
			whole = draft.Join(whole, draft.Lit("&"))
		}
		whole = draft.Join(whole, draft.Lit(url.QueryEscape(name)+"="), p.Text.Mapped(url.QueryEscape))
	}
	if len(parts) == 0 {
		return
	}
	if mode == "formdata" {
		r.Body = draft.Body{Parts: parts, Sent: true}
		return
	}
	d.SendForm(r, parts, whole)
}

// auth sets the authentication of a request.
func (c *collection) auth(n *syntax.Node, r *draft.Request) {
	d := c.d
	if n == nil {
		return
	}
	kind, line := d.Text(n, "type"), draft.Line(n)
	get := func(key string) string {
		list := n.Get(kind)
		if list == nil {
			return ""
		}
		for _, item := range list.Items { // version 2.1
			if d.Text(item, "key") == key {
				d.Skip(item, "type")
				return d.Text(item, "value")
			}
		}
		return d.Text(list, key) // version 2.0
	}
	secret := func(key string) draft.Text {
		return d.HideText(line, key, "the "+key+" of the authentication", c.expand(get(key), line))
	}
	switch kind {
	case "", "noauth":
	case "basic":
		r.User, r.Password = c.expand(get("username"), line), secret("password")
	case "bearer":
		r.Headers = append(r.Headers, draft.Header{
			Name: "Authorization", Value: draft.Join(draft.Lit("Bearer "), secret("token")),
		})
	case "apikey":
		name := c.expand(cmp.Or(get("key"), "X-Api-Key"), line)
		plain, _ := name.Static()
		if get("in") == "query" {
			sep := "?"
			if slices.ContainsFunc(r.URL, func(p draft.Piece) bool { return strings.Contains(p.Lit, "?") }) {
				sep = "&"
			}
			r.URL = draft.Join(r.URL, draft.Lit(sep), name, draft.Lit("="), secret("value"))
		} else {
			r.Headers = append(r.Headers, draft.Header{Name: plain, Value: secret("value")})
		}
	default:
		if !c.told["auth "+kind] {
			c.told["auth "+kind] = true
			d.Lose(c.flow, line, "authentication by %s: see `auth` of `brunt explain step`", draft.Clip(kind, 40))
		}
	}
}
