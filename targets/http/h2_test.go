package http_test

import (
	"io"
	"log"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/http"
)

// at2 returns the options of a client that speaks HTTP/2 without TLS.
func at2(url string, change ...func(*scenarios.Connections)) targets.Options {
	o := targets.Options{Base: url}
	o.Connections.HTTP = scenarios.HTTP2
	for _, c := range change {
		c(&o.Connections)
	}
	return o
}

func TestHTTP2_Request(t *testing.T) {
	var mu sync.Mutex
	var got []asked
	url := script2(t, nil, each2(func(p *peer2, a asked) {
		mu.Lock()
		got = append(got, a)
		mu.Unlock()
		if a.path() == "/login" {
			p.head(a.id, true, ":status", "204", "set-cookie", "sid=7")
			return
		}
		p.hello(a.id)
	}))
	host := strings.TrimPrefix(url, "http://")
	wide := strings.Repeat("x", 40_000) // a header too large for one frame
	for _, c := range []struct {
		name, step string
		fields     []string
		body       string
	}{
		{"get", `get: "/a?b=c"`, []string{
			":method: GET", ":scheme: http", ":authority: " + host, ":path: /a?b=c",
			"user-agent: brunt",
		}, ""},
		{"post", `{post: /p, json: {a: 1}}`, []string{
			":method: POST", ":scheme: http", ":authority: " + host, ":path: /p", "user-agent: brunt",
			"content-type: application/json", "content-length: 7",
		}, `{"a":1}`},
		{"empty post", `{post: /p}`, []string{
			":method: POST", ":scheme: http", ":authority: " + host, ":path: /p",
			"user-agent: brunt", "content-length: 0",
		}, ""},
		{
			"headers", `{get: /, headers: {X-Up: Down, Host: virtual.test, User-Agent: me, TE: trailers, X-Empty: ""}}`,
			[]string{
				":method: GET", ":scheme: http", ":authority: virtual.test", ":path: /", "te: trailers", "user-agent: me",
				"x-empty: ", "x-up: Down",
			},
			"",
		},
		{
			"long header", `{get: /, headers: {X-Long: ` + wide + `}}`,
			[]string{":method: GET", ":scheme: http", ":authority: " + host, ":path: /", "user-agent: brunt", "x-long: " + wide},
			"",
		},
		{"cookie set", `get: /login`, []string{
			":method: GET", ":scheme: http", ":authority: " + host, ":path: /login",
			"user-agent: brunt",
		}, ""},
		{"cookie sent", `get: /a`, []string{
			":method: GET", ":scheme: http", ":authority: " + host, ":path: /a",
			"user-agent: brunt", "cookie: sid=7",
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps := []string{c.step}
			if c.name == "cookie sent" {
				steps = append(steps, "get: /login")
			}
			r := newFixture(t, at2(url), steps...)
			u := r.user(0)
			for i := len(steps) - 1; i >= 0; i-- {
				if o := u.Do(i, long); o.Kind != scenarios.OK {
					t.Fatal(r.says(o))
				}
			}
			for range 2 { // the second time, the names are in the compression table
				mu.Lock()
				a := got[len(got)-1]
				mu.Unlock()
				if !slices.Equal(a.fields, c.fields) || a.body != c.body {
					t.Errorf("got  %.300q %q\nwant %.300q %q", a.fields, a.body, c.fields, c.body)
				}
				if c.name != "cookie set" {
					r.want(u.Do(0, long), "ok 200")
				}
			}
			if r.Opened() != 1 {
				t.Errorf("%d connections", r.Opened())
			}
		})
	}
}

