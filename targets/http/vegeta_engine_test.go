package http_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
	"brunt/targets/vegeta"
)

// A hit is the outcome of an arrival.
type hit struct {
	n int64
	scenarios.Outcome
}

// attack makes n requests by vegeta, one per gap, and returns their outcomes in the order of
// the arrivals.
func attack(
	t *testing.T, o targets.Options, v vegeta.EngineOptions, n int, gap time.Duration,
) (out []hit, e *vegeta.Engine) {
	t.Helper()
	o.T0 = time.Now().Add(20 * time.Millisecond)
	if o.Timeout == 0 {
		o.Timeout = long
	}
	if v.MaxInFlight == 0 {
		v.MaxInFlight = 1000
	}
	v.Env = &template.Env{}
	for i := range v.Calls {
		v.Steps = append(v.Steps, int32(i))
	}
	e, err := vegeta.New(o, v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	i := 0
	next := func() (scenarios.Arrival, bool) {
		if i == n {
			return scenarios.Arrival{}, false
		}
		at := time.Duration(i) * gap
		time.Sleep(time.Until(o.T0.Add(at))) // simulates the pauses between arrivals
		a := scenarios.Arrival{N: int64(i), Intended: at, Deadline: at + o.Timeout}
		i++
		return a, true
	}
	e.Attack(next, func(a scenarios.Arrival, o *scenarios.Outcome) {
		o.Intended = a.Intended
		out = append(out, hit{a.N, *o})
	})
	slices.SortFunc(out, func(a, b hit) int { return int(a.n - b.n) })
	if len(out) != n {
		t.Fatalf("%d of %d requests came back", len(out), n)
	}
	return out, e
}

// TestVegeta compares the engine with the native one for the same steps.
func TestVegeta(t *testing.T) {
	mux := nethttp.NewServeMux()
	mux.HandleFunc("/ok", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = io.WriteString(w, `{"a": 1}`) })
	mux.HandleFunc("/status", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(nethttp.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "busy")
	})
	mux.HandleFunc("/echo", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.URL, r.Host, r.Header.Get("X-Own"), b)
	})
	mux.HandleFunc("/again", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		nethttp.Redirect(w, r, "/again", nethttp.StatusFound)
	})
	mux.HandleFunc("/moved", func(w nethttp.ResponseWriter,
		r *nethttp.Request,
	) {
		nethttp.Redirect(w, r, "/ok", nethttp.StatusFound)
	})
	mux.HandleFunc("/away", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		nethttp.Redirect(w, r, "http://192.0.2.1/", nethttp.StatusFound)
	})
	mux.HandleFunc("/cut", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	})
	mux.HandleFunc("/reset", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		c, _, _ := w.(nethttp.Hijacker).Hijack()
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	gate := func(a netip.Addr, _, _ string) error {
		if !a.IsLoopback() {
			return errors.New("outside")
		}
		return nil
	}
	for _, c := range []struct{ name, step, want, sample string }{
		{"an answer", `get: /ok`, "ok 200", ""},
		{"a status", `get: /status`, "status 503", "busy"},
		{"shed", `{get: /status, check: {shed: [503]}}`, "shed 503", ""},
		{"a status that is wanted", `{get: /status, check: {status: 503}}`, "ok 503", ""},
		{"a check that holds", `{get: /ok, check: {"$.a": 1}}`, "ok 200", ""},
		{"a check that fails", `{get: /ok, check: {"$.a": 2}}`, "check $.a", `$.a was "1", and "2" was wanted`},
		{"a header that is checked", `{get: /status, check: {status: 503, header: {Retry-After: "7"}}}`, "ok 503", ""},
		{"what is sent", `{post: "/echo?n=${int(7,7)}", headers: {X-Own: mine, Host: example.test}, json: {a: b}, check: {body: 'POST /echo?n=7 ` +
			`example.test mine {"a":"b"}'}}`, "ok 200", ""},
		{"a form", `{put: /echo, form: {a: "b c"}, check: {body: ~ a=b%20c$}}`, "ok 200", ""},
		{"a redirect", `{get: /moved, check: {"$.a": 1}}`, "ok 200", ""},
		{"a redirect not followed", `{get: /moved, redirects: 0, check: {status: 302}}`, "ok 302", ""},
		{"too many redirects", `{get: /again, redirects: 3}`, "redirects", "redirects"},
		{"a redirect out of the blast radius", `get: /away`, "not allowed", "outside"},
		{"half an answer", `get: /cut`, "closed", "unexpected EOF"},
		{"a reset", `{post: /reset, body: x}`, "reset", "reset"},
		{"no server", `get: "http://127.0.0.1:1/"`, "refused", "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := targetstest.Compile(t, http.Descriptor(), "", c.step)
			var k samples
			out, _ := attack(t, targets.Options{Base: s.URL, Allow: targetstest.Gate(gate), Sampler: &k},
				vegeta.EngineOptions{Calls: f.Calls}, 2, time.Millisecond)
			for _, h := range out {
				r := fixture{Flow: f, t: t}
				r.want(h.Outcome, c.want)
				if h.End < h.Intended || h.Slot > h.End || h.Ready > h.Slot && h.WasSent {
					t.Errorf("%+v", h.Outcome)
				}
			}
			if sm := k.last(); !strings.Contains(sm.Said(), c.sample) || c.sample == "" && len(k.list) > 0 {
				t.Errorf("sample %+v, want %q", sm, c.sample)
			}
		})
	}
}

