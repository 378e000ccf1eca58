package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1/http1test"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/seed"
)

// web starts a real HTTP server that returns what it was asked.
func web(t testing.TB) *upstream {
	return serve(t, func(c *net.TCPConn) {
		br := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			if r.URL.Path == "/slow" {
				time.Sleep(20 * time.Millisecond) // simulates the work of the server
			}
			body := fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, len(b))
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(body))
			if r.Method != "HEAD" {
				_, _ = io.WriteString(c, body)
			}
		}
	})
}

// get sends a request and returns the status and body of the response.
func get(t testing.TB, c net.Conn, br *bufio.Reader, method, path, body string) (int, string) {
	t.Helper()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body)
	return answered(t, br, method)
}

func answered(t testing.TB, br *bufio.Reader, method string) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestHTTPErrorAims(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic toxics.HTTPError
		want  map[string]int // by method and path
	}{
		{"all", toxics.HTTPError{}, map[string]int{"GET /": 503, "POST /a/b?c": 503}},
		{"status", toxics.HTTPError{Status: 429}, map[string]int{"GET /": 429}},
		{"no content", toxics.HTTPError{Status: 204, Body: "ignored"}, map[string]int{"GET /": 204}},
		{
			"exact",
			toxics.HTTPError{Path: "/a"},
			map[string]int{"GET /a": 503, "GET /a?b=/c": 503, "GET /a/": 200, "GET /": 200},
		},
		{"beginning", toxics.HTTPError{Path: "/a/*"}, map[string]int{"GET /a/b": 503, "GET /a/b/c": 503, "GET /a": 200}},
		{
			"glob",
			toxics.HTTPError{Path: "/*/b*d"},
			map[string]int{"GET /a/bcd": 503, "GET /x/y/bd": 503, "GET /a/bc": 200, "GET /b": 200},
		},
		{"method", toxics.HTTPError{Method: "POST"}, map[string]int{"GET /a": 200, "POST /a": 503, "HEAD /a": 200}},
		{"head", toxics.HTTPError{Method: "HEAD", Body: "not sent"}, map[string]int{"HEAD /a": 503, "GET /a": 200}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start(t, web(t), proxy.Config{HTTP: true})
			c := dial(t, p)
			br := bufio.NewReader(c)
			x := add(t, p, tc.toxic)
			hit := int64(0)
			for _, key := range slices.Sorted(func(yield func(string) bool) {
				for k := range tc.want {
					if !yield(k) {
						return
					}
				}
			}) {
				method, path, _ := strings.Cut(key, " ")
				if got, _ := get(t, c, br, method, path, "body"); got != tc.want[key] {
					t.Errorf("%s: %d, want %d", key, got, tc.want[key])
				}
				if tc.want[key] != 200 {
					hit++
				}
			}
			if s := x.Seen(); s.Hit != hit {
				t.Errorf("it hit %d, want %d", s.Hit, hit)
			}
			if s := p.Stats(); s.Hit != hit || s.Passed != int64(len(tc.want))-hit {
				t.Errorf("the proxy counts %+v", s)
			}
			remove(t, x)
			if got, body := get(t, c, br, "GET", "/after", ""); got != 200 || body != "GET /after 0" {
				t.Errorf("after it: %d %q", got, body)
			}
		})
	}
}

func TestHTTPErrorAnswer(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true})
	add(t, p, toxics.HTTPError{
		Status: 500, Body: `{"no": "thing"}`,
		Headers: map[string]string{"Content-Type": "application/json", "Retry-After": "3"},
	})
	for _, tc := range []struct{ name, ask, want string }{
		{
			"keep-alive", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: " +
				"15\r\n\r\n{\"no\": \"thing\"}",
		},
		{
			"head", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: " +
				"15\r\n\r\n",
		},
		{
			"expect", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
			"HTTP/1.1 100 Continue\r\n\r\n",
		},
		{
			"expected", "ab",
			"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: " +
				"15\r\n\r\n{\"no\": \"thing\"}",
		},
		{
			"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
			"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: 15\r\n" +
				"Connection: keep-alive\r\n\r\n{\"no\": \"thing\"}",
		},
		{
			"pipelined", "GET / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\nConnection: close\r\n\r\nGET " +
				"/never HTTP/1.1\r\n\r\n",
			"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: " +
				"15\r\n\r\n{\"no\": \"thing\"}" +
				"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: " +
				"15\r\n\r\n" +
				"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: " +
				"15\r\nConnection: close\r\n\r\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := dial(t, p)
			if tc.name == "expected" { // sent after the interim response
				ask := "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
				_, _ = io.WriteString(c, ask)
				wants(t, c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			_, _ = io.WriteString(c, tc.ask)
			wants(t, c, tc.want)
			if tc.name == "pipelined" {
				isEnded(t, c)
			} else {
				silent(t, c)
			}
		})
	}
	if s := p.Stats(); s.Forward != 0 {
		t.Errorf("%d bytes reached the upstream", s.Forward)
	}
}

