package run_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestTraces_Received runs the built-in system with a slow call to its store, and with a context that is dropped
// before it: the traces are whole or lack the store, and in the fault the self time of posts grows, in its calls.
func TestTraces_Received(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, with string
		verdict    scenarios.Verdict
		away       bool // nothing listens where the spans are forwarded to
	}{
		{"passed on", "", scenarios.Pass, false},
		{"dropped", ", propagate: off", scenarios.Fail, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to, spans := collect(t)
			if c.away {
				to.Close()
			}
			text := `
version: 1
name: traced
target: {stack: demo, with: {limiter: off, breaker: off, timeouts: off` + c.with + `}}
trace: {listen: "127.0.0.1:0", forward: "` + to.URL + `", services: [gateway, posts, store, users]}
judge: {limit: 20%}
load:
  main:
    executor: constant-arrival-rate
    rate: 30/s
    duration: 12s
    timeout: 3s
    flow: [{get: "/posts?page=${int(1,50)}", name: list}]
chaos:
  slow: {at: 4s, for: 6s, network.latency: {from: posts, to: store, delay: 200ms}}
slo: [traces > 98% in slow]
`
			res := runText(t, text, run.Options{})
			got := res.Traces
			if got == nil || res.Objectives[0].Verdict != c.verdict {
				t.Fatalf("%s: %s\n%+v", res.Objectives[0].Verdict, res.Objectives[0].Note, got)
			}
			t.Logf("%+v", got)
			f := got.Forwarded
			t.Logf("%+v", f)
			// more are there than the run forwarded if runText repeated it
			if there := spans.Load(); f.Spans > there || c.away != (there == 0) || c.away != (f.Lost > 0) ||
				c.away != (f.Why != "") || f.Spans+f.LostSpans < got.Spans {
				t.Errorf("the collector has %d spans: %+v", there, f)
			}
			if c.verdict == scenarios.Fail {
				if len(got.Missing) != 1 || got.Missing[0].Service != "store" || got.Foreign == 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			i := slices.IndexFunc(got.Phases, func(p result.TracePhase) bool { return p.Phase.Kind == slo.FaultPhase })
			p := &got.Phases[i]
			for _, v := range p.Services {
				if grew := v.Grew() && v.GrowthLow > .15; grew != (v.Service == "posts") {
					t.Errorf("the self time of %s: %+v", v.Service, v)
				}
				if v.Service == "posts" && v.Waiting < .15 {
					t.Errorf("posts did not wait in its calls: %+v", v)
				}
			}
			if s := p.Slowest[0]; s.Service != "posts" || !strings.HasPrefix(s.Span, "call ") || !s.Waiting {
				t.Errorf("the slowest spent their time in %+v", s)
			}
		})
	}
}

// TestTraces_Exported checks the requests that are exported as spans: they have the ids that the target received, and
// each failed one is there, up to the number that a second may have.
func TestTraces_Exported(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	came := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		came[r.Header.Get("Traceparent")] = true
		mu.Unlock()
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer s.Close()
	reasons := map[result.SpanReason]int{}
	var left int64
	res := runOnce(t, `
version: 1
name: exported
target: {url: "`+s.URL+`"}
trace: {every: 10}
load:
  good: {executor: constant-arrival-rate, rate: 100/s, duration: 2s, flow: [{get: /}]}
  bad: {executor: constant-arrival-rate, rate: 250/s, duration: 2s, flow: [{get: /bad, check: {status: 200}}]}
`, run.Options{Spans: func(r result.RequestSpans) {
		left += r.LeftOut
		for _, v := range r.Spans {
			id := "00-" + v.Trace.String() + "-" + hex16(v.ID) + "-01"
			mu.Lock()
			if !came[id] {
				t.Errorf("no request came with %s", id)
			}
			mu.Unlock()
			reasons[v.Why]++
			if (v.Outcome == scenarios.Error) != (v.Load == "bad") || v.End.Before(v.Begin) || v.Sent.Before(v.Begin) ||
				v.Outcome == scenarios.Error && (v.Cause == "" || v.Status != 500) {
				t.Errorf("%+v", v)
			}
		}
	}})
	failed := 0
	for _, e := range res.Errors {
		failed += int(e.Count)
	}
	if n := reasons[result.SpanFailed] + int(left); n < failed || left == 0 || reasons[result.SpanSlow] < 5 ||
		reasons[result.SpanSampled] < 5 {
		t.Errorf("%v, %d left out, of %d failed", reasons, left, failed)
	}
	if res.Traces != nil {
		t.Errorf("traces without `listen`: %+v", res.Traces)
	}
}

// collect starts a collector of OTLP over HTTP that counts the spans that it takes, by the generated reader.
func collect(t *testing.T) (to *httptest.Server, spans *atomic.Int64) {
	t.Helper()
	spans = new(atomic.Int64)
	to = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var m collector.ExportTraceServiceRequest
		body, err := io.ReadAll(req.Body)
		if err == nil {
			err = proto.Unmarshal(body, &m)
		}
		if err != nil || req.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", req.URL, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, of := range m.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				spans.Add(int64(len(scope.Spans)))
			}
		}
	}))
	t.Cleanup(to.Close)
	return to, spans
}

// hex16 returns a number as 16 hexadecimal digits.
func hex16(v uint64) string { return scenarios.NewTraceID(0, v).String()[16:] }

// TestTraces_Busy: a port that is taken ends the run before its target starts.
func TestTraces_Busy(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	began := time.Now()
	res := runOnce(t, `
version: 1
name: busy
target: {stack: demo}
trace: {listen: "`+strings.TrimPrefix(s.URL, "http://")+`"}
load: {main: {executor: constant-vus, vus: 1, duration: 1m, flow: [{get: /posts}]}}
`, run.Options{})
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "name a port that is free") ||
		time.Since(began) > time.Minute {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
}
