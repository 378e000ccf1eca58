package auth

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/syntax"
	"brunt/targets"
)

// Sign is the YAML of how requests are signed. Exactly one of its kinds is given.
type Sign struct {
	syntax.Place
	HMAC *HMAC `yaml:"hmac"` // a keyed hash over parts of the request
	AWS  *AWS  `yaml:"aws"`  // AWS Signature Version 4
}

// A Signer is a compiled sign block.
type Signer struct {
	hmac *hmacSigner
	aws  *awsSigner
}

// Header returns the name of the header with the signature.
func (s *Signer) Header() string {
	if s.aws != nil {
		return "Authorization"
	}
	return s.hmac.header
}

// Sign compiles a sign block. It returns nil if there is no signature. It notes mistakes in m.
func (p *Proofs) Sign(n *syntax.Node, in targets.Scope, m *syntax.Mistakes) *Signer {
	if n == nil || IsOff(n) {
		return nil
	}
	if s, known := p.signs[n]; known {
		return s
	}
	if p.signs == nil {
		p.signs = map[*syntax.Node]*Signer{}
	}
	p.signs[n] = nil
	y, ok := syntax.Resolve(syntax.Block{Kind: "sign", Pos: n.Pos, With: n},
		map[string]func() *Sign{"sign": func() *Sign { return new(Sign) }}, m)
	if !ok {
		return nil
	}
	before := m.Len()
	exactlyOne(y.Place, "sign", []string{"hmac", "aws"}, m)
	s := new(Signer)
	switch {
	case y.HMAC != nil:
		s.hmac = y.HMAC.signer(in, m)
	case y.AWS != nil:
		s.aws = y.AWS.signer(in)
	}
	if m.Len() > before {
		return nil
	}
	p.signs[n] = s
	return s
}

// Append signs r. It appends the headers of the signature to dst, which is the list that r.Proofs returns.
func (s *Signer) Append(dst *[]Header, r Request) error {
	msg := &message{Request: r, dst: dst, at: time.Now().UTC()}
	if s.aws != nil {
		s.aws.sign(msg)
		return nil
	}
	return s.hmac.sign(msg)
}

// A message is a request that is being signed.
type message struct {
	Request
	dst       *[]Header
	at        time.Time
	nonce     string
	signature []byte
}

// add adds a header to the request.
func (g *message) add(name string, value, secret []byte) {
	*g.dst = append(*g.dst, Header{name, value, secret})
}

// pathAndQuery splits the target at its first question mark.
func (g *message) pathAndQuery() (path, query string) {
	path, query, _ = strings.Cut(string(g.Target()), "?")
	return path, query
}

// digest returns the hash of the body.
func (g *message) digest(alg string) []byte {
	return g.Digest(alg, func() []byte {
		h := map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "md5": md5.New}[alg]()
		for piece := range g.Body() {
			h.Write(piece)
		}
		return h.Sum(nil)
	})
}

func (g *message) AppendPart(dst []byte, part string) []byte {
	path, query := g.pathAndQuery()
	switch part {
	case "method":
		return append(dst, g.Method()...)
	case "path":
		return append(dst, path...)
	case "query":
		return append(dst, query...)
	case "target":
		return append(dst, g.Target()...)
	case "host":
		return append(dst, g.Host()...)
	case "url":
		return append(append(append(append(dst, g.Scheme()...), "://"...), g.Host()...), g.Target()...)
	case "body":
		for piece := range g.Body() {
			dst = append(dst, piece...)
		}
		return dst
	case "date": // RFC 9110, section 5.6.7
		return g.at.AppendFormat(dst, "Mon, 02 Jan 2006 15:04:05 GMT")
	case "iso_date":
		return g.at.AppendFormat(dst, "2006-01-02T15:04:05Z")
	case "unix":
		return strconv.AppendInt(dst, g.at.Unix(), 10)
	case "ms":
		return strconv.AppendInt(dst, g.at.UnixMilli(), 10)
	case "nonce":
		if g.nonce == "" {
			g.nonce = nonce(g.Iteration())
		}
		return append(dst, g.nonce...)
	case "signature":
		return append(dst, g.signature...)
	}
	if name, ok := strings.CutPrefix(part, "header."); ok {
		return append(dst, g.Header(name)...)
	}
	alg := strings.TrimPrefix(part, "body.")
	if alg, ok := strings.CutSuffix(alg, "_base64"); ok {
		return base64.StdEncoding.AppendEncode(dst, g.digest(alg))
	}
	return hex.AppendEncode(dst, g.digest(alg))
}
