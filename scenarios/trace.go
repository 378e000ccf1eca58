package scenarios

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Trace says how requests tell tracing who they are: each carries a traceparent
// (https://www.w3.org/TR/trace-context/), but those whose author wrote one. Failed and
// slow requests keep the id of their trace in the report.
type Trace struct {
	syntax.Place
	Send    *bool                 `yaml:"send"`    // a traceparent with every request; nil is on
	Sampled *bool                 `yaml:"sampled"` // asks for the trace to be recorded; nil is true
	Link    template.TextTemplate `yaml:"link"`    // where a trace is seen, for links in the report: https://tracing.example/trace/${trace.id}
}

// Sends tells whether requests carry a traceparent.
func (t *Trace) Sends() bool { return t.Send == nil || *t.Send }

// Samples tells whether traces are asked to be recorded.
func (t *Trace) Samples() bool { return t.Sampled == nil || *t.Sampled }

// TraceID is the id of a trace. The zero value is none.
type TraceID [16]byte

// String gives the 32 hexadecimal digits that the id is written with; none is empty.
func (id TraceID) String() string {
	if id == (TraceID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// NewTraceID puts an id together.
func NewTraceID(high, low uint64) (id TraceID) {
	binary.BigEndian.PutUint64(id[:8], high)
	binary.BigEndian.PutUint64(id[8:], low)
	return id
}

// ParseTraceparent gives the id of the trace that a traceparent names; none when it is not
// one.
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

// TraceLink gives the URL of a trace by the link that a result holds; empty is that there is
// none.
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
		p.m.AddHint(at, "such as "+u.String()+"/${"+syntax.TracePlaceholder+"}", "the link does not say which trace: ${%s} is missing", syntax.TracePlaceholder)
	}
}
