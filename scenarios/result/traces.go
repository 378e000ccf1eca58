package result

import "brunt/scenarios/slo"

// Traces says what the services of the target told about the requests of the load by their spans, which brunt
// received during the run (`trace: {listen: ...}`).
//
// If there were more spans than brunt keeps, it kept the traces of a random part of the requests, each with all of
// its spans.
type Traces struct {
	Listen   string   `json:"listen"`             // where brunt received them
	Services []string `json:"services,omitempty"` // services that sent spans of the load's requests
	Requests int64    `json:"requests"`           // requests of the load whose traces were kept
	Share    Num      `json:"share"`              // their share of all requests with a trace
	Spans    int64    `json:"spans"`              // spans of these traces
	Answered int64    `json:"answered"`           // of these requests, the ones that were answered
	Whole    int64    `json:"whole"`              // answered requests whose traces are whole
	Silent   int64    `json:"silent"`             // requests of whose traces no span came
	Orphaned int64    `json:"orphaned"`           // requests with a span whose parent did not come
	// requests that were answered rightly, and have no span of a service that `trace: {services: ...}` names
	Missing []ServiceCount `json:"missing,omitempty"`
	Foreign int64          `json:"foreign"`  // spans of traces that no request of the load began
	Refused int64          `json:"refused"`  // messages that were too large, or not of the protocol
	LeftOut int64          `json:"left_out"` // spans beyond the number that is kept of one trace
	// why a message was refused, the first one
	RefusedWhy string       `json:"refused_why,omitempty"`
	Phases     []TracePhase `json:"phases,omitempty"` // the baseline, and each occurrence of a fault
	// messages that went on to a collector; absent without `trace: {forward: ...}`
	Forwarded *ForwardedSpans `json:"forwarded,omitempty"`
}

// ForwardedSpans says how many of the messages with spans, of all traces, went on to a collector. They change no
// verdict.
type ForwardedSpans struct {
	To        string `json:"to"`            // URL of the collector
	Messages  int64  `json:"messages"`      // messages that it took
	Spans     int64  `json:"spans"`         // spans of these messages, without those that it rejected
	Lost      int64  `json:"lost"`          // messages that it did not take
	LostSpans int64  `json:"lost_spans"`    // spans of these messages, and the spans that it rejected
	Why       string `json:"why,omitempty"` // why the first of them was lost
}

// A ServiceCount counts requests by a service.
type ServiceCount struct {
	Service string `json:"service"` // its service.name
	Count   int64  `json:"count"`   // number of the requests
}

// A TracePhase says where the requests of a phase spent their time. Times are in seconds a request, the mean over the
// requests with spans. The self time of a span is the time in which none of its children was under way.
type TracePhase struct {
	Phase    slo.Phase `json:"phase" mask:"-"` // the baseline, or the phase of a fault
	Requests int64     `json:"requests"`       // requests that were intended in it, and have a span
	// time of a request in no span: the network, and queues before the first service
	Outside  Num           `json:"outside"`
	Services []ServiceTime `json:"services"` // self times, the longest first
	// the spans in which the slowest requests of the phase spent the longest self time, most frequent first
	Slowest []SlowestIn `json:"slowest,omitempty"`
	// number of the slowest requests that Slowest is about
	OfSlowest int `json:"of_slowest,omitempty"`
}

// A ServiceTime is the self time of a service.
type ServiceTime struct {
	Service string `json:"service"` // its service.name
	Self    Num    `json:"self"`    // self time of all its spans
	// part of self in which it waited for an answer to a call, beside the spans of the called service: for the network,
	// or for a service without spans, such as a database
	Waiting Num `json:"waiting"`
	// lower end of the 99.9 % confidence interval of the growth of self since the baseline, null if it is not known
	GrowthLow  Num `json:"growth_low"`
	GrowthHigh Num `json:"growth_high"` // its upper end
}

// SlowestIn counts the slowest requests that spent their longest self time in spans of one name.
type SlowestIn struct {
	Service string `json:"service"` // service of the span
	Span    string `json:"span"`    // name of the span
	Waiting bool   `json:"waiting"` // the span is a call, so that the service waited
	Count   int    `json:"count"`   // number of the requests
}

// Grew reports whether the self time grew since the baseline, beyond chance.
func (s *ServiceTime) Grew() bool { return s.GrowthLow > 0 }
