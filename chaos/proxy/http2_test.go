package proxy_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/peer"
	"brunt/chaos/proxy/toxics"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// web2 is a real server of HTTP/2 behind a proxy, and a client in front of it.
type web2 struct {
	*proxy.Proxy
	*http.Client
	server      *http.Server // the last one
	upstream    atomic.Pointer[string]
	connections atomic.Int64
	requests    atomic.Int64
}

func start2(t testing.TB, handle http.HandlerFunc) *web2 {
	t.Helper()
	w := new(web2)
	w.replace(t, handle)
	var err error
	w.Proxy, err = proxy.Start(proxy.Config{Upstream: func() string { return *w.upstream.Load() }, HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Protocols: unencrypted()}
	w.Client = &http.Client{Transport: transport, Timeout: patience}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = w.Proxy.Close()
	})
	return w
}

// unencrypted is HTTP/2 without TLS.
func unencrypted() *http.Protocols {
	two := new(http.Protocols)
	two.SetUnencryptedHTTP2(true)
	return two
}

// replace starts a server for the connections from now on. The one before it keeps those that it has.
func (w *web2) replace(t testing.TB, handle http.HandlerFunc) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		Protocols: unencrypted(), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: patience,
		Handler: http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
			w.requests.Add(1)
			handle(to, r)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				w.connections.Add(1)
			}
		},
	}
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		served.Wait()
	})
	addr := l.Addr().String()
	w.server = s
	w.upstream.Store(&addr)
}

// back answers with what it was asked.
func back(to http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	to.Header().Set("X-Host", r.Host)
	to.Header().Set("X-Asked", r.Header.Get("X-Ask"))
	to.Header().Set(http.TrailerPrefix+"X-Tail", "after")
	fmt.Fprintf(to, "%s %s %d\n", r.Method, r.RequestURI, len(body))
	_, _ = to.Write(body)
}

func (w *web2) do(t testing.TB, method, path, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	resp, err := w.Do(r)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return nil, ""
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	_ = resp.Body.Close()
	return resp, string(b)
}

// What no toxic selects passes as it is: bodies beyond the windows, headers of several frames, trailers, many at once.
func TestHTTP2_Passes(t *testing.T) {
	w := start2(t, back)
	add(t, w.Proxy, toxics.HTTPError{Path: "/never"})
	w.do(t, "GET", "/", "", nil) // later requests share its connection
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for j := range 4 {
				body, long := strings.Repeat("b", i*j*20_000), strings.Repeat("h", i*5000)
				path := fmt.Sprintf("/%d/%d?q=1", i, j)
				resp, got := w.do(t, "POST", path, body, http.Header{"X-Ask": {long}})
				if want := fmt.Sprintf("POST %s %d\n%s", path, len(body), body); resp == nil || got != want {
					t.Errorf("got %.60q, want %.60q", got, want)
				} else if resp.Header.Get("X-Asked") != long || resp.Trailer.Get("X-Tail") != "after" || resp.ProtoMajor != 2 {
					t.Errorf("the headers and trailers are %.200v, %v", resp.Header, resp.Trailer)
				}
			}
		})
	}
	all.Wait()
	if n := w.connections.Load(); n != 1 || w.Stats().Passed != 49 {
		t.Errorf("%d connections, %+v", n, w.Stats())
	}
}

func TestHTTP2_Error(t *testing.T) {
	w := start2(t, back)
	toxic := add(t, w.Proxy, toxics.HTTPError{
		Status: 429, Path: "/a/*", Method: "POST", Body: "not now", Headers: map[string]string{"Retry-After": "1"},
	})
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/a/b", "", 429},
		{"POST", "/a/b?c=d", "some", 429},
		{"POST", "/b", "some", 200},
		{"GET", "/a/b", "", 200},
		{"POST", "/a/b", strings.Repeat("x", 3<<20), 429}, // beyond the windows: what is swallowed is given back
		{"POST", "/b", strings.Repeat("x", 3<<20), 200},
	} {
		resp, got := w.do(t, c.method, c.path, c.body, nil)
		if resp == nil || resp.StatusCode != c.want ||
			c.want == 429 && (got != "not now" || resp.Header.Get("Retry-After") != "1") {
			t.Errorf("%s %s: %v %.60q", c.method, c.path, resp, got)
		}
	}
	if n, seen := w.requests.Load(), toxic.Seen(); n != 3 || w.connections.Load() != 1 || seen.Hit != 3 ||
		seen.Passed != 0 || seen.Forward < 3<<20 {
		t.Errorf("the server saw %d requests on %d connections, the toxic %+v", n, w.connections.Load(), seen)
	}
	remove(t, toxic)
	if resp, _ := w.do(t, "POST", "/a/b", "", nil); resp == nil || resp.StatusCode != 200 {
		t.Error("after the toxic", resp)
	}
}

