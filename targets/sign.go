package targets

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
)

// Sign is the YAML of how requests are signed. Exactly one of its kinds is given.
type Sign struct {
	syntax.Place
	HMAC *HMAC `yaml:"hmac"` // a keyed hash over what the author says
	AWS  *AWS  `yaml:"aws"`  // AWS Signature Version 4
}

// sign is a way to sign requests, ready for use.
type sign struct {
	hmac *hmacSigner
	aws  *awsSigner
}

// header is the one that carries the signature.
func (s *sign) header() string {
	if s.aws != nil {
		return "Authorization"
	}
	return s.hmac.header
}

// Sign readies a sign block. What is wrong with it is noted in m.
func (p *Proofs) Sign(n *syntax.Node, in Scope, m *syntax.Mistakes) { p.sign(n, in, m) }

func (p *Proofs) sign(n *syntax.Node, in Scope, m *syntax.Mistakes) *sign {
	if n == nil || isOff(n) {
		return nil
	}
	if s, known := p.signs[n]; known {
		return s
	}
	if p.signs == nil {
		p.signs = map[*syntax.Node]*sign{}
	}
	p.signs[n] = nil
	y, ok := syntax.Resolve(syntax.Block{Kind: "sign", Pos: n.Pos, With: n}, map[string]func() *Sign{"sign": func() *Sign { return new(Sign) }}, m)
	if !ok {
		return nil
	}
	before := m.Len()
	exactlyOne(y.Place, "sign", []string{"hmac", "aws"}, m)
	s := new(sign)
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

// prove signs the request.
func (s *sign) prove(t *trip) error {
	msg := &message{trip: t, at: time.Now().UTC()}
	if s.aws != nil {
		s.aws.sign(msg)
		return nil
	}
	return s.hmac.sign(msg)
}

// message is a request as a signature sees it.
type message struct {
	*trip
	at        time.Time
	nonce     string
	signature []byte
}

// add sends a header along.
func (g *message) add(name string, value, secret []byte) {
	g.filling.proof = append(g.filling.proof, field{name, value, secret})
}

// host is the Host header as it is sent.
func (g *message) host() []byte {
	if g.call.host != nil {
		return g.filling.host
	}
	return []byte(g.wire.origin.host)
}

// pathAndQuery divides what is asked for at its first question mark.
func (g *message) pathAndQuery() (path, query string) {
	path, query, _ = strings.Cut(string(g.wire.target), "?")
	return path, query
}

// header gives a header's value as it is sent.
func (g *message) header(name string) []byte {
	for i := range g.call.headers {
		if strings.EqualFold(g.call.headers[i].name, name) {
			return g.filling.value(i)
		}
	}
	for _, p := range g.filling.proof {
		if strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	switch {
	case strings.EqualFold(name, "Host"):
		return g.host()
	case strings.EqualFold(name, "Content-Type") && !g.wire.bare:
		return []byte(g.call.bodyType)
	case strings.EqualFold(name, "Content-Length") && g.call.sends() && !g.wire.bare:
		return strconv.AppendInt(nil, int64(g.filling.length(g.call)), 10)
	}
	return nil
}

// digest hashes the body. That of a body which is one file is kept.
func (g *message) digest(alg string) []byte {
	c := g.call
	oneFile := len(c.segments) == 1 && c.segments[0].template == nil && !g.wire.bare
	if oneFile {
		if sum, ok := c.digests.Load(alg); ok {
			return sum.([]byte)
		}
	}
	h := map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "md5": md5.New}[alg]()
	if !g.wire.bare {
		for piece := range g.filling.pieces(c) {
			h.Write(piece)
		}
	}
	sum := h.Sum(nil)
	if oneFile {
		c.digests.Store(alg, sum)
	}
	return sum
}

// AppendPart implements [template.Message].
func (g *message) AppendPart(dst []byte, part string) []byte {
	path, query := g.pathAndQuery()
	switch part {
	case "method":
		return append(dst, g.wire.method...)
	case "path":
		return append(dst, path...)
	case "query":
		return append(dst, query...)
	case "target":
		return append(dst, g.wire.target...)
	case "host":
		return append(dst, g.host()...)
	case "url":
		return append(append(append(append(dst, g.wire.origin.url.Scheme...), "://"...), g.host()...), g.wire.target...)
	case "body":
		if !g.wire.bare {
			for piece := range g.filling.pieces(g.call) {
				dst = append(dst, piece...)
			}
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
			g.nonce = nonce(g.it)
		}
		return append(dst, g.nonce...)
	case "signature":
		return append(dst, g.signature...)
	}
	if name, ok := strings.CutPrefix(part, "header."); ok {
		return append(dst, g.header(name)...)
	}
	alg := strings.TrimPrefix(part, "body.")
	if alg, ok := strings.CutSuffix(alg, "_base64"); ok {
		return base64.StdEncoding.AppendEncode(dst, g.digest(alg))
	}
	return hex.AppendEncode(dst, g.digest(alg))
}
