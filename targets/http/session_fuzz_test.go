package http_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/http/h1"
	"brunt/targets/targetstest"
)

// For any bytes of a server, in any pieces, the call returns by its deadline with times in
// order, and does not affect the next call.
func FuzzHTTP_Answer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 No\r\n\r\nrest",
		"HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n\r\n", "SSH-2.0\r\n", "H", "", "HTTP/1.1 \x00\r\n\r\n",
	} {
		f.Add([]byte(s), uint8(0), true)
		f.Add([]byte(s), uint8(3), false)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	defer l.Close()
	type what struct {
		bytes []byte
		piece int
		close bool
	}
	say := make(chan what, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					var w what
					select {
					case w = <-say:
					default: // a redirect, or the next call
						if _, err := c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")); err != nil {
							return
						}
						continue
					}
					for b := w.bytes; len(b) > 0; {
						n := len(b)
						if w.piece > 0 {
							n = min(n, w.piece)
						}
						if _, err := c.Write(b[:n]); err != nil {
							return
						}
						b = b[n:]
					}
					if w.close {
						return
					}
				}
			}()
		}
	}()
	addr := l.Addr().String()
	compile := func(yaml string) (*http.Call, *template.Symbols) {
		text := "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload: {a: {executor: constant-vus, vus: 1, duration: " +
			"1s, flow: [" + yaml + "]}}"
		sc, err := scenarios.Parse("s.yaml", scenarios.Options{
			Read: func(string) ([]byte, error) { return []byte(text), nil },
		})
		if err != nil {
			f.Fatal(err)
		}
		m := sc.Mistakes()
		b, _ := sc.Loads[0].Mix[0].Flow[0].Block(http.Methods, m)
		var checks []string
		call, ok := http.Descriptor().Compile(b, targets.Scope{Symbols: sc.Symbols, Checks: &checks}, m)
		if !ok {
			f.Fatal(m.Err())
		}
		return call.(*http.Call), sc.Symbols
	}
	looking, symbols := compile(`{get: /, check: {status: "!= 100", "$.a": exists, body: not empty, header: {X-A: exists}}, extract: {a: "$.a", b: ` +
		`cookie a, c: "header Location"}}`)
	plain, _ := compile(`get: /`)
	f.Fuzz(func(t *testing.T, bytes []byte, piece uint8, close bool) {
		if piece > 0 && len(bytes) > 500 {
			t.Skip("too many pieces")
		}
		t0 := time.Now()
		client, err := http.Descriptor().Client(targets.Options{
			Base: "http://" + addr, Timeout: time.Second, T0: t0, Sampler: nosy{},
			Allow: targetstest.Gate(func(_ netip.Addr, hostport, _ string) error {
				if hostport != addr {
					return h1.ErrNotHTTP
				}
				return nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		session, _ := client.Open(0)
		it := &template.Iter{Vars: make([]template.Value, len(symbols.Vars()))}
		for i, c := range []*http.Call{looking, plain} {
			if i == 0 {
				say <- what{bytes, int(piece), close}
			}
			it.Intended = time.Since(t0)
			it.Deadline = it.Intended + 60*time.Millisecond
			if i == 1 {
				it.Deadline = it.Intended + 10*time.Second
			}
			out := scenarios.Outcome{Intended: it.Intended, Ready: it.Intended}
			session.Do(it, c, &out)
			select {
			case <-say: // the request was never sent
			default:
			}
			if late := time.Since(t0) - it.Deadline; late > 5*time.Second {
				t.Fatalf("came back %v after the deadline", late)
			}
			if out.Slot < out.Ready || out.End < out.Slot || out.WasSent && (out.Sent < out.Slot || out.Sent > out.End) ||
				out.Answered &&
					(out.First < out.Sent || out.First > out.End) ||
				out.Cause == scenarios.Timeout && out.End != it.Deadline {
				t.Fatalf("times out of order, the deadline was %v: %+v", it.Deadline, out)
			}
			if i == 1 && (out.Kind != scenarios.OK || out.Bytes != 4) && !strings.Contains(string(bytes), "HTTP/") {
				t.Fatalf("the next call: %+v", out)
			}
		}
	})
}

// nosy wants a sample of every request, so that samples are fuzzed as well.
type nosy struct{}

func (nosy) Want(*scenarios.Outcome) bool { return true }

func (nosy) Keep(*scenarios.Outcome, result.Sample) {}
