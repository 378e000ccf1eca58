package run_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// serve2 is a server of HTTP/2, over TLS (https) or without (http). It records when it answers /N,
// for each N, and reports the times under /answers.
//
//	streams=N  limit of concurrent streams of a connection
//	away=N     every Nth request makes it send GOAWAY
//	kill=N     every Nth closes its connection with all its streams, without an answer
//	wait=D     response time
func serve2(args []string) error {
	var mu sync.Mutex
	at := map[int][]int64{}
	var requests atomic.Int64
	var streams, away, kill int64
	var wait time.Duration
	for _, a := range args[1:] {
		k, v, _ := strings.Cut(a, "=")
		n, _ := strconv.ParseInt(v, 10, 64)
		switch k {
		case "streams":
			streams = n
		case "away":
			away = n
		case "kill":
			kill = n
		case "wait":
			wait, _ = time.ParseDuration(v)
		}
	}
	type connKey struct{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			http.Error(w, "not over "+r.Proto, http.StatusHTTPVersionNotSupported)
			return
		}
		n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			_ = json.NewEncoder(w).Encode(at)
			return
		}
		now := time.Now().UnixNano()
		mu.Lock()
		at[n] = append(at[n], now)
		mu.Unlock()
		count := requests.Add(1)
		time.Sleep(wait) // simulates work
		if away > 0 && count%away == 0 {
			w.Header().Set("Connection", "close") // by which net/http ends a connection of HTTP/2 with GOAWAY
		}
		if kill > 0 && count%kill == 0 {
			_ = r.Context().Value(connKey{}).(net.Conn).Close()
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "ok")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: int(streams)}
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if t, ok := c.(*tls.Conn); ok {
			c = t.NetConn()
		}
		return context.WithValue(ctx, connKey{}, c)
	}
	if args[0] == "https" {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	}
	fmt.Println(s.Listener.Addr())
	select {}
}

// frames is a minimal server of HTTP/2: it answers every request with 200, and records when it had
// written the answer. It reports the times under /answers as serve2 does.
func frames(scheme string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	var config *tls.Config
	if scheme == "https" { // with the certificate of httptest
		s := httptest.NewUnstartedServer(nil)
		s.StartTLS()
		config = &tls.Config{Certificates: s.TLS.Certificates, NextProtos: []string{"h2"}}
		s.Close()
	}
	f := framed{at: map[int][]int64{}}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		if config != nil {
			c = tls.Server(c, config)
		}
		go f.serve(c)
	}
}

type framed struct {
	mu sync.Mutex
	at map[int][]int64
}

func (f *framed) serve(c net.Conn) {
	defer c.Close()
	in, out := bufio.NewReader(c), bufio.NewWriterSize(c, 64<<10)
	if _, err := io.CopyN(io.Discard, in, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	fr := http2.NewFramer(out, in)
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 10000})
	var asked []int // answered but not yet written
	for {
		if in.Buffered() == 0 {
			_ = out.Flush()
			now := time.Now().UnixNano()
			f.mu.Lock()
			for _, n := range asked {
				f.at[n] = append(f.at[n], now)
			}
			f.mu.Unlock()
			asked = asked[:0]
		}
		got, err := fr.ReadFrame()
		if err != nil {
			return
		}
		switch got := got.(type) {
		case *http2.SettingsFrame:
			if !got.IsAck() {
				_ = fr.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			body := []byte("ok")
			if n, err := strconv.Atoi(strings.TrimPrefix(got.PseudoValue("path"), "/")); err == nil {
				asked = append(asked, n)
			} else {
				f.mu.Lock()
				body, _ = json.Marshal(f.at)
				f.mu.Unlock()
			}
			// :status: 200
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: got.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true})
			// the client's window is large
			for len(body) > 0 {
				part := body[:min(len(body), 16384)]
				body = body[len(part):]
				_ = fr.WriteData(got.StreamID, len(body) == 0, part)
			}
		}
	}
}

// answers2 asks a serve2 for the times of its answers.
func (s server) answers2(t *testing.T, scheme string) map[int][]int64 {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.Protocols.SetHTTP2(true)
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(scheme + "://" + s.addr + "/answers")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	at := map[int][]int64{}
	if err := json.NewDecoder(resp.Body).Decode(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// both runs a test with TLS and without.
func both(t *testing.T, test func(t *testing.T, scheme, version string)) {
	for scheme, version := range map[string]string{"https": "auto", "http": "h2c"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			test(t, scheme, version)
		})
	}
}

// run2 loads a serve2 with 500/s for 4 s, each request with a number of its own.
func run2(t *testing.T, s server, scheme, connections string) *result.Result {
	t.Helper()
	return runOnce(t, fmt.Sprintf(`
version: 1
name: over HTTP/2
target: {url: "%s://%s", tls: {insecure_skip_verify: true}}
data: {n: {range: 0..20000, pick: next}}
load:
  main:
    executor: constant-arrival-rate
    rate: 500/s
    duration: 4s
    timeout: 10s
    connections: {%s}
    flow: [{get: "/${data.n.value}", check: {status: 200}}]
`, scheme, s.addr, connections), run.Options{})
}