// Own bodies are taken off the windows that the client gives, so that they never grow beyond what the protocol allows.
func TestHTTP2_Error_Windows(t *testing.T) {
	w := start2(t, back)
	add(t, w.Proxy, toxics.HTTPError{Share: .5, Body: strings.Repeat("x", 10<<10)})
	for range 300 {
		if resp, _ := w.do(t, "GET", "/", "", nil); resp == nil {
			return
		}
	}
	if n := w.connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A request that is delayed holds no other one back.
func TestHTTP2_Delay(t *testing.T) {
	w := start2(t, back)
	toxic := add(t, w.Proxy, toxics.HTTPDelay{Delay: time.Hour, Path: "/slow"})
	var slow sync.WaitGroup
	slow.Go(func() {
		if resp, got := w.do(t, "POST", "/slow", strings.Repeat("x", 40_000), nil); resp == nil ||
			!strings.HasPrefix(got, "POST /slow 40000\n") {
			t.Errorf("%v %.60q", resp, got)
		}
	})
	eventually(t, "the slow request has come", func() bool { return toxic.Seen().Hit == 1 })
	for range 5 {
		if resp, _ := w.do(t, "GET", "/fast", "", nil); resp == nil || resp.StatusCode != 200 {
			t.Error(resp)
		}
	}
	if n := w.requests.Load(); n != 5 {
		t.Errorf("the server saw %d requests", n)
	}
	remove(t, toxic)
	slow.Wait()
	if n := w.connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	toxic = add(t, w.Proxy, toxics.HTTPDelay{Delay: 40 * time.Millisecond, Path: "/slow"})
	began := time.Now()
	w.do(t, "GET", "/slow", "", nil)
	if took := time.Since(began); took < 40*time.Millisecond {
		t.Errorf("a delay of 40 ms took %s", took)
	}
	remove(t, toxic)
}

// A client that gives up a request that is held leaves nothing behind.
func TestHTTP2_Delay_Cancelled(t *testing.T) {
	w := start2(t, back)
	toxic := add(t, w.Proxy, toxics.HTTPDelay{Delay: time.Hour, Path: "/slow"})
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+w.Addr()+"/slow",
		strings.NewReader(strings.Repeat("x", 50_000)))
	var asked sync.WaitGroup
	asked.Go(func() {
		if resp, err := w.Do(r); err == nil {
			t.Error(resp)
		}
	})
	eventually(t, "the request has come", func() bool { return toxic.Seen().Forward > 0 || toxic.Seen().Hit == 1 })
	cancel()
	asked.Wait()
	if resp, _ := w.do(t, "POST", "/", strings.Repeat("x", 3<<20), nil); resp == nil || resp.StatusCode != 200 {
		t.Error(resp)
	}
	remove(t, toxic)
	if resp, _ := w.do(t, "GET", "/", "", nil); resp == nil || w.requests.Load() != 2 {
		t.Errorf("the server saw %d requests", w.requests.Load())
	}
}