func TestHTTP2_Answers(t *testing.T) {
	big := strings.Repeat("y", 2<<20)
	for _, c := range []struct {
		name   string
		answer func(p *peer2, id uint32)
		step   string // zero means get: /
		want   string
		dead   bool // the connection has ended
	}{
		{name: "in pieces, padded", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200", "content-length", "10")
			_ = p.WriteDataPadded(id, false, []byte("he"), make([]byte, 200))
			_ = p.WriteData(id, false, nil)
			_ = p.WriteData(id, false, []byte("llo"))
			_ = p.WriteDataPadded(id, true, []byte("hello"), make([]byte, 10))
		}, step: `{get: /, check: {body: hellohello}}`, want: "ok 200"},
		{name: "early hints", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "103", "link", "x", "x-a", "early")
			p.head(id, false, ":status", "200", "x-a", "late")
			_ = p.WriteData(id, true, []byte("hello"))
		}, step: `{get: /, check: {body: hello, header: {X-A: late}}}`, want: "ok 200"},
		{name: "trailers", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200")
			_ = p.WriteData(id, false, []byte("hello"))
			p.head(id, true, "x-sum", "7")
		}, step: `{get: /, check: {body: hello, header: {X-Sum: 7}}}`, want: "ok 200"},
		{name: "no body", answer: func(p *peer2, id uint32) { p.head(id, true, ":status", "200") }, want: "ok 200"},
		{
			name: "head", answer: func(p *peer2, id uint32) { p.head(id, true, ":status", "200", "content-length", "500") },
			step: `head: /`, want: "ok 200",
		},
		{name: "not modified", answer: func(p *peer2,
			id uint32,
		) {
			p.head(id, true, ":status", "304", "content-length", "500")
		}, want: "ok 304"},
		{name: "server error", answer: func(p *peer2, id uint32) { p.head(id, true, ":status", "503") }, want: "status 503"},
		{name: "not whole", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200", "content-length", "6")
			_ = p.WriteData(id, true, []byte("hello"))
		}, want: "closed"},
		{name: "too much", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200", "content-length", "4")
			_ = p.WriteData(id, true, []byte("hello"))
		}, want: "protocol"},
		{name: "no status", answer: func(p *peer2, id uint32) { p.head(id, true, "x-a", "b") }, want: "protocol"},
		{
			name: "two statuses", answer: func(p *peer2, id uint32) { p.head(id, true, ":status", "200", ":status", "200") },
			want: "protocol",
		},
		{
			name: "status that is none", answer: func(p *peer2, id uint32) { p.head(id, true, ":status", "2xx") },
			want: "protocol",
		},
		{
			name: "switching protocols", answer: func(p *peer2, id uint32) { p.head(id, false, ":status", "101") },
			want: "protocol",
		},
		{
			name: "data before the header", answer: func(p *peer2, id uint32) { _ = p.WriteData(id, true, []byte("x")) },
			want: "protocol",
		},
		{name: "trailers that don't end", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200")
			p.head(id, false, "x-a", "b")
		}, want: "protocol"},
		{name: "reset", answer: func(p *peer2, id uint32) { _ = p.WriteRSTStream(id, http2.ErrCodeInternal) }, want: "reset"},
		{name: "reset in the body", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200")
			_ = p.WriteData(id, false, []byte("hel"))
			_ = p.WriteRSTStream(id, http2.ErrCodeCancel)
		}, want: "reset"},
		{name: "header too long", answer: func(p *peer2, id uint32) {
			f := []string{":status", "200"}
			for range 80 {
				f = append(f, "x-a", big[:15_000])
			}
			p.block.Reset()
			p.headLong(id, f...)
		}, want: "protocol"},
		{name: "no end of the header", answer: func(p *peer2, id uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}})
			for range 200 {
				if p.WriteContinuation(id, false, make([]byte, 16000)) != nil {
					return
				}
			}
		}, want: "protocol", dead: true},
		{name: "closed", answer: func(p *peer2, _ uint32) { _ = p.Close() }, want: "closed", dead: true},
		{name: "reset connection", answer: func(p *peer2, _ uint32) { p.reset() }, want: "reset", dead: true},
		{name: "closed in the body", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200", "content-length", "5")
			_ = p.WriteData(id, false, []byte("hel"))
			_ = p.Close()
		}, want: "closed", dead: true},
		{name: "closed in a body without length", answer: func(p *peer2, id uint32) {
			p.head(id, false, ":status", "200")
			_ = p.WriteData(id, false, []byte("hel"))
			_ = p.Close()
		}, want: "closed", dead: true},
		{name: "goaway with an error", answer: func(p *peer2, id uint32) {
			_ = p.WriteGoAway(id, http2.ErrCodeEnhanceYourCalm, []byte("too fast"))
			_ = p.Close()
		}, want: "closed", dead: true},
		{name: "goaway and an answer", answer: func(p *peer2, id uint32) {
			_ = p.WriteGoAway(id, http2.ErrCodeNo, nil)
			p.hello(id)
		}, want: "ok 200", dead: true},
		{name: "push", answer: func(p *peer2, id uint32) {
			_ = p.WritePushPromise(http2.PushPromiseParam{
				StreamID: id, PromiseID: 2, BlockFragment: []byte{0x88}, EndHeaders: true,
			})
		}, want: "protocol", dead: true},
		{name: "compression", answer: func(p *peer2, id uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{
				StreamID: id, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, EndHeaders: true,
			})
		}, want: "protocol", dead: true},
		{
			name: "frame too large", answer: func(p *peer2, id uint32) { p.say("\x7f\xff\xff\x00\x00\x00\x00\x00\x01") },
			want: "protocol", dead: true,
		},
		{name: "frame unknown", answer: func(p *peer2, id uint32) {
			_ = p.WriteRawFrame(0x99, 0, id, []byte("what"))
			p.hello(id)
		}, want: "ok 200"},
		{name: "for another stream", answer: func(p *peer2, id uint32) {
			p.head(id+100, false, ":status", "500")
			_ = p.WriteData(id+100, true, []byte("not yours"))
			_ = p.WriteWindowUpdate(id+100, 5)
			_ = p.WriteRSTStream(id+100, http2.ErrCodeInternal)
			p.hello(id)
		}, want: "ok 200"},
		{
			name: "window beyond all bounds", answer: func(p *peer2, id uint32) { _ = p.WriteWindowUpdate(0, 1<<31-1) },
			want: "protocol", dead: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var first atomic.Bool
			url := script2(t, nil, each2(func(p *peer2, a asked) {
				if first.CompareAndSwap(false, true) {
					c.answer(p, a.id)
					return
				}
				p.hello(a.id)
			}))
			if c.step == "" {
				c.step = "get: /"
			}
			k := &samples{}
			o := at2(url)
			o.Sampler = k
			r := newFixture(t, o, c.step, "get: /")
			u := r.user(0)
			out := u.Do(0, long)
			r.want(out, c.want)
			if !out.WasSent {
				t.Errorf("not sent: %+v", out)
			}
			if out.Kind == scenarios.Error && out.Cause != scenarios.Status(503) && k.last().Message == "" {
				t.Error("nothing says why")
			}
			r.want(u.Do(1, long), "ok 200")
			want := int64(1)
			if c.dead {
				want = 2
			}
			if r.Opened() != want {
				t.Errorf("%d connections, want %d; %s", r.Opened(), want, k.last().Message)
			}
		})
	}
}

