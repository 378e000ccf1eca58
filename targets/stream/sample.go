package stream

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
)

// sample keeps a step for the report, if the sampler wants it. The messages of a pace are sampled one by one instead.
func (t *exchange) sample(err error) {
	if t.call.pace == nil || err != nil {
		t.sampled(err)
	}
}

// sampled keeps the step, or a message of it.
func (t *exchange) sampled(err error) {
	k := t.client.o.Sampler
	if k == nil || !k.Want(t.out) {
		return
	}
	sent := &result.Sent{
		Method: t.call.kind, Trust: t.client.o.TLS != nil && t.client.o.TLS.InsecureSkipVerify, Command: command,
	}
	switch st := t.used; {
	case st != nil && st.request != nil:
		st.request.Describe(sent)
	case st != nil && st.call.kind == kindWS:
		sent.URL, sent.Headers = st.with.url, slices.Clone(st.with.headers)
	}
	if sent.URL == "" {
		scheme := "tcp"
		switch {
		case t.client.secure():
			scheme = "tls"
		case t.client.at.Scheme == "udp":
			scheme = "udp"
		}
		sent.URL = (&url.URL{Scheme: scheme, Host: t.client.address()}).String()
	}
	if t.said {
		sent.SetBody(string(t.data))
	}
	sm := result.Sample{
		At: t.out.Intended.Seconds(), Step: t.call.name, Request: sent.Method + " " + sent.URL, Status: int(t.out.Status),
		Sent: sent,
	}
	switch {
	case err != nil:
		sm.Message = targets.Explain(err)
		if t.waits && t.out.Cause == scenarios.Timeout {
			sm.Message = "no " + strings.TrimPrefix(t.call.expect.String(), "a ") + " came: " + sm.Message
		}
	case t.out.Kind == scenarios.Error && t.got != nil:
		const most = 300
		sm.Message, sm.Body = t.call.rest.Wanted(t.got, t.it, t.out),
			targets.Clip(strings.ToValidUTF8(string(t.got.Body()), "\uFFFD"), most)
	}
	t.it.Learn()
	k.Keep(t.out, sm)
}

// command returns a step as a command for a POSIX shell, quoted like [result.Sent.Curl]: websocat, or nc for TCP
// without TLS and for UDP. It is empty if the message was not kept completely.
func command(s *result.Sent) string {
	if s.Cut > 0 || s.Base64 {
		return ""
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	var b strings.Builder
	if s.Body != "" {
		end := `\n`
		if u.Scheme == "udp" {
			end = ""
		}
		b.WriteString("printf '%s" + end + "' " + result.ShellWord(s.Body, "SECRET", false) + " | ")
	}
	switch u.Scheme {
	case "tcp", "udp":
		host, port, err := net.SplitHostPort(u.Host)
		if err != nil {
			return ""
		}
		b.WriteString("nc ")
		if u.Scheme == "udp" {
			b.WriteString("-u ")
		}
		b.WriteString("-w 5 " + result.ShellWord(host, "SECRET", false) + " " + result.ShellWord(port, "SECRET", false))
	case "tls":
		b.WriteString("openssl s_client -quiet -connect " + result.ShellWord(u.Host, "SECRET", false))
	default:
		b.WriteString("websocat -1")
		if s.Trust {
			b.WriteString(" --insecure")
		}
		for _, line := range s.Headers {
			name, _, _ := strings.Cut(line, ":")
			b.WriteString(" \\\n  -H " + result.ShellWord(line, result.ShellVariable(name), false))
		}
		b.WriteString(" \\\n  " + result.ShellWord(s.URL, "SECRET", true))
	}
	return b.String()
}
