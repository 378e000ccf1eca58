package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"maps"
	"slices"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// HMAC is the YAML of a keyed hash (RFC 2104) over parts of the request, in a header.
type HMAC struct {
	syntax.Place
	// secret shared with the target: a text, {file: PATH} or {base64: TEXT}
	Key *keySource `yaml:"key,required"`
	Alg string     `yaml:"alg,oneof=sha1|sha256|sha384|sha512"` // hash function; zero is sha256
	// the text that is signed, such as "${request.method}\n${request.path}\n${request.body.sha256}"
	Over     *template.Text   `yaml:"over,required"`
	Header   string           `yaml:"header"`                    // header that carries the signature; zero is X-Signature
	Value    *template.Header `yaml:"value"`                     // of that header; zero is ${request.signature}
	Encoding string           `yaml:"encoding,oneof=hex|base64"` // of the signature; zero is hex
	// further headers of the request, such as {X-Date: "${request.date}"}; the signed text may contain them
	Headers map[string]template.Header `yaml:"headers"`
}

// hmacSigner signs requests by an HMAC.
type hmacSigner struct {
	key     []byte
	hash    func() hash.Hash
	over    *template.Text
	header  string
	value   *template.Header // nil: only the signature
	base64  bool
	headers []signedHeader
}

// A signedHeader is a header that is sent together with the signature.
type signedHeader struct {
	name string
	template.Template
}

var hashes = map[string]func() hash.Hash{
	"sha1": sha1.New, "": sha256.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// signer checks the settings and creates the signer.
func (y *HMAC) signer(in targets.Scope, m *syntax.Mistakes) *hmacSigner {
	s := &hmacSigner{
		key: y.Key.read(in, m), hash: hashes[y.Alg], over: y.Over, header: "X-Signature", value: y.Value,
		base64: y.Encoding == "base64",
	}
	if y.Header != "" {
		s.header = y.Header
	}
	if !check.IsToken(s.header) {
		m.Add(y.Of("header"), "%q is not a header name", s.header)
	}
	early := func(t *template.Template, what string) {
		for _, r := range t.Refs() {
			if r.Kind == syntax.RefRequest && r.Name == "signature" {
				m.Add(t.At, "the signature can't stand in %s", what)
			}
		}
	}
	early(&y.Over.Template, "the signed text")
	for _, name := range slices.Sorted(maps.Keys(y.Headers)) {
		h := y.Headers[name]
		if !check.IsToken(name) {
			m.Add(h.At, "%q is not a header name", name)
		}
		early(&h.Template, "a header that is sent along; `value` says how it is sent")
		s.headers = append(s.headers, signedHeader{name, h.Template})
	}
	if y.Value != nil && !slices.ContainsFunc(y.Value.Refs(),
		func(r *syntax.Ref) bool { return r.Kind == syntax.RefRequest && r.Name == "signature" }) {
		m.AddHint(y.Of("value"), `such as "HMAC ${request.signature}"`, "the value of header %s lacks the signature",
			s.header)
	}
	return s
}

// sign signs the request. The iteration refers to the request only during the call.
func (s *hmacSigner) sign(g *message) error {
	it := g.Iteration()
	it.Request = g
	defer func() { it.Request = nil }()
	for i := range s.headers {
		if g.Has(s.headers[i].name) { // the step's own header wins
			continue
		}
		value, err := s.headers[i].Append(nil, it)
		if err != nil {
			return err
		}
		g.add(s.headers[i].name, value, nil)
	}
	over, err := s.over.Append(nil, it)
	if err != nil {
		return err
	}
	mac := hmac.New(s.hash, s.key)
	mac.Write(over)
	sum := mac.Sum(nil)
	if s.base64 {
		g.signature = base64.StdEncoding.AppendEncode(nil, sum)
	} else {
		g.signature = hex.AppendEncode(nil, sum)
	}
	value := g.signature
	if s.value != nil {
		if value, err = s.value.Append(nil, it); err != nil {
			return err
		}
	}
	g.add(s.header, value, g.signature)
	return nil
}
