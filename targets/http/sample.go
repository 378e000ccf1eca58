package http

import (
	"bytes"
	"net"
	"net/url"

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

// learnedBody is how much of an answer is searched for values that are secret by name, in bytes.
const learnedBody = 64 << 10

// learn makes the values secret that are so by their names in a request and its answer.
func (t *exchange) learn(sent *result.Sent) {
	t.it.Learn(sent.Secrets()...)
	if t.ans == nil {
		return
	}
	for name, value := range t.ans.Head().All() {
		if secret.IsName(string(name)) {
			t.it.Learn(secret.Of(string(value))...)
		} else {
			t.it.Learn(secret.Values(string(value))...)
		}
	}
	for _, c := range t.ans.Cookies() {
		t.it.Learn(c.Value)
	}
	body := t.ans.Body()
	t.it.Learn(secret.Values(string(body[:min(len(body), learnedBody)]))...)
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
