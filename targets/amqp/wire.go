package amqp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

// Types of frames.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
	frameEnd       = 0xce
)

// A method is the class and the number of a method.
type method uint32

const (
	connectionStart     method = 10<<16 | 10
	connectionStartOK   method = 10<<16 | 11
	connectionTune      method = 10<<16 | 30
	connectionTuneOK    method = 10<<16 | 31
	connectionOpen      method = 10<<16 | 40
	connectionOpenOK    method = 10<<16 | 41
	connectionClose     method = 10<<16 | 50
	connectionCloseOK   method = 10<<16 | 51
	connectionBlocked   method = 10<<16 | 60
	connectionUnblocked method = 10<<16 | 61
	channelOpen         method = 20<<16 | 10
	channelOpenOK       method = 20<<16 | 11
	channelClose        method = 20<<16 | 40
	exchangeDeclare     method = 40<<16 | 10
	exchangeDeclareOK   method = 40<<16 | 11
	queueDeclare        method = 50<<16 | 10
	queueDeclareOK      method = 50<<16 | 11
	queueBind           method = 50<<16 | 20
	queueBindOK         method = 50<<16 | 21
	basicQos            method = 60<<16 | 10
	basicQosOK          method = 60<<16 | 11
	basicConsume        method = 60<<16 | 20
	basicConsumeOK      method = 60<<16 | 21
	basicCancel         method = 60<<16 | 30
	basicCancelOK       method = 60<<16 | 31
	basicPublish        method = 60<<16 | 40
	basicReturn         method = 60<<16 | 50
	basicDeliver        method = 60<<16 | 60
	basicAck            method = 60<<16 | 80
	basicNack           method = 60<<16 | 120
	confirmSelect       method = 85<<16 | 10
	confirmSelectOK     method = 85<<16 | 11
)

// basicClass is the class of contents.
const basicClass = 60

// A frame is a method of the server, with its content if it has one.
type frame struct {
	method  method
	channel uint16
	args    reader // not yet read
	content
	at      time.Duration // when a call took it
	notices []frame       // of the connection, which came in the midst of the content
}

// A content is what belongs to basic.deliver and basic.return.
type content struct {
	correlation string // correlation-id
	body        []byte
}

// Limits of what a server may send, in bytes.
const (
	mostFrame   = 1 << 20
	mostBody    = 64 << 20
	mostNotices = 100
)

func malformed(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: "AMQP: " + fmt.Sprintf(format, args...)}
}

// readFrame reads a frame as it is on the wire.
func readFrame(r *bufio.Reader) (kind byte, channel uint16, payload []byte, err error) {
	var head [7]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return 0, 0, nil, err
	}
	if string(head[:4]) == "AMQP" {
		return 0, 0, nil, malformed("the server speaks another version of the protocol than 0.9.1")
	}
	size := binary.BigEndian.Uint32(head[3:])
	if size > mostFrame {
		return 0, 0, nil, malformed("a frame of %d bytes", size)
	}
	if payload, err = calls.ReadWhole(r, int(size)+1); err != nil {
		return 0, 0, nil, err
	}
	if payload[size] != frameEnd {
		return 0, 0, nil, malformed("a frame does not end where its size says")
	}
	return head[0], binary.BigEndian.Uint16(head[1:]), payload[:size], nil
}

// read reads a method, with its content.
func read(r *bufio.Reader) (f frame, err error) {
	for {
		kind, channel, payload, err := readFrame(r)
		switch {
		case err != nil:
			return f, err
		case kind == frameHeartbeat:
			continue
		case kind != frameMethod:
			return f, malformed("a frame of type %d, and a method was expected", kind)
		}
		f.channel, f.args = channel, reader{b: payload}
		f.method = method(f.args.long())
		if f.args.short {
			return f, malformed("a method without a number")
		}
		if f.method != basicDeliver && f.method != basicReturn {
			return f, nil
		}
		return f, f.readContent(r)
	}
}

// readContent reads the header and the body of a content.
func (f *frame) readContent(r *bufio.Reader) error {
	size := uint64(1) // until the header says it
	for headed := false; !headed || uint64(len(f.body)) < size; {
		kind, channel, payload, err := readFrame(r)
		switch {
		case err != nil:
			return err
		case kind == frameHeartbeat:
		case kind == frameMethod && channel == 0 && len(f.notices) < mostNotices:
			notice := frame{args: reader{b: payload}}
			notice.method = method(notice.args.long())
			f.notices = append(f.notices, notice)
		case kind == frameHeader && !headed && channel == f.channel:
			p := reader{b: payload}
			p.skip(4) // class and weight
			size, headed = p.longlong(), true
			f.correlation = p.correlation()
			if p.short || size > mostBody {
				return malformed("a content of %d bytes", size)
			}
		case kind == frameBody && headed && channel == f.channel:
			if f.body = append(f.body, payload...); uint64(len(f.body)) > size {
				return malformed("a content is longer than its header says")
			}
		default:
			return malformed("a frame of type %d in the midst of a content", kind)
		}
	}
	return nil
}

