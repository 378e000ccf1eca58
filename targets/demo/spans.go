package demo

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"
)

// A tracer sends the spans of a service: one for each request that it answers, and one for each call that it makes.
//
// A nil tracer sends none. Spans delay no request, unless telemetry is sync: what the exporter can't send in time is
// dropped.
type tracer struct {
	via      *http.Transport
	provider *sdk.TracerProvider
	spans    otel.Tracer
}

// The values of the switch telemetry.
const (
	noTelemetry    = "none"
	asyncTelemetry = "async"
	syncTelemetry  = "sync"
)

// newCollector makes the service that takes spans, and keeps none.
func newCollector(parts) (service, error) {
	return service{routes: map[string]handler{
		"POST /v1/traces": func(w http.ResponseWriter, r *http.Request) error {
			if _, err := readBody(w, r, maxReply); err != nil {
				return err
			}
			writeBody(w, http.StatusOK, []byte("{}"))
			return nil
		},
	}}, nil
}

// endpointKey is the variable of OpenTelemetry that names where spans are sent.
const endpointKey = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"

// newTracer returns the tracer of a service; nil if no variable says where to send spans.
func newTracer(env *environment, name string, dial dialer) (*tracer, error) {
	to, kind := env.getenv(endpointKey), env.oneOf("DEMO_TELEMETRY", noTelemetry, asyncTelemetry, syncTelemetry)
	switch {
	case to != "":
		kind = asyncTelemetry
	case kind == noTelemetry:
		return nil, nil
	default:
		own, addr := dial, env.link(collectorName)[0]
		dial = func(ctx context.Context, network, _ string) (net.Conn, error) { return own(ctx, network, addr) }
		to = "http://" + collectorName + "/v1/traces"
	}
	const patience = 5 * time.Second
	via := newClient(dial, patience).transport
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(to),
		otlptracehttp.WithHTTPClient(&http.Client{Transport: via, Timeout: patience}),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	if err != nil {
		return nil, fmt.Errorf("sending spans to %s: %w", to, err)
	}
	const (
		delay   = 300 * time.Millisecond // a crash loses the spans of this time
		waiting = 8192                   // spans
	)
	var send sdk.TracerProviderOption
	if kind == syncTelemetry {
		send = sdk.WithSyncer(exporter)
	} else {
		send = sdk.WithBatcher(exporter, sdk.WithBatchTimeout(delay), sdk.WithMaxQueueSize(waiting))
	}
	provider := sdk.NewTracerProvider(
		send,
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", env.text("OTEL_SERVICE_NAME", name)),
			attribute.String("service.instance.id", env.text("BRUNT_UNIT", name)))))
	return &tracer{via, provider, provider.Tracer("socialconnect")}, nil
}

// stop sends the last spans, before ctx ends.
func (t *tracer) stop(ctx context.Context) {
	if t != nil {
		_ = t.provider.Shutdown(ctx) // spans that can't be sent are lost
		t.via.CloseIdleConnections()
	}
}

// ofProbe reports whether a path is for probes and monitors.
func ofProbe(path string) bool { return path == "/healthz" || path == "/metrics" }

// serve begins the span of a request. The questions of probes and monitors have none.
func (t *tracer) serve(of trace, path string) (trace, otel.Span) {
	if ofProbe(path) {
		return of, nil
	}
	return t.begin(of, path, otel.SpanKindServer)
}

// begin begins a span in a trace, and returns the trace as its calls see it. Without a span it begins a new trace.
func (t *tracer) begin(of trace, name string, kind otel.SpanKind) (trace, otel.Span) {
	if t == nil {
		return of, nil
	}
	ctx := context.Background()
	if of.span != "" {
		var c otel.SpanContextConfig
		c.TraceID, _ = otel.TraceIDFromHex(of.id) // both were parsed, or made by a tracer
		c.SpanID, _ = otel.SpanIDFromHex(of.span)
		c.Remote = kind == otel.SpanKindServer
		flags, _ := strconv.ParseUint(of.flags, 16, 8)
		c.TraceFlags = otel.TraceFlags(flags) & otel.FlagsSampled
		ctx = otel.ContextWithSpanContext(ctx, otel.NewSpanContext(c))
	}
	_, span := t.spans.Start(ctx, name, otel.WithSpanKind(kind))
	at := span.SpanContext()
	of.id, of.span, of.flags, of.by = at.TraceID().String(), at.SpanID().String(), at.TraceFlags().String(), t
	return of, span
}

// answered ends the span of a request.
func answered(span otel.Span, r *http.Request, route string, status int) {
	if span == nil {
		return
	}
	span.SetName(route)
	span.SetAttributes(attribute.String("http.request.method", r.Method))
	end(span, status)
}

// called ends the span of a call.
func called(span otel.Span, status int, err error) {
	switch {
	case span == nil:
	case err != nil:
		span.SetStatus(codes.Error, err.Error())
		span.End()
	default:
		end(span, status)
	}
}

// end ends a span with the status of its answer.
func end(span otel.Span, status int) {
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
