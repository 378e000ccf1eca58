package targets

import (
	"encoding/base64"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Auth is the YAML of how requests prove who sends them. Exactly one of its kinds is
// given.
type Auth struct {
	syntax.Place
	OAuth2 *OAuth2 `yaml:"oauth2"` // a token by the client credentials grant, fetched before the load and kept fresh beside it
	JWT    *JWT    `yaml:"jwt"`    // a token that brunt signs anew in each iteration
	Basic  *Basic  `yaml:"basic"`  // a user and a password
	Header string  `yaml:"header"` // the header that carries it; zero is Authorization
	Scheme *string `yaml:"scheme"` // the word before it; zero is Bearer, or Basic
}

// Basic is a user with a password (RFC 7617).
type Basic struct {
	syntax.Place
	User     *template.TextTemplate `yaml:"user,required"`     // such as ${data.users.name}
	Password *template.TextTemplate `yaml:"password,required"` // such as ${env.PASSWORD}
}

// Proofs are what the steps of a plan share of their auth and sign blocks: each is
// readied once, however many loads and steps it stands for.
type Proofs struct {
	auths  map[*syntax.Node]*auth
	signs  map[*syntax.Node]*sign
	tokens []*Tokens
}

// Tokens lists those that are fetched before the load begins.
func (p *Proofs) Tokens() []*Tokens { return p.tokens }

// auth is a way to prove who sends a request, ready for use.
type auth struct {
	header string
	scheme string // with its blank; empty is none
	basic  *Basic
	jwt    *jwtSigner
	tokens *Tokens
}

// field is a header as it is sent.
type field struct {
	name   string
	value  []byte
	secret []byte // the part of value that no report shows; nil is none
}

// isOff tells that a block says "off".
func isOff(n *syntax.Node) bool {
	return (n.Kind == syntax.Bool || n.Kind == syntax.String) && slices.Contains([]string{"off", "false"}, strings.ToLower(n.Value))
}

// exactlyOne notes a block that has not exactly one of its kinds.
func exactlyOne(p syntax.Place, what string, kinds []string, m *syntax.Mistakes) {
	given := slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return !p.Has(k) })
	if len(given) > 1 {
		m.Add(p.Of(given[1]), "`%s` is one of %s, not both %s and %s", what, strings.Join(kinds, ", "), given[0], given[1])
	} else if len(given) == 0 {
		m.Add(p.At, "`%s` wants one of %s, or off", what, strings.Join(kinds, ", "))
	}
}

// Auth readies an auth block. What is wrong with it is noted in m.
func (p *Proofs) Auth(n *syntax.Node, in Scope, m *syntax.Mistakes) { p.auth(n, in, m) }

func (p *Proofs) auth(n *syntax.Node, in Scope, m *syntax.Mistakes) *auth {
	if n == nil || isOff(n) {
		return nil
	}
	if a, known := p.auths[n]; known {
		return a
	}
	if p.auths == nil {
		p.auths = map[*syntax.Node]*auth{}
	}
	p.auths[n] = nil
	y, ok := syntax.Resolve(syntax.Block{Kind: "auth", Pos: n.Pos, With: n}, map[string]func() *Auth{"auth": func() *Auth { return new(Auth) }}, m)
	if !ok {
		return nil
	}
	before := m.Len()
	exactlyOne(y.Place, "auth", []string{"oauth2", "jwt", "basic"}, m)
	a := &auth{header: "Authorization", scheme: "Bearer "}
	if y.Header != "" {
		if a.header = y.Header; !scenarios.IsToken(y.Header) {
			m.Add(y.Of("header"), "%q is no name of a header", y.Header)
		}
	}
	switch {
	case y.Basic != nil:
		a.basic, a.scheme = y.Basic, "Basic "
		if text, static := y.Basic.Password.Static(); static {
			in.secret(text)
		}
	case y.JWT != nil:
		a.jwt = y.JWT.signer(in, m)
	case y.OAuth2 != nil:
		if a.tokens = y.OAuth2.tokens(in, m); a.tokens != nil {
			p.tokens = append(p.tokens, a.tokens)
		}
	}
	if y.Scheme != nil {
		if a.scheme = ""; *y.Scheme != "" {
			a.scheme = *y.Scheme + " "
		}
		if !isOneLine(a.scheme) {
			m.Add(y.Of("scheme"), "a scheme is a word")
		}
	}
	if m.Len() > before {
		return nil
	}
	p.auths[n] = a
	return a
}

