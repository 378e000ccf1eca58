package http

import (
	"iter"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/auth"
)

// compileProofs compiles the credentials and the signature of a step's requests.
func (c *Call) compileProofs(s *requestStep, in targets.Scope, m *syntax.Mistakes) {
	p := targets.Share[auth.Proofs](in.Shared)
	auth, sign := in.Auth, in.Sign
	if s.Auth != nil {
		auth = s.Auth
	}
	if s.Sign != nil {
		sign = s.Sign
	}
	c.auth, c.sign = p.Auth(auth, in, m), p.Sign(sign, in, m)
	c.dropOverwritten()
	if c.auth != nil && c.sign != nil && strings.EqualFold(c.auth.Header(), c.sign.Header()) {
		m.Add(s.At, "auth and sign both send the header %s", c.auth.Header())
	}
}

// dropOverwritten drops the credentials if the step sets their header itself.
func (c *Call) dropOverwritten() {
	if c.auth != nil && c.has(c.auth.Header()) {
		c.auth = nil
	}
	if c.sign != nil && c.has(c.sign.Header()) {
		c.sign = nil
	}
}

// makesProofs reports whether each request or each iteration is signed.
func (c *Call) makesProofs() bool { return c.sign != nil || c.auth != nil && c.auth.Each() }

// prove adds the headers with the credentials. Only the origin that the scenario names receives them. An origin that
// is reached by a redirect or from an answer does not.
func (t *exchange) prove() (err error) {
	c, f := t.call, &t.rendered
	f.proof = f.proof[:0]
	if c.auth == nil && c.sign == nil || t.wire.away || c.foreign && t.wire.origin != t.client.base {
		return nil
	}
	if c.auth != nil {
		if f.proof, err = c.auth.Append(f.proof, (*provable)(t), &t.tokens); err != nil {
			return err
		}
	}
	if c.sign != nil {
		return c.sign.Append(&f.proof, (*provable)(t))
	}
	return nil
}

// provable is a request in the form that package auth needs. It implements [auth.Request].
type provable exchange

func (p *provable) Iteration() *template.Iter { return p.it }

func (p *provable) Method() string { return p.wire.method }

func (p *provable) Scheme() string { return p.wire.origin.url.Scheme }

func (p *provable) Host() []byte {
	if p.call.host != nil {
		return p.rendered.host
	}
	return []byte(p.wire.origin.host)
}

func (p *provable) Target() []byte { return p.wire.target }

func (p *provable) Header(name string) []byte {
	for i := range p.call.headers {
		if strings.EqualFold(p.call.headers[i].name, name) {
			return p.rendered.value(i)
		}
	}
	for _, h := range p.rendered.proof {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	switch {
	case strings.EqualFold(name, "Host"):
		return p.Host()
	case strings.EqualFold(name, "Content-Type") && !p.wire.bare:
		return []byte(p.call.bodyType)
	case strings.EqualFold(name, "Content-Length") && p.Sends():
		return strconv.AppendInt(nil, int64(p.rendered.length(p.call)), 10)
	}
	return nil
}

func (p *provable) Has(header string) bool { return p.call.has(header) }

func (p *provable) Headers() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for i, h := range p.call.headers {
			if p.wire.bare && strings.EqualFold(h.name, "Content-Type") {
				continue
			}
			if !yield(h.name, p.rendered.value(i)) {
				return
			}
		}
	}
}

func (p *provable) Proofs() []auth.Header { return p.rendered.proof }

func (p *provable) ContentType() string {
	if p.call.has("Content-Type") || !p.Sends() {
		return ""
	}
	return p.call.bodyType
}

func (p *provable) Sends() bool { return p.call.sends() && !p.wire.bare }

func (p *provable) Body() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if !p.wire.bare {
			p.rendered.pieces(p.call)(yield)
		}
	}
}

func (p *provable) Digest(alg string, sum func() []byte) []byte {
	c := p.call
	if !c.oneFile() || p.wire.bare {
		return sum()
	}
	if known, ok := c.digests.Load(alg); ok {
		return known.([]byte)
	}
	s := sum()
	c.digests.Store(alg, s)
	return s
}
