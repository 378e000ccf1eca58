package http_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// spans is what a server of planned delays saw: the duration of each phase of a request.
type spans struct {
	mu   sync.Mutex
	list map[scenarios.RequestPhase]time.Duration
}

func (s *spans) add(p scenarios.RequestPhase, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list[p] += d
}

// take returns what was seen since the last call.
func (s *spans) take() map[scenarios.RequestPhase]time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.list
	s.list = map[scenarios.RequestPhase]time.Duration{}
	return out
}

// slowNames answers as a name server that needs a while, and logs that.
func (s *spans) slowNames(t *testing.T, after time.Duration) string {
	names := targetstest.NewNames(t)
	names.Set("api.test", 60, "127.0.0.1")
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			query, began := append([]byte(nil), b[:n]...), time.Now()
			all.Go(func() {
				time.Sleep(after) // simulates work
				c, err := net.Dial("udp", names.Addr)
				if err != nil {
					return
				}
				defer c.Close()
				answer := make([]byte, 1500)
				_, _ = c.Write(query)
				n, _ := c.Read(answer)
				s.mu.Lock() // A and AAAA are asked for at once
				s.list[scenarios.InDNS] = max(s.list[scenarios.InDNS], time.Since(began))
				s.mu.Unlock()
				_, _ = u.WriteTo(answer[:n], from)
			})
		}
	})
	t.Cleanup(func() { _ = u.Close(); all.Wait() })
	return u.LocalAddr().String()
}

// TestHTTP_Timings: what the client says of the phases of a request is what a server of planned delays saw of them: of
// a name looked up, a handshake, a late first byte and a slow body. A request on an open connection has none of the
// first. All phases add up to the response time.
func TestHTTP_Timings(t *testing.T) {
	const dnsTakes, handshakeTakes, firstTakes, bodyTakes = 40 * time.Millisecond, 60 * time.Millisecond,
		80 * time.Millisecond, 50 * time.Millisecond
	const tolerance = 30 * time.Millisecond // of a busy machine
	for _, version := range []scenarios.HTTPVersion{scenarios.HTTP1, scenarios.HTTP2} {
		t.Run(string(version), func(t *testing.T) {
			seen := &spans{list: map[scenarios.RequestPhase]time.Duration{}}
			s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
				began := time.Now()
				time.Sleep(firstTakes) // simulates work
				seen.add(scenarios.InFirstByte, time.Since(began))
				_, _ = io.WriteString(w, "one")
				_ = nethttp.NewResponseController(w).Flush()
				began = time.Now()
				time.Sleep(bodyTakes) // simulates work
				seen.add(scenarios.InReceive, time.Since(began))
				_, _ = io.WriteString(w, "two")
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.EnableHTTP2 = true
			s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				began := time.Now()
				time.Sleep(handshakeTakes) // simulates work
				seen.add(scenarios.InTLS, time.Since(began))
				return nil, nil
			}}
			s.StartTLS()
			defer s.Close()
			o := targets.Options{Base: "https://api.test:" + portOf(s.URL), TLS: &scenarios.TLS{InsecureSkipVerify: true}}
			o.Connections.DNS, o.Connections.HTTP = seen.slowNames(t, dnsTakes), version
			r := newFixture(t, o, `{get: /, check: {body: onetwo}}`)
			u := r.user(0)
			for _, phases := range [][]scenarios.RequestPhase{
				{scenarios.InDNS, scenarios.InTLS, scenarios.InFirstByte, scenarios.InReceive},
				{scenarios.InFirstByte, scenarios.InReceive},
			} {
				out := u.Do(0, long)
				r.want(out, "ok 200")
				truth, got, sum := seen.take(), out.Timings(), out.Lag()
				var ended, least time.Duration // the end of a phase for the client, which may come late and never early
				for p, d := range got {
					sum += d
					want := truth[scenarios.RequestPhase(p)]
					ended, least = ended+d, least+want
					if (d-want).Abs() > tolerance || ended < least-time.Millisecond {
						t.Errorf("%s: %s, the server saw %s; it ended after %s, not before %s", scenarios.RequestPhase(p), d, want, ended,
							least)
					}
				}
				if len(truth) != len(phases) || sum != out.Response() {
					t.Errorf("the server saw %v, want %v; the phases add up to %s of %s", truth, phases, sum, out.Response())
				}
			}
			again := u.Do(0, long)
			if got := again.Timings(); got[scenarios.InDNS]+got[scenarios.InConnect]+got[scenarios.InTLS]+
				got[scenarios.InLogin] != 0 {
				t.Errorf("on an open connection: %v", got)
			}
		})
	}
}

// TestHTTP_TimingsOfFailure: a request whose name, connection, handshake or answer never comes spent its time in that
// phase.
func TestHTTP_TimingsOfFailure(t *testing.T) {
	const timeout = 150 * time.Millisecond
	silent := script(t, func(p *peer) { _, _ = io.Copy(io.Discard, p) })
	deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	for _, c := range []struct {
		phase   scenarios.RequestPhase
		base    string
		version scenarios.HTTPVersion
	}{
		{scenarios.InDNS, "http://api.test:1", scenarios.HTTP1},
		{scenarios.InDNS, "http://api.test:1", scenarios.HTTP2},
		{scenarios.InTLS, "https://127.0.0.1:" + portOf(silent), scenarios.HTTP1},
		{scenarios.InTLS, "https://127.0.0.1:" + portOf(silent), scenarios.HTTP2},
		{scenarios.InLogin, silent, scenarios.HTTP2},
		{scenarios.InFirstByte, silent, scenarios.HTTP1},
	} {
		t.Run(string(c.version)+"/"+c.phase.String(), func(t *testing.T) {
			o := targets.Options{Base: c.base}
			o.Connections.DNS, o.Connections.HTTP = deaf.LocalAddr().String(), c.version
			r := newFixture(t, o, "get: /")
			out := r.user(0).Do(0, timeout)
			r.want(out, "timeout")
			if got := out.Timings(); got[c.phase] < timeout*2/3 {
				t.Errorf("%v", got)
			}
		})
	}
}
