package words

import (
	"net/url"
	"regexp"
	"strings"

	"brunt/scenarios"
)

// A Trace is the trace of a request. Link is its page in the tracing system; empty if the scenario names no such
// system.
type Trace struct{ ID, Link string }

var traceIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// TraceOf returns the trace with an id; nil if the id is not valid. It drops a link that is not http or https.
func TraceOf(link, id string) *Trace {
	if !traceIDForm.MatchString(id) {
		return nil
	}
	v := &Trace{ID: id}
	u, err := url.Parse(scenarios.TraceLink(link, id))
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil {
		v.Link = u.String()
	}
	return v
}

// TraceOfAnswer returns the trace id in the headers of an answer.
func TraceOfAnswer(headers map[string]string) string {
	for name, value := range headers {
		if strings.EqualFold(name, "traceparent") {
			return scenarios.ParseTraceparent(value).String()
		}
	}
	return ""
}
