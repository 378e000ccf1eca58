package jmeter

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// sampler makes a step of an HTTP sampler.
func (p *plan) sampler(t *tree, s scope, flow *draft.Node) {
	r := &draft.Request{Line: t.line, Name: t.name()}
	s = p.with(s, t.sub, flow)
	p.pause(t, s, flow)
	method, _ := p.value(t.element, "HTTPSampler.method", &r.Above)
	r.Method = cmp.Or(method, "GET")
	r.Stay = !t.is("HTTPSampler.follow_redirects") && !t.is("HTTPSampler.auto_redirects")
	if s.owner(t, "HTTPSampler.image_parser").is("HTTPSampler.image_parser") {
		p.d.LoseAt(&r.Above, t.line, "what the page embeds (images, styles, scripts)")
	}
	const encoding = "HTTPSampler.contentEncoding"
	if code := strings.TrimSpace(s.owner(t, encoding).prop(encoding)); code != "" && !strings.EqualFold(code, "UTF-8") {
		p.d.LoseAt(&r.Above, t.line, "the encoding %s: brunt sends UTF-8", draft.Clip(code, 20))
	}
	query := p.arguments(t, s, r)
	p.aim(t, s, r)
	if !query.IsZero() {
		r.URL = draft.Join(r.URL, draft.Lit(separatorOf(r.URL)), query)
	}
	p.headers(s, r)
	p.asserts(s, r)
	p.extracts(s, r)
	p.link.add(p, t, s, r)
	if proxy := s.owner(t, "HTTPSampler.proxyHost").prop("HTTPSampler.proxyHost"); proxy != "" {
		p.d.LoseAt(&r.Above, t.line, "the proxy %s; `connections.proxy` of the load takes one", draft.Clip(proxy, 60))
	}
	p.d.Add(flow, p.d.Step(r, flow))
}

// owner returns the element that gives a sampler a property: itself, or the innermost of the defaults.
func (s scope) owner(t *tree, name string) *element {
	for _, e := range s.defaults {
		e.find(name) // the sampler may have its own
	}
	for _, e := range slices.Backward(append(slices.Clip(s.defaults), t)) {
		if strings.TrimSpace(e.prop(name)) != "" {
			return e.element
		}
	}
	return t.element
}

// A link collects what the samplers of a thread group say of timeouts and connections, which a load has once.
type link struct {
	timeout   *draft.Node // the longest; nil: no sampler has one
	long      time.Duration
	differ    bool // the timeouts of the samplers differ
	samplers  int
	unlimited int // samplers without a timeout
	closing   int // samplers that close their connection
}

// add adds a sampler.
func (l *link) add(p *plan, t *tree, s scope, r *draft.Request) {
	const response, connect = "HTTPSampler.response_timeout", "HTTPSampler.connect_timeout"
	timeout, long := p.span(s.owner(t, response), response, "ms", &r.Above)
	if _, dial := p.span(s.owner(t, connect), connect, "ms", &r.Above); dial > 0 {
		p.vars.lost(&r.Above, t.line, "the timeout of connecting, "+quantity.FormatDuration(dial)+
			": the `timeout` of the load holds for it too")
	}
	l.samplers++
	if long == 0 {
		l.unlimited++
	} else {
		l.differ = l.differ || l.long > 0 && l.long != long
		if long > l.long {
			l.timeout, l.long = timeout, long
		}
	}
	const alive = "HTTPSampler.use_keepalive"
	if strings.TrimSpace(s.owner(t, alive).prop(alive)) == "false" {
		l.closing++
	}
}