// literalSecret is the least length of a secret that its author wrote into the file,
// for it to be masked: to mask a short word would hide half of the report.
const literalSecret = 8

// secret notes what is shown nowhere.
func (s Scope) secret(value string) {
	if s.Secret != nil && len(value) >= literalSecret {
		s.Secret(value)
	}
}

// compileProofs readies how a step's requests prove who sends them, and are signed.
func (c *httpCall) compileProofs(s *HTTPStep, in Scope, m *syntax.Mistakes) {
	p := in.Proofs
	if p == nil {
		p = new(Proofs)
	}
	auth, sign := in.Auth, in.Sign
	if s.Auth != nil {
		auth = s.Auth
	}
	if s.Sign != nil {
		sign = s.Sign
	}
	c.auth, c.sign = p.auth(auth, in, m), p.sign(sign, in, m)
	if c.auth != nil && c.has(c.auth.header) { // what the author writes beats what brunt would set
		c.auth = nil
	}
	if c.sign != nil && c.has(c.sign.header()) {
		c.sign = nil
	}
	if c.auth != nil && c.sign != nil && strings.EqualFold(c.auth.header, c.sign.header()) {
		m.Add(s.At, "auth and sign both send the header %s", c.auth.header)
	}
}

// makesProofs tells whether each request, or each iteration, has something signed.
func (c *httpCall) makesProofs() bool { return c.sign != nil || c.auth != nil && c.auth.jwt != nil }

// prove makes the headers that prove who sends the request. They are for the origin
// that the author wrote: not for another that a redirect, or an answer, led to.
func (t *trip) prove() (err error) {
	c, f := t.call, &t.filling
	f.proof = f.proof[:0]
	if c.auth == nil && c.sign == nil || t.wire.away || c.foreign && t.wire.origin != t.client.base {
		return nil
	}
	if c.auth != nil {
		secret, err := c.auth.prove(t)
		if err != nil {
			return err
		}
		if secret != nil {
			f.proof = append(f.proof, field{c.auth.header, append([]byte(c.auth.scheme), secret...), secret})
		}
	}
	if c.sign != nil {
		return c.sign.prove(t)
	}
	return nil
}

// prove gives what the header carries, behind its scheme.
func (a *auth) prove(t *trip) ([]byte, error) {
	switch {
	case a.jwt != nil:
		return t.jwt(a.jwt)
	case a.tokens != nil:
		return a.tokens.token(), nil
	}
	user, err := a.basic.User.Append(nil, t.it)
	if err != nil {
		return nil, err
	}
	if user, err = a.basic.Password.Append(append(user, ':'), t.it); err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, user), nil
}

// conceal masks in a sample what proved who sent the request: a target may well say it
// back.
func (t *trip) conceal(sm *result.Sample) {
	var secrets template.Secrets
	for _, p := range t.filling.proof {
		if len(p.secret) > 0 {
			secrets.Add(string(p.secret))
		}
	}
	sm.Request, sm.Message, sm.Body = secrets.Mask(sm.Request), secrets.Mask(sm.Message), secrets.Mask(sm.Body)
	for name, value := range sm.Headers {
		sm.Headers[name] = secrets.Mask(value)
	}
	if s := sm.Sent; s != nil {
		s.URL, s.Body = secrets.Mask(s.URL), secrets.Mask(s.Body)
		for i, h := range s.Headers {
			s.Headers[i] = secrets.Mask(h)
		}
	}
}
