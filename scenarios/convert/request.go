package convert

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"brunt/scenarios"
)

// A request is one of a foreign file, on its way to become a step.
type request struct {
	line     int
	name     string // of the step; zero is METHOD path
	method   string // zero is GET
	url      text   // whole, or a path
	headers  []header
	body     body
	user     text // of basic authentication
	password text
	check    *node
	extract  *node
	stay     bool // redirects are not followed
	above    []string
	public   bool // what it holds are examples, not secrets
}

type header struct {
	name  string
	value text
}

// body is what a request sends; at most one of text, file and parts is there.
type body struct {
	text  text
	raw   []byte // in place of text, when it is no text
	file  string
	parts []part
	form  *node // of a form whose fields are known one by one
	sent  bool  // there is a body, even if it is empty
}

// part is one of a multipart body.
type part struct {
	name, fileName, kind string
	file                 string
	text                 text
}

// ours are the headers that brunt sets itself, or that say something of one connection.
var ours = []string{
	"host", "content-length", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "upgrade", "expect", "trailer",
}

// methods are those of steps.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// step makes a step of r for a flow; nil when there is none that could stand for it,
// which is told there.
func (d *draft) step(r *request, flow *node) *node {
	method := strings.ToUpper(r.method)
	if method == "" {
		method = http.MethodGet
	}
	if !slices.Contains(methods, method) {
		flow.pending = append(flow.pending, r.above...)
		d.lose(flow, r.line, "a request with the method %s", clip(method, 40))
		return nil
	}
	s := new(node)
	s.above = r.above
	s.set(strings.ToLower(method), str(d.query(r)))
	if r.name != "" {
		s.set("name", plain(stepName(r.name)))
	}
	headers := d.headers(r, s)
	d.carry(r, s, headers, method)
	if headers.fields != nil {
		s.set("headers", headers)
	}
	if r.user != nil {
		basic := (&node{}).set("user", str(r.user)).set("password", str(r.password))
		s.set("auth", (&node{}).set("basic", basic))
	}
	if r.check != nil && r.check.fields != nil {
		s.set("check", r.check)
	}
	if r.extract != nil && r.extract.fields != nil {
		s.set("extract", r.extract)
	}
	if r.stay {
		s.set("redirects", number(0))
	}
	return s
}

// stepName makes a name that objectives can quote.
func stepName(s string) string {
	s = strings.Join(strings.Fields(comment(strings.ReplaceAll(s, `"`, "'"))[len("# "):]), " ")
	s = clip(strings.ReplaceAll(s, "${", "{"), 100)
	if s == "" || s == "*" || s == "iteration" {
		return "step " + s
	}
	return s
}

// query hides secrets among the parameters of a URL.
func (d *draft) query(r *request) text {
	whole, static := r.url.static()
	path, query, has := strings.Cut(whole, "?")
	if !static || !has || r.public {
		return r.url
	}
	out := lit(path)
	sep := "?"
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(value); err == nil && r.hides(name) && value != "" {
			out = join(out, lit(sep+name+"="), d.hide(r.line, name, "the parameter "+name, plain))
		} else {
			out = join(out, lit(sep+pair))
		}
		sep = "&"
	}
	return out
}

// headers writes the headers that are the author's to set.
func (d *draft) headers(r *request, s *node) *node {
	out := new(node)
	for _, h := range r.headers {
		lower := strings.ToLower(h.name)
		value, static := h.value.static()
		switch {
		case lower == "content-type", slices.Contains(ours, lower), strings.HasPrefix(h.name, ":"):
			continue
		case !scenarios.IsToken(h.name):
			d.loseAt(&s.above, r.line, "%q can't name a header", clip(h.name, 60))
			continue
		case !h.value.isLine():
			d.loseAt(&s.above, r.line, "the header %s holds control characters", h.name)
			continue
		case out.get(h.name) != nil:
			d.loseAt(&s.above, r.line, "the header %s comes twice; a step has each once", h.name)
			continue
		case lower == "authorization" && static && r.user == nil && basicOf(value) != "":
			user, password, _ := strings.Cut(basicOf(value), ":")
			r.user, r.password = lit(user), d.hide(r.line, "password", "the password of "+clip(user, 40), password)
			continue
		case static && (!r.public && slices.Contains(secretHeaders, lower) || r.hides(lower)):
			out.set(h.name, str(d.hideHeader(r.line, h.name, value)))
			continue
		}
		out.set(h.name, str(h.value))
	}
	return out
}

// hideHeader keeps the scheme of an Authorization header.
func (d *draft) hideHeader(line int, name, value string) text {
	if scheme, rest, ok := strings.Cut(value, " "); ok && strings.HasSuffix(strings.ToLower(name), "authorization") && scenarios.IsToken(scheme) {
		return join(lit(scheme+" "), d.hide(line, name, "what the "+name+" header carries after "+scheme, strings.TrimSpace(rest)))
	}
	return d.hide(line, name, "the "+name+" header", value)
}

