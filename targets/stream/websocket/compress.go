package websocket

import (
	"bytes"
	"io"
	"sync"

	"brunt/scenarios/budget"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/klauspost/compress/flate"
)

// Offer offers compression without context takeover (RFC 7692), so that a silent stream needs no window in memory.
func Offer(d *ws.Dialer) {
	p := wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
	d.Extensions = append(d.Extensions, p.Option())
}

// Agreed reports whether a handshake agreed on compression. An error means that the server chose something that was
// not offered.
func Agreed(h *ws.Handshake) (bool, error) {
	if len(h.Extensions) == 0 {
		return false, nil
	}
	var p wsflate.Parameters
	switch err := p.Parse(h.Extensions[0]); {
	case err != nil:
		return false, bad("the server's answer to permessage-deflate: %v", err)
	case !p.ServerNoContextTakeover:
		return false, bad("the server compresses with earlier messages as context, although server_no_context_takeover was " +
			"requested")
	case p.ClientMaxWindowBits.Defined():
		return false, bad("the server sets client_max_window_bits, which was not offered")
	}
	return true, nil
}

var (
	deflaters = sync.Pool{New: func() any {
		w, _ := flate.NewWriter(nil, flate.BestSpeed) // the level is valid, so there is no error
		return w
	}}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
)

// flushed is the end of a flushed block, which messages omit. ended is the end of a stream.
const (
	flushed = "\x00\x00\xff\xff"
	ended   = "\x01\x00\x00\xff\xff"
)

// Deflate compresses a message.
func Deflate(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte(flushed)), nil
}

// inflate decompresses a message. It limits the size of the result, and claims its memory.
func inflate(data []byte, by *budget.Claim) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	from := io.MultiReader(bytes.NewReader(data), bytes.NewReader([]byte(flushed+ended)))
	if err := r.(flate.Resetter).Reset(from, nil); err != nil {
		return nil, err
	}
	out, err := by.ReadAll(r, MostMessage)
	switch {
	case budget.Over(err) != nil:
		return nil, err
	case err != nil:
		return nil, bad("a compressed message is broken: %v", err)
	case len(out) > MostMessage:
		return nil, ErrLong
	}
	return out, nil
}
