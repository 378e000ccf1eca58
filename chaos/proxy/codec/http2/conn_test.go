package http2_test

import (
	"bytes"
	"strings"
	"testing"

	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/codec/http2"

	wire "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// block encodes header fields: names and values in turn.
func block(list ...string) []byte {
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	for i := 0; i < len(list); i += 2 {
		_ = enc.WriteField(hpack.HeaderField{Name: list[i], Value: list[i+1]})
	}
	return b.Bytes()
}

// sent is what one side sends.
func sent(write func(f *wire.Framer)) []byte {
	var b bytes.Buffer
	write(wire.NewFramer(&b, nil))
	return b.Bytes()
}

func get(f *wire.Framer, id uint32) {
	head := block(":method", "GET", ":scheme", "http", ":authority", "x", ":path", "/")
	_ = f.WriteHeaders(wire.HeadersFrameParam{StreamID: id, BlockFragment: head, EndHeaders: true, EndStream: true})
}

// read returns the frames in b, after a preface if one is wanted.
func read(t *testing.T, b []byte) (list []string) {
	t.Helper()
	b = bytes.TrimPrefix(b, []byte(http2.Preface))
	f := wire.NewFramer(nil, bytes.NewReader(b))
	for {
		one, err := f.ReadFrame()
		if err != nil {
			return list
		}
		list = append(list, one.Header().String())
	}
}

// begun is a connection whose both sides have sent their settings.
func begun(t *testing.T) *http2.Conn {
	t.Helper()
	c := http2.NewConn()
	c.Begin = func(*http2.Stream) {}
	if err := c.FromClient(append([]byte(http2.Preface),
		sent(func(f *wire.Framer) { _ = f.WriteSettings() })...)); err != nil {
		t.Fatal(err)
	}
	if err := c.FromServer(sent(func(f *wire.Framer) { _ = f.WriteSettings() })); err != nil {
		t.Fatal(err)
	}
	c.Take()
	return c
}

// A server that goes away has streams under other numbers than the client: what the client must take for lost, it does.
func TestConn_GoAway(t *testing.T) {
	c := begun(t)
	var held *http2.Stream
	c.Begin = func(s *http2.Stream) {
		if s.Hold = held == nil; s.Hold { // stream 1
			held = s
		}
	}
	_ = c.FromClient(sent(func(f *wire.Framer) { get(f, 1); get(f, 3); get(f, 5) })) // 3 and 5 become 1 and 3
	c.Take()
	if err := c.FromServer(sent(func(f *wire.Framer) { _ = f.WriteGoAway(1, wire.ErrCodeNo, nil) })); err != nil {
		t.Fatal(err)
	}
	_, down := c.Take()
	f := wire.NewFramer(nil, bytes.NewReader(down))
	away, err := f.ReadFrame()
	if g, ok := away.(*wire.GoAwayFrame); err != nil || !ok || g.LastStreamID != 3 {
		t.Fatalf("%v, %v", away, err)
	}
	refused, err := f.ReadFrame()
	if r, ok := refused.(*wire.RSTStreamFrame); err != nil || !ok || r.StreamID != 1 ||
		r.ErrCode != wire.ErrCodeRefusedStream {
		t.Errorf("%v, %v", refused, err)
	}
	c.Release(held)
	if up, _ := c.Take(); len(up) > 0 {
		t.Errorf("a lost request was sent: %v", read(t, up))
	}
}

// Streams that are held leave under later numbers, and what belongs to them follows.
func TestConn_Numbers(t *testing.T) {
	c := begun(t)
	var held *http2.Stream
	c.Begin = func(s *http2.Stream) {
		if s.Hold = held == nil; s.Hold {
			held = s
		}
	}
	_ = c.FromClient(sent(func(f *wire.Framer) {
		_ = f.WriteHeaders(wire.HeadersFrameParam{
			StreamID: 1, BlockFragment: block(":method", "POST", ":path", "/"), EndHeaders: true,
		})
		_ = f.WriteData(1, true, []byte("body"))
		_ = f.WriteWindowUpdate(1, 7)
		get(f, 3)
	}))
	if up, _ := c.Take(); len(read(t, up)) != 1 || c.Held() != 4 {
		t.Errorf("%v, %d bytes held", read(t, up), c.Held())
	}
	c.Release(held)
	up, _ := c.Take()
	got := read(t, up)
	want := []string{
		"[FrameHeader HEADERS flags=END_HEADERS stream=3 len=2]", "[FrameHeader DATA flags=END_STREAM stream=3 len=4]",
		"[FrameHeader WINDOW_UPDATE stream=3 len=4]",
	}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || c.Held() != 0 {
		t.Errorf("got %q, want %q, %d bytes held", got, want, c.Held())
	}
}

// No bytes of either side make the connection panic, whatever becomes of its requests.
func FuzzConn(f *testing.F) {
	client := append([]byte(http2.Preface), sent(func(f *wire.Framer) {
		_ = f.WriteSettings(wire.Setting{ID: wire.SettingHeaderTableSize, Val: 1 << 16},
			wire.Setting{ID: wire.SettingMaxFrameSize, Val: 1 << 20})
		get(f, 1)
		_ = f.WriteHeaders(wire.HeadersFrameParam{
			StreamID: 3, BlockFragment: block(":method", "POST", ":path", "/a?b", "content-type", "application/grpc"),
			EndHeaders: true, PadLength: 3,
			Priority: wire.PriorityParam{Weight: 4},
		})
		_ = f.WriteDataPadded(3, false, []byte("some"), make([]byte, 9))
		_ = f.WriteWindowUpdate(0, 100)
		_ = f.WriteWindowUpdate(3, 100)
		_ = f.WriteHeaders(wire.HeadersFrameParam{StreamID: 3, BlockFragment: block("x-tail", "1"), EndStream: true})
		_ = f.WriteContinuation(3, true, nil)
		_ = f.WriteRSTStream(1, wire.ErrCodeCancel)
	})...)
	server := sent(func(f *wire.Framer) {
		_ = f.WriteSettings()
		_ = f.WriteHeaders(wire.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "100"), EndHeaders: true})
		_ = f.WriteHeaders(wire.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "200"), EndHeaders: true})
		_ = f.WriteData(1, false, []byte("some"))
		_ = f.WriteHeaders(wire.HeadersFrameParam{
			StreamID: 1, BlockFragment: block("grpc-status", "0"), EndHeaders: true, EndStream: true,
		})
		_ = f.WriteGoAway(1, wire.ErrCodeNo, []byte("bye"))
	})
	f.Add(client, server, uint8(0))
	f.Add(client, server, uint8(0xff))
	body := "new"
	f.Fuzz(func(t *testing.T, client, server []byte, choice uint8) {
		c := http2.NewConn()
		var held []*http2.Stream
		n := 0
		c.Begin = func(s *http2.Stream) {
			switch choice >> (2 * (n % 4)) & 3 {
			case 1:
				s.Answer = http2.NewAnswer(503, map[string]string{"A": "b"}, body)
			case 2:
				s.Hold, s.Answer = true, http2.NewStatus(14, "later")
			case 3:
				s.Asks = http2.Revise([]*http1.Draft{
					{Path: http1.PathDraft{To: "/other"}, Body: &body, Headers: map[string]*string{"Host": &body}},
				})
				s.Says = func() http2.Revision { return http2.Revise([]*http1.Draft{{Status: 204, Body: &body}}) }
			}
			if n++; s.Hold {
				held = append(held, s)
			}
		}
		for i, j := 0, 0; i < len(client) || j < len(server); {
			to := min(len(client), i+40)
			if c.FromClient(client[i:to]) != nil {
				return
			}
			i, to = to, min(len(server), j+30)
			if c.FromServer(server[j:to]) != nil {
				return
			}
			if j = to; len(held) > 0 && i > 200 {
				c.Release(held[0])
				held = held[1:]
			}
			c.Take()
		}
		for _, s := range held {
			c.Release(s)
		}
		if c.Held() != 0 {
			t.Errorf("%d bytes are held by nothing", c.Held())
		}
	})
}

