package jmeter

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
)

// sampler makes a step of an HTTP sampler.
func (p *plan) sampler(t *tree, s scope, flow *draft.Node) {
	r := &draft.Request{Line: t.line, Name: t.name()}
	s = p.with(s, t.sub, flow)
	p.pause(t, s, flow)
	method, _ := p.value(t.element, "HTTPSampler.method", &r.Above)
	r.Method = cmp.Or(method, "GET")
	r.Stay = !t.is("HTTPSampler.follow_redirects") && !t.is("HTTPSampler.auto_redirects")
	if t.is("HTTPSampler.image_parser") {
		p.d.LoseAt(&r.Above, t.line, "what the page embeds (images, styles, scripts)")
	}
	query := p.arguments(t, r)
	p.aim(t, s, r)
	if !query.IsZero() {
		r.URL = draft.Join(r.URL, draft.Lit(separatorOf(r.URL)), query)
	}
	p.headers(s, r)
	p.asserts(s, r)
	p.extracts(s, r)
	if ms, known := p.value(t.element, "HTTPSampler.response_timeout", &r.Above); known && ms != "" {
		if n, err := strconv.Atoi(ms); err == nil && n > 0 && n < 86_400_000 {
			flow.Set("timeout", draft.Raw(quantity.FormatDuration(time.Duration(n)*time.Millisecond)))
		}
	}
	if t.prop("HTTPSampler.proxyHost") != "" {
		p.d.LoseAt(&r.Above, t.line, "the proxy %s; `connections.proxy` of the load takes one",
			draft.Clip(t.prop("HTTPSampler.proxyHost"), 60))
	}
	p.d.Add(flow, p.d.Step(r, flow))
}

func separatorOf(u draft.Text) string {
	for _, piece := range u {
		if strings.Contains(piece.Lit, "?") {
			return "&"
		}
	}
	return "?"
}

// aim sets the URL of the step. Parts of the sampler take precedence over the defaults.
func (p *plan) aim(t *tree, s scope, r *draft.Request) {
	part := func(name string) draft.Text {
		if v := p.text(t.element, name, &r.Above); !v.IsZero() {
			return v
		}
		for _, def := range slices.Backward(s.defaults) {
			if v := p.text(def.element, name, &r.Above); !v.IsZero() {
				return v
			}
		}
		return draft.Lit("")
	}
	scheme, host, port, path := part("HTTPSampler.protocol"), part("HTTPSampler.domain"), part("HTTPSampler.port"),
		part("HTTPSampler.path").Mapped(draft.URLText)
	if whole := path[0].Lit; strings.HasPrefix(whole, "http://") || strings.HasPrefix(whole, "https://") {
		begin, rest := whole, ""
		if i := strings.IndexAny(whole[len("https://"):], "/?"); i >= 0 {
			begin, rest = whole[:len("https://")+i], whole[len("https://")+i:]
		}
		if u, err := url.Parse(begin); err == nil && draft.IsWeb(u) && (rest != "" || len(path) == 1) {
			draft.Credentials(p.d, r, u)
			origin, _ := p.d.Place(u).Static()
			if !strings.HasPrefix(rest, "/") {
				rest = "/" + rest
			}
			r.URL = draft.Join(draft.Lit(strings.TrimSuffix(origin, "/")+rest), path[1:])
			return
		}
	}
	if first := path[0]; first.Ref == "" && !strings.HasPrefix(first.Lit, "/") || first.Ref != "" {
		path = draft.Join(draft.Lit("/"), path)
	}
	r.URL = path
	if host.IsZero() {
		return
	}
	if scheme.IsZero() {
		scheme = draft.Lit("http")
	}
	origin := draft.Join(scheme, draft.Lit("://"), host)
	if v, known := p.vars.known(port); !known ||
		v != "" && !(v == "80" && scheme.String() == "http") && !(v == "443" && scheme.String() == "https") {
		origin = draft.Join(origin, draft.Lit(":"), port)
	}
	d := p.d
	now, known := p.vars.known(origin)
	u, err := url.Parse(strings.ToLower(now))
	if !known || err != nil || !draft.IsWeb(u) || u.User != nil || u.Path != "" {
		d.LoseAt(&r.Above, t.line, "the host %s", draft.Clip(origin.String(), 80))
		return
	}
	if origin = origin.Mapped(strings.ToLower); d.Base.IsZero() {
		d.Base, d.Origin = origin, origin.String()
	}
	d.ReachAs(u, p.guarded(host, port, u))
	if origin.String() != d.Origin {
		r.URL = draft.Join(origin, path)
	}
}

// guarded returns a host for the guard. It contains the same params as in the plan.
func (p *plan) guarded(host, port draft.Text, u *url.URL) draft.Text {
	if u.Port() == "" {
		return host.Mapped(strings.ToLower)
	}
	return draft.Join(host.Mapped(strings.ToLower), draft.Lit(":"), port)
}

