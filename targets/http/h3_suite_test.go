package http_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// http3Client is HTTP that speaks HTTP/3 and trusts the test server. Streams is the limit of a connection; zero: none.
func http3Client(streams int) *targets.Descriptor {
	d := http.Descriptor()
	client := d.Client
	d.Client = func(o targets.Options) (targets.Client, error) {
		o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
		o.Connections.HTTP = scenarios.HTTP3
		if streams > 0 {
			o.Connections.MaxStreams = streams
		}
		return client(o)
	}
	return d
}

// server3 is [server] over the server of quic-go.
type server3 struct {
	*server
	base string
}

func (s *server3) Base() string { return s.base }

// certificate returns the certificate of net/http/httptest's servers, for 127.0.0.1 and example.com.
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return s.TLS.Certificates[0]
}

// serve3 starts a server of HTTP/3 that ends with the test. Connect is called for each connection.
func serve3(t testing.TB, h nethttp.Handler, change func(*http3.Server), connect func(*quic.Conn)) (addr string) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &http3.Server{
		Handler: h, Logger: slog.New(slog.DiscardHandler),
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate(t)}}),
		ConnContext: func(ctx context.Context, c *quic.Conn) context.Context {
			if connect != nil {
				connect(c)
			}
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	if change != nil {
		change(s)
	}
	var all sync.WaitGroup
	all.Go(func() { _ = s.Serve(c) })
	t.Cleanup(func() {
		_ = s.Close()
		_ = c.Close()
		all.Wait()
	})
	return c.LocalAddr().String()
}

func newServer3(t testing.TB) targetstest.Server {
	s := &server{release: make(chan struct{})}
	addr := serve3(t, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		switch r.URL.Path {
		case "/cut":
			s.requests.Add(1)
			_ = r.Context().Value(connKey{}).(*quic.Conn).CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
			return
		case "/reset":
			s.requests.Add(1)
			panic(nethttp.ErrAbortHandler)
		}
		s.ServeHTTP(w, r)
	}), nil, func(*quic.Conn) { s.connections.Add(1) })
	t.Cleanup(s.Release)
	return &server3{s, "https://" + addr}
}

func TestHTTP3_Suite(t *testing.T) {
	for _, c := range []struct {
		name    string
		streams int
		shared  bool
	}{{"one stream a connection", 1, false}, {"one connection", 0, true}} {
		t.Run(c.name, func(t *testing.T) {
			targetstest.Run(t, targetstest.Suite{
				Protocol: http3Client(c.streams), Start: newServer3, Steps: steps,
				Failed:  scenarios.Status(nethttp.StatusTeapot),
				Waiting: http.Waiting, Shared: c.shared, QUIC: true,
			})
		})
	}
}

