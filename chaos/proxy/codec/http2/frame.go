package http2

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Preface is the beginning of a client's connection.
const Preface = http2.ClientPreface

// headSize is the size of a frame's header, in bytes.
const headSize = 9

// maxFrame is the largest payload of a frame, in bytes: the size that every peer accepts.
const maxFrame = 16 << 10

// maxBlock bounds a header block, in bytes.
const maxBlock = 1 << 20

// tableSize is the size of the dynamic table that a peer may use, in bytes: the default of the protocol.
const tableSize = 4096

// errNotHTTP2 means that the bytes of a connection violate the protocol, or use a part of it that the package does not
// support.
var errNotHTTP2 = errors.New("not HTTP/2 as this proxy speaks it")

// IsSettings reports whether b, the first bytes of a server, may begin a connection of HTTP/2. The answer is certain
// with headSize bytes.
func IsSettings(b []byte) (maybe, certain bool) {
	want := []byte{0, 0, 0, byte(http2.FrameSettings), 0, 0, 0, 0, 0}
	for i := range min(len(b), headSize) {
		if i != 2 && i != 1 && b[i] != want[i] {
			return false, true
		}
	}
	return true, len(b) >= headSize
}

// frame is a frame in its encoded form.
type frame struct {
	kind    http2.FrameType
	flags   http2.Flags
	stream  uint32
	payload []byte
}

// next returns the frame at the beginning of b, and its size with its head; a size of zero means that it is incomplete.
func next(b []byte) (f frame, size int, err error) {
	if len(b) < headSize {
		return f, 0, nil
	}
	n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	f = frame{kind: http2.FrameType(b[3]), flags: http2.Flags(b[4]), stream: binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1)}
	if n > maxFrame {
		return f, 0, fmt.Errorf("%w: a frame of %d bytes", errNotHTTP2, n)
	}
	if len(b) < headSize+n {
		return f, 0, nil
	}
	f.payload = b[headSize : headSize+n]
	return f, headSize + n, nil
}

// append appends the frame to dst.
func (f frame) append(dst []byte) []byte {
	n := len(f.payload)
	dst = append(dst, byte(n>>16), byte(n>>8), byte(n), byte(f.kind), byte(f.flags))
	dst = binary.BigEndian.AppendUint32(dst, f.stream)
	return append(dst, f.payload...)
}

func (f frame) has(flag http2.Flags) bool { return f.flags&flag != 0 }

// ends reports whether the frame is the last of its stream.
func (f frame) ends() bool { return f.has(http2.FlagDataEndStream) } // of a HEADERS frame too

// fragment returns the part of a header block in a HEADERS frame.
func (f frame) fragment() ([]byte, error) {
	b := f.payload
	padding := 0
	if f.has(http2.FlagHeadersPadded) {
		if len(b) < 1 {
			return nil, errNotHTTP2
		}
		padding, b = int(b[0]), b[1:]
	}
	if f.has(http2.FlagHeadersPriority) {
		b = b[min(5, len(b)):]
	}
	if padding > len(b) {
		return nil, errNotHTTP2
	}
	return b[:len(b)-padding], nil
}

// settings returns a SETTINGS frame without the settings that the package does not support.
func (f frame) settings(fromClient bool) (frame, error) {
	if f.has(http2.FlagSettingsAck) {
		return f, nil
	}
	if len(f.payload)%6 != 0 {
		return f, errNotHTTP2
	}
	var kept []byte
	for b := f.payload; len(b) > 0; b = b[6:] {
		value := binary.BigEndian.Uint32(b[2:])
		switch http2.SettingID(binary.BigEndian.Uint16(b)) {
		case http2.SettingHeaderTableSize:
			if value > tableSize {
				continue
			}
		case http2.SettingMaxFrameSize, http2.SettingEnablePush:
			continue
		}
		kept = append(kept, b[:6]...)
	}
	if fromClient {
		kept = binary.BigEndian.AppendUint16(kept, uint16(http2.SettingEnablePush))
		kept = binary.BigEndian.AppendUint32(kept, 0)
	}
	f.payload = kept
	return f, nil
}