// basicOf gives user:password of basic authentication (RFC 7617), or nothing.
func basicOf(header string) string {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "basic") {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil || !utf8.Valid(b) || !strings.Contains(string(b), ":") {
		return ""
	}
	return string(b)
}

// carry writes what the request sends, in the form that reads best.
func (d *draft) carry(r *request, s, headers *node, method string) {
	b := &r.body
	kind := r.contentType()
	written, _ := kind.static()
	base, _, _ := strings.Cut(strings.ToLower(written), ";")
	base = strings.TrimSpace(base)
	keep := func() {
		if !kind.isZero() {
			headers.set("Content-Type", str(kind))
		}
	}
	if !b.sent {
		keep()
		return
	}
	if method == http.MethodHead {
		d.loseAt(&s.above, r.line, "the body of a HEAD request")
		return
	}
	whole, static := b.text.static()
	switch {
	case b.parts != nil:
		s.set("multipart", d.multipart(r, s))
		return
	case b.form != nil:
		s.set("form", b.form)
		return
	case b.file != "":
		keep()
		s.set("body", (&node{}).set("file", plain(d.beside(b.file))))
		return
	case b.raw != nil || static && !utf8.ValidString(whole):
		keep()
		d.loseAt(&s.above, r.line, "a body that is no text; put it into a file and name that by body: {file: PATH}")
		return
	case static && (base == "application/json" || strings.HasSuffix(base, "+json")):
		if doc, ok := d.json(r, whole); ok {
			if base != "application/json" {
				keep()
			}
			s.set("json", doc)
			return
		}
	case static && base == "application/x-www-form-urlencoded":
		if form, ok := d.form(r, whole); ok {
			s.set("form", form)
			return
		}
	}
	keep()
	s.set("body", str(d.scrub(r, b.text)))
}

// isLine tells whether what is written of t can stand in a header.
func (t text) isLine() bool {
	return !slices.ContainsFunc(t, func(p piece) bool {
		return !utf8.ValidString(p.lit) || strings.IndexFunc(p.lit, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) >= 0
	})
}

// contentType is what the request says of its body.
func (r *request) contentType() text {
	for _, h := range r.headers {
		if strings.EqualFold(h.name, "Content-Type") {
			return h.value.mapped(oneLine)
		}
	}
	return nil
}

// oneLine takes what can't stand in a header out of s.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// form reads the fields of a form. False where one comes twice, which a map can't hold.
func (d *draft) form(r *request, body string) (*node, bool) {
	out := new(node)
	if body == "" {
		return nil, false
	}
	for pair := range strings.SplitSeq(body, "&") {
		name, value, ok := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if !ok || err1 != nil || err2 != nil || !isKey(name) || !utf8.ValidString(value) || out.get(name) != nil {
			return nil, false
		}
		out.set(name, str(d.field(r, name, value)))
	}
	return out, true
}

// field gives the value of a field, or the placeholder of a secret.
func (d *draft) field(r *request, name, value string) text {
	if r.hides(name) {
		return d.hide(r.line, name, "the field "+clip(name, 40), value)
	}
	return lit(value)
}

// hides tells whether what stands under a name in the request is not to be written down.
func (r *request) hides(name string) bool { return isSecret(name) && !r.public }

// isKey tells whether name can be a key of a map in the language.
func isKey(name string) bool {
	return name != "" && name != "<<" && len(name) < 200 && utf8.ValidString(name) && !strings.Contains(name, "${") && !strings.ContainsAny(name, "\n\r")
}

func (d *draft) multipart(r *request, s *node) *node {
	out := new(node)
	for _, p := range r.body.parts {
		if !isKey(p.name) {
			d.loseAt(&s.above, r.line, "a part named %q", clip(p.name, 40))
			continue
		}
		var v *node
		switch {
		case p.file != "":
			v = (&node{}).set("file", plain(d.beside(p.file)))
			if p.fileName != "" {
				v.set("name", plain(p.fileName))
			}
		case p.fileName != "" || p.kind != "":
			v = (&node{}).set("text", str(p.text))
			if p.fileName != "" {
				v.set("name", plain(p.fileName))
			}
		default:
			v = str(p.text)
			if value, static := p.text.static(); static {
				v = str(d.field(r, p.name, value))
			}
		}
		if p.kind != "" {
			v.set("type", plain(p.kind))
		}
		switch old := out.get(p.name); {
		case old == nil:
			out.set(p.name, v)
		case old.items != nil:
			old.items = append(old.items, v)
		default:
			out.set(p.name, list(old, v))
		}
	}
	return out
}
