package auth

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios/syntax"
	"brunt/targets"
)

// AWS is the YAML of AWS Signature Version 4, in the Authorization header.
type AWS struct {
	syntax.Place
	AccessKey    string `yaml:"access_key,required"` // names the key
	SecretKey    string `yaml:"secret_key,required"` // such as ${env.AWS_SECRET_ACCESS_KEY}
	SessionToken string `yaml:"session_token"`       // of temporary credentials
	Region       string `yaml:"region,required"`     // such as eu-central-1
	Service      string `yaml:"service,required"`    // such as s3 or execute-api
}

// awsSigner signs requests by AWS Signature Version 4.
type awsSigner struct {
	y   AWS
	key atomic.Pointer[awsKey] // the key of the current day
}

type awsKey struct {
	day string
	key []byte
}

func (y *AWS) signer(in targets.Scope) *awsSigner {
	in.AddSecret(y.SecretKey)
	in.AddSecret(y.SessionToken)
	return &awsSigner{y: *y}
}

// awsRequest is the part of a request that the signature covers.
type awsRequest struct {
	method, path, query string // as sent
	headers             []Header
	payload             []byte // its SHA-256
	at                  time.Time
}

// unsigned are headers that are not signed, because an intermediary may change them.
var unsigned = []string{
	"authorization", "user-agent", "connection", "expect", "accept-encoding", "transfer-encoding",
	"content-length", "x-amzn-trace-id",
}

// sign signs a request.
func (s *awsSigner) sign(g *message) {
	r := awsRequest{method: g.Method(), payload: g.digest("sha256"), at: g.at}
	r.path, r.query = g.pathAndQuery()
	g.add("X-Amz-Date", []byte(r.date()), nil)
	if s.y.SessionToken != "" {
		g.add("X-Amz-Security-Token", []byte(s.y.SessionToken), []byte(s.y.SessionToken))
	}
	if s.y.Service == "s3" || s.y.Service == "aoss" {
		g.add("X-Amz-Content-Sha256", hex.AppendEncode(nil, r.payload), nil)
	}
	r.headers = append(r.headers, Header{Name: "host", Value: g.Host()})
	if kind := g.ContentType(); kind != "" {
		r.headers = append(r.headers, Header{Name: "content-type", Value: []byte(kind)})
	}
	for name, value := range g.Headers() {
		if !strings.EqualFold(name, "Cookie") { // the cookie jar may add to it
			r.headers = append(r.headers, Header{Name: name, Value: value})
		}
	}
	r.headers = append(r.headers, g.Proofs()...)
	value, signature := s.authorization(&r)
	g.add("Authorization", []byte(value), []byte(signature))
}

func (r *awsRequest) date() string { return r.at.Format("20060102T150405Z") }

// authorization returns the header's value.
func (s *awsSigner) authorization(r *awsRequest) (value, signature string) {
	day := r.at.Format("20060102")
	scope := day + "/" + s.y.Region + "/" + s.y.Service + "/aws4_request"
	canonical, signed := r.canonical(s.y.Service == "s3")
	sum := sha256.Sum256([]byte(canonical))
	toSign := "AWS4-HMAC-SHA256\n" + r.date() + "\n" + scope + "\n" + hex.EncodeToString(sum[:])
	signature = hex.EncodeToString(keyed(s.signingKey(day), toSign))
	return "AWS4-HMAC-SHA256 Credential=" + s.y.AccessKey + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" +
		signature, signature
}

// signingKey derives the key of the day.
func (s *awsSigner) signingKey(day string) []byte {
	if k := s.key.Load(); k != nil && k.day == day {
		return k.key
	}
	key := []byte("AWS4" + s.y.SecretKey)
	for _, part := range []string{day, s.y.Region, s.y.Service, "aws4_request"} {
		key = keyed(key, part)
	}
	s.key.Store(&awsKey{day, key})
	return key
}

func keyed(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical returns the request in canonical form, and the names of the signed headers.
func (r *awsRequest) canonical(s3 bool) (text, signed string) {
	var list []Header
	for _, h := range r.headers {
		if name := strings.ToLower(h.Name); !slices.Contains(unsigned, name) {
			list = append(list, Header{Name: name, Value: bytes.Join(bytes.Fields(h.Value), []byte(" "))})
		}
	}
	slices.SortStableFunc(list, func(a, b Header) int { return cmp.Compare(a.Name, b.Name) })
	var headers strings.Builder
	var names []string
	for i, h := range list {
		if i > 0 && list[i-1].Name == h.Name {
			headers.WriteString("," + string(h.Value))
		} else {
			if i > 0 {
				headers.WriteByte('\n')
			}
			names = append(names, h.Name)
			headers.WriteString(h.Name + ":" + string(h.Value))
		}
	}
	signed = strings.Join(names, ";")
	path := r.path
	if !s3 { // S3 takes the path as sent; the other services encode it once more
		path = awsEncoded(awsPath(path), true)
	}
	return r.method + "\n" + path + "\n" + awsQuery(r.query) + "\n" + headers.String() + "\n\n" + signed + "\n" +
		hex.EncodeToString(r.payload), signed
}

// awsPath removes dot segments (RFC 3986, section 5.2.4) and repeated slashes from a path.
func awsPath(p string) string {
	var out []string
	for part := range strings.SplitSeq(p, "/") {
		switch part {
		case "", ".":
		case "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, part)
		}
	}
	clean := "/" + strings.Join(out, "/")
	if len(out) > 0 && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		clean += "/"
	}
	return clean
}

// awsQuery sorts the parameters and encodes each in canonical form.
func awsQuery(q string) string {
	type pair struct{ key, value string }
	var all []pair
	for p := range strings.SplitSeq(q, "&") {
		if p == "" {
			continue
		}
		key, value, _ := strings.Cut(p, "=")
		all = append(all, pair{awsEncoded(decoded(key), false), awsEncoded(decoded(value), false)})
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.value, b.value)) })
	var out strings.Builder
	for i, p := range all {
		if i > 0 {
			out.WriteByte('&')
		}
		out.WriteString(p.key + "=" + p.value)
	}
	return out.String()
}

func decoded(s string) string {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}

// awsEncoded percent-encodes all bytes but those that RFC 3986 calls unreserved, and slashes
// that separate segments.
func awsEncoded(s string, slashes bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("-._~", c) >= 0 ||
			slashes && c == '/' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}
