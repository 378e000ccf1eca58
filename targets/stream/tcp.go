package stream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/stream/websocket"
)

// framing says how the messages of a TCP connection are separated. Exactly one of until, length,
// bytes and datagrams is set.
type framing struct {
	until string // the end of each message
	// with until: a message that begins with text that matches goes on after its first end for the number of bytes
	// that the first group says, up to another end; nil: none does
	body   *regexp.Regexp
	length int // size in bytes of the length before each message, most significant byte first
	after  int // with length: the first bytes of a message, which come before the length and do not count
	bytes  int // size of each message
	// of UDP: each datagram is a message
	datagrams bool
}

func (f *framing) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	const hint = `lines, {until: "\r\n"}, {until: "\r\n", body: "~ ^VALUE .* ([0-9]+)$"}, {length: 2}, {length: 4, after: 1} or {bytes: 16}`
	if n.Kind != syntax.Map {
		if text, ok := n.Text(m); ok && text == "lines" {
			f.until = "\n"
		} else if ok {
			m.AddHint(n.Pos, hint, "%q does not say how messages are told apart", syntax.Clip(text, 60))
		}
		return
	}
	fields := slices.Clone(n.Fields)
	if body := n.Get("body"); body != nil && n.Get("until") != nil {
		f.decodeBody(body, m)
		fields = slices.DeleteFunc(fields, func(f syntax.Field) bool { return f.Key == "body" })
	}
	if after := n.Get("after"); after != nil && n.Get("length") != nil {
		text, _ := after.Text(m)
		var err error
		if f.after, err = strconv.Atoi(text); err != nil || f.after < 1 || f.after > mostAfter {
			m.Add(after.Pos, "1 to %d bytes come before a length, not %s", mostAfter, syntax.Clip(text, 20))
		}
		fields = slices.DeleteFunc(fields, func(f syntax.Field) bool { return f.Key == "after" })
	}
	if len(fields) != 1 {
		m.AddHint(n.Pos, hint, "messages are told apart in one way")
		return
	}
	one := fields[0]
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

// mostAfter is the maximum number of bytes before a length.
const mostAfter = 256

// decodeBody reads the expression that finds the size of a message's body.
func (f *framing) decodeBody(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	const hint = `such as body: "~ ^VALUE .* ([0-9]+)$"`
	re, found := strings.CutPrefix(text, "~")
	var err error
	switch f.body, err = regexp.Compile(strings.TrimSpace(re)); {
	case !found:
		m.AddHint(n.Pos, hint, "want ~ and a regular expression, not %q", syntax.Clip(text, 60))
	case err != nil:
		m.Add(n.Pos, "%v", err)
	case f.body.NumSubexp() != 1:
		m.AddHint(n.Pos, hint, "the expression has %d groups, and one group holds the number of bytes", f.body.NumSubexp())
	}
}

// bodySize returns how many bytes follow a message's first end; negative: none.
func (f *framing) bodySize(head []byte) (int, error) {
	if f.body == nil {
		return -1, nil
	}
	found := f.body.FindSubmatch(head)
	if found == nil || found[1] == nil {
		return -1, nil
	}
	n, err := strconv.ParseUint(string(found[1]), 10, 32)
	switch {
	case err != nil:
		return 0, targets.StreamError("%q is no number of bytes", syntax.Clip(string(found[1]), 20))
	case n > websocket.MostMessage:
		return 0, websocket.ErrLong
	}
	return int(n), nil
}

// holdsOne reports whether a text is one message with its body, but for the last end.
func (f *framing) holdsOne(text []byte) bool {
	head, body, more := bytes.Cut(text, []byte(f.until))
	n, err := f.bodySize(head)
	return !more || err == nil && n == len(body)
}

// String identifies the framing, to compare connections.
func (f *framing) String() string {
	return fmt.Sprintf("%q %v %d %d %d %v", f.until, f.body, f.length, f.after, f.bytes, f.datagrams)
}

// append appends a message in wire format.
func (f *framing) append(dst, data []byte) ([]byte, error) {
	switch {
	case f.until != "":
		if !f.holdsOne(data) {
			return dst, &targets.Error{
				Cause: scenarios.Other, Text: fmt.Sprintf("the message holds %q, which ends a message", f.until),
			}
		}
		return append(append(dst, data...), f.until...), nil
	case f.length > 0:
		n := len(data) - f.after
		if n < 0 || f.length < 8 && n>>(8*f.length) > 0 {
			return dst, &targets.Error{Cause: scenarios.Other, Text: f.misfit(len(data))}
		}
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n))
		return append(append(append(dst, data[:f.after]...), b[8-f.length:]...), data[f.after:]...), nil
	}
	return append(dst, data...), nil
}

// misfit says why a message of n bytes has no length.
func (f *framing) misfit(n int) string {
	if n < f.after {
		return fmt.Sprintf("the message has %d bytes, and %d come before its length", n, f.after)
	}
	return fmt.Sprintf("the message has %d bytes, which %d bytes of length can't say", n, f.length)
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
		data, err := f.readUntil(br, data)
		if err != nil || f.body == nil {
			return data, err
		}
		return f.readBody(br, data)
	case f.bytes > 0:
		return websocket.ReadN(br, data, uint64(f.bytes))
	case f.datagrams: // a read of the socket returns one, and the buffer has room for the largest
		n := br.Buffered()
		some, _ := br.Peek(n)
		data = append(data, some...)
		_, _ = br.Discard(n)
		return data, nil
	}
	var head [mostAfter]byte
	if _, err := io.ReadFull(br, head[:f.after]); err != nil {
		return nil, websocket.Half(err)
	}
	var n uint64
	for range f.length {
		b, err := br.ReadByte()
		if err != nil {
			return nil, websocket.Half(err)
		}
		n = n<<8 | uint64(b)
	}
	if f.after == 0 {
		return websocket.ReadN(br, data, n)
	}
	body, err := websocket.ReadN(br, nil, n)
	if err != nil {
		return nil, err
	}
	return append(append(data, head[:f.after]...), body...), nil
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

// readBody reads the body that follows the first end of a message, and the end after it. The message then consists of
// the text before the body, the first end, and the body.
func (f *framing) readBody(br *bufio.Reader, head []byte) ([]byte, error) {
	n, err := f.bodySize(head)
	if n < 0 || err != nil {
		return head, err
	}
	body, err := websocket.ReadN(br, nil, uint64(n+len(f.until)))
	if err != nil {
		return nil, websocket.Half(err)
	}
	if !bytes.HasSuffix(body, []byte(f.until)) {
		return nil, targets.StreamError("after %d bytes of a body comes no %q", n, f.until)
	}
	return append(append(head, f.until...), body[:n]...), nil
}