// number returns the number in the payload of RST_STREAM and WINDOW_UPDATE.
func (f frame) number() (uint32, error) {
	if len(f.payload) != 4 {
		return 0, errNotHTTP2
	}
	return binary.BigEndian.Uint32(f.payload), nil
}

// ofNumber returns a frame whose payload is a number.
func ofNumber(kind http2.FrameType, stream, n uint32) frame {
	return frame{kind: kind, stream: stream, payload: binary.BigEndian.AppendUint32(nil, n)}
}

// direction is one direction of a connection: from a sender, through the proxy, to a receiver.
type direction struct {
	in     []byte // incomplete frame
	dec    *hpack.Decoder
	fields []hpack.HeaderField
	block  []byte // incomplete header block
	head   frame  // the frame that began the block
	within bool   // a block has begun

	enc  *hpack.Encoder
	text bytes.Buffer // output of enc
	out  []byte       // bytes to the receiver
	// bytes of the proxy's own bodies, minus the bytes that it kept back of the receiver's window
	debt int64
}

func (w *direction) init() {
	w.dec = hpack.NewDecoder(tableSize, func(f hpack.HeaderField) { w.fields = append(w.fields, f) })
	w.dec.SetMaxStringLength(maxBlock)
	w.enc = hpack.NewEncoder(&w.text)
	w.enc.SetMaxDynamicTableSizeLimit(0)
}

// header processes a part of a header block. done means that the block is complete: its fields are then in w.fields,
// and its first frame in w.head.
func (w *direction) header(f frame) (done bool, err error) {
	part := f.payload
	if f.kind == http2.FrameHeaders {
		if part, err = f.fragment(); err != nil {
			return false, err
		}
		w.head, w.block, w.within = f, w.block[:0], true
		w.head.payload = nil
	}
	if w.block = append(w.block, part...); len(w.block) > maxBlock {
		return false, fmt.Errorf("%w: a header of over %d bytes", errNotHTTP2, maxBlock)
	}
	if !f.has(http2.FlagHeadersEndHeaders) {
		return false, nil
	}
	w.within, w.fields = false, nil // the stream keeps w.fields
	if _, err = w.dec.Write(w.block); err == nil {
		err = w.dec.Close()
	}
	return true, err
}

// send sends a frame under another stream number.
func (w *direction) send(f frame, stream uint32) {
	f.stream = stream
	w.out = f.append(w.out)
}

// sendHead sends a header block.
func (w *direction) sendHead(stream uint32, fields []hpack.HeaderField, ends bool) {
	w.text.Reset()
	for _, f := range fields {
		_ = w.enc.WriteField(f) // a bytes.Buffer accepts everything
	}
	f := frame{kind: http2.FrameHeaders, stream: stream}
	if ends {
		f.flags = http2.FlagHeadersEndStream
	}
	for b := w.text.Bytes(); ; b = b[maxFrame:] {
		if len(b) <= maxFrame {
			f.payload, f.flags = b, f.flags|http2.FlagHeadersEndHeaders
			w.out = f.append(w.out)
			return
		}
		f.payload = b[:maxFrame]
		w.out = f.append(w.out)
		f.kind, f.flags = http2.FrameContinuation, 0
	}
}

// A receiver that grants at least generous bytes of window at once grants the sender reserve bytes less. The proxy's
// own bodies use these bytes: otherwise a sender that fills its window could exceed the receiver's.
const (
	reserve  = 4 << 10
	generous = 64 << 10
)

// pay subtracts n bytes, which the receiver granted or the proxy dropped, from the debt. The debt does not fall below
// least. It returns the rest, which the sender may use.
func (w *direction) pay(n uint32, least int64) (rest uint32) {
	paid := min(int64(n), max(0, w.debt-least))
	w.debt -= paid
	return n - uint32(paid)
}

// sendBody sends a body of the proxy's own, and ends the stream.
func (w *direction) sendBody(stream uint32, body string) {
	w.debt += int64(len(body))
	for f := (frame{kind: http2.FrameData, stream: stream}); ; body = body[len(f.payload):] {
		f.payload = []byte(body[:min(len(body), maxFrame)])
		if len(f.payload) == len(body) {
			f.flags = http2.FlagDataEndStream
			w.out = f.append(w.out)
			return
		}
		w.out = f.append(w.out)
	}
}
