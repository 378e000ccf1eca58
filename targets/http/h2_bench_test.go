package http_test

import (
	"bufio"
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
)

// mute2 answers every HTTP/2 request with the same header and body, as cheaply as possible.
func mute2(fields ...string) func(*peer) {
	return func(p *peer) {
		var block bytes.Buffer
		enc := hpack.NewEncoder(&block)
		head := func() []byte {
			block.Reset()
			for i := 0; i < len(fields)-1; i += 2 {
				_ = enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
			}
			return block.Bytes()
		}
		body := []byte(fields[len(fields)-1])
		if _, err := io.CopyN(io.Discard, p.br, int64(len(http2.ClientPreface))); err != nil {
			return
		}
		out := bufio.NewWriterSize(p, 64<<10)
		f := http2.NewFramer(out, p.br)
		_ = f.WriteSettings()
		_ = out.Flush()
		for {
			if p.br.Buffered() == 0 {
				_ = out.Flush()
			}
			h, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch h := h.(type) {
			case *http2.SettingsFrame:
				if !h.IsAck() {
					_ = f.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: h.StreamID, BlockFragment: head(), EndHeaders: true})
				_ = f.WriteData(h.StreamID, true, body)
			}
		}
	}
}

func small2(t testing.TB) string {
	return script(t, mute2(":status", "200", "server", "x", "date", "Fri, 20 Nov 2026 09:22:25 GMT", "content-type",
		"text/plain", "content-length", "64",
		"0123456789012345678901234567890123456789012345678901234567890123"))
}

func prior() targets.Options {
	var o targets.Options
	o.Connections.HTTP = scenarios.HTTP2
	return o
}

func TestHTTP2_HardlyAllocates(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	o := prior()
	o.Base = small2(t)
	r := newFixture(t, o, `get: /`)
	u := r.user(0)
	var out scenarios.Outcome
	if n := testing.AllocsPerRun(2000, func() { again(u, r.Calls[0], r.t0, &out) }); n > 6 { // includes the server's
		t.Errorf("%v allocations a call", n)
	}
	r.want(out, "ok 200")
}

func BenchmarkHTTP2_Do(b *testing.B) {
	for _, c := range []struct{ name, step string }{
		{"fixed", `get: /`},
		{"template", `get: "/posts?page=${int(1,50)}"`},
	} {
		b.Run("call="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			o := prior()
			o.Base = small2(b)
			r := newFixture(b, o, c.step)
			u := r.user(0)
			var out scenarios.Outcome
			for b.Loop() {
				again(u, r.Calls[0], r.t0, &out)
			}
			r.want(out, "ok 200")
		})
	}
}

// BenchmarkHTTP2_Shared measures requests of 50 users that share one connection: one write carries
// the requests of many.
func BenchmarkHTTP2_Shared(b *testing.B) {
	b.ReportAllocs()
	o := prior()
	o.Base = small2(b)
	o.Connections.Max = 1
	r := newFixture(b, o, `get: /`)
	const users = 50
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	for i := range users {
		u := r.user(i)
		all.Go(func() {
			var out scenarios.Outcome
			for left.Add(-1) >= 0 {
				again(u, r.Calls[0], r.t0, &out)
			}
		})
	}
	all.Wait()
}
