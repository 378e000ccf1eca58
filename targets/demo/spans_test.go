package demo

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A spanSink receives the spans of the services of a network.
type spanSink struct {
	mu    sync.Mutex
	spans []sunk
}

type sunk struct {
	service string
	*tracepb.Span
}

// collect receives spans at the unit collector[0] until the test ends.
func (n *network) collect(t *testing.T) *spanSink {
	t.Helper()
	s := &spanSink{}
	l, err := n.listen("", "collector:80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(r.Body); err != nil {
				t.Error(err)
				return
			}
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		var m collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(b, &m); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, of := range m.ResourceSpans {
			at := slices.IndexFunc(of.Resource.Attributes, func(a *common.KeyValue) bool {
				return a.Key == "service.name"
			})
			for _, v := range of.ScopeSpans[0].Spans {
				s.spans = append(s.spans, sunk{of.Resource.Attributes[at].Value.GetStringValue(), v})
			}
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// way returns the services and spans of a trace as a tree in one line, and the ids of parents that are not in it.
func (s *spanSink) way(trace, root string) (way string, foreign []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var below func(parent string) string
	known := map[string]bool{root: true}
	below = func(parent string) string {
		var parts []string
		for _, v := range s.spans {
			if hex.EncodeToString(v.TraceId) == trace && hex.EncodeToString(v.ParentSpanId) == parent {
				id := hex.EncodeToString(v.SpanId)
				known[id] = true
				parts = append(parts, v.service+" "+v.Name+below(id))
			}
		}
		slices.Sort(parts)
		if len(parts) == 0 {
			return ""
		}
		return " (" + strings.Join(parts, ", ") + ")"
	}
	way = below(root)
	for _, v := range s.spans {
		if hex.EncodeToString(v.TraceId) == trace && !known[hex.EncodeToString(v.ParentSpanId)] {
			foreign = append(foreign, v.service+" "+v.Name)
		}
	}
	return way, foreign
}

// TestSpans: the spans of a request form one tree below the span of its traceparent, and end before the store if posts
// drops the trace. Without a traceparent a service begins a trace.
func TestSpans(t *testing.T) {
	const users = "gateway call GET /users (users GET /users)"
	for _, c := range []struct {
		name string
		with Config
		want string
	}{
		{
			"passed on",
			Config{},
			" (gateway GET /posts (gateway call GET /posts (posts GET /posts (posts call GET /posts (store GET /posts))), " +
				users + "))",
		},
		{
			"dropped",
			Config{Propagate: off()},
			" (gateway GET /posts (gateway call GET /posts (posts GET /posts (posts call GET /posts)), " + users + "))",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				n.spans = true
				sink := n.collect(t)
				s := startOn(t, c.with, n)
				a := s.ask("GET", "/posts?page=1", "", sec, "Traceparent", traceparent)
				if a.status != http.StatusOK {
					t.Fatalf("%d %s", a.status, a.body)
				}
				time.Sleep(sec) // simulates the time in which batches are sent
				way, foreign := sink.way(traceparent[3:35], traceparent[36:52])
				if way != c.want || foreign != nil {
					t.Errorf("%s, and %q\nwant %s", way, foreign, c.want)
				}
				sink.mu.Lock()
				defer sink.mu.Unlock()
				for _, v := range sink.spans {
					if hex.EncodeToString(v.TraceId) != traceparent[3:35] &&
						(v.service != "store" || c.with.Propagate == nil) {
						t.Errorf("%s has a span %s of another trace", v.service, v.Name)
					}
				}
			})
		})
	}
}
