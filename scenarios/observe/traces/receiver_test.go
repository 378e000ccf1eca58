package traces_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/observe/traces"
	"brunt/scenarios/slo"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	rpcgzip "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/protobuf/proto"
)

const high = 0xabcdef

// listen receives spans until the test ends.
func listen(t *testing.T) *traces.Receiver {
	t.Helper()
	r, err := traces.Listen("127.0.0.1:0", []uint64{high})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// asked adds a request of the load, which was answered rightly after some milliseconds.
func asked(s *traces.Store, low uint64, at, took time.Duration) {
	s.Request(high, &scenarios.Outcome{
		Trace: low, Intended: at, End: at + took, Kind: scenarios.OK, Answered: true,
	})
}

var whole = []traces.Phase{{Name: slo.Phase{Kind: slo.RunPhase}, To: time.Hour}}

// TestReceiver_Exporter receives the spans of OpenTelemetry's own exporter, in each form of the protocol: they are
// children of the request, and the time of the service is the time of its span.
func TestReceiver_Exporter(t *testing.T) {
	for name, options := range map[string][]otlptracehttp.Option{
		"protobuf": nil,
		"gzip":     {otlptracehttp.WithCompression(otlptracehttp.GzipCompression)},
		"json":     {otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON)},
	} {
		t.Run(name, func(t *testing.T) {
			r := listen(t)
			to, err := otlptracehttp.New(t.Context(),
				append(options, otlptracehttp.WithEndpointURL("http://"+r.Addr()+"/v1/traces"))...)
			if err != nil {
				t.Fatal(err)
			}
			provider := sdk.NewTracerProvider(sdk.WithBatcher(to),
				sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"))))
			var c trace.SpanContextConfig
			id := scenarios.NewTraceID(high, 7)
			c.TraceID, c.TraceFlags, c.Remote = trace.TraceID(id), trace.FlagsSampled, true
			binary.BigEndian.PutUint64(c.SpanID[:], scenarios.RootSpan(7))
			began := time.Unix(1000, 0)
			ctx := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(c))
			ctx, outer := provider.Tracer("").Start(ctx, "GET /cart",
				trace.WithTimestamp(began), trace.WithSpanKind(trace.SpanKindServer))
			_, inner := provider.Tracer("").Start(ctx, "query", trace.WithTimestamp(began.Add(10*time.Millisecond)),
				trace.WithSpanKind(trace.SpanKindClient))
			inner.End(trace.WithTimestamp(began.Add(40 * time.Millisecond)))
			outer.End(trace.WithTimestamp(began.Add(50 * time.Millisecond)))
			if err := provider.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			asked(r.Store, 7, time.Second, 60*time.Millisecond)
			got := r.Find(whole, []string{"shop"})
			if got.Spans != 2 || got.Whole != 1 || got.Orphaned+got.Foreign+got.Refused != 0 {
				t.Fatalf("%+v", got)
			}
			p := got.Phases[0]
			v := p.Services[0]
			if v.Service != "shop" || !near(v.Self, .05) || !near(v.Waiting, .03) || !near(p.Outside, .01) {
				t.Errorf("%+v", p)
			}
		})
	}
}

func near[T ~float64](got, want T) bool { return got > want-1e-9 && got < want+1e-9 }

// message is a message with one span of a request.
func message(low uint64) *collector.ExportTraceServiceRequest {
	id := scenarios.NewTraceID(high, low)
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*common.KeyValue{{
			Key: "service.name", Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: "shop"}},
		}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{
			TraceId: id[:], SpanId: []byte("12345678"), Name: "GET /cart",
			ParentSpanId:      binary.BigEndian.AppendUint64(nil, scenarios.RootSpan(low)),
			StartTimeUnixNano: 1_000_000, EndTimeUnixNano: 3_000_000,
		}}}},
	}}}
}

// TestReceiver_GRPC receives spans from the client of gRPC, which learns of a message that is refused.
func TestReceiver_GRPC(t *testing.T) {
	r := listen(t)
	conn, err := grpc.NewClient(r.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := collector.NewTraceServiceClient(conn)
	for i, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(rpcgzip.Name)}} {
		if _, err := c.Export(t.Context(), message(uint64(i+1)), options...); err != nil {
			t.Fatal(err)
		}
	}
	asked(r.Store, 1, 0, time.Second)
	asked(r.Store, 2, 0, time.Second)
	if got := r.Find(whole, nil); got.Whole != 2 || got.Refused != 0 {
		t.Errorf("%+v", got)
	}
	m := message(3)
	m.ResourceSpans[0].ScopeSpans[0].Spans[0].Name = strings.Repeat("x", 9<<20)
	if _, err := c.Export(t.Context(), m); err == nil || !strings.Contains(err.Error(), "at most 8388608 bytes") {
		t.Errorf("a message of 9 MiB: %v", err)
	}
}