// open3 opens a user whose steps go to a server of HTTP/3.
func open3(t testing.TB, addr string, change func(*targets.Options), steps ...string) *targetstest.User {
	t.Helper()
	o := targets.Options{
		Base: "https://" + addr, Timeout: 5 * time.Second, T0: time.Now(), Agent: "brunt",
		TLS: &scenarios.TLS{InsecureSkipVerify: true}, Connections: scenarios.Connections{HTTP: scenarios.HTTP3},
	}
	if change != nil {
		change(&o)
	}
	c, err := http.Descriptor().Client(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return targetstest.Compile(t, http.Descriptor(), "", steps...).Open(t, c, o.T0, 0)
}

// TestHTTP3_Requests: net/http's handler sees what a step says, and what it answers is checked, extracted, followed and
// read as events.
func TestHTTP3_Requests(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	file := t.TempDir() + "/large"
	if err := os.WriteFile(file, []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := serve3(t, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/moved":
			w.Header().Set("Location", "/echo?moved=1")
			w.WriteHeader(nethttp.StatusFound)
		case "/early":
			w.WriteHeader(nethttp.StatusEarlyHints)
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, "late")
			w.Header().Set("X-Sum", "7")
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 3 {
				_, _ = fmt.Fprintf(w, "data: {\"n\": %d}\n\n", i)
				w.(nethttp.Flusher).Flush()
			}
			<-r.Context().Done()
		case "/short":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "short")
		default:
			w.Header().Set("X-Proto", r.Proto)
			_, _ = fmt.Fprintf(w, `{"at": %q, "host": %q, "agent": %q, "x": %q, "size": %d, "whole": %v}`, r.URL, r.Host,
				r.UserAgent(), r.Header.Get("X-A"), len(body), bytes.Equal(body, []byte(large)))
		}
	}), nil, nil)
	u := open3(t, addr, nil,
		`{get: /echo, headers: {X-A: "a b"}, check: {status: 200, "$.x": a b, "$.agent": brunt, "$.host": "`+addr+`", header: {X-Proto: HTTP/3.0}}}`,
		`{get: /moved, check: {status: 200, "$.at": "/echo?moved=1"}, extract: {at: $.at}}`,
		`{post: /echo, body: {file: `+file+`}, check: {"$.size": 1048576, "$.whole": true}}`,
		`{get: /early, check: {body: late, header: {X-Sum: 7}}}`,
		`{sse: /events, events: 3, check: {"$.n": 2}}`,
		`{head: /echo, check: {status: 200}}`, `{get: /short}`, `{post: /echo, json: {a: "${int(1,9)}"}, check: {"$.size": "> 4"}}`,
	)
	for i := range 8 {
		out := u.Do(i, long3)
		if i == 6 {
			if out.Kind != scenarios.Error || out.Cause == scenarios.Timeout {
				t.Errorf("an answer shorter than it says: %v %q: %+v", out.Kind, out.Cause, out)
			}
			continue
		}
		if out.Kind != scenarios.OK || out.Attempts < 1 {
			t.Errorf("step %d: %v %q: %+v", i, out.Kind, out.Cause, out)
		}
	}
	if got := u.Var("at"); got != "/echo?moved=1" {
		t.Errorf("extracted %q", got)
	}
}

const long3 = 30 * time.Second

// TestHTTP3_Large: an answer of many packets that ends with its last bytes is read whole.
func TestHTTP3_Large(t *testing.T) {
	body := []byte(strings.Repeat("x", 300<<10))
	addr := serve3(t, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write(body) }),
		nil, nil)
	u := open3(t, addr, nil, `{get: /, check: {body: "~ ^x+$"}}`)
	for range 20 {
		if out := u.Do(0, long3); out.Kind != scenarios.OK || out.Bytes < int64(len(body)) {
			t.Fatalf("%v %q: %+v", out.Kind, out.Cause, out)
		}
	}
}