// TestHTTPErrorShare checks that the set of selected requests is a function of the seed.
func TestHTTPErrorShare(t *testing.T) {
	const n = 500
	hits := func(t *testing.T, seed uint64, conns int, disturb bool) (numbers []int, hit int64) {
		p := start(t, web(t), proxy.Config{HTTP: true, Seed: seed})
		x := add(t, p, toxics.HTTPError{Share: 0.2})
		var wg sync.WaitGroup
		for range conns {
			c := dial(t, p)
			wg.Go(func() {
				br := bufio.NewReader(c)
				for i := range n / conns {
					if status, _ := get(t, c, br, "GET", "/", ""); status == 503 && conns == 1 {
						numbers = append(numbers, i)
					}
					if disturb && i%50 == 0 {
						if _, err := p.Probe(t.Context(), proxy.ProbeRequest{Kind: proxy.HTTP, N: 3}); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		return numbers, x.Seen().Hit
	}
	var want []int
	for i := range n {
		if seed.Chosen(0.2, 11, 0, uint64(i)) {
			want = append(want, i)
		}
	}
	for range 2 {
		if got, _ := hits(t, 11, 1, false); !slices.Equal(got, want) {
			t.Errorf("hit %v, want %v", got, want)
		}
	}
	if got, _ := hits(t, 11, 1, true); !slices.Equal(got, want) {
		t.Error("probes change what is hit")
	}
	if _, hit := hits(t, 11, 10, true); hit != int64(len(want)) {
		t.Errorf("10 connections had %d hit, want %d", hit, len(want))
	}
	if got, _ := hits(t, 12, 1, false); slices.Equal(got, want) {
		t.Error("another seed hits the same")
	}
	for _, share := range []float64{0.01, 0.2, 0.5, 1} {
		count := 0
		for i := range 100_000 {
			if seed.Chosen(share, 5, 1, uint64(i)) {
				count++
			}
		}
		if got := float64(count) / 100_000; got < share-0.01 || got > share+0.01 {
			t.Errorf("a share of %v hits %v", share, got)
		}
	}
}

// TestHTTPErrorInTheMiddle checks that a toxic does not affect a request that began before it, and
// completes its response to a selected request after its removal.
func TestHTTPErrorInTheMiddle(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true})
	c := dial(t, p)
	br := bufio.NewReader(c)
	const half = "POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234"
	_, _ = io.WriteString(c, half)
	eventually(t, "half of it is through", func() bool { return p.Stats().Forward == int64(len(half)) })
	x := add(t, p, toxics.HTTPError{})
	_, _ = io.WriteString(c, "56789")
	if status, body := answered(t, br, "POST"); status != 200 || body != "POST /half 10" {
		t.Errorf("a request that had begun: %d %q", status, body)
	}
	_, _ = io.WriteString(c, half)
	eventually(t, "half of it is hit", func() bool { return x.Seen().Hit == 1 })
	remove(t, x)
	silent(t, c)
	_, _ = io.WriteString(c, "56789GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
	if status, _ := answered(t, br, "POST"); status != 503 {
		t.Errorf("a request that was hit: %d", status)
	}
	if status, body := answered(t, br, "GET"); status != 200 || body != "GET /next 0" {
		t.Errorf("the next: %d %q", status, body)
	}
}

func TestPipelinedAnswersInOrder(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true})
	add(t, p, toxics.HTTPError{Path: "/hit"})
	c := dial(t, p)
	var b bytes.Buffer
	paths := []string{"/slow", "/hit", "/a", "/hit", "/hit", "/slow", "/b", "/hit"}
	for range 20 {
		for _, path := range paths {
			fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		}
	}
	go func() { _, _ = c.Write(b.Bytes()) }()
	br := bufio.NewReader(c)
	for i := range 20 * len(paths) {
		status, body := answered(t, br, "GET")
		if path := paths[i%len(paths)]; path == "/hit" && status != 503 || path != "/hit" && body != "GET "+path+" 0" {
			t.Fatalf("answer %d to %s: %d %q", i, path, status, body)
		}
	}
}

// TestPipelineWithoutReading checks that the proxy's own responses exert back-pressure.
func TestPipelineWithoutReading(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true})
	add(t, p, toxics.HTTPError{Body: strings.Repeat("x", 10_000)})
	c := dial(t, p)
	_ = c.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
	for b := []byte(strings.Repeat(http1test.HitMe, 100)); ; {
		if _, err := c.Write(b); err != nil {
			break
		}
	}
	_, both := p.Held()
	for _, held := range both {
		if held > 1<<20 {
			t.Errorf("it holds %d bytes", held)
		}
	}
}

