package grpc_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/grpc"
	"brunt/targets/targetstest"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// mute answers every call with the same message, as cheaply as possible.
func mute(c net.Conn, message []byte) {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	fields := func(list ...string) []byte {
		block.Reset()
		for i := 0; i < len(list); i += 2 {
			_ = enc.WriteField(hpack.HeaderField{Name: list[i], Value: list[i+1]})
		}
		return block.Bytes()
	}
	in, out := bufio.NewReader(c), bufio.NewWriterSize(c, 64<<10)
	if _, err := io.CopyN(io.Discard, in, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(out, in)
	f.SetReuseFrames()
	_ = f.WriteSettings()
	_ = out.Flush()
	for {
		if in.Buffered() == 0 {
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
		case *http2.DataFrame:
			if !h.StreamEnded() {
				continue
			}
			head := fields(":status", "200", "content-type", "application/grpc")
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: h.StreamID, BlockFragment: head, EndHeaders: true})
			_ = f.WriteData(h.StreamID, false, message)
			tail := fields("grpc-status", "0", "grpc-message", "")
			_ = f.WriteHeaders(http2.HeadersFrameParam{
				StreamID: h.StreamID, BlockFragment: tail, EndHeaders: true, EndStream: true,
			})
			_ = f.WriteWindowUpdate(0, h.Length)
		}
	}
}

// calling opens a user of a server that always answers the same.
func calling(t testing.TB, step string) (*targetstest.User, scenarios.Call) {
	t.Helper()
	known := start(t, options{})
	flow := targetstest.Compile(t, grpc.Descriptor(), "", step)
	if err := bindAt(t.Context(), grpc.Descriptor(), known.Base(), flow.Calls...); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if c, err := l.Accept(); err == nil {
			mute(c, []byte("\x00\x00\x00\x00\x02\x08\x01"))
			_ = c.Close()
		}
	})
	o := targets.Options{Base: "grpc://" + l.Addr().String(), T0: time.Now(), Timeout: time.Minute, Agent: "brunt"}
	client, err := grpc.Descriptor().Client(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = client.Close(), l.Close()
		all.Wait()
	})
	return flow.Open(t, client, o.T0, 0), flow.Calls[0]
}

// fixed is a call without placeholders and checks.
const fixed = `{grpc: grpc.health.v1.Health/Check, message: {service: shop.Orders}}`

// TestCall_Allocations: a call without placeholders and checks allocates nothing; the server allocates for each of
// three frames that it reads: four times.
func TestCall_Allocations(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	u, call := calling(t, fixed)
	u.It.Deadline = time.Minute
	out := new(scenarios.Outcome)
	if n := testing.AllocsPerRun(500, func() {
		*out = scenarios.Outcome{}
		if u.Session.Do(&u.It, call, out); out.Kind != scenarios.OK {
			t.Fatal(out)
		}
	}); n > 4 {
		t.Errorf("%v allocations a call, those of the server included", n)
	}
}

// The figures include the server's allocations: one for each frame of headers that it reads.
func BenchmarkCall(b *testing.B) {
	for _, c := range []struct{ name, step string }{
		{"fixed", fixed},
		{"template", `{grpc: grpc.health.v1.Health/Check, message: {service: "shop${int(1,50)}"}}`},
		{"check", `grpc: health`},
	} {
		b.Run("call="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			u, _ := calling(b, c.step)
			for b.Loop() {
				if out := u.Do(0, time.Minute); out.Kind != scenarios.OK {
					b.Fatal(out)
				}
			}
		})
	}
}
