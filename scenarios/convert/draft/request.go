package draft

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"brunt/scenarios/check"
	"brunt/scenarios/secret"
)

// A Request is a request of a source file that becomes a step.
type Request struct {
	Line     int
	Name     string // of the step; empty means METHOD path
	Method   string // empty means GET
	URL      Text   // absolute, or a path
	Headers  []Header
	Body     Body
	User     Text // of basic authentication
	Password Text
	Check    *Node
	Extract  *Node
	Stay     bool // do not follow redirects
	Follow   int  // the most redirects that are followed; zero is brunt's limit
	Above    []string
	Public   bool // its values are examples, not secrets
	// Vary returns what to send in place of a value of a field; false means the value itself. A number is one of JSON.
	Vary func(name, value string, number bool) (Text, bool)
}

// A Header is a header of a request, whose value can hold placeholders.
type Header struct {
	Name  string
	Value Text
	Line  int // in the source; 0 is the one of the request
}

// Body is the body of a request; at most one of text, file and parts is set.
type Body struct {
	Text  Text
	Raw   []byte // instead of Text, if the body is not text
	File  string
	Parts []Part
	Form  *Node // a form with known fields
	Sent  bool  // there is a body, even if it is empty
}

// Part is one part of a multipart body.
type Part struct {
	Name, FileName, Kind string
	File                 string
	Text                 Text
}

// ours are the headers that brunt sets itself, or that concern a single connection.
var ours = []string{
	"host", "content-length", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "upgrade",
	"expect", "trailer",
}

// usual are values of such headers that brunt sends by itself.
var usual = map[string]string{"connection": "keep-alive", "proxy-connection": "keep-alive"}

// methods are the HTTP methods that a step can have.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// Step makes a step of r for a flow. It returns nil if no step can represent r, and reports that
// in the flow.
func (d *Builder) Step(r *Request, flow *Node) *Node {
	method := strings.ToUpper(r.Method)
	if method == "" {
		method = http.MethodGet
	}
	if !slices.Contains(methods, method) {
		flow.Pending = append(flow.Pending, r.Above...)
		d.Lose(flow, r.Line, "a request with the method %s", Clip(method, 40))
		return nil
	}
	s := new(Node)
	s.Above = r.Above
	s.Set(strings.ToLower(method), Str(d.query(r)))
	if r.Name != "" {
		s.Set("name", Plain(StepName(r.Name)))
	}
	headers := d.headers(r, s)
	d.carry(r, s, headers, method)
	if headers.Fields != nil {
		s.Set("headers", headers)
	}
	if r.User != nil {
		if r.Password.IsZero() && r.User.Size() >= secret.UserToken && !r.Public {
			r.User = d.HideText(r.Line, "user", "the user, who has no password", r.User)
		}
		basic := (&Node{}).Set("user", Str(r.User)).Set("password", Str(r.Password))
		s.Set("auth", (&Node{}).Set("basic", basic))
	}
	if r.Check != nil && r.Check.Fields != nil {
		s.Set("check", r.Check)
	}
	if r.Extract != nil && r.Extract.Fields != nil {
		s.Set("extract", r.Extract)
	}
	if r.Stay {
		s.Set("redirects", Number(0))
	} else if r.Follow > 0 {
		s.Set("redirects", Number(r.Follow))
	}
	return s
}

// StepName converts a name to one that objectives can quote.
func StepName(s string) string {
	s = strings.Join(strings.Fields(comment(strings.ReplaceAll(s, `"`, "'"))[len("# "):]), " ")
	s = Clip(strings.ReplaceAll(s, "${", "{"), 100)
	if s == "" || s == "*" || s == "iteration" {
		return "step " + s
	}
	return s
}

// pairIn matches a parameter in a query.
var pairIn = regexp.MustCompile(`([?&])([^=&?#]+)=([^&#]+)`)

// query hides secrets in the query of a URL.
func (d *Builder) query(r *Request) (out Text) {
	whole := r.URL.Merged()
	flat := whole.flat()
	begin := strings.IndexByte(flat, '?')
	if r.Public || begin < 0 {
		return r.URL
	}
	from := 0
	for _, m := range pairIn.FindAllStringSubmatchIndex(flat[begin:], -1) {
		if name := flat[begin+m[4] : begin+m[5]]; r.hides(name) {
			value := whole.slice(begin+m[6], begin+m[7]).Mapped(Unescaped)
			out = Join(out, whole.slice(from, begin+m[6]), d.HideText(r.Line, name, "the parameter "+name, value))
			from = begin + m[7]
		}
	}
	return Join(out, whole.slice(from, len(flat))).Tidy()
}

