package auth

import (
	"encoding/base64"
	"iter"
	"slices"
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// Auth is the YAML of an auth block: how requests prove their identity. Exactly one of its kinds is given.
type Auth struct {
	syntax.Place
	// a token by the client credentials grant, fetched before the load and renewed during it
	OAuth2 *OAuth2 `yaml:"oauth2"`
	JWT    *JWT    `yaml:"jwt"`    // a token that brunt signs again in each iteration
	Basic  *Basic  `yaml:"basic"`  // a user and a password
	Header string  `yaml:"header"` // header for the credentials; zero is Authorization
	Scheme *string `yaml:"scheme"` // word before the credentials; zero is Bearer, or Basic
}

// Basic is a user with a password (RFC 7617).
type Basic struct {
	syntax.Place
	User     *template.Text `yaml:"user,required"`     // such as ${data.users.name}
	Password *template.Text `yaml:"password,required"` // such as ${env.PASSWORD}
}

// Proofs are the auth and sign blocks of a plan. Each block is compiled once, whatever the number of loads and steps
// that use it.
type Proofs struct {
	auths  map[*syntax.Node]*Prover
	signs  map[*syntax.Node]*Signer
	tokens []*Tokens
}

// Tokens lists the tokens that are fetched before the load begins.
func (p *Proofs) Tokens() []*Tokens { return p.tokens }

// A Prover is a compiled auth block.
type Prover struct {
	header string
	scheme string // with a blank after it; empty: none
	basic  *Basic
	jwt    *jwtSigner
	tokens *Tokens
}

// A Header is a header with credentials or a signature.
type Header struct {
	Name   string
	Value  []byte
	Secret []byte // the part of Value that reports mask; nil: none
}

// A Request is a rendered request to which credentials or a signature are added.
type Request interface {
	Iteration() *template.Iter
	Method() string
	Scheme() string                     // http or https
	Host() []byte                       // the Host header
	Target() []byte                     // path and query
	Header(name string) []byte          // of the headers before credentials; nil: the header is missing
	Has(header string) bool             // the step sets it
	Headers() iter.Seq2[string, []byte] // headers that the step sets, in order
	Proofs() []Header                   // headers that were added so far
	ContentType() string                // of the body if brunt sets it, else empty
	Sends() bool                        // it has a body
	Body() iter.Seq[[]byte]             // piece by piece
	// Digest caches the hash of a body that is the same file in each request. It calls sum if the hash is not known.
	Digest(alg string, sum func() []byte) []byte
}

// IsOff reports whether a block is switched off.
func IsOff(n *syntax.Node) bool {
	return (n.Kind == syntax.Bool || n.Kind == syntax.String) &&
		slices.Contains([]string{"off", "false"}, strings.ToLower(n.Value))
}

// exactlyOne notes a mistake in a block that does not have exactly one of its kinds.
func exactlyOne(p syntax.Place, what string, kinds []string, m *syntax.Mistakes) {
	given := slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return !p.Has(k) })
	if len(given) > 1 {
		m.Add(p.Of(given[1]), "`%s` is one of %s, not both %s and %s", what, strings.Join(kinds, ", "), given[0], given[1])
	} else if len(given) == 0 {
		m.Add(p.At, "`%s` wants one of %s, or off", what, strings.Join(kinds, ", "))
	}
}

// Auth compiles an auth block. It returns nil if there are no credentials. It notes mistakes in m.
func (p *Proofs) Auth(n *syntax.Node, in targets.Scope, m *syntax.Mistakes) *Prover {
	if n == nil || IsOff(n) {
		return nil
	}
	if a, known := p.auths[n]; known {
		return a
	}
	if p.auths == nil {
		p.auths = map[*syntax.Node]*Prover{}
	}
	p.auths[n] = nil
	y, ok := syntax.Resolve(syntax.Block{Kind: "auth", Pos: n.Pos, With: n},
		map[string]func() *Auth{"auth": func() *Auth { return new(Auth) }}, m)
	if !ok {
		return nil
	}
	before := m.Len()
	exactlyOne(y.Place, "auth", []string{"oauth2", "jwt", "basic"}, m)
	a := &Prover{header: "Authorization", scheme: "Bearer "}
	if y.Header != "" {
		if a.header = y.Header; !check.IsToken(y.Header) {
			m.Add(y.Of("header"), "%q is not a header name", y.Header)
		}
	}
	switch {
	case y.Basic != nil:
		a.basic, a.scheme = y.Basic, "Basic "
		if text, static := y.Basic.Password.Static(); static {
			in.AddSecret(text)
			if user, static := y.Basic.User.Static(); static {
				in.AddSecret(base64.StdEncoding.EncodeToString([]byte(user + ":" + text)))
			}
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
		if !targets.IsOneLine(a.scheme) {
			m.Add(y.Of("scheme"), "a scheme is a word")
		}
	}
	if m.Len() > before {
		return nil
	}
	p.auths[n] = a
	return a
}

// Each reports whether the credentials are generated again for each request or iteration.
func (a *Prover) Each() bool { return a.jwt != nil }

// Header returns the name of the header with the credentials.
func (a *Prover) Header() string { return a.header }

// Append appends the header with the credentials of r. It appends nothing before the first token is fetched. Cache
// belongs to the virtual user.
func (a *Prover) Append(dst []Header, r Request, cache *Cache) ([]Header, error) {
	secret, err := a.prove(r.Iteration(), cache)
	if err != nil || secret == nil {
		return dst, err
	}
	return append(dst, Header{a.header, append([]byte(a.scheme), secret...), secret}), nil
}

// prove creates the header's value after its scheme.
func (a *Prover) prove(it *template.Iter, cache *Cache) ([]byte, error) {
	switch {
	case a.jwt != nil:
		return cache.token(a.jwt, it)
	case a.tokens != nil:
		return a.tokens.token(), nil
	}
	user, err := a.basic.User.Append(nil, it)
	if err != nil {
		return nil, err
	}
	if user, err = a.basic.Password.Append(append(user, ':'), it); err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, user), nil
}

// Mask masks the credentials of a request in its sample, because the answer may repeat them.
func Mask(headers []Header, sm *result.Sample) {
	var secrets template.Secrets
	for _, h := range headers {
		if len(h.Secret) > 0 {
			secrets.Add(string(h.Secret))
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