// headLong writes a header of many frames.
func (p *peer2) headLong(id uint32, fields ...string) {
	for f := range slices.Chunk(fields, 2) {
		_ = p.enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	block := slices.Clone(p.block.Bytes())
	n := min(len(block), 16000)
	_ = p.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: block[:n], EndStream: true, EndHeaders: n == len(block),
	})
	for block = block[n:]; len(block) > 0; block = block[n:] {
		n = min(len(block), 16000)
		_ = p.WriteContinuation(id, n == len(block), block[:n])
	}
}

// crowd makes a call by many users at once and returns the outcomes.
func (r *fixture) crowd(users int, timeout time.Duration) []scenarios.Outcome {
	r.t.Helper()
	out := make([]scenarios.Outcome, users)
	var all sync.WaitGroup
	for i := range users {
		u := r.user(i)
		all.Go(func() { out[i] = u.Do(0, timeout) })
	}
	all.Wait()
	return out
}

// count counts outcomes by the text of says.
func (r *fixture) count(list []scenarios.Outcome) map[string]int {
	n := map[string]int{}
	for _, o := range list {
		n[r.says(o)]++
	}
	return n
}

// Requests that GOAWAY calls unprocessed go to a new connection, once. A processed request
// without an answer is an error and is not repeated.
func TestHTTP2_GoAway(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer bool // processed requests are answered
		ok     int
		closed int
	}{{"answered", true, 8, 0}, {"not answered", false, 5, 3}} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int64
			url := script2(t, nil, func(p *peer2) {
				if p.n > 0 {
					each2(func(p *peer2, a asked) {
						requests.Add(1)
						p.hello(a.id)
					})(p)
					return
				}
				var ids []uint32
				for range 8 {
					a, _ := p.asked()
					ids = append(ids, a.id)
				}
				requests.Add(3)
				_ = p.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil) // the end is announced, not yet due
				_ = p.WriteGoAway(ids[2], http2.ErrCodeNo, nil)
				if c.answer {
					for _, id := range ids[:3] {
						p.hello(id)
					}
					p.asked() // the client closes after its last stream
					return
				}
				time.Sleep(20 * time.Millisecond) // simulates work
			})
			r := newFixture(t, at2(url), "get: /")
			out := r.crowd(8, long)
			n := r.count(out)
			if n["ok 200"] != c.ok || n["closed"] != c.closed || requests.Load() != 8 || r.Opened() != 2 {
				t.Errorf("%v, the server processed %d, on %d connections", n, requests.Load(), r.Opened())
			}
			for _, o := range out {
				if !o.WasSent || o.Sent < o.Slot || o.Answered && o.First < o.Sent || o.End < o.Sent {
					t.Errorf("%+v", o)
				}
			}
		})
	}
}