// set sets the timeout and the connections of a load.
func (l *link) set(p *plan, t *tree, load *draft.Node) {
	name := draft.Clip(t.name(), 60)
	if l.timeout != nil && l.unlimited > 0 && l.long < scenarios.DefaultTimeout {
		l.timeout, l.long = draft.Raw(quantity.FormatDuration(scenarios.DefaultTimeout)), scenarios.DefaultTimeout
	}
	if l.timeout != nil {
		load.Set("timeout", l.timeout)
		if l.differ || l.unlimited > 0 {
			p.d.LoseAt(&load.Above, t.line, "the different timeouts of samplers of %q: a load has one, %s", name,
				quantity.FormatDuration(l.long))
		}
	}
	switch l.closing {
	case 0:
	case l.samplers:
		load.Set("connections", (&draft.Node{}).Set("keep_alive", draft.Raw("off")))
	default:
		p.d.LoseAt(&load.Above, t.line, "the connections of %q that %s of %d close: a load keeps all or none alive", name,
			syntax.Amount(l.closing, "sampler"), l.samplers)
	}
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
		return p.text(s.owner(t, name), name, &r.Above)
	}
	scheme, host, port := part("HTTPSampler.protocol"), part("HTTPSampler.domain"), part("HTTPSampler.port")
	p.vars.encoded = true
	path := part("HTTPSampler.path").Mapped(draft.URLText)
	p.vars.encoded = false
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
func (p *plan) arguments(t *tree, s scope, r *draft.Request) (query draft.Text) {
	var parts []draft.Part
	bare := map[int]bool{} // arguments without the equals sign
	const of, list = "HTTPsampler.Arguments", "Arguments.arguments"
	encoded := !t.is("HTTPSampler.postBodyRaw") && !t.is("HTTPSampler.DO_MULTIPART_POST") &&
		len(t.arguments("HTTPsampler.Files", "HTTPFileArgs.files")) == 0
	all := slices.Clip(t.arguments(of, list))
	for _, def := range slices.Backward(s.defaults) {
		all = append(all, def.arguments(of, list)...)
	}
	for i, a := range all {
		p.vars.encoded = encoded && !a.is("HTTPArgument.always_encode") // which encodes a second time
		bare[i] = a.find("HTTPArgument.use_equals") != nil && !a.is("HTTPArgument.use_equals") && a.prop("Argument.value") == ""
		parts = append(parts, draft.Part{
			Name: strings.TrimSpace(a.prop("Argument.name")), Text: p.vars.expand(a.prop("Argument.value"), a.line, &r.Above),
			File: map[bool]string{true: "encoded"}[a.is("HTTPArgument.always_encode")],
			Kind: strings.TrimSpace(a.prop("HTTPArgument.content_type")),
		})
	}
	p.vars.encoded = false
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
			if draft.IsSecret(a.Name) { // of the defaults
				a.Text = p.d.HideText(t.line, a.Name, "the argument "+draft.Clip(a.Name, 40), a.Text)
			}
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
	if len(s.auth) == 0 {
		return
	}
	whole := r.URL
	if strings.HasPrefix(whole[0].Lit, "/") {
		whole = draft.Join(p.d.Base, whole)
	}
	at, sure := p.vars.known(whole)
	for _, a := range s.auth[len(s.auth)-1].arguments("", "AuthManager.auth_list") {
		prefix, known := p.value(a, "Authorization.url", &r.Above)
		switch {
		case prefix != "" && (!known || !sure):
			p.d.LoseAt(&r.Above, a.line, "the credentials of %s: whether this request is there is not known",
				draft.Clip(draft.WithoutUser(prefix), 60))
		case strings.HasPrefix(withoutPort(at), withoutPort(prefix)):
			user, password := p.text(a, "Authorization.username", &r.Above), p.text(a, "Authorization.password", &r.Above)
			if kind := strings.TrimSpace(a.prop("Authorization.mechanism")); kind != "" && kind != "BASIC" &&
				kind != "BASIC_DIGEST" {
				p.d.LoseAt(&r.Above, a.line, "authentication by %s", draft.Clip(kind, 40))
				return
			}
			what := "the password of " + draft.Clip(user.String(), 40)
			r.User, r.Password = user, p.d.HideText(a.line, "password", what, password)
			return // JMeter takes the first that fits
		}
	}
}

// withoutPort removes the default port from a URL, and adds the path of the root.
func withoutPort(at string) string {
	u, err := url.Parse(at)
	if err != nil || u.Host == "" {
		return at
	}
	return draft.OriginOf(u) + u.RequestURI()
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
