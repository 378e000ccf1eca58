package grpc

import (
	"bytes"
	"strings"

	"brunt/scenarios/result"
	"brunt/targets"
)

// sentMethod is used in place of the HTTP method in samples and in the log of requests.
const sentMethod = "grpc"

// sample keeps a call for the report, if the sampler wants it.
func (t *exchange) sample(err error) {
	k := t.client.o.Sampler
	if k == nil || !k.Want(t.out) {
		return
	}
	sent := &result.Sent{
		Method: sentMethod, URL: t.client.url(t.call.path), Headers: sentMetadata(t.send), Protos: t.call.protos,
		Trust: t.client.o.TLS != nil && t.client.o.TLS.InsecureSkipVerify, Command: command,
	}
	text := string(t.text)
	if b := t.binding; b != nil && b.fixed != nil {
		text = b.text
	}
	sent.SetBody(text)
	targets.Sampled{
		Out: t.out, Step: t.call.name, Sent: sent, Err: err,
		Failed: func() (string, string) { return t.wanted(), t.excerpt() },
	}.Keep(k, t.it)
}

// url returns the URL of a method, for reports.
func (c *client) url(path string) string {
	if c.tls != nil {
		return "grpcs://" + c.host + path
	}
	return "grpc://" + c.host + path
}

// sentMetadata returns the author's metadata and the deadline of a request.
func sentMetadata(request []byte) (lines []string) {
	head, _, _ := bytes.Cut(request, []byte("\r\n\r\n"))
	_, head, _ = bytes.Cut(head, []byte("\r\n"))
	for line := range strings.SplitSeq(string(head), "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "", "Host", "content-type", "te", "user-agent":
		default:
			lines = append(lines, line)
		}
	}
	return lines
}