// With a server that announces the end of each connection before it has processed any request,
// the client retries until the deadline.
func TestHTTP2_AlwaysGone(t *testing.T) {
	url := script2(t, nil, func(p *peer2) {
		if p.n < 20 {
			_, _ = p.asked()
			_ = p.WriteGoAway(0, http2.ErrCodeNo, nil)
			return
		}
		each2(func(p *peer2, a asked) { p.hello(a.id) })(p)
	})
	r := newFixture(t, at2(url), "get: /")
	r.want(r.user(0).Do(0, long), "ok 200")
	if r.Opened() != 21 {
		t.Errorf("%d connections", r.Opened())
	}
}

// REFUSED_STREAM means that the request was not processed: it is retried, but not for ever.
func TestHTTP2_RefusedStream(t *testing.T) {
	for _, c := range []struct {
		name    string
		refused int64
		want    string
		asked   int64
	}{{"at first", 2, "ok 200", 3}, {"always", 100, "refused", 5}} {
		t.Run(c.name, func(t *testing.T) {
			var asked2 atomic.Int64
			url := script2(t, nil, each2(func(p *peer2, a asked) {
				if asked2.Add(1) <= c.refused {
					_ = p.WriteRSTStream(a.id, http2.ErrCodeRefusedStream)
					return
				}
				p.hello(a.id)
			}))
			r := newFixture(t, at2(url), "get: /")
			o := r.user(0).Do(0, long)
			r.want(o, c.want)
			if n := asked2.Load(); n != c.asked || int64(o.Attempts) != n {
				t.Errorf("asked %d times, %d attempts", n, o.Attempts)
			}
		})
	}
}

// A connection that ends with many streams fails each of them.
func TestHTTP2_ConnectionFails(t *testing.T) {
	url := script2(t, nil, func(p *peer2) {
		for range 20 {
			p.asked()
		}
		p.reset()
	})
	r := newFixture(t, at2(url), "get: /")
	if n := r.count(r.crowd(20, long)); n["reset"] != 20 || r.Opened() != 1 {
		t.Errorf("%v on %d connections", n, r.Opened())
	}
}