func TestHTTP2_Rewrite(t *testing.T) {
	w := start2(t, back)
	text := func(s string) *string { return &s }
	ask := http.Header{"X-Ask": {"old"}}
	for _, c := range []struct {
		name         string
		toxic        toxics.HTTPRewrite
		method, body string
		want         string
		check        func(r *http.Response) bool
	}{
		{"a path", toxics.HTTPRewrite{Request: http1.Draft{Path: http1.PathDraft{
			Match: regexp.MustCompile("^/a"),
			To:    "/b",
		}}}, "GET", "", "GET /b/c?d=e 0\n", nil},
		{
			"headers",
			toxics.HTTPRewrite{Request: http1.Draft{Headers: map[string]*string{"X-Ask": text("new"), "Host": text("other")}}},
			"GET", "", "GET /a/c?d=e 0\n",
			func(r *http.Response) bool {
				return r.Header.Get("X-Asked") == "new" && r.Header.Get("X-Host") == "other"
			},
		},
		{
			"a header less",
			toxics.HTTPRewrite{Request: http1.Draft{Headers: map[string]*string{"X-Ask": nil}}},
			"GET", "", "",
			func(r *http.Response) bool { return r.Header.Get("X-Asked") == "" },
		},
		{
			"a body",
			toxics.HTTPRewrite{Request: http1.Draft{Body: text("new")}},
			"POST", strings.Repeat("x", 2<<20),
			"POST /a/c?d=e 3\nnew", nil,
		},
		{
			"a body where there was none",
			toxics.HTTPRewrite{Request: http1.Draft{Body: text("new")}},
			"POST", "",
			"POST /a/c?d=e 3\nnew", nil,
		},
		{"no body", toxics.HTTPRewrite{Request: http1.Draft{Body: text("")}}, "POST", "some", "POST /a/c?d=e 0\n", nil},
		{
			"an answer",
			toxics.HTTPRewrite{Answer: http1.Draft{
				Status: 500, Body: text("sorry"),
				Headers: map[string]*string{"X-Asked": nil},
			}},
			"POST",
			strings.Repeat("x", 2<<20), "sorry", func(r *http.Response) bool {
				return r.StatusCode == 500 &&
					len(r.Header["X-Asked"]) == 0
			},
		},
		{
			"an answer without a body",
			toxics.HTTPRewrite{Answer: http1.Draft{Status: 204}},
			"GET", "", "",
			func(r *http.Response) bool { return r.StatusCode == 204 },
		},
		{"the answer to HEAD", toxics.HTTPRewrite{Answer: http1.Draft{Body: text("sorry")}}, "HEAD", "", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			toxic := add(t, w.Proxy, c.toxic)
			defer remove(t, toxic)
			resp, got := w.do(t, c.method, "/a/c?d=e", c.body, ask)
			if resp == nil || c.want != "" && got != c.want || c.check != nil && !c.check(resp) {
				t.Errorf("%v %.60q", resp, got)
			}
		})
	}
	if resp, got := w.do(t, "POST", "/a", "some", nil); resp == nil || got != "POST /a 4\nsome" ||
		w.connections.Load() != 1 {
		t.Errorf("%v %q on %d connections", resp, got, w.connections.Load())
	}
}

