package scenarios

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Trace says how requests carry trace ids: each sends a traceparent
// (https://www.w3.org/TR/trace-context/), unless its author sets that header. Reports show the
// trace ids of failed and slow requests.
type Trace struct {
	syntax.Place
	Send    *bool `yaml:"send"`    // send a traceparent with every request; nil is on
	Sampled *bool `yaml:"sampled"` // ask for the trace to be recorded; nil is true
	// URL of a trace, for links in the report: https://tracing.example/trace/${trace.id}
	Link template.Text `yaml:"link"`
}

// Sends reports whether requests carry a traceparent.
func (t *Trace) Sends() bool { return t.Send == nil || *t.Send }

// Samples reports whether requests ask for their traces to be recorded.
func (t *Trace) Samples() bool { return t.Sampled == nil || *t.Sampled }

// TraceID is the id of a trace. The zero value is none.
type TraceID [16]byte

// String returns the id as 32 hexadecimal digits; the zero value is empty.
func (id TraceID) String() string {
	if id == (TraceID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// NewTraceID makes an id of two halves.
func NewTraceID(high, low uint64) (id TraceID) {
	binary.BigEndian.PutUint64(id[:8], high)
	binary.BigEndian.PutUint64(id[8:], low)
	return id
}

// ParseTraceparent returns the trace id in a traceparent; the zero value if it is invalid.
func ParseTraceparent(s string) TraceID {
	var id TraceID
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || strings.ToLower(s[3:35]) != s[3:35] {
		return TraceID{}
	}
	if _, err := hex.Decode(id[:], []byte(s[3:35])); err != nil {
		return TraceID{}
	}
	return id
}

// TraceLink returns the URL of a trace, given the link in a result. It returns an empty text if link or id is empty.
func TraceLink(link, id string) string {
	if link == "" || id == "" {
		return ""
	}
	return strings.ReplaceAll(link, "${"+syntax.TracePlaceholder+"}", id)
}

// trace checks the link.
func (p *files) trace(sc *Scenario, t Trace) {
	sc.Trace = t
	if !t.Has("link") || t.Link.At == (syntax.Pos{}) {
		return
	}
	at, named := t.Of("link"), false
	for _, ref := range t.Link.Refs() {
		if ref.Kind != syntax.RefTrace {
			p.m.Add(at, "%s: the link is written when the run is over: only ${%s} can stand in it", ref, syntax.TracePlaceholder)
			return
		}
		named = true
	}
	u, err := syntax.ParseURL(TraceLink(t.Link.Text(), NewTraceID(1, 1).String()))
	switch {
	case err != nil:
		p.m.AddHint(at, "such as https://tracing.example/trace/${"+syntax.TracePlaceholder+"}", "link: %v", err)
	case !named:
		p.m.AddHint(at, "such as "+u.String()+"/${"+syntax.TracePlaceholder+"}",
			"the link does not say which trace: ${%s} is missing", syntax.TracePlaceholder)
	}
}
