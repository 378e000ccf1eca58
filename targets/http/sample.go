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

// sentOf parses a request in the form of HTTP/1.1, for a sample. Tail holds the rest of its
// body.
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

// Bounds of what one answer makes known, so that it does not displace what others made known.
const (
	learnedBody   = 64 << 10 // bytes that are searched for values that are secret by name
	learnedValues = 16       // values
)

// learn makes the values secret that are so by their names in the answer. The sampler does so with those of the
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

// said returns the values of the answer that are secret by their names, and cookies that look like
// tokens. The body is searched only if the request failed, because no other sample shows it.
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
