package convert

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
)

// sampler makes a step of an HTTP sampler.
func (p *plan) sampler(t *tree, s scope, flow *node) {
	r := &request{line: t.line, name: t.name()}
	s = p.with(s, t.sub, flow)
	p.pause(t, s, flow)
	method, _ := p.value(t.element, "HTTPSampler.method", &r.above)
	r.method = cmpOr(method, "GET")
	r.stay = !t.is("HTTPSampler.follow_redirects") && !t.is("HTTPSampler.auto_redirects")
	if t.is("HTTPSampler.image_parser") {
		p.d.loseAt(&r.above, t.line, "what the page embeds (images, styles, scripts)")
	}
	query := p.arguments(t, r)
	p.aim(t, s, r)
	if !query.isZero() {
		r.url = join(r.url, lit(separatorOf(r.url)), query)
	}
	p.headers(s, r)
	p.asserts(s, r)
	p.extracts(s, r)
	if ms, known := p.value(t.element, "HTTPSampler.response_timeout", &r.above); known && ms != "" {
		if n, err := strconv.Atoi(ms); err == nil && n > 0 && n < 86_400_000 {
			flow.set("timeout", raw(quantity.FormatDuration(time.Duration(n)*time.Millisecond)))
		}
	}
	if t.prop("HTTPSampler.proxyHost") != "" {
		p.d.loseAt(&r.above, t.line, "the proxy %s; `connections.proxy` of the load takes one", clip(t.prop("HTTPSampler.proxyHost"), 60))
	}
	p.d.add(flow, p.d.step(r, flow))
}

func separatorOf(u text) string {
	for _, piece := range u {
		if strings.Contains(piece.lit, "?") {
			return "&"
		}
	}
	return "?"
}

// aim gives the step its URL: its own parts before those of the defaults.
func (p *plan) aim(t *tree, s scope, r *request) {
	part := func(name string) text {
		if v := p.text(t.element, name, &r.above); !v.isZero() {
			return v
		}
		for _, def := range slices.Backward(s.defaults) {
			if v := p.text(def.element, name, &r.above); !v.isZero() {
				return v
			}
		}
		return lit("")
	}
	scheme, host, port, path := part("HTTPSampler.protocol"), part("HTTPSampler.domain"), part("HTTPSampler.port"), part("HTTPSampler.path").mapped(urlText)
	if whole := path[0].lit; strings.HasPrefix(whole, "http://") || strings.HasPrefix(whole, "https://") {
		begin, rest := whole, ""
		if i := strings.IndexAny(whole[len("https://"):], "/?"); i >= 0 {
			begin, rest = whole[:len("https://")+i], whole[len("https://")+i:]
		}
		if u, err := url.Parse(begin); err == nil && isWeb(u) && (rest != "" || len(path) == 1) {
			p.d.credentials(r, u)
			origin, _ := p.d.place(u).static()
			if !strings.HasPrefix(rest, "/") {
				rest = "/" + rest
			}
			r.url = join(lit(strings.TrimSuffix(origin, "/")+rest), path[1:])
			return
		}
	}
	if first := path[0]; first.ref == "" && !strings.HasPrefix(first.lit, "/") || first.ref != "" {
		path = join(lit("/"), path)
	}
	r.url = path
	if host.isZero() {
		return
	}
	if scheme.isZero() {
		scheme = lit("http")
	}
	origin := join(scheme, lit("://"), host)
	if v, known := p.vars.known(port); !known || v != "" && !(v == "80" && scheme.String() == "http") && !(v == "443" && scheme.String() == "https") {
		origin = join(origin, lit(":"), port)
	}
	d := p.d
	now, known := p.vars.known(origin)
	u, err := url.Parse(strings.ToLower(now))
	if !known || err != nil || !isWeb(u) || u.User != nil || u.Path != "" {
		d.loseAt(&r.above, t.line, "the host %s", clip(origin.String(), 80))
		return
	}
	if origin = origin.mapped(strings.ToLower); d.base.isZero() {
		d.base, d.origin = origin, origin.String()
	}
	d.reachAs(u, p.guarded(host, port, u))
	if origin.String() != d.origin {
		r.url = join(origin, path)
	}
}

// guarded is how the guard names a host: with the params that the plan writes it by.
func (p *plan) guarded(host, port text, u *url.URL) text {
	if u.Port() == "" {
		return host.mapped(strings.ToLower)
	}
	return join(host.mapped(strings.ToLower), lit(":"), port)
}