// The server's limit of streams may change while connections are open.
func TestHTTP2_LimitChanges(t *testing.T) {
	limit := func(n uint32) http2.Setting {
		return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}
	}
	for _, c := range []struct {
		name string
		from uint32
		max  int
	}{{"from one", 1, 1}, {"from none", 0, 1}, {"from none, and no limit of connections", 0, 0}} {
		t.Run(c.name, func(t *testing.T) {
			var under, most atomic.Int64
			raise := make(chan bool)
			url := script2(t, []http2.Setting{limit(c.from)}, func(p *peer2) {
				var wait []uint32
				got := make(chan uint32)
				go func() {
					defer close(got)
					for {
						f, err := p.ReadFrame()
						if err != nil {
							return
						}
						if f, ok := f.(*http2.MetaHeadersFrame); ok {
							got <- f.StreamID
						}
					}
				}()
				free := false
				for {
					select {
					case id, ok := <-got:
						if !ok {
							return
						}
						wait = append(wait, id)
						most.Store(max(most.Load(), under.Add(1)))
					case <-raise:
						_ = p.WriteSettings(limit(4))
						free = true
					}
					for ; free && len(wait) > 0 && (len(wait) == 4 || most.Load() == 4); wait = wait[1:] {
						under.Add(-1)
						p.hello(wait[0])
					}
				}
			})
			r := newFixture(t, at2(url, func(k *scenarios.Connections) { k.Max = c.max }), "get: /")
			done := make(chan []scenarios.Outcome)
			go func() { done <- r.crowd(12, long) }()
			suite.Until(t, "under way and waiting", func() bool {
				return under.Load() == int64(c.from) && http.Waiting(r.Client) == 12-int(c.from)
			})
			raise <- true
			// Without a limit of connections, the client opens as many as 12 streams need.
			if n := r.count(<-done); n["ok 200"] != 12 || most.Load() != 4 || r.Opened() != 1 && (c.max > 0 || r.Opened() > 3) {
				t.Errorf("%v, %d at once, %d connections", n, most.Load(), r.Opened())
			}
		})
	}
}

// A body is sent as the windows allow, without loss.
func TestHTTP2_Windows(t *testing.T) {
	body := strings.Repeat("0123456789", 20_000)
	var got string
	var frames atomic.Int64
	url := script2(t, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1000}}, func(p *peer2) {
		id := uint32(0)
		for {
			f, err := p.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = p.WriteSettingsAck()
				}
			case *http2.MetaHeadersFrame:
				id, got = f.StreamID, ""
			case *http2.DataFrame:
				frames.Add(1)
				if len(f.Data()) > 1000 {
					t.Errorf("%d bytes at once", len(f.Data()))
				}
				if got += string(f.Data()); f.StreamEnded() {
					p.hello(id)
					continue
				}
				_ = p.WriteWindowUpdate(0, uint32(len(f.Data())))
				_ = p.WriteWindowUpdate(id, uint32(len(f.Data())))
			}
		}
	})
	r := newFixture(t, at2(url), `{post: /, body: "`+body+`"}`)
	u := r.user(0)
	for range 2 {
		r.want(u.Do(0, long), "ok 200")
		if got != body || frames.Load() < 200 {
			t.Errorf("%d bytes in %d frames", len(got), frames.Load())
		}
	}
}

// An answer before the end of the request counts. The stream is then reset.
func TestHTTP2_EarlyAnswer(t *testing.T) {
	var reset atomic.Int64
	url := script2(t, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 10}}, func(p *peer2) {
		for {
			switch f := p.next().(type) {
			case nil:
				return
			case *http2.MetaHeadersFrame:
				p.head(f.StreamID, true, ":status", "413")
			case *http2.RSTStreamFrame:
				reset.Add(1)
			}
		}
	})
	r := newFixture(t, at2(url), `{post: /, body: "`+strings.Repeat("x", 1000)+`", check: {status: 413}}`)
	u := r.user(0)
	for i := range int64(3) {
		r.want(u.Do(0, long), "ok 413")
		suite.Until(t, "the reset", func() bool { return reset.Load() == i+1 })
	}
	if r.Opened() != 1 {
		t.Errorf("%d connections", r.Opened())
	}
}

// A request that times out is cancelled at the server; the others on the connection continue.
func TestHTTP2_TimeoutLeavesTheConnection(t *testing.T) {
	var cancelled atomic.Int64
	url := script2(t, nil, func(p *peer2) {
		for {
			switch f := p.next().(type) {
			case nil:
				return
			case *http2.PingFrame:
				_ = p.WritePing(true, f.Data)
			case *http2.RSTStreamFrame:
				if f.ErrCode == http2.ErrCodeCancel {
					cancelled.Add(1)
				}
			case *http2.MetaHeadersFrame:
				if f.PseudoValue("path") == "/fast" {
					p.hello(f.StreamID)
				}
			}
		}
	})
	r := newFixture(t, at2(url), "get: /never", "get: /fast")
	u := r.user(0)
	for i := range int64(5) {
		r.want(u.Do(0, 20*time.Millisecond), "timeout")
		r.want(u.Do(1, long), "ok 200")
		suite.Until(t, "cancelled", func() bool { return cancelled.Load() == i+1 })
	}
	if r.Opened() != 1 {
		t.Errorf("%d connections", r.Opened())
	}
}