// TestHTTP3_TLS: an unknown authority is an error of TLS; an http:// URL and a wrong server name are errors that say
// so. No request is ever in 0-RTT, even on the second connection to a server that offers it.
func TestHTTP3_TLS(t *testing.T) {
	var early, all int
	var mu sync.Mutex
	addr := serve3(t, nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		mu.Lock()
		defer mu.Unlock()
		if all++; r.Context().Value(connKey{}).(*quic.Conn).ConnectionState().Used0RTT {
			early++
		}
	}), func(s *http3.Server) { s.QUICConfig = &quic.Config{Allow0RTT: true} }, nil)
	out := open3(t, addr, func(o *targets.Options) { o.TLS = nil }, `get: /`).Do(0, long3)
	if out.Cause != scenarios.TLSFailed {
		t.Errorf("unknown authority: %v %q", out.Kind, out.Cause)
	}
	if out := open3(t, addr, nil, `get: "http://`+addr+`/"`).Do(0, long3); out.Cause != scenarios.Other || out.WasSent {
		t.Errorf("http: %v %q", out.Kind, out.Cause)
	}
	off := false
	u := open3(t, addr, func(o *targets.Options) { o.Connections.KeepAlive = &off }, `get: /`)
	for range 3 {
		if out := u.Do(0, long3); out.Kind != scenarios.OK || out.Opening.TLS <= 0 {
			t.Errorf("%v %q: %+v", out.Kind, out.Cause, out)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if all != 3 || early != 0 {
		t.Errorf("%d requests, %d of them in 0-RTT", all, early)
	}
}

// TestHTTP3_GoAway: a server that is shut down in order loses no request: those that it has not begun go to another
// connection.
func TestHTTP3_GoAway(t *testing.T) {
	var rejected sync.Once
	var requests int
	var mu sync.Mutex
	addr := serve3(t, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		first := false
		rejected.Do(func() { first = true })
		if first {
			s, _ := w.(http3.HTTPStreamer).HTTPStream()
			s.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestRejected))
			s.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestRejected))
			return
		}
		mu.Lock()
		requests++
		mu.Unlock()
	}), nil, nil)
	out := open3(t, addr, nil, `get: /`).Do(0, long3)
	mu.Lock()
	defer mu.Unlock()
	if out.Kind != scenarios.OK || out.Attempts != 2 || requests != 1 {
		t.Errorf("%v %q, %d attempts, %d requests", out.Kind, out.Cause, out.Attempts, requests)
	}
}

// TestHTTP3_Lost: after a server is gone without a word and another listens in its place, as after a crash, a request
// that times out while nothing comes takes its connection along, and a later one is answered.
func TestHTTP3_Lost(t *testing.T) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	front := newFront(t, c)
	first := serve3(t, nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) {}), nil, nil)
	second := serve3(t, nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) {}), nil, nil)
	front.to(t, first)
	u := open3(t, c.LocalAddr().String(), nil, `get: /`)
	if out := u.Do(0, long3); out.Kind != scenarios.OK {
		t.Fatalf("%v %q", out.Kind, out.Cause)
	}
	front.to(t, second)
	if out := u.Do(0, 300*time.Millisecond); out.Cause != scenarios.Timeout {
		t.Errorf("%v %q", out.Kind, out.Cause)
	}
	const soon = 15 * time.Second // QUIC itself would give it up after 30 s
	if !suite.Within(soon, func() bool { return u.Do(0, time.Second).Kind == scenarios.OK }) {
		t.Error("the connection to the server that is gone was kept")
	}
}

// front relays datagrams to the server that it was last given.
type front struct {
	in  *net.UDPConn
	all sync.WaitGroup

	mu     sync.Mutex
	server string
	out    map[string]*net.UDPConn
}

func newFront(t *testing.T, c *net.UDPConn) *front {
	f := &front{in: c, out: map[string]*net.UDPConn{}}
	f.all.Go(func() {
		for b := make([]byte, 1<<16); ; {
			n, from, err := c.ReadFromUDP(b)
			if err != nil {
				return
			}
			f.mu.Lock()
			key := from.String() + f.server
			up := f.out[key]
			if up == nil {
				to, err := net.ResolveUDPAddr("udp4", f.server)
				if err == nil {
					up, err = net.DialUDP("udp4", nil, to)
				}
				if err != nil {
					f.mu.Unlock()
					continue
				}
				f.out[key] = up
				f.all.Go(func() {
					for b := make([]byte, 1<<16); ; {
						n, err := up.Read(b)
						if errors.Is(err, net.ErrClosed) {
							return
						} else if err == nil {
							_, _ = c.WriteToUDP(b[:n], from)
						}
					}
				})
			}
			f.mu.Unlock()
			_, _ = up.Write(b[:n])
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		f.mu.Lock()
		for _, up := range f.out {
			_ = up.Close()
		}
		f.mu.Unlock()
		f.all.Wait()
	})
	return f
}

func (f *front) to(t *testing.T, server string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, up := range f.out { // the server before has gone without a word
		_ = up.Close()
	}
	clear(f.out)
	f.server = server
}

// insecureTLS trusts every server.
func insecureTLS() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
