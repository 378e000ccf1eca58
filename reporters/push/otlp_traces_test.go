package push

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spansIn returns the spans of a message.
func spansIn(t *testing.T, body []byte) []*tracepb.Span {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var m collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m.ResourceSpans[0].ScopeSpans[0].Spans
}

// requests are n requests that took a second each, from now on.
func requests(n int, kind scenarios.Kind) result.RequestSpans {
	var out result.RequestSpans
	now := time.Now()
	for i := range n {
		low := uint64(i + 1)
		out.Spans = append(out.Spans, result.RequestSpan{
			Trace: scenarios.NewTraceID(0xff, low), ID: scenarios.RootSpan(low), Load: "browse", Step: "read",
			Outcome: kind, Cause: "timeout", Status: 503, Why: result.SpanFailed, Begin: now, End: now.Add(time.Second),
			Sent: now.Add(time.Millisecond),
		})
	}
	return out
}

// TestOTLPTraces checks a span of a request: its ids, times, state, and the faults that it met.
func TestOTLPTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f remote
		m, o, _ := outOf(t, &f, "otlp-traces=http://jaeger:4318", "otlp=http://otel")
		o.Event(result.Event{Event: "fault.injected", Fault: "early#1"})
		time.Sleep(time.Second)
		o.Event(result.Event{Event: "fault.cleared", Fault: "early#1"})
		time.Sleep(time.Second)
		r := requests(2, scenarios.Error)
		begin := time.Now()
		time.Sleep(300 * time.Millisecond)
		o.Event(result.Event{ // its injection took 50 ms
			T: 10.05, Event: "fault.injected", Fault: "cut#1", Unit: "posts[0]", Data: map[string]any{result.BegunData: 10.0},
		})
		time.Sleep(700 * time.Millisecond)
		r.Spans[1].Outcome, r.Spans[1].End = scenarios.OK, begin.Add(200*time.Millisecond)
		tell(m, o, second(1))
		o.Requests(r)
		synctest.Wait()
		if notes := o.Close(); len(notes) > 0 {
			t.Fatal(notes)
		}
		var came []string
		var spans []*tracepb.Span
		for i, req := range f.came {
			came = append(came, req.URL.Host+req.URL.Path)
			if req.URL.Path == "/v1/traces" {
				spans = spansIn(t, f.bodies[i])
			}
		}
		slices.Sort(came)
		if want := []string{"jaeger:4318/v1/traces", "otel/v1/metrics"}; !slices.Equal(came, want) {
			t.Fatalf("%v, want %v", came, want)
		}
		v := spans[0]
		if id := scenarios.NewTraceID(0xff, 1); !bytes.Equal(v.TraceId, id[:]) ||
			binary.BigEndian.Uint64(v.SpanId) != scenarios.RootSpan(1) || len(v.ParentSpanId) != 0 {
			t.Errorf("ids %x %x %x", v.TraceId, v.SpanId, v.ParentSpanId)
		}
		if v.Name != "read" || v.Kind != tracepb.Span_SPAN_KIND_CLIENT ||
			v.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || v.Status.GetMessage() != "timeout" ||
			v.StartTimeUnixNano != uint64(begin.UnixNano()) || v.EndTimeUnixNano-v.StartTimeUnixNano != 1e9 {
			t.Errorf("%v", v)
		}
		var events, attributes []string
		for _, e := range v.Events {
			events = append(events, fmt.Sprint(e.Name, " ", (e.TimeUnixNano-v.StartTimeUnixNano)/1e6))
		}
		for _, a := range v.Attributes {
			attributes = append(attributes, a.Key)
			if list := a.Value.GetArrayValue().GetValues(); a.Key == "brunt.faults" &&
				(len(list) != 1 || list[0].GetStringValue() != "cut#1") {
				t.Errorf("faults %v", list)
			}
		}
		if want := []string{"request.sent 1", "fault.injected 250"}; !slices.Equal(events, want) {
			t.Errorf("events %q, want %q", events, want)
		}
		if !slices.Contains(attributes, "brunt.faults") || !slices.Contains(attributes, "http.response.status_code") {
			t.Errorf("attributes %q", attributes)
		}
		if v := spans[1]; v.Status != nil || len(v.Events) != 1 {
			t.Errorf("the good request, over before the fault: %v", v)
		}
	})
}

// TestOTLPTraces_Partly checks that spans of which a service refuses a part are not sent again, and that the note says
// what it refused.
func TestOTLPTraces_Partly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, err := proto.Marshal(&collector.ExportTraceServiceResponse{
			PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: 1, ErrorMessage: "too old"},
		})
		if err != nil {
			t.Fatal(err)
		}
		f := remote{answer: func(int, *http.Request) (*http.Response, error) {
			resp, err := reply(200, string(body))
			resp.Header.Set("Content-Type", "application/x-protobuf")
			return resp, err
		}}
		_, o, _ := outOf(t, &f, "otlp-traces=http://jaeger")
		o.Requests(requests(1, scenarios.OK))
		time.Sleep(time.Minute)
		if notes := o.Close(); len(notes) != 1 || !strings.Contains(notes[0], "too old") {
			t.Errorf("%q", notes)
		}
		if len(f.came) != 1 {
			t.Errorf("%d requests", len(f.came))
		}
	})
}

// TestOTLPTraces_Dead checks that a service that never answers delays no request, and that the spans which were left
// out are counted.
func TestOTLPTraces_Dead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := remote{answer: func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}}
		_, o, _ := outOf(t, &f, "otlp-traces=http://jaeger")
		began := time.Now()
		for range 400 {
			r := requests(3, scenarios.Error)
			r.LeftOut = 2
			o.Requests(r)
			synctest.Wait()
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %s", took)
		}
		notes := o.Close()
		if len(notes) != 2 || !strings.Contains(notes[0], "400 of 400 messages were not delivered") ||
			!strings.Contains(notes[1], "800 requests that failed, were slow or were sampled have no span") {
			t.Errorf("%q", notes)
		}
	})
}