// TestVegeta_Limit checks that requests beyond the limit wait and keep their intended times,
// and that one that times out in the wait is never sent.
func TestVegeta_Limit(t *testing.T) {
	hold := make(chan struct{})
	var mu sync.Mutex
	inside, most, all := 0, 0, 0
	s := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) {
		mu.Lock()
		inside++
		all++
		most = max(most, inside)
		mu.Unlock()
		<-hold
		mu.Lock()
		inside--
		mu.Unlock()
	}))
	defer s.Close()
	defer close(hold)
	f := targetstest.Compile(t, http.Descriptor(), "", "get: /")
	const timeout = 300 * time.Millisecond
	out, _ := attack(t, targets.Options{Base: s.URL, Timeout: timeout},
		vegeta.EngineOptions{Calls: f.Calls, MaxInFlight: 3}, 10, 0)
	sent := 0
	for _, h := range out {
		if h.Cause != scenarios.Timeout || h.End != h.Intended+timeout || h.Answered {
			t.Errorf("%+v", h.Outcome)
		}
		if h.WasSent {
			sent++
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if most > 3 || sent > all || sent < 1 {
		t.Errorf("%d at once, %d said to be sent, the target saw %d", most, sent, all)
	}
}

// TestVegeta_Aborted checks that the end of a run does not wait for answers.
func TestVegeta_Aborted(t *testing.T) {
	asked := make(chan struct{}, 10)
	hold := make(chan struct{})
	s := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) {
		asked <- struct{}{}
		<-hold
	}))
	defer s.Close()
	defer close(hold)
	f := targetstest.Compile(t, http.Descriptor(), "", "get: /")
	o := targets.Options{Base: s.URL, T0: time.Now(), Timeout: time.Hour}
	e, err := vegeta.New(o, vegeta.EngineOptions{Calls: f.Calls, Steps: []int32{0}, MaxInFlight: 10, Env: &template.Env{}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range 3 {
			<-asked
		}
		e.Abort()
	}()
	n := 0
	e.Attack(func() (scenarios.Arrival, bool) {
		n++
		return scenarios.Arrival{N: int64(n - 1), Deadline: time.Hour}, n <= 3
	}, func(_ scenarios.Arrival, o *scenarios.Outcome) {
		if o.Cause != scenarios.Unfinished {
			t.Errorf("%+v", o)
		}
	})
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestVegeta_Versions uses each version of HTTP, and reports a failed handshake as such.
func TestVegeta_Versions(t *testing.T) {
	handler := nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) { fmt.Fprint(w, r.Proto) })
	start := func(secure, plain2 bool) *httptest.Server {
		s := httptest.NewUnstartedServer(handler)
		s.EnableHTTP2 = secure
		s.Config.Protocols = new(nethttp.Protocols)
		s.Config.Protocols.SetHTTP1(true)
		s.Config.Protocols.SetHTTP2(secure)
		s.Config.Protocols.SetUnencryptedHTTP2(plain2)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		if secure {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
		return s
	}
	secure, plain := start(true, false), start(false, true)
	trust := &scenarios.TLS{InsecureSkipVerify: true}
	for _, c := range []struct {
		name, url, http string
		tls             *scenarios.TLS
		want, spoken    string
	}{
		{"auto", secure.URL, "", trust, "ok 200", "HTTP/2"},
		{"1.1", secure.URL, "1.1", trust, "ok 200", "HTTP/1.1"},
		{"2", secure.URL, "2", trust, "ok 200", "HTTP/2"},
		{"plain", plain.URL, "", nil, "ok 200", "HTTP/1.1"},
		{"h2c", plain.URL, "h2c", nil, "ok 200", "h2c"},
		{"a certificate without an authority", secure.URL, "", nil, "tls", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := targetstest.Compile(t, http.Descriptor(), "", "get: /")
			o := targets.Options{
				Base: c.url, TLS: c.tls, Connections: scenarios.Connections{HTTP: scenarios.HTTPVersion(c.http)},
			}
			out, e := attack(t, o, vegeta.EngineOptions{Calls: f.Calls}, 2, time.Millisecond)
			r := fixture{Flow: f, t: t}
			for _, h := range out {
				r.want(h.Outcome, c.want)
			}
			if got := strings.Join(e.Spoken().Versions, ","); got != c.spoken {
				t.Errorf("spoke %s, want %s", got, c.spoken)
			}
		})
	}
}

// TestVegeta_KeepAlive opens a connection for each request if keep-alive is off.
func TestVegeta_KeepAlive(t *testing.T) {
	s := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) {}))
	defer s.Close()
	f := targetstest.Compile(t, http.Descriptor(), "", "get: /")
	off := false
	out, e := attack(t, targets.Options{Base: s.URL, Connections: scenarios.Connections{KeepAlive: &off, Max: 1}},
		vegeta.EngineOptions{Calls: f.Calls}, 5, 0)
	for _, h := range out {
		if h.Kind != scenarios.OK || h.First < h.Sent || h.Sent < h.Slot {
			t.Errorf("%+v", h.Outcome)
		}
	}
	if e.Opened() != 5 {
		t.Errorf("%d connections", e.Opened())
	}
}