// TestReceiver_Hostile checks that no message ends the receiver or fills memory: each is counted, and the next one is
// received.
func TestReceiver_Hostile(t *testing.T) {
	r := listen(t)
	good, err := proto.Marshal(message(1))
	if err != nil {
		t.Fatal(err)
	}
	post := func(path, kind, encoding string, body io.Reader) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.Addr()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		if encoding != "" {
			req.Header.Set("Content-Encoding", encoding)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.CopyN(z, zeros{}, 100<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, c := range []struct {
		name, path, kind, encoding string
		body                       []byte
		status                     int
	}{
		{"garbage", "/v1/traces", "application/x-protobuf", "", []byte("\xff\xff\xff\xff"), 400},
		{"a cut message", "/v1/traces", "application/x-protobuf", "", good[:len(good)-3], 400},
		{"bad JSON", "/v1/traces", "application/json", "", []byte(`{"resourceSpans": [{`), 400},
		{
			"an id that is none", "/v1/traces", "application/json", "",
			[]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}`), 400,
		},
		{"deep JSON", "/v1/traces", "application/json", "", bytes.Repeat([]byte("["), 1<<20), 400},
		{
			"many objects", "/v1/traces", "application/json", "",
			[]byte(`{"x":[` + strings.Repeat("{},", 300_000) + `{}]}`), 400,
		},
		{"not gzip", "/v1/traces", "application/x-protobuf", "gzip", good, 400},
		{"another encoding", "/v1/traces", "application/x-protobuf", "br", good, 415},
		{"a bomb", "/v1/traces", "application/x-protobuf", "gzip", bomb.Bytes(), 413},
		{"too large", "/v1/traces", "application/x-protobuf", "", make([]byte, 9<<20), 413},
		{"another type", "/v1/traces", "text/plain", "", good, 415},
		{"another path", "/v1/metrics", "application/x-protobuf", "", good, 404},
		{
			"a call without a message", "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
			"application/grpc", "",
			[]byte("\x00\xff\xff\xff\xff"), 200,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, text := post(c.path, c.kind, c.encoding, bytes.NewReader(c.body)); status != c.status {
				t.Errorf("status %d, want %d: %s", status, c.status, text)
			}
			refused++
			if got := r.Find(whole, nil); got.Refused != int64(refused) || got.RefusedWhy == "" {
				t.Errorf("%d messages refused (%s), want %d", got.Refused, got.RefusedWhy, refused)
			}
		})
	}
	if status, text := post("/v1/traces", "application/x-protobuf", "", bytes.NewReader(good)); status != 200 {
		t.Errorf("status %d for a good message: %s", status, text)
	}
	asked(r.Store, 1, 0, time.Second)
	if got := r.Find(whole, nil); got.Whole != 1 {
		t.Errorf("%+v", got)
	}
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// FuzzReceive checks that no message makes a reader panic, and that our reader of protobuf finds in a message that the
// generated one reads the spans that it finds.
func FuzzReceive(f *testing.F) {
	good, err := proto.Marshal(message(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00ff","startTimeUnixNano":"12","kind":3}]}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var ours, theirs []string
		add := func(service string, id []byte, name string) { ours = append(ours, service+string(id)+name) }
		_ = traces.ReadJSON(b, func(string, []byte, string) {})
		oursErr := traces.ReadProtobuf(b, add)
		var m collector.ExportTraceServiceRequest
		if proto.Unmarshal(b, &m) != nil || oursErr != nil {
			return // ours also reads messages that break rules of no importance to it
		}
		for _, of := range m.ResourceSpans {
			service := traces.Unnamed
			for _, a := range of.GetResource().GetAttributes() {
				if text := a.GetValue().GetStringValue(); a.Key == "service.name" && text != "" {
					service = text
				}
			}
			for _, scope := range of.ScopeSpans {
				for _, v := range scope.Spans {
					theirs = append(theirs, service+string(v.SpanId)+v.Name)
				}
			}
		}
		if len(ours) != len(theirs) || len(b) < 90 && !slices.Equal(ours, theirs) { // longer names may be cut
			t.Errorf("%q, want %q", ours, theirs)
		}
	})
}
