package stream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/stream/websocket"
)

// framing says how the messages of a TCP connection are separated. Exactly one of until, length and bytes is set.
type framing struct {
	until  string // the end of each message
	length int    // size in bytes of the length before each message, most significant byte first
	bytes  int    // size of each message
}

func (f *framing) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	const hint = `lines, {until: "\r\n"}, {length: 2} or {bytes: 16}`
	if n.Kind != syntax.Map {
		if text, ok := n.Text(m); ok && text == "lines" {
			f.until = "\n"
		} else if ok {
			m.AddHint(n.Pos, hint, "%q does not say how messages are told apart", syntax.Clip(text, 60))
		}
		return
	}
	if len(n.Fields) != 1 {
		m.AddHint(n.Pos, hint, "messages are told apart in one way")
		return
	}
	one := n.Fields[0]
	text, ok := one.Value.Text(m)
	if !ok {
		return
	}
	number, err := strconv.Atoi(text)
	switch one.Key {
	case "until":
		if f.until = text; text == "" {
			m.Add(one.Value.Pos, "an empty text ends no message")
		}
	case "length":
		if f.length = number; err != nil || !slices.Contains([]int{1, 2, 4, 8}, number) {
			m.Add(one.Value.Pos, "a length has 1, 2, 4 or 8 bytes, not %s", syntax.Clip(text, 20))
		}
	case "bytes":
		if f.bytes = number; err != nil || number < 1 || number > websocket.MostMessage {
			m.Add(one.Value.Pos, "a message has 1 to %d bytes, not %s", websocket.MostMessage, syntax.Clip(text, 20))
		}
	default:
		m.AddHint(one.Pos, hint, "unknown key %q", syntax.Clip(one.Key, 60))
	}
}

// String identifies the framing, to compare connections.
func (f *framing) String() string { return fmt.Sprintf("%q %d %d", f.until, f.length, f.bytes) }

// append appends a message in wire format.
func (f *framing) append(dst, data []byte) ([]byte, error) {
	switch {
	case f.until != "":
		if bytes.Contains(data, []byte(f.until)) {
			return dst, &targets.Error{
				Cause: scenarios.Other, Text: fmt.Sprintf("the message holds %q, which ends a message", f.until),
			}
		}
		return append(append(dst, data...), f.until...), nil
	case f.length > 0:
		if f.length < 8 && len(data)>>(8*f.length) > 0 {
			return dst, &targets.Error{
				Cause: scenarios.Other,
				Text:  fmt.Sprintf("the message has %d bytes, which %d bytes of length can't say", len(data), f.length),
			}
		}
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(len(data)))
		return append(append(dst, b[8-f.length:]...), data...), nil
	}
	return append(dst, data...), nil
}

// read reads the next message, into the memory of data.
func (f *framing) read(br *bufio.Reader, data []byte, began func()) ([]byte, error) {
	if _, err := br.Peek(1); err != nil {
		return nil, err
	}
	began()
	data = data[:0]
	switch {
	case f.until != "":
		return f.readUntil(br, data)
	case f.bytes > 0:
		return websocket.ReadN(br, data, uint64(f.bytes))
	}
	var n uint64
	for range f.length {
		b, err := br.ReadByte()
		if err != nil {
			return nil, websocket.Half(err)
		}
		n = n<<8 | uint64(b)
	}
	return websocket.ReadN(br, data, n)
}

// readUntil reads up to the end of the message. If the end is a newline, a carriage return before it is dropped.
func (f *framing) readUntil(br *bufio.Reader, data []byte) ([]byte, error) {
	last := f.until[len(f.until)-1]
	for {
		some, err := br.ReadSlice(last)
		data = append(data, some...)
		switch {
		case len(data) > websocket.MostMessage:
			return nil, websocket.ErrLong
		case err == bufio.ErrBufferFull:
			continue
		case err != nil:
			return nil, websocket.Half(err)
		case bytes.HasSuffix(data, []byte(f.until)):
			if data = data[:len(data)-len(f.until)]; f.until == "\n" {
				data = bytes.TrimSuffix(data, []byte("\r"))
			}
			return data, nil
		}
	}
}
