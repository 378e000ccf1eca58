package h2

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// saying is a connection whose peer sent something and closed.
type saying struct {
	net.Conn
	io.Reader
}

func (s saying) Read(b []byte) (int, error) { return s.Reader.Read(b) }

// noHost opens no connection.
type noHost struct{}

func (noHost) Connect(time.Duration, *targets.Stages) (*h1.Conn, error) { return nil, io.EOF }

func (noHost) Adopt(*h1.Conn) {}

func (noHost) Drop(*h1.Conn) {}

func (noHost) Speaks() {}

func (noHost) Go(func()) bool { return false }

// For any frames of a server, whole or not, every stream on the connection ends with an answer
// or an error, without waiting.
func FuzzHTTP2_Frames(f *testing.F) {
	seed := func(write func(fr *http2.Framer, enc *hpack.Encoder, block *bytes.Buffer)) {
		var b, block bytes.Buffer
		fr := http2.NewFramer(&b, nil)
		fr.AllowIllegalWrites = true
		write(fr, hpack.NewEncoder(&block), &block)
		f.Add(b.Bytes(), true)
		f.Add(b.Bytes(), false)
	}
	head := func(fr *http2.Framer, enc *hpack.Encoder, block *bytes.Buffer, id uint32, end bool, fields ...string) {
		block.Reset()
		for i := 0; i < len(fields); i += 2 {
			_ = enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		_ = fr.WriteHeaders(http2.HeadersFrameParam{
			StreamID: id, BlockFragment: block.Bytes(), EndStream: end, EndHeaders: true,
		})
	}
	seed(func(fr *http2.Framer, enc *hpack.Encoder, block *bytes.Buffer) {
		head(fr, enc, block, 1, false, ":status", "200", "content-length", "5", "set-cookie", "a=b")
		_ = fr.WriteDataPadded(1, true, []byte("hello"), make([]byte, 3))
		head(fr, enc, block, 3, true, ":status", "404")
		head(fr, enc, block, 5, false, ":status", "103")
		head(fr, enc, block, 5, false, ":status", "200")
		head(fr, enc, block, 5, true, "x-sum", "1")
	})
	seed(func(fr *http2.Framer, _ *hpack.Encoder, _ *bytes.Buffer) {
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		_ = fr.WritePing(false, [8]byte{})
		_ = fr.WriteWindowUpdate(1, 1<<31-1)
		_ = fr.WriteRSTStream(3, http2.ErrCodeRefusedStream)
		_ = fr.WriteGoAway(1, http2.ErrCodeNo, []byte("bye"))
	})
	seed(func(fr *http2.Framer, enc *hpack.Encoder, block *bytes.Buffer) {
		_ = enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes()[:0]})
		_ = fr.WriteContinuation(1, true, block.Bytes())
		_ = fr.WriteRawFrame(0x42, 0xff, 7, []byte("?"))
	})
	f.Fuzz(func(t *testing.T, b []byte, whole bool) {
		o := targets.Options{Timeout: time.Hour, T0: time.Now()}
		o.Connections.HTTP = scenarios.HTTP2
		o.Connections.Max = 1
		var l Line
		l.Init(noHost{}, &o, t.Context(), false)
		m := newMux(&l)
		m.conn = &h1.Conn{Lease: targets.Lease{Left: -1}, Conn: saying{Reader: bytes.NewReader(b)}, Raw: new(net.TCPConn)}
		m.in.init(m)
		m.outbuf.init(m)
		l.conns = []*mux{m}
		l.opened(m, 10)
		var streams []*Stream
		for range 3 {
			s := newStream([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), nil, time.Hour, time.Hour)
			if err := l.join(s); err != nil {
				t.Fatal(err)
			}
			m.begin(s)
			streams = append(streams, s)
		}
		m.stop(m.read())
		m.fail()
		for _, s := range streams {
			if !s.began && s.err == nil {
				t.Fatalf("stream %d is left hanging", s.id)
			}
			if s.began {
				a, most := s.ans, 0
				if whole {
					most = h1.MaxBody
				}
				if err := s.ReadAnswer(a, "GET", most); err == nil && (!s.ended || int64(len(a.Raw)) > a.Size || s.last < s.first) {
					t.Errorf("%+v", a)
				}
			}
			s.finish(false)
		}
		if m.active != 0 || len(m.streams) != 0 {
			t.Errorf("%d places, %d streams", m.active, len(m.streams))
		}
	})
}
