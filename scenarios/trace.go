package scenarios

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Trace says how requests carry trace ids: each sends a traceparent
// (https://www.w3.org/TR/trace-context/), unless its author sets that header. Reports show the
// trace ids of failed and slow requests.
//
// A request is the root span of its trace: its span id follows from the trace id (see [RootSpan]). `brunt run --out
// otlp-traces=URL` exports these spans, and `listen` receives the spans that the services of the target send.
type Trace struct {
	syntax.Place
	Send    *bool `yaml:"send"`    // send a traceparent with every request; nil is on
	Sampled *bool `yaml:"sampled"` // ask for the trace to be recorded; nil is true
	// URL of a trace, for links in the report: https://tracing.example/trace/${trace.id}
	Link template.Text `yaml:"link"`
	// of the requests that did not fail and are not among the slowest, one in so many is exported as a span by --out
	// otlp-traces; zero is 100
	Every int `yaml:"every,min=1"`
	// where brunt receives OpenTelemetry's spans (OTLP over HTTP or gRPC) during the run, to tell which service's
	// time
	// grows in a fault: HOST:PORT, or :PORT of 127.0.0.1. HOST is an address, which guard.allow.load has to name
	// unless
	// it is loopback. Port 0 is a free one. Processes that brunt starts get the address as
	// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
	Listen string `yaml:"listen"`
	// URL of a collector to which brunt sends every message on that it receives, by OTLP over HTTP, such as
	// http://127.0.0.1:4318; without a path it is /v1/traces. guard.allow.load or guard.allow.chaos has to name its
	// address unless it is loopback. A collector that is away costs its spans alone: the report counts them
	Forward string `yaml:"forward"`
	// services of which every trace of a good answer must have a span, by their service.name; otherwise `traces`
	// counts
	// the trace as not whole
	Services []string `yaml:"services"`
}

// EveryOr returns Every, or its default.
func (t *Trace) EveryOr() int { return cmp.Or(t.Every, 100) }

// ListenAddress returns Listen with its address; empty if it is not one.
func (t *Trace) ListenAddress() string { return listenAddress(t.Listen) }

// ForwardTo returns the URL of Forward, with a path; nil if it is empty or invalid.
func (t *Trace) ForwardTo() *url.URL {
	u, err := url.Parse(t.Forward)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return u
}

// Sends reports whether requests carry a traceparent.
func (t *Trace) Sends() bool { return t.Send == nil || *t.Send }

// Samples reports whether requests ask for their traces to be recorded.
func (t *Trace) Samples() bool { return t.Sampled == nil || *t.Sampled }

// TraceID is the id of a trace. The zero value means that there is no trace.
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

// RootSpan returns the span id that a request sends as the parent in its traceparent, given the low half of its trace
// id. It is not zero.
func RootSpan(low uint64) uint64 { return max(1, MixBits(low+1)) }

// MixBits is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014),
// which is a bijection.
func MixBits(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
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

// trace checks the link, and what is received.
func (p *files) trace(sc *Scenario, t Trace) {
	sc.Trace = t
	p.received(&t)
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

// received checks the settings of the spans that are received.
func (p *files) received(t *Trace) {
	switch {
	case t.Forward != "" && t.ForwardTo() == nil:
		p.m.AddHint(t.Of("forward"), "such as http://127.0.0.1:4318",
			"%q is not the URL of a collector that takes OTLP over HTTP, without a user and a password",
			syntax.Clip(t.Forward, 60))
	case !t.Has("listen"):
		if t.Forward != "" {
			p.m.AddHint(t.Of("forward"), "such as listen: 127.0.0.1:4318",
				"no spans are received, so that none can be forwarded: `listen` is missing")
		}
		if t.Has("services") {
			p.m.AddHint(t.Of("services"), "such as listen: 127.0.0.1:4318",
				"no spans are received, so that no trace has services: `listen` is missing")
		}
	case !t.Sends():
		p.m.Add(t.Of("listen"), "no request has a trace with `send: off`, so that no span belongs to one")
	case !t.Samples():
		p.m.Add(t.Of("listen"), "`sampled: false` asks the services for no spans, so that none come")
	case t.ListenAddress() == "":
		p.m.AddHint(t.Of("listen"), "such as 127.0.0.1:4318, or :0 for a free port",
			"%q is not [HOST]:PORT, with an address as HOST", syntax.Clip(t.Listen, 60))
	}
}
