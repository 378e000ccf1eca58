package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ohler55/ojg/oj"
)

// JWT is the YAML of a token that brunt signs itself (RFC 7519), once in each iteration. The claims iat, exp and jti
// are set unless the author sets them.
type JWT struct {
	syntax.Place
	// signing algorithm
	Alg string `yaml:"alg,required,oneof=HS256|HS384|HS512|RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA"`
	// the secret, or the private key in PEM: a text, {file: PATH} or {base64: TEXT}
	Key *keySource `yaml:"key,required"`
	// claims by name; a placeholder that is a whole value keeps its type
	Claims map[string]*template.JSON `yaml:"claims"`
	// how long it is valid; zero is 5m
	Expires quantity.Duration `yaml:"expires,positive"`
	// name of the key, in the token's header
	Kid string `yaml:"kid"`
	// further fields of the token's header, such as typ
	Header map[string]string `yaml:"header"`
}

const defaultExpires = 5 * time.Minute

// jwtSigner signs tokens.
type jwtSigner struct {
	method jwt.SigningMethod
	key    any
	head   string // the token's header, encoded, with its dot
	claims *template.Template
	has    map[string]bool // claims that the author set
	life   time.Duration
}

// signedToken is the token of an iteration.
type signedToken struct {
	of     *jwtSigner
	n      int64  // number of the iteration
	values []byte // values of the data and variables in it
	until  time.Time
	text   []byte
}

// signer checks the settings and creates the signer.
func (y *JWT) signer(in targets.Scope, m *syntax.Mistakes) *jwtSigner {
	s := &jwtSigner{
		method: jwt.GetSigningMethod(y.Alg), life: y.Expires.D(), has: map[string]bool{}, claims: new(template.Template),
	}
	if s.life == 0 {
		s.life = defaultExpires
	}
	if key := y.Key.read(in, m); key != nil && s.method != nil {
		var err error
		if s.key, err = privateKey(y.Alg, key); err == nil {
			_, err = s.method.Sign("", s.key)
		}
		if err != nil {
			m.Add(y.Of("key"), "the key is not a key for %s: %v", y.Alg, err)
		}
	}
	head := map[string]string{"typ": "JWT", "alg": y.Alg}
	for name, value := range y.Header {
		if name == "alg" {
			m.Add(y.Of("header"), "the header can't set alg; the key `alg` beside it does")
			continue
		}
		head[name] = value
	}
	if y.Kid != "" {
		head["kid"] = y.Kid
	}
	s.head = base64.RawURLEncoding.EncodeToString([]byte(oj.JSON(head, &oj.Options{Sort: true}))) + "."
	sep := "{"
	for _, name := range slices.Sorted(maps.Keys(y.Claims)) {
		s.has[name] = true
		s.claims.Join(sep+oj.JSON(name)+":", &y.Claims[name].Template)
		sep = ","
	}
	return s
}

// privateKey reads a key for alg. Its errors contain no part of the key.
func privateKey(alg string, key []byte) (any, error) {
	switch alg[:2] {
	case "HS":
		return bytes.TrimRight(key, "\r\n"), nil
	case "ES":
		return jwt.ParseECPrivateKeyFromPEM(key)
	case "Ed":
		return jwt.ParseEdPrivateKeyFromPEM(key)
	}
	return jwt.ParseRSAPrivateKeyFromPEM(key)
}

// A Cache holds the signed tokens of one virtual user: one for each signer, for the current iteration.
type Cache struct{ tokens []*signedToken }

// token returns the token of the iteration, which is signed at its first use. It is signed again if a variable in it
// has changed or half of its lifetime is over.
func (c *Cache) token(s *jwtSigner, it *template.Iter) ([]byte, error) {
	values, err := s.claims.AppendValues(nil, it)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	i := slices.IndexFunc(c.tokens, func(k *signedToken) bool { return k.of == s })
	if i < 0 {
		i = len(c.tokens)
		c.tokens = append(c.tokens, &signedToken{of: s})
	}
	k := c.tokens[i]
	if k.text != nil && k.n == it.N && bytes.Equal(k.values, values) && now.Before(k.until) {
		return k.text, nil
	}
	text, err := s.sign(it, now)
	if err != nil {
		return nil, err
	}
	k.n, k.values, k.until, k.text = it.N, values, now.Add(s.life/2), text
	return text, nil
}

// sign creates a token for it.
func (s *jwtSigner) sign(it *template.Iter, now time.Time) ([]byte, error) {
	claims, err := s.claims.Append(nil, it)
	if err != nil {
		return nil, err
	}
	if len(claims) == 0 {
		claims = append(claims, '{')
	} else {
		claims = append(claims, ',')
	}
	for _, c := range []struct {
		name  string
		value func([]byte) []byte
	}{
		{"iat", func(b []byte) []byte { return strconv.AppendInt(b, now.Unix(), 10) }},
		{"exp", func(b []byte) []byte { return strconv.AppendInt(b, now.Add(s.life).Unix(), 10) }},
		{"jti", func(b []byte) []byte { return append(append(append(b, '"'), nonce(it)...), '"') }},
	} {
		if !s.has[c.name] {
			claims = append(c.value(append(claims, `"`+c.name+`":`...)), ',')
		}
	}
	claims[len(claims)-1] = '}'
	var b strings.Builder
	b.WriteString(s.head)
	b.WriteString(base64.RawURLEncoding.EncodeToString(claims))
	signature, err := s.method.Sign(b.String(), s.key)
	if err != nil {
		return nil, fmt.Errorf("signing the token: %w", err)
	}
	return base64.RawURLEncoding.AppendEncode([]byte(b.String()+"."), signature), nil
}

// nonce draws 128 bits that are unique to the request, even across runs.
func nonce(it *template.Iter) string {
	a, b := it.Rand.Uint64(), it.Rand.Uint64()
	if it.Env != nil {
		a, b = a^it.Env.Salt[0], b^it.Env.Salt[1]
	}
	var raw [16]byte
	for i := range 8 {
		raw[i], raw[8+i] = byte(a>>(8*i)), byte(b>>(8*i))
	}
	return hex.EncodeToString(raw[:])
}