// headers writes the headers that a scenario may set.
func (d *Builder) headers(r *Request, s *Node) *Node {
	out := new(Node)
	for _, h := range r.Headers {
		lower, line := strings.ToLower(h.Name), cmp.Or(h.Line, r.Line)
		value, static := h.Value.Static()
		switch {
		case lower == "content-type", strings.HasPrefix(h.Name, ":"),
			static && value != "" && strings.EqualFold(value, usual[lower]),
			lower == "host" && static && strings.EqualFold(value, d.hostOf(r)):
			continue
		case lower != "host" && slices.Contains(ours, lower):
			d.LoseAt(&s.Above, line, "the header %s: brunt sets it as its connections need", h.Name)
			continue
		case !check.IsToken(h.Name):
			d.LoseAt(&s.Above, line, "%q can't name a header", Clip(h.Name, 60))
			continue
		case !h.Value.isLine():
			d.LoseAt(&s.Above, line, "the header %s holds control characters", h.Name)
			continue
		case out.Get(h.Name) != nil:
			d.LoseAt(&s.Above, line, "the header %s comes twice; a step has each once", h.Name)
			continue
		case lower == "authorization" && static && r.User == nil && basicOf(value) != "":
			user, password, _ := strings.Cut(basicOf(value), ":")
			r.User, r.Password = Lit(user), d.Hide(line, "password", "the password of "+Clip(user, 40), password)
			continue
		case r.hides(lower) && (static || lower != "cookie"):
			h.Value = d.hideHeader(line, h.Name, h.Value)
		case lower == "cookie" && !r.Public:
			h.Value = d.hideCookies(line, h.Value)
		case !r.Public: // a URL in it may have secrets
			h.Value = d.QuietText(line, h.Value)
		}
		out.Set(h.Name, Str(h.Value))
	}
	return out
}

// hideCookies hides the values of cookies.
func (d *Builder) hideCookies(line int, cookies Text) (out Text) {
	for more := true; more; {
		var one Text
		one, cookies, more = cookies.Cut(";")
		name, value, pair := one.Cut("=")
		switch plain, known := name.Static(); {
		case pair && known:
			what := "the cookie " + Clip(strings.TrimSpace(plain), 40)
			one = Join(name, Lit("="), d.HideText(line, strings.TrimPrefix(what, "the "), what, value))
		case pair:
			one = Join(name, Lit("="), d.HideText(line, "cookie", "a cookie", value))
		default:
			one = d.HideText(line, "cookie", "a cookie", one)
		}
		if out = append(out, one...); more {
			out = append(out, Lit(";")...)
		}
	}
	return out
}

// hideHeader hides a header, except for the scheme of an Authorization header.
func (d *Builder) hideHeader(line int, name string, value Text) Text {
	first, rest, ok := value.Cut(" ")
	scheme, static := first.Static()
	if !ok || !static || !strings.HasSuffix(strings.ToLower(name), "authorization") || !check.IsToken(scheme) {
		return d.HideText(line, name, "the "+name+" header", value)
	}
	rest = rest.Tidy()
	rest[0].Lit = strings.TrimLeft(rest[0].Lit, " ")
	last := len(rest) - 1
	rest[last].Lit = strings.TrimRight(rest[last].Lit, " ")
	return Join(Lit(scheme+" "), d.HideText(line, name, "what the "+name+" header carries after "+scheme, rest))
}

// basicOf returns user:password of basic authentication (RFC 7617), or nothing.
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

// carry writes the body of the request, in the most readable form.
func (d *Builder) carry(r *Request, s, headers *Node, method string) {
	b := &r.Body
	kind := r.ContentType()
	written, _ := kind.Static()
	base, _, _ := strings.Cut(strings.ToLower(written), ";")
	base = strings.TrimSpace(base)
	keep := func() {
		if kind != nil {
			headers.Set("Content-Type", Str(kind))
		}
	}
	if !b.Sent {
		keep()
		return
	}
	if method == http.MethodHead {
		d.LoseAt(&s.Above, r.Line, "the body of a HEAD request")
		return
	}
	whole, static := b.Text.Static()
	switch {
	case b.Parts != nil:
		if parts := d.multipart(r, s); parts.Fields != nil {
			s.Set("multipart", parts)
		}
		return
	case b.Form != nil:
		s.Set("form", b.Form)
		return
	case b.File != "":
		if keep(); kind == nil {
			d.LoseAt(&s.Above, r.Line, "that no Content-Type is sent: brunt sends the one of the file's ending")
		}
		s.Set("body", (&Node{}).Set("file", Plain(d.Beside(b.File))))
		return
	case b.Raw != nil || static && !utf8.ValidString(whole):
		keep()
		d.LoseAt(&s.Above, r.Line, "a body that is not a text; put it into a file and name that by body: {file: PATH}")
		return
	case static && (base == "application/json" || strings.HasSuffix(base, "+json")):
		if doc, ok := d.json(r, whole); ok {
			if written != "application/json" {
				keep()
			}
			s.Set("json", doc)
			return
		}
	case static && written == "application/x-www-form-urlencoded":
		if form, same, varied := d.form(r, whole); form != nil && (same || varied) {
			if !same {
				d.LoseAt(&s.Above, r.Line, "the order and the encoding of the form: brunt sends the fields by name")
			}
			s.Set("form", form)
			return
		}
	}
	keep()
	s.Set("body", Str(d.scrub(r, b.Text)))
}

