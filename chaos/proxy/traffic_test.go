package proxy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// realWeb is a server of net/http that returns the checksum of the request body.
func realWeb(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		if _, err := io.Copy(h, r.Body); err != nil {
			return
		}
		w.Header().Set("Sum", fmt.Sprintf("%x", h.Sum(nil)))
		_, _ = io.CopyN(w, zeros{}, int64(len(r.Header.Get("Pad")))*1000) // chunked if it is long
	})
	mux.HandleFunc("/none", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/same", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	mux.HandleFunc("/early", func(w http.ResponseWriter, _ *http.Request) { // without reading the body
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestRealClientsAndServers runs net/http clients and servers through the proxy, with every framing
// that they support, while the proxy answers a share of the requests and delays others. Each
// response must belong to its own request, and connections must be reused.
func TestRealClientsAndServers(t *testing.T) {
	addr := realWeb(t)
	p, err := proxy.Start(proxy.Config{Upstream: func() string { return addr }, Seed: 9, HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 32, ExpectContinueTimeout: time.Hour}
	defer transport.CloseIdleConnections()
	var stop atomic.Bool
	var toggles sync.WaitGroup
	toggles.Go(func() {
		r := rand.New(rand.NewPCG(1, 1))
		for !stop.Load() {
			x := add(t, p, toxics.HTTPError{Share: r.Float64() * .6, Status: 418, Body: strings.Repeat("teapot", r.IntN(4000))})
			y := add(t, p, toxics.HTTPDelay{Delay: 1 + time.Duration(r.IntN(3))*time.Millisecond, Share: r.Float64()})
			z := add(t, p, toxics.Latency{Delay: time.Millisecond, Direction: proxy.Both})
			time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond) // simulates faults of some length
			for _, i := range r.Perm(3) {
				remove(t, []proxy.Toxicity{x, y, z}[i])
			}
		}
	})
	var wg sync.WaitGroup
	var done, teapots atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(i)))
			for range 150 {
				hit, err := one(p.Addr(), transport, r)
				if err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
				if hit {
					teapots.Add(1)
				}
			}
		})
	}
	wg.Wait()
	stop.Store(true)
	toggles.Wait()
	if n := p.Stats().Connections; n > 400 {
		t.Errorf("%d connections for %d requests: they are not kept", n, done.Load())
	}
	if n := teapots.Load(); n < 50 || n > done.Load()*3/4 {
		t.Errorf("%d of %d were answered by the proxy: this test shows little", n, done.Load())
	}
	t.Logf("%d requests, %d answered by the proxy, %d connections", done.Load(), teapots.Load(), p.Stats().Connections)
}

// one makes a random request and checks its response. hit reports that the proxy answered.
func one(addr string, transport *http.Transport, r *rand.Rand) (hit bool, err error) {
	body := make([]byte, r.IntN(1<<r.IntN(19)))
	for i := range body {
		body[i] = byte(r.Uint32())
	}
	path := []string{"/sum", "/sum", "/sum", "/none", "/same", "/early"}[r.IntN(6)]
	method := []string{"GET", "HEAD", "POST", "PUT"}[r.IntN(4)]
	var from io.Reader = bytes.NewReader(body)
	if r.IntN(2) == 0 {
		from = io.MultiReader(bytes.NewReader(body)) // of unknown length: chunked
	}
	if method == "GET" || method == "HEAD" || path == "/none" || path == "/same" {
		from, body = nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, from)
	if err != nil {
		return false, err
	}
	pad := r.IntN(40)
	q.Header.Set("Pad", strings.Repeat("p", pad))
	if r.IntN(3) == 0 && from != nil {
		q.Header.Set("Expect", "100-continue")
	}
	resp, err := transport.RoundTrip(q)
	if err != nil {
		if path == "/early" && from != nil { // the server closes the connection because of the unread body
			return false, nil
		}
		return false, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, fmt.Errorf("%s %s: %w", method, path, err)
	}
	want := map[string]int{"/sum": 200, "/none": 204, "/same": 304, "/early": 413}[path]
	switch resp.StatusCode {
	case 418:
		if bytes.Trim(got, "teapo") != nil && len(bytes.Trim(got, "teapo")) > 0 {
			return true, fmt.Errorf("%s %s: the proxy's answer is %.80q", method, path, got)
		}
		return true, nil
	case want:
	default:
		return false, fmt.Errorf("%s %s: status %d, want %d", method, path, resp.StatusCode, want)
	}
	if path != "/sum" {
		return false, nil
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(body)); resp.Header.Get("Sum") != sum {
		return false, fmt.Errorf("%s %s: the answer is to another body", method, path)
	}
	if method != "HEAD" && len(got) != pad*1000 {
		return false, fmt.Errorf("%s %s: %d bytes, want %d", method, path, len(got), pad*1000)
	}
	return false, nil
}