// What the client may send never goes beyond the server's window, of which bodies of the proxy's own have taken some.
func TestConn_OwnBodies(t *testing.T) {
	for _, size := range []int{3, 5000} {
		c := begun(t)
		own := strings.Repeat("x", size)
		c.Begin = func(s *http2.Stream) { s.Asks.Body = &own }
		const first, more, swallowed = 65_535, 1 << 20, 10_000
		if err := c.FromServer(sent(func(f *wire.Framer) { _ = f.WriteWindowUpdate(0, more) })); err != nil {
			t.Fatal(err)
		}
		_ = c.FromClient(sent(func(f *wire.Framer) {
			get(f, 1)
			_ = f.WriteHeaders(wire.HeadersFrameParam{
				StreamID: 3, BlockFragment: block(":method", "POST", ":path", "/"), EndHeaders: true,
			})
			_ = f.WriteData(3, true, make([]byte, swallowed))
		}))
		_, down := c.Take()
		client := first - swallowed
		for f := wire.NewFramer(nil, bytes.NewReader(down)); ; {
			one, err := f.ReadFrame()
			if err != nil {
				break
			}
			if w, ok := one.(*wire.WindowUpdateFrame); ok && w.StreamID == 0 {
				client += int(w.Increment)
			}
		}
		if server := first + more - 2*size; client > server || client < server-10_000 {
			t.Errorf("own bodies of %d bytes: the client may send %d bytes, and the server takes %d", size, client, server)
		}
	}
}