// hostOf returns the host and port of the URL of a request, without the default port.
func (d *Builder) hostOf(r *Request) string {
	origin := d.Origin
	if len(r.URL) > 0 {
		if at := r.URL[0].Lit; strings.Contains(at, "://") {
			scheme, rest, _ := strings.Cut(at, "://")
			host, _, _ := strings.Cut(rest, "/")
			origin = OriginOf(&url.URL{Scheme: scheme, Host: host})
		}
	}
	_, host, _ := strings.Cut(origin, "://")
	return host
}

// isLine reports whether a header can contain t.
func (t Text) isLine() bool {
	return !slices.ContainsFunc(t, func(p Piece) bool {
		return !utf8.ValidString(p.Lit) || strings.IndexFunc(p.Lit,
			func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) >= 0
	})
}

// ContentType returns the content type of the body.
func (r *Request) ContentType() Text {
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			return h.Value.Mapped(OneLine)
		}
	}
	return nil
}

// OneLine removes characters from s that a header can't contain.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// form parses the fields of a form. It returns nil if a map can't express them: a field occurs twice. Same reports
// whether brunt, which sends the fields by name, sends the same bytes; varied, whether a value was replaced.
func (d *Builder) form(r *Request, body string) (out *Node, same, varied bool) {
	if body == "" {
		return nil, false, false
	}
	out, same = new(Node), true
	last := ""
	for pair := range strings.SplitSeq(body, "&") {
		name, value, ok := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if !ok || err1 != nil || err2 != nil || !IsKey(name) || !utf8.ValidString(value) || out.Get(name) != nil {
			return nil, false, false
		}
		same = same && name > last && pair == url.QueryEscape(name)+"="+url.QueryEscape(value)
		last = name
		if r.Vary != nil {
			_, other := r.Vary(name, value, false)
			varied = varied || other
		}
		out.Set(name, Raw(""))
	}
	if !same && !varied {
		return nil, false, false
	}
	for pair := range strings.SplitSeq(body, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name = Unescaped(name)
		out.Set(name, Str(d.Field(r, name, Unescaped(value))))
	}
	return out, same, varied
}

// Field returns the value of a field, or the placeholder of a secret.
func (d *Builder) Field(r *Request, name, value string) Text { return d.FieldText(r, name, Lit(value)) }

// FieldText is Field for a value with placeholders.
func (d *Builder) FieldText(r *Request, name string, value Text) Text {
	if s, static := value.Static(); static && r.Vary != nil {
		if text, ok := r.Vary(name, s, false); ok {
			return text
		}
	}
	switch {
	case r.hides(name):
		return d.HideText(r.Line, name, "the field "+Clip(name, 40), value)
	case r.Public:
		return value
	}
	return d.QuietText(r.Line, value) // such as a mutation of GraphQL
}

// hides reports whether a value of the request with this name must not be written.
func (r *Request) hides(name string) bool { return IsSecret(name) && !r.Public }

// IsKey reports whether name can be a key of a map in the language.
func IsKey(name string) bool {
	return name != "" && name != "<<" && len(name) < 200 && utf8.ValidString(name) && !strings.Contains(name, "${") &&
		!strings.ContainsAny(name, "\n\r")
}

func (d *Builder) multipart(r *Request, s *Node) *Node {
	out := new(Node)
	for _, p := range r.Body.Parts {
		if !IsKey(p.Name) {
			d.LoseAt(&s.Above, r.Line, "a part named %q", Clip(p.Name, 40))
			continue
		}
		var v *Node
		switch {
		case p.File != "":
			v = (&Node{}).Set("file", Plain(d.Beside(p.File)))
			if p.FileName != "" {
				v.Set("name", Plain(p.FileName))
			}
		case p.FileName != "" || OneLine(p.Kind) != "":
			v = (&Node{}).Set("text", Str(d.FieldText(r, p.Name, p.Text)))
			if p.FileName != "" {
				v.Set("name", Plain(p.FileName))
			}
		default:
			v = Str(d.FieldText(r, p.Name, p.Text))
		}
		if kind := OneLine(p.Kind); kind != "" {
			v.Set("type", Plain(kind))
		}
		switch old := out.Get(p.Name); {
		case old == nil:
			out.Set(p.Name, v)
		case old.Items != nil:
			old.Items = append(old.Items, v)
		default:
			out.Set(p.Name, List(old, v))
		}
	}
	return out
}

// URLText percent-encodes the characters in a part of a URL that a URL can't contain.
func URLText(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		loose := c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]))
		if c <= ' ' || c >= 0x7f || loose || strings.IndexByte(`"<>\^{|}`+"`", c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// WithoutUser removes the part of a URL that could hold a password.
func WithoutUser(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "…" + s[i:]
	}
	return s
}

// Unescaped decodes the percent-encoding of a query. Invalid encoding is returned unchanged.
func Unescaped(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

// Credentials moves user and password from a URL to the request.
func Credentials(d *Builder, r *Request, u *url.URL) {
	if u.User == nil {
		return
	}
	password, _ := u.User.Password()
	r.User, r.Password = Lit(u.User.Username()),
		d.Hide(r.Line, "password", "the password of "+Clip(u.User.Username(), 40), password)
	u.User = nil
}