// A silent connection, without even an answer to a PING, is given up: further requests use
// another.
func TestHTTP2_MuteConnection(t *testing.T) {
	for _, c := range []struct {
		most   int
		shared bool // another request stays on the connection
	}{{0, false}, {1, false}, {0, true}} {
		url := script2(t, nil, func(p *peer2) {
			if p.n == 0 {
				_, _ = io.Copy(io.Discard, p.br)
				return
			}
			each2(func(p *peer2, a asked) { p.hello(a.id) })(p)
		})
		r := newFixture(t, at2(url, func(k *scenarios.Connections) { k.Max = c.most }), "get: /")
		u := r.user(0)
		var other sync.WaitGroup
		if c.shared {
			o := r.user(1)
			other.Go(func() { r.want(o.Do(0, time.Hour), "unfinished") })
			suite.Until(t, "open", func() bool { return r.Opened() == 1 })
		}
		suite.Until(t, "answered by another connection",
			func() bool { return u.Do(0, 50*time.Millisecond).Kind == scenarios.OK })
		if now := time.Since(r.t0); now < time.Second || r.Opened() != 2 {
			t.Errorf("after %v, on %d connections", now, r.Opened())
		}
		r.Abort()
		other.Wait()
	}
}

// A server that freezes in the middle of a header does not delay a request beyond its
// deadline, and its connection is given up.
func TestHTTP2_FrozenInHeader(t *testing.T) {
	url := script2(t, nil, func(p *peer2) {
		if p.n > 0 {
			each2(func(p *peer2, a asked) { p.hello(a.id) })(p)
			return
		}
		a, ok := p.asked()
		if !ok {
			return
		}
		p.block.Reset()
		_ = p.enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: a.id, BlockFragment: p.block.Bytes()})
		_, _ = io.Copy(io.Discard, p.br)
	})
	r := newFixture(t, at2(url), "get: /")
	u := r.user(0)
	done := make(chan scenarios.Outcome, 1)
	go func() { done <- u.Do(0, 100*time.Millisecond) }()
	select {
	case o := <-done:
		r.want(o, "timeout")
	case <-time.After(long):
		r.Abort()
		t.Fatal("it waits beyond its deadline")
	}
	time.Sleep(1100 * time.Millisecond) // simulates a user who thinks for longer than the wait for the PING
	r.want(u.Do(0, long), "ok 200")
	if r.Opened() != 2 {
		t.Errorf("%d connections", r.Opened())
	}
}

// An idle connection that the server has closed costs the next request only a new connection.
func TestHTTP2_ClosedWhileIdle(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(p *peer2)
	}{
		{"closed", func(p *peer2) { _ = p.Close() }},
		{"reset", func(p *peer2) { p.reset() }},
		{"asked to close", func(p *peer2) { _ = p.WriteGoAway(1, http2.ErrCodeNo, nil) }},
		{"asked to close, and closed", func(p *peer2) {
			_ = p.WriteGoAway(1, http2.ErrCodeNo, nil)
			_ = p.Close()
		}},
		{"babble", func(p *peer2) { p.say("\x00\x00\x01\x08\x00\x00\x00\x00\x00\x00") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int64
			end, ended := make(chan bool), make(chan bool)
			url := script2(t, nil, func(p *peer2) {
				a, ok := p.asked()
				if !ok {
					return
				}
				requests.Add(1)
				p.hello(a.id)
				if _, more := <-end; more {
					c.end(p)
					ended <- true
				}
				p.asked()
			})
			k := &samples{}
			o := at2(url)
			o.Sampler = k
			r := newFixture(t, o, "get: /")
			u := r.user(0)
			for i := range int64(20) {
				if r.want(u.Do(0, long), "ok 200"); t.Failed() {
					t.Fatal(k.last().Message)
				}
				if r.Opened() != i+1 || requests.Load() != i+1 {
					t.Fatalf("%d connections opened for %d requests", r.Opened(), requests.Load())
				}
				end <- true
				<-ended
			}
			close(end)
		})
	}
}