// arguments reads what a sampler sends. It gives what belongs into the URL.
func (p *plan) arguments(t *tree, r *request) (query text) {
	var parts []part
	for _, a := range t.arguments("HTTPsampler.Arguments", "Arguments.arguments") {
		parts = append(parts, part{
			name: strings.TrimSpace(a.prop("Argument.name")), text: p.vars.expand(a.prop("Argument.value"), a.line, &r.above),
			file: map[bool]string{true: "encoded"}[a.is("HTTPArgument.always_encode")],
		})
	}
	var files []part
	for _, f := range t.arguments("HTTPsampler.Files", "HTTPFileArgs.files") {
		path, known := p.value(f, "File.path", &r.above)
		if !known {
			p.d.loseAt(&r.above, t.line, "a file whose name is known only as it is sent")
			continue
		}
		if path != "" {
			files = append(files, part{name: strings.TrimSpace(f.prop("File.paramname")), file: path, kind: strings.TrimSpace(f.prop("File.mimetype"))})
		}
	}
	sends := r.method != "GET" && r.method != "DELETE" && r.method != "HEAD" && r.method != "OPTIONS"
	switch {
	case t.is("HTTPSampler.postBodyRaw"):
		for _, a := range parts {
			r.body.text = join(r.body.text, a.text)
		}
		r.body.sent = !r.body.text.isZero()
	case len(files) == 1 && files[0].name == "" && len(parts) == 0:
		r.body = body{file: files[0].file, sent: true}
		if files[0].kind != "" {
			r.headers = append(r.headers, header{"Content-Type", lit(files[0].kind)})
		}
	case t.is("HTTPSampler.DO_MULTIPART_POST") || len(files) > 0:
		for _, a := range parts {
			a.file = ""
			r.body.parts = append(r.body.parts, a)
		}
		r.body.parts = append(r.body.parts, files...)
		r.body.sent = len(r.body.parts) > 0
	case sends && len(parts) > 0:
		p.form(parts, r)
	case !sends:
		for _, a := range parts {
			if query != nil {
				query = join(query, lit("&"))
			}
			escape := urlText
			if a.file != "" {
				escape = url.QueryEscape
			}
			query = join(query, lit(urlText(a.name)+"="), a.text.mapped(escape))
		}
	}
	return query
}

// form sends parameters; what the plan names is filled in by the language, which escapes
// it.
func (p *plan) form(parts []part, r *request) {
	r.body.sent = true
	form := new(node)
	for _, a := range parts {
		value := a.text
		if s, static := value.static(); static {
			if a.file == "" { // it is encoded already
				s = unescaped(s)
			}
			value = p.d.field(r, a.name, s)
		}
		if !isKey(a.name) || form.get(a.name) != nil {
			p.d.loseAt(&r.above, r.line, "the parameter %q, which comes twice or has no name", clip(a.name, 40))
			continue
		}
		form.set(a.name, str(value))
	}
	r.body.form = form
}

// headers are those of all managers in scope, the innermost last.
func (p *plan) headers(s scope, r *request) {
	for _, m := range s.headers {
		for _, h := range m.arguments("", "HeaderManager.headers") {
			name, value := strings.TrimSpace(h.prop("Header.name")), p.text(h, "Header.value", &r.above)
			r.headers = slices.DeleteFunc(r.headers, func(old header) bool { return strings.EqualFold(old.name, name) })
			if name != "" {
				r.headers = append(r.headers, header{name, value})
			}
		}
	}
	for _, m := range s.auth {
		for _, a := range m.arguments("", "AuthManager.auth_list") {
			user, password := p.text(a, "Authorization.username", &r.above), p.text(a, "Authorization.password", &r.above)
			if kind := strings.TrimSpace(a.prop("Authorization.mechanism")); kind != "" && kind != "BASIC" && kind != "BASIC_DIGEST" {
				p.d.loseAt(&r.above, a.line, "authentication by %s", clip(kind, 40))
				continue
			}
			if secret, static := password.static(); static {
				password = p.d.hide(a.line, "password", "the password of "+clip(user.String(), 40), secret)
			}
			r.user, r.password = user, password
		}
	}
}

// pause adds the timers in whose scope a sampler stands: their sum.
func (p *plan) pause(t *tree, s scope, flow *node) {
	var from, to float64
	for _, timer := range s.timers {
		delay, ok1 := p.value(timer.element, "ConstantTimer.delay", &flow.pending)
		spread, ok2 := p.value(timer.element, "RandomTimer.range", &flow.pending)
		a, err1 := strconv.ParseFloat(cmpOr(delay, "0"), 64)
		b, err2 := strconv.ParseFloat(cmpOr(spread, "0"), 64)
		if !ok1 || !ok2 || err1 != nil || err2 != nil || a < 0 || b < 0 || a+b > 86_400_000 {
			p.d.lose(flow, timer.line, "the timer %q", clip(timer.name(), 60))
			continue
		}
		switch timer.tag {
		case "GaussianRandomTimer":
			p.tellOnce(flow, timer, "the normal distribution of %q; times are drawn evenly within twice its deviation", clip(timer.name(), 60))
			from, to = from+max(0, a-2*b), to+a+2*b
		case "PoissonRandomTimer":
			p.tellOnce(flow, timer, "the distribution of %q; its mean is kept", clip(timer.name(), 60))
			from, to = from+a+b, to+a+b
		default:
			from, to = from+a, to+a+b
		}
	}
	if to >= 1 {
		p.d.add(flow, think(ms(from), ms(to)))
	}
}

func ms(f float64) time.Duration { return time.Duration(f) * time.Millisecond }
