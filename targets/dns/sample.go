package dns

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/calls"

	"github.com/miekg/dns"
)

// Sample implements [calls.Maker].
func (t *exchange) Sample() targets.Sampled {
	u := *t.client.at
	if u.Scheme == schemeUDP && t.over == "tcp" {
		u.Scheme = schemeTCP
	}
	sent := &result.Sent{URL: u.String(), Method: t.call.name, Command: sentCommand}
	if o := t.client.o.TLS; o != nil {
		sent.Trust = o.InsecureSkipVerify
	}
	if len(t.query) > lengthSize {
		sent.SetBody(t.shown())
	}
	return targets.Sampled{Step: t.call.name, Sent: sent, Failed: func() (string, string) {
		return t.wanted(), calls.Shown(t.doc, t.doc != nil)
	}}
}

// shown returns the name, the type and the options of the query, as dig takes them.
func (t *exchange) shown() string {
	query := t.query[lengthSize:]
	end := questionEnd(query)
	name, at, err := dns.UnpackDomainName(query, headerSize)
	if err != nil || at+typeSize != end {
		return ""
	}
	text := name + " " + dns.Type(uint16(query[at])<<8|uint16(query[at+1])).String()
	switch q := &t.call.query; {
	case q.edns == 0:
		text += " +noedns"
	case q.do:
		text += " +dnssec"
	}
	if t.call.flags&flagRecursion == 0 {
		text += " +norecurse"
	}
	return text
}

// wanted describes the first check that the answer failed: the expected and the actual value.
func (t *exchange) wanted() string {
	if slices.Contains(t.call.rcodes, t.rcode) {
		return t.call.rest.Wanted(&t.answer, t.It, t.Out)
	}
	return "the rcode is " + rcodeName(int32(t.rcode)) + ", and " + rcodeName(int32(t.call.rcodes[0])) + " was wanted"
}

// sentCommand returns a query as a dig command for a POSIX shell. It is empty if the query was not kept completely.
func sentCommand(s *result.Sent) string {
	u, err := url.Parse(s.URL)
	if err != nil || s.Cut > 0 || s.Base64 || s.Body == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		return ""
	}
	words := []string{"dig", "@" + host, "-p", port}
	switch u.Scheme {
	case schemeTCP:
		words = append(words, "+tcp")
	case schemeTLS:
		words = append(words, "+tls")
	}
	words = append(words, "+tries=1")
	words = append(words, strings.Fields(s.Body)...)
	for i, w := range words {
		words[i] = result.ShellWord(w, "SECRET", false)
	}
	return strings.Join(words, " ")
}