// TestIPv6 runs the proxy on ::1.
func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("needs IPv6 on loopback: " + err.Error())
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { echo(c.(*net.TCPConn)) }()
		}
	}()
	for _, listen := range []string{"[::1]:0", "127.0.0.1:0"} {
		p, err := proxy.Start(proxy.Config{Listen: listen, Upstream: func() string { return l.Addr().String() }})
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, p)
		ask(t, c, "hello")
		if r := probe(t, p, patiently(t), proxy.ProbeRequest{Kind: proxy.RTT, N: 3}); r.Outcome != proxy.Answered {
			t.Errorf("%s: a probe is %v: %v", listen, r.Outcome, r.Err)
		}
		x := add(t, p, toxics.Partition{Mode: toxics.Reject, Existing: toxics.Keep})
		ask(t, c, "still here")
		if r := probe(t, p, patiently(t), proxy.ProbeRequest{Kind: proxy.Connect}); r.Outcome != proxy.Refused {
			t.Errorf("%s: under a rejecting partition a probe is %v", listen, r.Outcome)
		}
		remove(t, x)
		ask(t, dial(t, p), "again")
		y := add(t, p, toxics.Reset{})
		isReset(t, c)
		remove(t, y)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestClientsThatLeave checks that no state remains of clients that disconnect, by a close or by a
// reset, in the middle of a request, of a response, and of held bytes.
func TestClientsThatLeave(t *testing.T) {
	for _, parsed := range []bool{false, true} {
		for _, toxic := range []proxy.Toxic{
			nil, toxics.Latency{Delay: 20 * time.Millisecond, Direction: proxy.Both}, toxics.Bandwidth{Rate: 16 << 20},
		} {
			t.Run(fmt.Sprintf("http=%v %T", parsed, toxic), func(t *testing.T) {
				files := openFiles(t)
				before := runtime.NumGoroutine()
				func() {
					l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
					if err != nil {
						t.Fatal(err)
					}
					s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						_, _ = io.CopyN(w, zeros{}, 8<<20)
					})}
					go func() { _ = s.Serve(l) }()
					defer s.Close()
					p, err := proxy.Start(proxy.Config{Upstream: func() string { return l.Addr().String() }, HTTP: parsed})
					if err != nil {
						t.Fatal(err)
					}
					defer p.Close()
					if toxic != nil {
						add(t, p, toxic)
					}
					var wg sync.WaitGroup
					for i := range 40 {
						wg.Go(func() {
							c, err := net.Dial("tcp", p.Addr())
							if err != nil {
								t.Error(err)
								return
							}
							defer c.Close()
							_ = c.SetDeadline(time.Now().Add(patience))
							_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
							_, _ = c.Write(make([]byte, []int{0, 100_000, 200_000}[i%3]))
							if i%3 == 2 { // a part of the response
								_, _ = io.ReadFull(c, make([]byte, 10_000))
							}
							if i%2 == 0 {
								_ = c.(*net.TCPConn).SetLinger(0)
							}
						})
					}
					wg.Wait()
					eventually(t, "all are over", func() bool { return p.Open() == 0 })
				}()
				eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
				eventually(t, "no file is left", func() bool { return openFiles(t) <= files })
			})
		}
	}
}

// TestSlowReader checks that a slow client slows no other connection, and that toxics are added and
// removed on its link at once.
func TestSlowReader(t *testing.T) {
	p := start(t, serve(t, func(c *net.TCPConn) {
		b := make([]byte, 1)
		if _, err := c.Read(b); err != nil {
			return
		}
		if b[0] == 'f' {
			_, _ = io.CopyN(c, zeros{}, 16<<20)
			return
		}
		_, _ = c.Write(b)
		echo(c)
	}), proxy.Config{})
	slow := dial(t, p)
	_ = slow.SetReadBuffer(64 << 10)
	_, _ = io.WriteString(slow, "f")
	stops(t, "it is full", 1, func() int64 { return p.Stats().Back })
	for _, x := range []proxy.Toxic{
		toxics.Latency{Delay: time.Millisecond, Direction: proxy.Both},
		toxics.Bandwidth{Rate: 1 << 30},
		toxics.Stall{},
		toxics.Partition{},
	} {
		began := time.Now()
		in := add(t, p, x)
		remove(t, in)
		if took := time.Since(began); took > 2*time.Second { // a stuck writer would never return
			t.Errorf("%T came and went in %s", x, took)
		}
		other := dial(t, p)
		ask(t, other, "others are served")
		_ = other.Close()
	}
	if n, err := io.Copy(io.Discard, slow); n != 16<<20 || err != nil {
		t.Errorf("it got %d bytes in the end, %v", n, err)
	}
}