// Many simultaneous requests share the connection that the first opens, and its failure.
func TestHTTP2_OneDial(t *testing.T) {
	url := script2(t, nil, each2(func(p *peer2, a asked) { p.hello(a.id) }))
	r := newFixture(t, at2(url), "get: /")
	if n := r.count(r.crowd(80, long)); n["ok 200"] != 80 || r.Opened() != 1 {
		t.Errorf("%v on %d connections", n, r.Opened())
	}
	r = newFixture(t, at2("http://127.0.0.1:1"), "get: /")
	for _, o := range r.crowd(80, long) {
		if r.want(o, "refused"); o.WasSent || o.Slot > o.End {
			t.Errorf("%+v", o)
		}
	}
}

func TestHTTP2_Connections(t *testing.T) {
	off := false
	url := script2(t, nil, each2(func(p *peer2, a asked) { p.hello(a.id) }))
	for _, c := range []struct {
		name     string
		change   func(*scenarios.Connections)
		from, to int64
	}{
		{"one", func(*scenarios.Connections) {}, 1, 1},
		{"not kept", func(k *scenarios.Connections) { k.KeepAlive = &off }, 60, 60},
		{"reused", func(k *scenarios.Connections) { k.Reuse = quantity.Counts{Min: 10, Max: 10} }, 6, 6},
		{"aged", func(k *scenarios.Connections) { k.MaxAge = quantity.Duration(time.Nanosecond) }, 60, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newFixture(t, at2(url, c.change), "get: /")
			u := r.user(0)
			for range 60 {
				r.want(u.Do(0, long), "ok 200")
			}
			if n := r.Opened(); n < c.from || n > c.to {
				t.Errorf("%d connections", n)
			}
			r = newFixture(t, at2(url, c.change), "get: /")
			if n := r.count(r.crowd(60, long)); n["ok 200"] != 60 {
				t.Errorf("%v", n)
			}
		})
	}
}

// The version in use depends on the scenario and on the server.
func TestHTTP2_Version(t *testing.T) {
	echo := nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) { _, _ = io.WriteString(w, r.Proto) })
	start := func(secure, two bool) string {
		s := httptest.NewUnstartedServer(echo)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		switch {
		case secure:
			s.EnableHTTP2 = two
			s.StartTLS()
		default:
			s.Config.Protocols = new(nethttp.Protocols)
			s.Config.Protocols.SetHTTP1(!two)
			s.Config.Protocols.SetUnencryptedHTTP2(two)
			s.Start()
		}
		t.Cleanup(s.Close)
		return s.URL
	}
	tls1, tls2, plain1, plain2 := start(true, false), start(true, true), start(false, false), start(false, true)
	for _, c := range []struct {
		name, url string
		version   scenarios.HTTPVersion
		want      string
		speaks    string
		says      string
	}{
		{"not said, TLS of both", tls2, "", "HTTP/2.0", "HTTP/2", ""},
		{"auto, TLS of both", tls2, scenarios.AnyHTTP, "HTTP/2.0", "HTTP/2", ""},
		{"auto, TLS of 1.1", tls1, scenarios.AnyHTTP, "HTTP/1.1", "HTTP/1.1", ""},
		{"auto, plain", plain1, scenarios.AnyHTTP, "HTTP/1.1", "HTTP/1.1", ""},
		{"1.1, TLS of both", tls2, scenarios.HTTP1, "HTTP/1.1", "HTTP/1.1", ""},
		{"2, TLS of both", tls2, scenarios.HTTP2, "HTTP/2.0", "HTTP/2", ""},
		{"2, TLS of 1.1", tls1, scenarios.HTTP2, "tls", "", ""},
		{"2, plain", plain2, scenarios.HTTP2, "HTTP/2.0", "h2c", ""},
		{"2, plain of 1.1", plain1, scenarios.HTTP2, "protocol", "", "does not speak HTTP/2 here"},
		{"h2c, plain", plain2, scenarios.H2C, "HTTP/2.0", "h2c", ""},
		{"h2c, TLS of 1.1", tls1, scenarios.H2C, "HTTP/1.1", "HTTP/1.1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &samples{}
			o := targets.Options{Base: c.url, TLS: &scenarios.TLS{InsecureSkipVerify: true}, Sampler: k}
			o.Connections.HTTP = c.version
			want := c.want
			if strings.HasPrefix(want, "HTTP") {
				want = "ok 200"
			}
			r := newFixture(t, o, `{get: /, check: {body: "`+c.want+`"}}`)
			for _, out := range r.crowd(20, long) {
				r.want(out, want)
				if out.Queue() > time.Second || out.Slot < out.Ready {
					t.Errorf("%+v", out)
				}
			}
			if got := strings.Join(r.Client.Spoken().Versions, ","); got != c.speaks {
				t.Errorf("speaks %q", got)
			}
			if !strings.Contains(k.last().Message, c.says) {
				t.Errorf("says %q", k.last().Message)
			}
		})
	}
}

