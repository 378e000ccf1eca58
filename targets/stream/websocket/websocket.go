package websocket

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets"

	"github.com/gobwas/ws"
)

// Causes are the causes of a WebSocket that the other side closed, by the code in its close frame.
func Causes() scenarios.CauseFamily {
	return scenarios.CauseFamily{
		First: 7 << 16, Name: func(code int32) string { return "close " + strconv.Itoa(int(code)) },
	}
}

// closedError means that a close frame ended the WebSocket.
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

// ErrorCause implements the interface that [targets.CauseOf] uses.
func (e *closedError) ErrorCause() scenarios.Cause { return Causes().Cause(int32(e.code)) }

// bad is the error for data that violates the WebSocket protocol.
func bad(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(format, args...)}
}

// Half returns the error for a message that ended before it was complete.
func Half(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// AppendMasked appends a masked frame of a client. Bits are those of extensions.
func AppendMasked(dst []byte, op ws.OpCode, bits byte, data []byte) []byte {
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

// CompressedBit marks the first frame of a compressed message.
const CompressedBit = 0x40

// Reader reads the messages of a WebSocket.
type Reader struct {
	Compressed bool                            // messages may be compressed
	Ponged     func()                          // called when a pong came; may be nil
	Wait       func() error                    // called before each message; may be nil
	Began      func()                          // called when a message begins
	Answer     func(op ws.OpCode, data []byte) // sends a control frame
	Claim      *budget.Claim                   // of the message that is being read; nil: it counts alone

	header [ws.MaxHeaderSize]byte // of the current frame
}

// Read reads the next message into the memory of into. It answers pings. If a close frame ends the stream, the error
// is a [closedError].
func (f *Reader) Read(br *bufio.Reader, into []byte) (data []byte, binary bool, err error) {
	data = into[:0]
	begun, deflated := false, false
	for {
		if !begun && f.Wait != nil {
			if err := f.Wait(); err != nil {
				return nil, false, err
			}
		}
		if _, err := br.Peek(1); err != nil {
			if begun {
				err = Half(err)
			}
			return nil, false, err
		}
		if !begun {
			f.Began()
		}
		h, err := ws.ReadHeaderBuffer(br, f.header[:0])
		switch {
		case err != nil:
			return nil, false, Half(err)
		case h.Rsv != 0 && !(h.Rsv1() && !h.Rsv2() && !h.Rsv3() && f.Compressed && !begun && h.OpCode.IsData() &&
			h.OpCode != ws.OpContinuation):
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
		if data, err = ReadN(br, data, uint64(h.Length)); err != nil {
			return nil, false, err
		}
		if h.Fin {
			if deflated {
				if data, err = inflate(data, cmp.Or(f.Claim, new(budget.Claim))); err != nil {
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

// control processes a control frame.
func (f *Reader) control(br *bufio.Reader, h ws.Header) error {
	data, err := ReadN(br, nil, uint64(h.Length))
	if err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		f.Answer(ws.OpPong, data)
	case ws.OpClose:
		code, reason := ws.StatusCode(1005), "" // the frame has no code
		if len(data) >= 2 {
			code, reason = ws.ParseCloseFrameData(data)
		} else if len(data) == 1 {
			return bad("a close frame has half a code")
		}
		f.Answer(ws.OpClose, bytes.Clone(data[:min(2, len(data))]))
		return &closedError{code: code, reason: reason}
	case ws.OpPong:
		if f.Ponged != nil {
			f.Ponged()
		}
	default:
		return bad("a frame has the reserved opcode %d", h.OpCode)
	}
	return nil
}