// A server that announces its end loses no request, held ones included: the client hears of it, and sends the next
// requests on another connection, here to another server.
func TestHTTP2_GoAway(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	w := start2(t, func(to http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			close(asked)
			<-release
		}
		back(to, r)
	})
	add(t, w.Proxy, toxics.HTTPDelay{Delay: 5 * time.Millisecond, Share: .5})
	var all sync.WaitGroup
	all.Go(func() {
		if _, got := w.do(t, "GET", "/held", "", nil); got != "GET /held 0\n" {
			t.Errorf("the held request: %q", got)
		}
	})
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("the request did not come")
	}
	old := w.server
	var next atomic.Int64
	w.replace(t, func(to http.ResponseWriter, r *http.Request) {
		next.Add(1)
		back(to, r)
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	all.Go(func() {
		if err := old.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	for i := range 4 {
		all.Go(func() {
			for next.Load() < 20 {
				if resp, _ := w.do(t, "GET", fmt.Sprintf("/%d", i), "", nil); resp == nil {
					return
				}
			}
		})
	}
	eventually(t, "the other server is asked, or a request is lost", func() bool {
		return next.Load() >= 20 || t.Failed()
	})
	close(release)
	all.Wait()
}

// What is not HTTP/2 after its beginning ends the connection, and what only looks like it passes as it is.
func TestHTTP2_Nonsense(t *testing.T) {
	u := serve(t, echo)
	p := start(t, u, proxy.Config{HTTP: true})
	for _, text := range []string{
		"P", "PRI", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n", "POST / HTTP/1.1\r\n", "\x00\x00\x06\x04",
	} {
		c := dial(t, p)
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		_ = c.CloseWrite()
		if got, err := io.ReadAll(c); err != nil || string(got) != text {
			t.Errorf("%q came back as %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"nonsense of ten bytes", "\xff\xff\xff\x00\x00\x00\x00\x00\x01", "\x00\x00\x01\x09\x00\x00\x00\x00\x01x",
	} {
		c := dial(t, p)
		if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+text); err != nil {
			t.Fatal(err)
		}
		isReset(t, c)
	}
}

// started is grpc-go's server of health behind a proxy, and its client in front of it.
func startGRPC(t testing.TB) (*proxy.Proxy, healthpb.HealthClient) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, health.NewServer())
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(l) })
	p, err := proxy.Start(proxy.Config{Upstream: l.Addr().String, HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := grpc.NewClient(p.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = c.Close(), p.Close()
		s.Stop()
		served.Wait()
	})
	return p, healthpb.NewHealthClient(c)
}

// grpc-go's own client sees the status and its text, in calls and in streams, and no connection ends.
func TestGRPC_Error(t *testing.T) {
	p, c := startGRPC(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	check := func() error {
		_, err := c.Check(ctx, &healthpb.HealthCheckRequest{})
		return err
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	const text = "50% of “them”\nfail"
	toxic := add(t, p, toxics.GRPCError{
		Status: int(codes.ResourceExhausted), Message: text, Path: "/grpc.health.v1.Health/*",
	})
	for range 3 {
		if err := check(); status.Code(err) != codes.ResourceExhausted || status.Convert(err).Message() != text {
			t.Errorf("got %v", err)
		}
	}
	stream, err := c.Watch(ctx, &healthpb.HealthCheckRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a stream got %v", err)
	}
	if seen := toxic.Seen(); seen.Hit != 4 || seen.Passed != 0 {
		t.Errorf("%+v", seen)
	}
	remove(t, toxic)
	other := add(t, p, toxics.GRPCError{Path: "/other.Service/*"})
	if err := check(); err != nil {
		t.Error(err)
	}
	remove(t, other)
	share := add(t, p, toxics.GRPCError{Share: .3})
	failed := 0
	for range 300 {
		if err := check(); status.Code(err) == codes.Unavailable {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	if failed < 50 || failed > 140 {
		t.Errorf("%d of 300 calls failed at 30 %%", failed)
	}
	remove(t, share)
	if n := p.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A delayed call holds no other one back, and is over with its toxic.
func TestGRPC_Delay(t *testing.T) {
	p, c := startGRPC(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	toxic := add(t, p, toxics.GRPCDelay{Delay: time.Hour, Path: "*/Check"})
	var slow sync.WaitGroup
	slow.Go(func() {
		if _, err := c.Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the call has come", func() bool { return toxic.Seen().Hit == 1 })
	if _, err := c.List(ctx, &healthpb.HealthListRequest{}); err != nil {
		t.Error(err)
	}
	remove(t, toxic)
	slow.Wait()
	if n := p.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A probe sees what a client in the same form sees.
func TestProbe_Forms(t *testing.T) {
	w := start2(t, back)
	probe := func(form peer.Form) string {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := w.Probe(ctx, proxy.ProbeRequest{Kind: proxy.HTTP, N: 2, Path: "/a b", Form: form})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(r.Outcome, r.Statuses, r.Own)
	}
	want := func(when string, list ...string) {
		t.Helper()
		for i, one := range list {
			if got := probe(peer.Form(i)); got != one {
				t.Errorf("%s: form %d: got %s, want %s", when, i, got, one)
			}
		}
	}
	want("without a toxic", "answered [204 204] [false false]", "answered [204 204] [false false]",
		"answered [0 0] [false false]")
	toxic := add(t, w.Proxy, toxics.HTTPError{Path: "/a b"})
	want("with http.error", "answered [503 503] [true true]", "answered [503 503] [true true]")
	remove(t, toxic)
	toxic = add(t, w.Proxy, toxics.GRPCError{Status: 5, Path: "/a*"})
	want("with grpc.error", "answered [204 204] [false false]", "answered [204 204] [false false]",
		"answered [5 5] [true true]")
	if seen := toxic.Seen(); seen.Any() || w.Stats().Any() {
		t.Errorf("probes count: %+v, %+v", seen, w.Stats())
	}
	remove(t, toxic)
}
