package kafka

import (
	"net/url"
	"strings"

	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/calls"
)

// Sample implements [calls.Maker].
func (t *exchange) Sample() targets.Sampled {
	scheme := schemePlain
	if t.client.at.secure {
		scheme = schemeTLS
	}
	sent := &result.Sent{
		URL: scheme + "://" + t.client.at.addresses[0] + "/" + url.PathEscape(t.topic), Method: t.call.kind,
		Command: sentCommand,
	}
	if t.call.kind == kindProduce {
		sent.SetBody(string(t.value))
	}
	return targets.Sampled{
		Step: t.call.name, Sent: sent, Failed: func() (string, string) { return t.wanted(), t.excerpt() },
	}
}

// excerpt returns the beginning of the answer.
func (t *exchange) excerpt() string {
	if doc, ok := t.Document(); ok {
		return calls.Shown(doc, true)
	}
	return calls.Shown(string(t.value), true)
}

// sentCommand returns a record as a kcat command for a POSIX shell. It is empty for other calls, and if the record was
// not kept completely.
func sentCommand(s *result.Sent) string {
	u, err := url.Parse(s.URL)
	if err != nil || s.Cut > 0 || s.Base64 || s.Body == "" || u.Scheme != schemePlain || strings.Contains(s.Body, "\n") {
		return ""
	}
	word := func(w string) string { return result.ShellWord(w, "SECRET", false) }
	return "printf %s " + word(s.Body) + " | kcat -P -b " + word(u.Host) + " -t " + word(strings.TrimPrefix(u.Path, "/"))
}