// reader reads the arguments of a method. Beyond their end all values are zero, and short is set.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.short, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) number(n int) (v uint64) {
	for _, b := range r.take(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (r *reader) octet() byte      { return byte(r.number(1)) }
func (r *reader) word() uint16     { return uint16(r.number(2)) }
func (r *reader) long() uint32     { return uint32(r.number(4)) }
func (r *reader) longlong() uint64 { return r.number(8) }

// shortText is a text of at most 255 bytes.
func (r *reader) shortText() string { return string(r.take(int(r.octet()))) }

// longText is a text with a length of four bytes; a table has one too.
func (r *reader) longText() string { return string(r.take(int(r.long()))) }

// correlation reads the properties of a content up to the correlation-id.
func (r *reader) correlation() string {
	flags := r.word()
	has := func(bit int) bool { return flags&(1<<bit) != 0 }
	for bit := 15; bit > 10; bit-- {
		switch {
		case !has(bit):
		case bit == 13: // headers
			r.longText()
		case bit > 13: // content-type, content-encoding
			r.shortText()
		default: // delivery-mode, priority
			r.octet()
		}
	}
	if !has(10) {
		return ""
	}
	return r.shortText()
}

// writer makes frames.
type writer struct {
	b     []byte
	start int // of the frame that is being made
}

// begin begins the frame of a method.
func (w *writer) begin(channel uint16, m method) *writer {
	w.frame(frameMethod, channel)
	return w.long(uint32(m))
}

func (w *writer) frame(kind byte, channel uint16) {
	w.start = len(w.b)
	w.b = binary.BigEndian.AppendUint16(append(w.b, kind), channel)
	w.b = append(w.b, 0, 0, 0, 0)
}

// end ends a frame.
func (w *writer) end() *writer {
	binary.BigEndian.PutUint32(w.b[w.start+3:], uint32(len(w.b)-w.start-7))
	w.b = append(w.b, frameEnd)
	return w
}

func (w *writer) octet(v byte) *writer {
	w.b = append(w.b, v)
	return w
}

func (w *writer) word(v uint16) *writer {
	w.b = binary.BigEndian.AppendUint16(w.b, v)
	return w
}

func (w *writer) long(v uint32) *writer {
	w.b = binary.BigEndian.AppendUint32(w.b, v)
	return w
}

func (w *writer) longlong(v uint64) *writer {
	w.b = binary.BigEndian.AppendUint64(w.b, v)
	return w
}

// shortText appends a text of at most mostName bytes: compile and [kind.text] refuse longer names, virtualHost longer
// hosts.
func (w *writer) shortText(s string) *writer {
	w.b = append(append(w.b, byte(len(s))), s...)
	return w
}

func (w *writer) longText(s string) *writer {
	w.long(uint32(len(s)))
	w.b = append(w.b, s...)
	return w
}

// bits appends flags, the first one as the lowest bit.
func (w *writer) bits(flags ...bool) *writer {
	var v byte
	for i, on := range flags {
		if on {
			v |= 1 << i
		}
	}
	return w.octet(v)
}

// A field is an entry of a table: a text, a whole number or a bool.
type field struct {
	name  string
	value any // string, int64, bool, []field
}

// typed returns the value that a text of a scenario stands for.
func typed(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	switch text {
	case "on", "true":
		return true
	case "off", "false":
		return false
	}
	return text
}

// table appends a table.
func (w *writer) table(fields []field) *writer {
	at := len(w.b)
	w.long(0)
	for _, f := range fields {
		w.shortText(f.name)
		switch v := f.value.(type) {
		case string:
			w.octet('S').longText(v)
		case int64:
			w.octet('l').longlong(uint64(v))
		case bool:
			w.octet('t').bits(v)
		case []field:
			w.octet('F').table(v)
		}
	}
	binary.BigEndian.PutUint32(w.b[at:], uint32(len(w.b)-at-4))
	return w
}

// properties are those of a content that brunt sets.
type properties struct {
	headers              []field
	persistent           bool
	correlation, replyTo string
}

// content appends the header and the body of a content, in frames of at most most bytes.
func (w *writer) content(channel uint16, p *properties, body []byte, most int) *writer {
	w.frame(frameHeader, channel)
	w.word(basicClass).word(0).longlong(uint64(len(body)))
	flags := uint16(1 << 12)
	for bit, has := range map[int]bool{13: len(p.headers) > 0, 10: p.correlation != "", 9: p.replyTo != ""} {
		if has {
			flags |= 1 << bit
		}
	}
	w.word(flags)
	if len(p.headers) > 0 {
		w.table(p.headers)
	}
	mode := byte(1)
	if p.persistent {
		mode = 2
	}
	w.octet(mode)
	if p.correlation != "" {
		w.shortText(p.correlation)
	}
	if p.replyTo != "" {
		w.shortText(p.replyTo)
	}
	w.end()
	const overhead = 8 // bytes of a frame besides its payload
	for len(body) > 0 {
		n := min(len(body), most-overhead)
		w.frame(frameBody, channel)
		w.b = append(w.b, body[:n]...)
		w.end()
		body = body[n:]
	}
	return w
}
