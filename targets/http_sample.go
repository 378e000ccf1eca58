package targets

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// sentOf reads a request that is written as HTTP/1.1 writes it, for a sample. What of
// its body follows it is in tail.
func sentOf(req []byte, tail net.Buffers, to string, tls *scenarios.TLS) *result.Sent {
	head, body, _ := bytes.Cut(req, []byte("\r\n\r\n"))
	line, rest, _ := bytes.Cut(head, crlf)
	method, _, _ := bytes.Cut(line, []byte(" "))
	s := &result.Sent{Method: string(method), URL: to, Trust: tls != nil && tls.InsecureSkipVerify}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, crlf)
		if name, value, _ := bytes.Cut(line, colon); string(name) != "Host" || !goesTo(to, string(value)) {
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

// goesTo tells whether a URL names the host by itself.
func goesTo(to, host string) bool {
	u, err := url.Parse(to)
	return err == nil && u.Host == host
}

// sentByVegeta is a request of vegeta's, for a sample.
func sentByVegeta(req *http.Request, tls *scenarios.TLS) *result.Sent {
	s := &result.Sent{Method: req.Method, URL: req.URL.String(), Trust: tls != nil && tls.InsecureSkipVerify}
	if req.Host != "" && req.Host != req.URL.Host {
		s.Headers = append(s.Headers, "Host: "+req.Host)
	}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		if strings.HasPrefix(name, "X-Vegeta-") { // vegeta's own marks
			continue
		}
		for _, v := range req.Header[name] {
			s.Headers = append(s.Headers, name+": "+v)
		}
	}
	if len(req.Header["User-Agent"]) == 0 { // net/http writes its own then
		s.Headers = append(s.Headers, "User-Agent: Go-http-client/1.1")
	}
	if req.GetBody == nil {
		return s
	}
	body, err := req.GetBody()
	if err != nil {
		return s
	}
	defer body.Close()
	b, _ := io.ReadAll(io.LimitReader(body, result.LongestSent))
	s.Body, s.Cut = string(b), max(0, req.ContentLength-int64(len(b)))
	return s
}
