package stream

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"unicode/utf8"

	"brunt/scenarios"
	"brunt/targets"

	"github.com/gobwas/ws"
)

// handshake is what a WebSocket is opened with, its placeholders filled in.
type handshake struct {
	url          url.URL
	headers      http.Header
	subprotocols []string
	compress     bool // compression is offered
}

// shake makes the handshake on a connection. Br has what came behind the answer; nil is nothing. Compressed reports that messages may be.
func (h *handshake) shake(on io.ReadWriter) (br *bufio.Reader, compressed bool, err error) {
	var refused *StatusError
	d := ws.Dialer{
		Protocols: h.subprotocols, Header: ws.HandshakeHeaderHTTP(h.headers),
		OnStatusError: func(status int, reason []byte, _ io.Reader) {
			refused = &StatusError{
				Cause: scenarios.Status(status), Status: int32(status), Text: fmt.Sprintf("the handshake is refused: status %d %s", status, reason),
			}
		},
	}
	if h.compress {
		offer(&d)
	}
	br, got, err := d.Upgrade(on, &h.url)
	switch {
	case err == nil:
		compressed, err = agreed(&got)
		return br, compressed, err
	case refused != nil:
		return nil, false, refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, false, io.ErrUnexpectedEOF
	}
	return nil, false, err
}

// closedError is the end of a WebSocket by a close frame.
type closedError struct {
	code   ws.StatusCode
	reason string
}

func (e *closedError) Error() string {
	text := fmt.Sprintf("the server closed the WebSocket with code %d", e.code)
	if e.reason != "" {
		text += ": " + targets.Quote(e.reason)
	}
	return text
}

// ErrorCause is the cause for [targets.CauseOf].
func (e *closedError) ErrorCause() scenarios.Cause { return scenarios.CloseCode(int(e.code)) }

// bad is the error of what is no WebSocket.
func bad(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(format, args...)}
}

// half is the error of a message that ended before it was whole.
func half(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendMasked appends a frame of a client, with its mask. Bits are those of extensions.
func appendMasked(dst []byte, op ws.OpCode, bits byte, data []byte) []byte {
	const (
		final  = 0x80
		masked = 0x80
	)
	dst = append(dst, final|bits|byte(op))
	switch n := len(data); {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, masked|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	dst = append(dst, mask[:]...)
	from := len(dst)
	dst = append(dst, data...)
	ws.Cipher(dst[from:], mask, 0)
	return dst
}

// compressedBit marks the first frame of a compressed message.
const compressedBit = 0x40

// webSocket reads the messages of a WebSocket.
type webSocket struct {
	compressed bool                            // messages may be
	ponged     func()                          // a pong came; nil: it is not noted
	began      func()                          // a message begins
	answer     func(op ws.OpCode, data []byte) // sends a control frame
}

// read returns the next message. It answers pings. The end of the stream by a close frame is a [closedError].
func (f *webSocket) read(br *bufio.Reader) (data []byte, binary bool, err error) {
	begun, deflated := false, false
	for {
		if _, err := br.Peek(1); err != nil {
			if begun {
				err = half(err)
			}
			return nil, false, err
		}
		if !begun {
			f.began()
		}
		h, err := ws.ReadHeader(br)
		switch {
		case err != nil:
			return nil, false, half(err)
		case h.Rsv != 0 && !(h.Rsv1() && !h.Rsv2() && !h.Rsv3() && f.compressed && !begun && h.OpCode.IsData() && h.OpCode != ws.OpContinuation):
			return nil, false, bad("a frame has reserved bits, for an extension that was not agreed upon")
		case h.Masked:
			return nil, false, bad("a frame of the server is masked")
		case h.OpCode.IsControl() && (h.Length > 125 || !h.Fin):
			return nil, false, bad("a control frame is longer than 125 bytes, or not whole")
		case h.Length < 0:
			return nil, false, bad("a frame has a length below zero")
		}
		if h.OpCode.IsControl() {
			if err := f.control(br, h); err != nil {
				return nil, false, err
			}
			continue
		}
		switch {
		case h.OpCode == ws.OpContinuation && !begun:
			return nil, false, bad("a message begins with its continuation")
		case h.OpCode != ws.OpContinuation && begun:
			return nil, false, bad("a message begins inside another")
		case h.OpCode.IsReserved():
			return nil, false, bad("a frame has the reserved opcode %d", h.OpCode)
		case !begun:
			begun, binary, deflated = true, h.OpCode == ws.OpBinary, h.Rsv1()
		}
		if data, err = readBytes(br, data, uint64(h.Length)); err != nil {
			return nil, false, err
		}
		if h.Fin {
			if deflated {
				if data, err = inflate(data); err != nil {
					return nil, false, err
				}
			}
			if !binary && !utf8.Valid(data) {
				return nil, false, bad("a text message is not UTF-8")
			}
			return data, binary, nil
		}
	}
}

// control takes a control frame.
func (f *webSocket) control(br *bufio.Reader, h ws.Header) error {
	data, err := readBytes(br, nil, uint64(h.Length))
	if err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		f.answer(ws.OpPong, data)
	case ws.OpClose:
		code, reason := ws.StatusCode(1005), "" // none was given
		if len(data) >= 2 {
			code, reason = ws.ParseCloseFrameData(data)
		} else if len(data) == 1 {
			return bad("a close frame has half a code")
		}
		f.answer(ws.OpClose, bytes.Clone(data[:min(2, len(data))]))
		return &closedError{code: code, reason: reason}
	case ws.OpPong:
		if f.ponged != nil {
			f.ponged()
		}
	default:
		return bad("a frame has the reserved opcode %d", h.OpCode)
	}
	return nil
}
