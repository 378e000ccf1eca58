package push

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/reporters/metrics"
	"brunt/scenarios"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// A grpcCollector is a collector of OpenTelemetry that is asked by gRPC.
type grpcCollector struct {
	collector.UnimplementedTraceServiceServer
	metricspb.UnimplementedMetricsServiceServer
	answer func(n int) (*collector.ExportTraceServiceResponse, error) // to the n-th message of spans

	mu      sync.Mutex
	spans   []*collector.ExportTraceServiceRequest
	metrics []*metricspb.ExportMetricsServiceRequest
	headers []metadata.MD
}

func (c *grpcCollector) came(ctx context.Context) {
	head, _ := metadata.FromIncomingContext(ctx)
	c.headers = append(c.headers, head)
}

// Export receives spans.
func (c *grpcCollector) Export(
	ctx context.Context, m *collector.ExportTraceServiceRequest,
) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came(ctx)
	c.spans = append(c.spans, m)
	if c.answer == nil {
		return &collector.ExportTraceServiceResponse{}, nil
	}
	return c.answer(len(c.spans))
}

// A metricsOf receives metrics, as a type has one method of a name.
type metricsOf struct {
	metricspb.UnimplementedMetricsServiceServer
	*grpcCollector
}

// Export receives metrics.
func (c metricsOf) Export(
	ctx context.Context, m *metricspb.ExportMetricsServiceRequest,
) (*metricspb.ExportMetricsServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came(ctx)
	c.grpcCollector.metrics = append(c.grpcCollector.metrics, m)
	return &metricspb.ExportMetricsServiceResponse{}, nil
}

// serve serves a collector on loopback, and returns its address.
func (c *grpcCollector) serve(t *testing.T, options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	collector.RegisterTraceServiceServer(s, c)
	metricspb.RegisterMetricsServiceServer(s, metricsOf{grpcCollector: c})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// openByGRPC opens outs to real addresses.
func openByGRPC(t *testing.T, texts ...string) (*metrics.Collector, *Outs) {
	t.Helper()
	var list []Out
	for _, text := range texts {
		o, err := Parse(text, testKinds(), func(name string) string { return map[string]string{"PASS": "hush"}[name] })
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	m := metrics.New(metrics.Options{Run: "r1", Scenario: "s"})
	return m, Open(list, Run{Metrics: m, Run: "r1", Scenario: "s", Log: slog.New(slog.DiscardHandler)})
}

// TestGRPC checks that spans and metrics arrive by gRPC, compressed, once each, with the credentials of the service.
func TestGRPC(t *testing.T) {
	c := &grpcCollector{answer: func(n int) (*collector.ExportTraceServiceResponse, error) {
		if n == 1 {
			return nil, status.Error(codes.Unavailable, "it starts")
		}
		return &collector.ExportTraceServiceResponse{}, nil
	}}
	at := c.serve(t)
	m, o := openByGRPC(t, "otlp-traces=grpc://u:${env.PASS}@"+at, "otlp=grpc://u:${env.PASS}@"+at)
	r := requests(2, scenarios.Error)
	o.Requests(r)
	tell(m, o, second(3))
	if notes := o.Close(); len(notes) > 0 {
		t.Fatal(notes)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) != 2 || len(c.metrics) != 1 {
		t.Fatalf("%d messages of spans, the first refused, and %d of metrics", len(c.spans), len(c.metrics))
	}
	spans := c.spans[1].ResourceSpans[0].ScopeSpans[0].Spans
	if len(spans) != 2 || !slices.Equal(spans[1].TraceId, r.Spans[1].Trace[:]) {
		t.Errorf("spans %v", spans)
	}
	var names []string
	for _, metric := range c.metrics[0].ResourceMetrics[0].ScopeMetrics[0].Metrics {
		names = append(names, metric.Name)
	}
	if !slices.Contains(names, "brunt_response_seconds") {
		t.Errorf("metrics %q", names)
	}
	for _, h := range c.headers {
		if by := h.Get("authorization"); !slices.Equal(by, []string{"Basic dTpodXNo"}) { // u:hush
			t.Errorf("authorization %q", by)
		}
		if by := h.Get("user-agent"); len(by) != 1 || !strings.HasPrefix(by[0], "brunt ") {
			t.Errorf("user agent %q", by)
		}
	}
}

// TestGRPC_Refused checks which refusals are final, and what the note says of them.
func TestGRPC_Refused(t *testing.T) {
	wait, err := status.New(codes.ResourceExhausted, "full").WithDetails(
		&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		answer *collector.ExportTraceServiceResponse
		err    error
		came   int // messages: a second one is accepted
		note   string
	}{
		"unknown":   {nil, status.Error(codes.InvalidArgument, "no \x1b[31mspan"), 1, "answered InvalidArgument: no "},
		"password":  {nil, status.Error(codes.Unauthenticated, ""), 1, "answered Unauthenticated"},
		"exhausted": {nil, wait.Err(), 2, ""},
		"aborted":   {nil, status.Error(codes.Aborted, "again"), 2, ""},
		"partly": {&collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{
			RejectedSpans: 1, ErrorMessage: "too old",
		}}, nil, 1, "too old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &grpcCollector{answer: func(n int) (*collector.ExportTraceServiceResponse, error) {
				if n == 1 {
					return tc.answer, tc.err
				}
				return &collector.ExportTraceServiceResponse{}, nil
			}}
			_, o := openByGRPC(t, "otlp-traces=grpc://"+c.serve(t))
			o.Requests(requests(1, scenarios.OK))
			notes := o.Close()
			c.mu.Lock()
			defer c.mu.Unlock()
			if said := strings.Join(notes, "; "); len(c.spans) != tc.came || (said == "") != (tc.note == "") ||
				!strings.Contains(said, tc.note) || strings.Contains(said, "\x1b") {
				t.Errorf("%d messages, note %q", len(c.spans), said)
			}
		})
	}
}

// TestGRPC_Reach checks that gRPC connects to no address that the run may not reach.
func TestGRPC_Reach(t *testing.T) {
	out, err := Parse("otlp-traces=grpc://192.0.2.1", testKinds(), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Check(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "192.0.2.1 is beyond loopback") {
		t.Errorf("the check says %v", err)
	}
	to := newOTLPTraces(out, Run{}).(*otlpTraces)
	err = deliver(t.Context(), to.encode(tick{spans: requests(1, scenarios.OK).Spans}))
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("it is not refused: %v", err)
	}
	if err := to.Close(); err != nil {
		t.Error(err)
	}
}

// TestGRPC_TLS checks that grpcs:// means TLS with a certificate that the machine trusts, and grpc:// none.
func TestGRPC_TLS(t *testing.T) {
	own := httptest.NewUnstartedServer(nil)
	own.StartTLS()
	t.Cleanup(own.Close)
	c := &grpcCollector{}
	at := c.serve(t, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: own.TLS.Certificates})))
	for scheme, want := range map[string]string{
		"grpcs": "certificate signed by unknown authority", "grpc": "error reading server preface",
	} {
		out, err := Parse("otlp-traces="+scheme+"://"+at, testKinds(), func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		to := newOTLPTraces(out, Run{}).(*otlpTraces)
		err = deliver(t.Context(), to.encode(tick{spans: requests(1, scenarios.OK).Spans}))
		if err == nil || !strings.Contains(err.Error(), want) || len(c.spans) > 0 {
			t.Errorf("%s: %d messages came: %v", scheme, len(c.spans), err)
		}
		if err := to.Close(); err != nil {
			t.Error(err)
		}
	}
}
