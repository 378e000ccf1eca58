package http_test

import (
	nethttp "net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
	"brunt/targets/vegeta"
)

// TestTrace checks that every request has its own traceparent, that a redirect keeps that of
// its first request, and that an author's traceparent stays and gives the sample's trace.
func TestTrace(t *testing.T) {
	var mu sync.Mutex
	var came []string
	s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		mu.Lock()
		came = append(came, strings.Join(r.Header.Values("Traceparent"), " and "))
		mu.Unlock()
		if r.URL.Path == "/moved" {
			nethttp.Redirect(w, r, "/bad", nethttp.StatusFound)
			return
		}
		w.WriteHeader(nethttp.StatusInternalServerError)
	}))
	s.Config.Protocols = new(nethttp.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	const own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	made := regexp.MustCompile(`^00-00000000000000ff[0-9a-f]{16}-[0-9a-f]{16}-0[01]$`)
	for _, c := range []struct {
		name, step string
		http       scenarios.HTTPVersion
		sampled    bool
		want       string // zero: brunt's own
		requests   int    // for each call; zero means 1
	}{
		{name: "fixed", step: `get: /bad`, sampled: true},
		{name: "not sampled", step: `get: /bad`},
		{name: "filled in", step: `{post: "/bad?n=${int(1,9)}", json: {a: 1}}`, sampled: true},
		{name: "redirect", step: `get: /moved`, sampled: true, requests: 2},
		{name: "http2", step: `get: /bad`, http: scenarios.HTTP2, sampled: true},
		{name: "own", step: `{get: /bad, headers: {traceparent: ` + own + `}}`, want: own},
		{name: "own, filled in", step: `{get: "/bad?n=${int(1,9)}", headers: {TraceParent: ` +
			`"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b${int(7,7)}-00"}}`, want: own},
	} {
		for _, engine := range []string{"native", "vegeta"} {
			t.Run(c.name+" by "+engine, func(t *testing.T) {
				var k samples
				o := targets.Options{
					Base: s.URL, Sampler: &k, Tracing: targets.Tracing{High: 0xff, Sampled: c.sampled},
					Connections: scenarios.Connections{HTTP: c.http},
				}
				came = nil
				var outs []scenarios.Outcome
				if engine == "vegeta" {
					f := targetstest.Compile(t, http.Descriptor(), "", c.step)
					hits, _ := attack(t, o, vegeta.EngineOptions{Calls: f.Calls}, 4, time.Millisecond)
					for _, h := range hits {
						outs = append(outs, h.Outcome)
					}
				} else {
					r := newFixture(t, o, c.step)
					for vu := range 2 {
						u := r.user(vu)
						for range 2 {
							outs = append(outs, u.Do(0, long))
						}
					}
				}
				each := max(1, c.requests)
				if len(came) != 4*each {
					t.Fatalf("%d requests", len(came))
				}
				seen := map[string]bool{}
				for _, p := range came {
					if c.want != "" && p != c.want || c.want == "" &&
						(!made.MatchString(p) || strings.HasSuffix(p, "1") != c.sampled) {
						t.Errorf("%q", p)
					}
					seen[scenarios.ParseTraceparent(p).String()] = true
				}
				if c.want == "" && len(seen) != 4 {
					t.Errorf("%d traces: %q", len(seen), came)
				}
				for _, out := range outs {
					if id := scenarios.NewTraceID(0xff, out.Trace).String(); c.want == "" && !seen[id] ||
						c.want != "" && out.Trace != 0 {
						t.Errorf("trace %s of %v", id, seen)
					}
				}
				if sm := k.last(); !seen[sm.Trace] {
					t.Errorf("the sample has trace %q", sm.Trace)
				}
			})
		}
	}
}
