package push

import (
	"context"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"brunt/reporters/metrics"
	"brunt/scenarios"
	"brunt/scenarios/result"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// otlpTraces sends requests as spans by OTLP. A span has the trace and the id that the traceparent of its
// request carried, so that it is the parent of the spans of the target. As for metrics, the exporter also reads
// OpenTelemetry's environment variables.
type otlpTraces struct {
	out    Out
	run    Run
	to     otlptrace.Client // created at first use
	faults []occurrence     // of the run so far
	calls
	// The service accepted the last request. The client of OpenTelemetry returns the same kind of error where it did
	// not, and where it accepted the request and refused a part of the spans.
	accepted bool
}

// An occurrence is an occurrence of a fault.
type occurrence struct {
	name            string
	begin, end      time.Time // zero end: it is still in
	injected, ended *tracepb.Span_Event
}

// OTLPTraces is the kind of service that receives spans of requests.
func OTLPTraces() Kind {
	return Kind{
		Name: "otlp-traces", Brief: "spans of requests, as otlp", Token: "OTLP_TOKEN", open: newOTLPTraces,
		About: "Each request that failed or was slow, and one in `trace: {every: 100}`, becomes the root span of its " +
			"trace, with the faults that it met, by OTLP to a collector of OpenTelemetry or to Jaeger, as for `otlp`.",
		Spans: true, GRPC: true,
	}
}

func newOTLPTraces(o Out, run Run) encoder { return &otlpTraces{out: o, run: run} }

// client creates the client on its first call. Only one goroutine at a time may call it.
func (s *otlpTraces) client(ctx context.Context) (otlptrace.Client, error) {
	if s.to != nil {
		return s.to, nil
	}
	if s.out.grpc() {
		if err := s.dial(s.out, &s.run, &s.accepted); err != nil {
			return nil, err
		}
		s.to = otlptracegrpc.NewClient(otlptracegrpc.WithGRPCConn(s.conn),
			otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}))
		return s.to, s.to.Start(ctx)
	}
	via := s.out.client(&s.run)
	via.Transport = &accepting{via.Transport, &s.accepted}
	s.to = otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(s.out.plainAt("/v1/traces")),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithHTTPClient(via),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	return s.to, s.to.Start(ctx)
}

// A spanBatch holds the spans of one second.
type spanBatch struct {
	*otlpTraces
	spans []*tracepb.ResourceSpans
}

func (p *spanBatch) send(ctx context.Context) error {
	to, err := p.client(ctx)
	if err != nil {
		return err
	}
	p.accepted = false
	if err = to.UploadTraces(ctx, p.spans); err != nil && p.accepted {
		return partlyError{err}
	}
	return err
}

// accepting notes whether the service accepted the last request.
type accepting struct {
	via      http.RoundTripper
	accepted *bool
}

func (a *accepting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.via.RoundTrip(req)
	*a.accepted = err == nil && resp.StatusCode/100 == 2
	return resp, err
}

func (s *otlpTraces) encode(t tick) batch {
	if t.event != nil {
		s.fault(t.event, t.at)
		return nil
	}
	spans := make([]*tracepb.Span, len(t.spans))
	for i := range t.spans {
		spans[i] = s.span(&t.spans[i])
	}
	return &spanBatch{s, []*tracepb.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			textOf("service.name", "brunt"), textOf("brunt.run", s.run.Run), textOf("brunt.scenario", s.run.Scenario),
		}},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "brunt"}, Spans: spans}},
	}}}
}

func (*otlpTraces) last(time.Time) batch { return nil }

// fault records when a fault is injected and cleared.
func (s *otlpTraces) fault(e *result.Event, at time.Time) {
	if !e.At.IsZero() {
		at = e.At
	}
	switch e.Event {
	case "fault.injected":
		at = e.Begun(at)
		about := []*common.KeyValue{
			textOf("brunt.fault", e.Fault),
			textOf("brunt.fault.kind", s.run.Metrics.FaultKinds[metrics.EntryOf(e.Fault)]),
		}
		if e.Unit != "" {
			about = append(about, textOf("brunt.fault.unit", e.Unit))
		}
		s.faults = append(s.faults, occurrence{
			name: e.Fault, begin: at,
			injected: &tracepb.Span_Event{Name: e.Event, TimeUnixNano: nanos(at), Attributes: about},
		})
	case "fault.cleared":
		for i := range s.faults {
			if f := &s.faults[i]; f.name == e.Fault && f.end.IsZero() {
				f.end = at
				f.ended = &tracepb.Span_Event{Name: e.Event, TimeUnixNano: nanos(at), Attributes: f.injected.Attributes}
			}
		}
	}
}

// span returns a request as a span. Its events are the moments of the request, and the faults that were injected or
// cleared meanwhile; its attributes name the faults that it met.
func (s *otlpTraces) span(r *result.RequestSpan) *tracepb.Span {
	v := &tracepb.Span{
		TraceId: r.Trace[:], SpanId: binary.BigEndian.AppendUint64(nil, r.ID), Name: r.Step,
		Kind: tracepb.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: nanos(r.Begin), EndTimeUnixNano: nanos(r.End),
		Flags: 1, // sampled
		Attributes: []*common.KeyValue{
			textOf("brunt.load", r.Load), textOf("brunt.step", r.Step), textOf("brunt.outcome", r.Outcome.String()),
			textOf("brunt.why", string(r.Why)),
		},
	}
	if r.Status != 0 {
		v.Attributes = append(v.Attributes, &common.KeyValue{
			Key:   "http.response.status_code",
			Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(r.Status)}},
		})
	}
	if r.Outcome == scenarios.Error {
		v.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: r.Cause}
		v.Attributes = append(v.Attributes, textOf("error.type", r.Cause))
	}
	for _, moment := range []struct {
		name string
		at   time.Time
	}{{"request.sent", r.Sent}, {"response.first_byte", r.First}} {
		if !moment.at.IsZero() {
			v.Events = append(v.Events, &tracepb.Span_Event{Name: moment.name, TimeUnixNano: nanos(moment.at)})
		}
	}
	s.met(r, v)
	return v
}

// met adds the faults that a request met to its span.
func (s *otlpTraces) met(r *result.RequestSpan, v *tracepb.Span) {
	var names []*common.AnyValue
	for i := range s.faults {
		f := &s.faults[i]
		if !f.begin.Before(r.End) || !f.end.IsZero() && !f.end.After(r.Begin) {
			continue
		}
		names = append(names, &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: f.name}})
		if f.begin.After(r.Begin) {
			v.Events = append(v.Events, f.injected)
		}
		if f.ended != nil && f.end.Before(r.End) {
			v.Events = append(v.Events, f.ended)
		}
	}
	if names != nil {
		v.Attributes = append(v.Attributes, &common.KeyValue{Key: "brunt.faults", Value: &common.AnyValue{
			Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: names}},
		}})
	}
}

func textOf(key, text string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{
		StringValue: strings.ToValidUTF8(text, "\uFFFD"), // a message with other text could not be encoded
	}}}
}

func nanos(t time.Time) uint64 { return uint64(t.UnixNano()) }
