package http_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer2 is the server's end of an HTTP/2 connection, controlled by a test.
type peer2 struct {
	*peer
	*http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
}

// asked is a request as received.
type asked struct {
	id     uint32
	fields []string // "name: value", in their order
	body   string
	end    bool // it is complete
}

// path returns the requested path.
func (a asked) path() string {
	for _, f := range a.fields {
		if p, ok := strings.CutPrefix(f, ":path: "); ok {
			return p
		}
	}
	return ""
}

// script2 is [script] for HTTP/2 without TLS: after the settings, handle controls each
// connection.
func script2(t testing.TB, settings []http2.Setting, handle func(*peer2)) string {
	t.Helper()
	return script(t, func(p *peer) {
		if _, err := io.CopyN(io.Discard, p.br, int64(len(http2.ClientPreface))); err != nil {
			return
		}
		p2 := &peer2{peer: p, Framer: http2.NewFramer(p.Conn, p.br)}
		p2.enc = hpack.NewEncoder(&p2.block)
		p2.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		p2.AllowIllegalWrites = true
		_ = p2.WriteSettings(settings...)
		handle(p2)
	})
}

// next reads one frame; nil: the end of the connection. It handles settings, their
// acknowledgements and windows, except those that a test wants to see.
func (p *peer2) next() http2.Frame {
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return nil
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = p.WriteSettingsAck()
			}
			continue
		case *http2.WindowUpdateFrame:
			continue
		}
		return f
	}
}

// asked reads one request with its body; ok is false at the end of the connection.
func (p *peer2) asked() (a asked, ok bool) {
	for {
		switch f := p.next().(type) {
		case nil:
			return a, false
		case *http2.MetaHeadersFrame:
			a = asked{id: f.StreamID, end: f.StreamEnded()}
			for _, h := range f.Fields {
				a.fields = append(a.fields, h.Name+": "+h.Value)
			}
		case *http2.DataFrame:
			a.body += string(f.Data())
			a.end = f.StreamEnded()
		}
		if a.end {
			return a, true
		}
	}
}

// head writes a header; fields are names and values in turn.
func (p *peer2) head(id uint32, end bool, fields ...string) {
	p.block.Reset()
	for f := range slices.Chunk(fields, 2) {
		_ = p.enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	_ = p.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: p.block.Bytes(), EndStream: end, EndHeaders: true,
	})
}

// hello answers a request.
func (p *peer2) hello(id uint32) {
	p.head(id, false, ":status", "200", "content-length", "5")
	_ = p.WriteData(id, true, []byte("hello"))
}

// each2 answers every request of a connection with answer.
func each2(answer func(p *peer2, a asked)) func(*peer2) {
	return func(p *peer2) {
		for {
			a, ok := p.asked()
			if !ok {
				return
			}
			answer(p, a)
		}
	}
}
