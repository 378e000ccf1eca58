package traces_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/connect"
	"brunt/scenarios/observe/traces"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// A team is the collector of a team, which counts the spans that it takes by the generated reader.
type team struct {
	*httptest.Server
	spans, asked atomic.Int64
}

// collect starts a collector that answers as answer says, or takes every span if answer is nil.
func collect(t *testing.T, answer http.HandlerFunc) *team {
	t.Helper()
	c := new(team)
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c.asked.Add(1)
		if answer != nil {
			answer(w, req)
			return
		}
		body, err := io.ReadAll(req.Body)
		read := proto.Unmarshal
		if req.Header.Get("Content-Type") == "application/json" {
			read = protojson.Unmarshal
		}
		var m collector.ExportTraceServiceRequest
		if err == nil {
			err = read(body, &m)
		}
		if err != nil {
			t.Errorf("%q: %v", body, err)
		}
		for _, of := range m.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				c.spans.Add(int64(len(scope.Spans)))
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// send posts a message to a receiver, which has to take it.
func send(t *testing.T, r *traces.Receiver, kind string, body []byte) {
	t.Helper()
	resp, err := http.Post("http://"+r.Addr()+"/v1/traces", kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestForward: a collector gets the spans of every message that was taken, in each form of the protocol, those of
// traces of others too, and nothing of a message that was refused.
func TestForward(t *testing.T) {
	c, r := collect(t, nil), listen(t)
	r.Forward(c.URL+"/v1/traces", nil)
	const each = 50
	for i := range each {
		send(t, r, "application/x-protobuf", marshal(t, message(uint64(i+1))))
		send(t, r, "application/json",
			[]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"b"}]}]}]}`))
	}
	conn, err := grpc.NewClient(r.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range each {
		if _, err := collector.NewTraceServiceClient(conn).Export(t.Context(), message(uint64(i+1))); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.Post("http://"+r.Addr()+"/v1/traces", "application/x-protobuf", strings.NewReader("\xff\xff"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	r.Flush(t.Context())
	got := r.Find(whole, nil)
	if f := got.Forwarded; c.spans.Load() != 4*each || f.Spans != 4*each || f.Messages != 3*each ||
		f.Lost+f.LostSpans != 0 || got.Refused != 1 {
		t.Errorf("%d spans arrived in %d messages: %+v", c.spans.Load(), c.asked.Load(), f)
	}
}

// TestForward_Fails: a collector that refuses, rejects, leads elsewhere, is away, or may not be reached costs its spans
// alone, with the reason.
func TestForward_Fails(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	elsewhere := collect(t, nil)
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(code)
		}
	}
	rejects := marshal(t, &collector.ExportTraceServiceResponse{
		PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: 1, ErrorMessage: "no"},
	})
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		to     string
		reach  connect.Check
		asked  int64
		lost   int64 // messages; each has one span
		why    string
	}{
		{"refuses", status(503), "", nil, 2, 2, "answers 503"},
		{"leads elsewhere", status(307), "", nil, 2, 2, "answers 307"},
		{"rejects", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(rejects) }, "", nil, 2, 0, "rejected"},
		{"is away", nil, gone.URL, nil, 0, 2, "refused"},
		{
			"not allowed", nil, "", func(netip.AddrPort, string) error { return errors.New("a policy says no") }, 0, 2,
			"a policy says no",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			to, r := collect(t, c.answer), listen(t)
			if c.to == "" {
				c.to = to.URL
			}
			r.Forward(c.to, c.reach)
			send(t, r, "application/x-protobuf", marshal(t, message(1)))
			send(t, r, "application/x-protobuf", marshal(t, message(2)))
			r.Flush(t.Context())
			asked(r.Store, 1, 0, time.Second)
			got := r.Find(whole, nil)
			f := got.Forwarded
			if f.Lost != c.lost || f.LostSpans != 2 || f.Spans != 0 || !strings.Contains(f.Why, c.why) ||
				to.asked.Load() != c.asked || elsewhere.asked.Load() != 0 || got.Whole != 1 {
				t.Errorf("asked %d times: %+v of %+v", to.asked.Load(), f, got)
			}
		})
	}
}

// TestForward_Hangs: behind a collector that never answers only the end waits, for a limited time. Messages without
// room are lost, and so are the messages that wait at the end.
func TestForward_Hangs(t *testing.T) {
	release := make(chan struct{})
	c, r := collect(t, func(http.ResponseWriter, *http.Request) { <-release }), listen(t)
	defer close(release)
	r.Forward(c.URL, nil)
	const n = 2000
	body := marshal(t, message(1))
	for range n {
		r.Hand(body, 1)
	}
	if f := r.Find(whole, nil).Forwarded; f.Lost < n-traces.MostWaiting-1 || f.Lost >= n ||
		f.Why != "too many others waited" {
		t.Errorf("while it hangs: %+v", f)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	r.Flush(ended)
	r.Hand(body, 1)
	if f := r.Find(whole, nil).Forwarded; f.Lost != n+1 || f.Messages != 0 {
		t.Errorf("at the end: %+v", f)
	}
	large := listen(t)
	large.Forward(c.URL, nil)
	for range 9 {
		large.Hand(make([]byte, 8<<20), 1)
	}
	if f := large.Find(whole, nil).Forwarded; f.Lost < 4 {
		t.Errorf("9 messages of 8 MiB: %+v", f)
	}
}