// arguments reads the parameters of a sampler. It returns the ones that belong in the URL.
func (p *plan) arguments(t *tree, r *draft.Request) (query draft.Text) {
	var parts []draft.Part
	bare := map[int]bool{} // arguments without the equals sign
	for i, a := range t.arguments("HTTPsampler.Arguments", "Arguments.arguments") {
		bare[i] = a.find("HTTPArgument.use_equals") != nil && !a.is("HTTPArgument.use_equals") && a.prop("Argument.value") == ""
		parts = append(parts, draft.Part{
			Name: strings.TrimSpace(a.prop("Argument.name")), Text: p.vars.expand(a.prop("Argument.value"), a.line, &r.Above),
			File: map[bool]string{true: "encoded"}[a.is("HTTPArgument.always_encode")],
		})
	}
	var files []draft.Part
	for _, f := range t.arguments("HTTPsampler.Files", "HTTPFileArgs.files") {
		path, known := p.value(f, "File.path", &r.Above)
		if !known {
			p.d.LoseAt(&r.Above, t.line, "a file whose name is known only as it is sent")
			continue
		}
		if path != "" {
			files = append(files, draft.Part{
				Name: strings.TrimSpace(f.prop("File.paramname")), File: path, Kind: strings.TrimSpace(f.prop("File.mimetype")),
			})
		}
	}
	sends := r.Method != "GET" && r.Method != "DELETE" && r.Method != "HEAD" && r.Method != "OPTIONS"
	switch {
	case t.is("HTTPSampler.postBodyRaw"):
		for _, a := range parts {
			r.Body.Text = draft.Join(r.Body.Text, a.Text)
		}
		r.Body.Sent = !r.Body.Text.IsZero()
	case len(files) == 1 && files[0].Name == "" && len(parts) == 0:
		r.Body = draft.Body{File: files[0].File, Sent: true}
		if files[0].Kind != "" {
			r.Headers = append(r.Headers, draft.Header{Name: "Content-Type", Value: draft.Lit(files[0].Kind)})
		}
	case t.is("HTTPSampler.DO_MULTIPART_POST") || len(files) > 0:
		for _, a := range parts {
			a.File = ""
			r.Body.Parts = append(r.Body.Parts, a)
		}
		r.Body.Parts = append(r.Body.Parts, files...)
		r.Body.Sent = len(r.Body.Parts) > 0
	case sends && len(parts) > 0:
		whole := pairs(parts, bare)
		for i := range parts {
			if parts[i].File == "" { // already encoded
				parts[i].Text = parts[i].Text.Mapped(draft.Unescaped)
			}
		}
		p.d.SendForm(r, parts, whole)
	case !sends:
		query = pairs(parts, bare)
	}
	return query
}

// pairs joins parameters as JMeter sends them.
func pairs(parts []draft.Part, bare map[int]bool) (out draft.Text) {
	for i, a := range parts {
		if out != nil {
			out = draft.Join(out, draft.Lit("&"))
		}
		escape := draft.URLText
		if a.File != "" {
			escape = url.QueryEscape
		}
		equals := "="
		if bare[i] {
			equals = ""
		}
		out = draft.Join(out, draft.Lit(escape(a.Name)+equals), a.Text.Mapped(escape))
	}
	return out
}

// headers merges the headers of all managers in scope, the innermost last.
func (p *plan) headers(s scope, r *draft.Request) {
	for _, m := range s.headers {
		for _, h := range m.arguments("", "HeaderManager.headers") {
			name, value := strings.TrimSpace(h.prop("Header.name")), p.text(h, "Header.value", &r.Above)
			r.Headers = slices.DeleteFunc(r.Headers, func(old draft.Header) bool { return strings.EqualFold(old.Name, name) })
			if name != "" {
				r.Headers = append(r.Headers, draft.Header{Name: name, Value: value})
			}
		}
	}
	for _, m := range s.auth {
		for _, a := range m.arguments("", "AuthManager.auth_list") {
			user, password := p.text(a, "Authorization.username", &r.Above), p.text(a, "Authorization.password", &r.Above)
			if kind := strings.TrimSpace(a.prop("Authorization.mechanism")); kind != "" && kind != "BASIC" &&
				kind != "BASIC_DIGEST" {
				p.d.LoseAt(&r.Above, a.line, "authentication by %s", draft.Clip(kind, 40))
				continue
			}
			if secret, static := password.Static(); static {
				password = p.d.Hide(a.line, "password", "the password of "+draft.Clip(user.String(), 40), secret)
			}
			r.User, r.Password = user, password
		}
	}
}

// pause adds a pause: the sum of the timers in the sampler's scope.
func (p *plan) pause(t *tree, s scope, flow *draft.Node) {
	var from, to float64
	for _, timer := range s.timers {
		delay, ok1 := p.value(timer.element, "ConstantTimer.delay", &flow.Pending)
		spread, ok2 := p.value(timer.element, "RandomTimer.range", &flow.Pending)
		a, err1 := strconv.ParseFloat(cmp.Or(delay, "0"), 64)
		b, err2 := strconv.ParseFloat(cmp.Or(spread, "0"), 64)
		if !ok1 || !ok2 || err1 != nil || err2 != nil || a < 0 || b < 0 || a+b > 86_400_000 {
			p.d.Lose(flow, timer.line, "the timer %q", draft.Clip(timer.name(), 60))
			continue
		}
		switch timer.tag {
		case "GaussianRandomTimer":
			p.tellOnce(flow, timer, "the normal distribution of %q; times are drawn evenly within twice its deviation",
				draft.Clip(timer.name(), 60))
			from, to = from+max(0, a-2*b), to+a+2*b
		case "PoissonRandomTimer":
			p.tellOnce(flow, timer, "the distribution of %q; its mean is kept", draft.Clip(timer.name(), 60))
			from, to = from+a+b, to+a+b
		default:
			from, to = from+a, to+a+b
		}
	}
	if to >= 1 {
		p.d.Add(flow, draft.Think(ms(from), ms(to)))
	}
}

func ms(f float64) time.Duration { return time.Duration(f) * time.Millisecond }