// TestGoesOnWhenReadAgain checks that a link that was full in both directions continues.
func TestGoesOnWhenReadAgain(t *testing.T) {
	for _, http := range []bool{false, true} {
		t.Run(fmt.Sprintf("http=%v", http), func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{HTTP: http})
			add(t, p, toxics.Latency{Delay: 1, Direction: proxy.Back})
			c := dial(t, p)
			_ = c.SetReadBuffer(64 << 10)
			const size = 16 << 20
			go func() { _, _ = c.Write(make([]byte, size)) }()
			stops(t, "it is full", 1, func() int64 { return p.Stats().Forward })
			if _, err := io.ReadFull(c, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestHTTPDelay(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true})
	x := add(t, p, toxics.HTTPDelay{Delay: 30 * time.Millisecond, Jitter: 10 * time.Millisecond, Path: "/late"})
	c := dial(t, p)
	br := bufio.NewReader(c)
	for range 5 {
		began := time.Now()
		if status, _ := get(t, c, br, "GET", "/late", ""); status != 200 || time.Since(began) < 20*time.Millisecond {
			t.Errorf("status %d after %v", status, time.Since(began))
		}
	}
	_, _ = get(t, c, br, "GET", "/a", "")
	if s := x.Seen(); s.Hit != 5 || s.Passed != 0 {
		t.Errorf("it met %+v", s)
	}
	remove(t, x)
	y := add(t, p, toxics.HTTPDelay{Delay: time.Hour})
	_, _ = io.WriteString(c, http1test.HitMe)
	eventually(t, "it waits", func() bool { return y.Seen().Hit == 1 })
	remove(t, y)
	if status, _ := answered(t, br, "GET"); status != 200 {
		t.Errorf("status %d", status)
	}
}

// TestErrorAndStallCombine checks that a response of the proxy passes the toxics of the back
// direction, and that the order of adding decides in the forward direction.
func TestErrorAndStallCombine(t *testing.T) {
	p := start(t, web(t), proxy.Config{HTTP: true})
	c := dial(t, p)
	br := bufio.NewReader(c)
	_, _ = get(t, c, br, "GET", "/", "")
	refuse := add(t, p, toxics.HTTPError{})
	late := add(t, p, toxics.Latency{Delay: 20 * time.Millisecond, Direction: proxy.Back})
	began := time.Now()
	if status, _ := get(t, c, br, "GET", "/", ""); status != 503 || time.Since(began) < 20*time.Millisecond {
		t.Errorf("status %d after %v", status, time.Since(began))
	}
	remove(t, late)
	remove(t, refuse)
	stall := add(t, p, toxics.Stall{})
	refuse = add(t, p, toxics.HTTPError{}) // after the other toxic: no request reaches it
	_, _ = io.WriteString(c, http1test.HitMe)
	silent(t, c)
	if s := refuse.Seen(); s.Any() {
		t.Errorf("behind a stall it met %+v", s)
	}
	remove(t, stall)
	if status, _ := answered(t, br, "GET"); status != 503 {
		t.Errorf("status %d", status)
	}
}

// TestNeverLeavesAClientWaiting checks that a selected request is answered, or its connection is
// reset if the upstream sends invalid data before.
func TestNeverLeavesAClientWaiting(t *testing.T) {
	for _, tc := range []struct {
		name, answer string
		broken       bool
	}{
		{"garbage", "garbage\r\n", true},
		{"bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", true},
		{"two answers", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
	} {
		for _, rest := range []string{"", "5678"} { // the second request is hit in its middle, or completely
			t.Run(tc.name+", body "+rest, func(t *testing.T) {
				speak := make(chan struct{})
				p := start(t, serve(t, func(c *net.TCPConn) {
					_, _ = c.Read(make([]byte, 1024))
					<-speak
					_, _ = io.WriteString(c, tc.answer)
					_, _ = c.Read(make([]byte, 1))
				}), proxy.Config{HTTP: true})
				x := add(t, p, toxics.HTTPError{Path: "/hit"})
				c := dial(t, p)
				_, _ = io.WriteString(c, "GET /a HTTP/1.1\r\n\r\nPOST /hit HTTP/1.1\r\nContent-Length: 8\r\n\r\n1234"+rest)
				eventually(t, "it is hit", func() bool { return x.Seen().Hit == 1 })
				close(speak)
				if tc.broken {
					isReset(t, c)
					return
				}
				br := bufio.NewReader(c)
				for i := range 2 {
					if status, _ := answered(t, br, "GET"); status != 200 && (i == 0 || status != 503) {
						t.Errorf("answer %d: status %d", i, status)
					}
				}
			})
		}
	}
}

// TestUnfinishedHeadersPass checks that an incomplete header is forwarded when the stream ends.
func TestUnfinishedHeadersPass(t *testing.T) {
	got := make(chan string, 1)
	p := start(t, serve(t, func(c *net.TCPConn) {
		b, _ := io.ReadAll(c)
		got <- string(b)
		_, _ = io.WriteString(c, "HTTP/1.1 200")
	}), proxy.Config{HTTP: true})
	c := dial(t, p)
	const asked = http1test.HitMe + "GET /a HT"
	_, _ = io.WriteString(c, asked)
	_ = c.CloseWrite()
	if s := <-got; s != asked {
		t.Errorf("the upstream got %q", s)
	}
	if b, err := io.ReadAll(c); string(b) != "HTTP/1.1 200" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}