// TestGoAway: the server ends its connections repeatedly; no request is lost, sent twice or failed.
func TestGoAway(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, scheme, version string) {
		s := newServer(t, "serve2", scheme, "away=100", "wait=2ms")
		res := run2(t, s, scheme, "http: "+version)
		run, ok := cellOf(res, "run", "*"), cellOf(res, "run", "ok")
		if run.Count != 2000 || ok.Count != 2000 || res.Generator.Sent != 2000 {
			t.Errorf("%d counted, %d of them ok, %d sent: %+v", run.Count, ok.Count, res.Generator.Sent, res.Errors)
		}
		at := s.answers2(t, scheme)
		for n, times := range at {
			if len(times) != 1 {
				t.Errorf("the server got %d %d times", n, len(times))
			}
		}
		if len(at) != 2000 {
			t.Errorf("the server got %d requests", len(at))
		}
		// After GOAWAY no stream is opened on the connection, so each carries little more than 100.
		if n := res.Generator.Connections; n < 15 || n > 40 {
			t.Errorf("%d connections", n)
		}
		t.Logf("%d connections", res.Generator.Connections)
	})
}

// TestStreamLimit offers a server more than its stream limit. A request without a free stream waits
// in the queue, and none fails.
func TestStreamLimit(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, scheme, version string) {
		// 500/s of 100 ms each are 50 in flight.
		for _, c := range []struct {
			name, connections, wait string
			queue                   bool
		}{
			{"as many connections as it needs", "http: " + version, "wait=100ms", false},
			{"one connection", "max: 1, http: " + version, "wait=30ms", true}, // 10 at once are 333/s
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newServer(t, "serve2", scheme, "streams=10", c.wait)
				res := run2(t, s, scheme, c.connections)
				ok := cellOf(res, "run", "ok")
				if ok.Count != 2000 {
					t.Errorf("%d ok: %+v", ok.Count, res.Errors)
				}
				g := res.Generator
				t.Logf("%d connections, queue %+v, %s", g.Connections, g.Queue, strings.Join(res.Notes, "; "))
				most := int64(1)
				if !c.queue {
					most = g.InFlightMax/10 + 3 // a busy machine has more in flight
				}
				if g.Connections > most || !c.queue && g.Connections < 5 {
					t.Errorf("%d connections for %d in flight", g.Connections, g.InFlightMax)
				}
				if c.queue &&
					(g.Queue.P50 < .1 || !strings.Contains(strings.Join(res.Notes, "\n"),
						"waited for a stream: a connection takes 10 at once, and connections.max is 1")) {
					t.Errorf("queue %+v, notes %q", g.Queue, res.Notes)
				}
				if c.queue && float64(ok.Service.P50) > .5*float64(ok.Response.P50) {
					t.Errorf("service time %v of a response time of %v: the wait was not queue", ok.Service.P50, ok.Response.P50)
				}
			})
		}
	})
}

// TestKilledConnection: the server closes connections with all their streams. Each request is sent again, once, and the
// run goes on.
func TestKilledConnection(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	both(t, func(t *testing.T, scheme, version string) {
		s := newServer(t, "serve2", scheme, "kill=400", "wait=100ms")
		res := run2(t, s, scheme, "http: "+version)
		run, ok, bad := cellOf(res, "run", "*"), cellOf(res, "run", "ok"), cellOf(res, "run", "error")
		if run.Count != 2000 || ok.Count+bad.Count != 2000 {
			t.Errorf("%d counted, %d ok, %d errors", run.Count, ok.Count, bad.Count)
		}
		// Five times there were 50 in flight, and more on a busy machine. Few lost two connections.
		if bad.Count > 5*max(50, res.Generator.InFlightMax) || ok.Count == 0 {
			t.Errorf("%d errors, %d in flight", bad.Count, res.Generator.InFlightMax)
		}
		for _, e := range res.Errors {
			if e.Kind != "closed" && e.Kind != "reset" {
				t.Errorf("%d errors are %q: %+v", e.Count, e.Kind, e.Sample)
			}
		}
		got, twice := 0, int64(0)
		for n, times := range s.answers2(t, scheme) {
			if got++; len(times) > 2 {
				t.Errorf("the server got %d %d times", n, len(times))
			} else if len(times) == 2 {
				twice++
			}
		}
		if got > 2000 || int64(got) < ok.Count {
			t.Errorf("the server got %d", got)
		}
		if again := res.Generator.Attempts - run.Count; twice < 5 || again < twice {
			t.Errorf("the server got %d requests twice, and brunt says that it sent %d again", twice, again)
		}
		t.Logf("%d errors on %d connections, the server got %d", bad.Count, res.Generator.Connections, got)
	})
}
