package http

import (
	"bytes"
	"net"
	"net/url"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/secret"
	"brunt/targets/http/h1"
)

// sentOf parses a request in the form of HTTP/1.1 for a sample. Tail holds the rest of its body.
func sentOf(req []byte, tail net.Buffers, to string, tls *scenarios.TLS) *result.Sent {
	head, body, _ := bytes.Cut(req, []byte("\r\n\r\n"))
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	method, _, _ := bytes.Cut(line, []byte(" "))
	s := &result.Sent{Method: string(method), URL: to, Trust: tls != nil && tls.InsecureSkipVerify}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if name, value, _ := bytes.Cut(line, []byte(": ")); string(name) != "Host" || !goesTo(to, string(value)) {
			s.Headers = append(s.Headers, string(line))
		}
	}
	var all bytes.Buffer
	for _, piece := range append(net.Buffers{body}, tail...) {
		n := min(len(piece), result.LongestSent-all.Len())
		all.Write(piece[:n])
		s.Cut += int64(len(piece) - n)
	}
	s.Body = all.String()
	return s
}

// goesTo reports whether the host of a URL equals host.
func goesTo(to, host string) bool {
	u, err := url.Parse(to)
	return err == nil && u.Host == host
}

// Limits on the secrets that one answer makes known, so that it does not displace secrets of others.
const (
	learnedBody   = 64 << 10 // bytes that are searched for values with a secret name
	learnedValues = 16       // values
)

// learn makes values in the answer secret that have a secret name. The sampler does the same with the values in the
// request.
func (t *exchange) learn() {
	if t.ans == nil {
		return
	}
	var some []string
	for _, v := range t.said() {
		if len(some) < learnedValues && secret.IsLong(v) && !slices.Contains(some, v) {
			some = append(some, v)
		}
	}
	t.it.Learn(some...)
}

// said returns the values in the answer that have a secret name, and cookies that look like tokens. The body is
// searched only if the request failed, because no other sample shows it.
func (t *exchange) said() (values []string) {
	for name, value := range t.ans.Head().All() {
		switch {
		case strings.EqualFold(string(name), "Set-Cookie"):
		case secret.IsName(string(name)):
			values = append(values, secret.Of(string(value))...)
		default:
			values = append(values, secret.Values(string(value))...)
		}
	}
	for _, c := range t.ans.Cookies() {
		if secret.IsName(c.Name) || secret.IsToken(c.Value) {
			values = append(values, c.Value)
		}
	}
	if t.out.Kind == scenarios.Error {
		body := t.ans.Body()
		values = append(values, secret.Values(string(body[:min(len(body), learnedBody)]))...)
	}
	return values
}

// sampledHeaders are the headers of an answer that a sample shows.
var sampledHeaders = []string{"Content-Type", "Retry-After", "Location", "Traceparent"}

// SampleHeaders picks the headers of an answer that a sample shows.
func SampleHeaders(a *h1.Answer) map[string]string {
	out := map[string]string{}
	for _, name := range sampledHeaders {
		if v := a.Header(name); len(v) > 0 {
			out[name] = string(v[0])
		}
	}
	return out
}