// Large bodies are sent both ways, multipart ones included; redirects and compressed answers
// work as with HTTP/1.1.
func TestHTTP2_Large(t *testing.T) {
	s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		switch r.URL.Path {
		case "/down":
			for range 800 {
				_, _ = w.Write(make([]byte, 10_000))
			}
		case "/away":
			nethttp.Redirect(w, r, "/up", nethttp.StatusTemporaryRedirect)
		case "/parts":
			f, h, err := r.FormFile("b")
			if err != nil || r.FormValue("a") != "one" || h.Size != 3_000_000 {
				nethttp.Error(w, "not what was sent", nethttp.StatusBadRequest)
				return
			}
			_ = f.Close()
			_, _ = io.WriteString(w, "ok")
		default:
			n, _ := io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, strings.Repeat("x", int(n%1000)))
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	body := strings.Repeat("0123456789", 20_000) + "abc"
	file := filepath.Join(t.TempDir(), "big.bin")
	if err := os.WriteFile(file, make([]byte, 3_000_000), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newFixture(t, targets.Options{Base: s.URL, Timeout: long, TLS: &scenarios.TLS{InsecureSkipVerify: true}},
		`get: /down`, `{get: /down, check: {body: not empty}}`, `{post: /up, body: "`+body+`", check: {body: xxx}}`,
		`{post: /away, body: {file: `+file+`}, check: {body: ""}}`,
		`{post: /parts, multipart: {a: one, b: {file: `+file+`}}, check: {body: not empty}}`)
	var all sync.WaitGroup
	for i := range 10 {
		u := r.user(i)
		all.Go(func() {
			out := u.Do(i%5, long)
			if r.want(out, "ok 200"); i%5 < 2 && out.Bytes != 8_000_000 {
				t.Errorf("%d bytes", out.Bytes)
			}
		})
	}
	all.Wait()
	if r.Opened() != 1 {
		t.Errorf("%d connections", r.Opened())
	}
}

// A stream of events is read as it comes, and ended after the wanted event.
func TestHTTP2_Events(t *testing.T) {
	gone := make(chan bool, 10)
	s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 1000 {
			_, _ = io.WriteString(w, "data: {\"n\": "+string(rune('0'+i%10))+"}\n\n")
			_ = nethttp.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				gone <- true
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	r := newFixture(t, targets.Options{Base: s.URL, TLS: &scenarios.TLS{InsecureSkipVerify: true}}, `{sse: /, events: 3}`,
		`{sse: /, until: {"$.n": 7}}`,
		`{sse: /, for: 30ms}`)
	u := r.user(0)
	for i := range 3 {
		out := u.Do(i, long)
		if r.want(out, "ok 200"); out.End <= out.First || out.First < out.Sent {
			t.Errorf("%+v", out)
		}
		<-gone
	}
	if r.Opened() != 1 {
		t.Errorf("%d connections", r.Opened())
	}
}
