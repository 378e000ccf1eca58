package mqtt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

// The types of packets.
const (
	connect     = 1
	connack     = 2
	publish     = 3
	puback      = 4
	pubrec      = 5
	pubrel      = 6
	pubcomp     = 7
	subscribe   = 8
	suback      = 9
	unsubscribe = 10
	unsuback    = 11
	pingreq     = 12
	pingresp    = 13
	disconnect  = 14
)

// The properties of MQTT 5 that brunt sends or reads.
const (
	messageExpiry   = 0x02
	contentType     = 0x03
	sessionExpiry   = 0x11
	serverKeepAlive = 0x13
	reasonString    = 0x1f
	receiveMaximum  = 0x21
	topicAlias      = 0x23
	userProperty    = 0x26
)

// sizes are the sizes of the values of properties in bytes.
var sizes = map[byte]int{
	0x01: 1, messageExpiry: 4, contentType: text, 0x08: text, 0x09: text, 0x0b: number, sessionExpiry: 4, 0x12: text,
	serverKeepAlive: 2, 0x15: text, 0x16: text, 0x17: 1, 0x18: 4, 0x19: 1, 0x1a: text, 0x1c: text, reasonString: text,
	receiveMaximum: 2, 0x22: 2, topicAlias: 2, 0x24: 1, 0x25: 1, userProperty: pair, 0x27: 4, 0x28: 1, 0x29: 1, 0x2a: 1,
}

// Values whose sizes their bytes tell.
const (
	text   = -1
	number = -2 // of 1 to 4 bytes
	pair   = -3 // of texts
)

// mostBody is the size in bytes of the longest packet that is read.
const mostBody = 64 << 20

// A packet is a packet of the server.
type packet struct {
	kind    byte
	qos     byte
	dup     bool
	present bool   // of CONNACK: the server has the session of the client
	id      uint16 // of the packet; zero: it has none
	code    byte   // reason code; of SUBACK and UNSUBACK, the first one
	topic   string
	body    []byte
	reason  string // of the server, besides the code
	beat    uint16 // seconds; of CONNACK: the keep-alive that the server wants; zero: that of the client
	pong    uint64 // of PINGRESP: the number of the ping that it answers
}

func malformed(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: "MQTT: " + fmt.Sprintf(format, args...)}
}

// readLength reads a number of 1 to 4 bytes.
func readLength(r io.ByteReader) (n int, err error) {
	for shift := 0; shift < 28; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		if n |= int(b&0x7f) << shift; b < 0x80 {
			return n, nil
		}
	}
	return 0, malformed("a length has more than 4 bytes")
}

// read reads a packet of a version.
func read(r *bufio.Reader, version byte) (*packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	n, err := readLength(r)
	if err != nil {
		return nil, err
	}
	if n > mostBody {
		return nil, malformed("a packet has %d bytes, and %d are read at most", n, mostBody)
	}
	b, err := calls.ReadWhole(r, n)
	if err != nil {
		return nil, err
	}
	p := &packet{kind: first >> 4}
	f := fields{b: b}
	p.read(&f, first&0xf, version)
	if f.short {
		return nil, malformed("a packet of type %d ends too early", p.kind)
	}
	return p, f.wrong
}

// read reads what follows the header of a packet.
func (p *packet) read(f *fields, flags, version byte) {
	if want := map[bool]byte{true: 2}[p.kind == pubrel]; p.kind != publish && flags != want {
		f.refuse("flags %#x of a packet of type %d", flags, p.kind)
		return
	}
	switch p.kind {
	case connack:
		p.present = f.byte() == 1
		if p.code = f.byte(); version == 5 {
			f.properties(p)
		}
	case publish:
		p.dup, p.qos = flags&8 != 0, flags>>1&3
		p.topic = f.text()
		if p.qos > 0 {
			p.id = f.word()
			p.identified(f)
		}
		if version == 5 {
			f.properties(p)
		}
		p.body = f.b
		if p.qos == 3 || p.topic == "" && !f.short {
			f.refuse("a message has QoS %d and the topic %q", p.qos, p.topic)
		}
	case puback, pubrec, pubrel, pubcomp:
		p.id = f.word()
		p.identified(f)
		p.answer(f)
	case suback, unsuback:
		p.id = f.word()
		p.identified(f)
		if version == 5 {
			f.properties(p)
		}
		if p.kind == suback || version == 5 {
			p.code = f.byte()
		}
	case pingresp:
	case disconnect:
		p.answer(f)
	default:
		f.refuse("a server sends no packet of type %d", p.kind)
	}
}

func (p *packet) identified(f *fields) {
	if p.id == 0 && !f.short {
		f.refuse("a packet of type %d has the identifier 0", p.kind)
	}
}

// answer reads a reason code and properties, which may be left out.
func (p *packet) answer(f *fields) {
	if len(f.b) == 0 {
		return
	}
	if p.code = f.byte(); len(f.b) > 0 {
		f.properties(p)
	}
}

// fields are the bytes of a packet that are not read yet.
type fields struct {
	b     []byte
	short bool  // a field is missing
	wrong error // the first mistake
}

func (f *fields) refuse(format string, args ...any) {
	if f.wrong == nil {
		f.wrong = malformed(format, args...)
	}
}

// take takes n bytes. If there are fewer, it is zeros.
func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.short, f.b = true, nil
		return make([]byte, min(n, 8)) // n is larger only for texts, which don't look at it
	}
	b := f.b[:n:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) byte() byte { return f.take(1)[0] }

func (f *fields) word() uint16 { return binary.BigEndian.Uint16(f.take(2)) }

func (f *fields) text() string {
	b := f.take(int(f.word()))
	if f.short {
		return ""
	}
	if !utf8.Valid(b) {
		f.refuse("%q is not a text", targets.Clip(string(b), 60))
	}
	return string(b)
}

// ReadByte returns the next byte, for readLength.
func (f *fields) ReadByte() (byte, error) {
	if len(f.b) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return f.byte(), nil
}

func (f *fields) length() int {
	n, err := readLength(f)
	if err != nil {
		f.short = true
	}
	return n
}

// properties reads the properties of a packet, and keeps in p those that brunt knows.
func (f *fields) properties(p *packet) {
	all := fields{b: f.take(f.length())}
	if f.short {
		return
	}
	for len(all.b) > 0 && !all.short {
		switch id := all.byte(); id {
		case reasonString:
			p.reason = all.text()
		case serverKeepAlive:
			p.beat = all.word()
		case topicAlias:
			f.refuse("the server uses an alias of a topic, which brunt does not permit")
			return
		default:
			all.skip(id)
		}
	}
	if f.short = all.short; f.wrong == nil {
		f.wrong = all.wrong
	}
}

// skip skips the value of a property.
func (f *fields) skip(id byte) {
	switch size, known := sizes[id]; {
	case !known:
		f.refuse("there is no property %#x", id)
		f.b = nil
	case size == number:
		f.length()
	case size == text:
		f.take(int(f.word()))
	case size == pair:
		f.take(int(f.word()))
		f.take(int(f.word()))
	default:
		f.take(size)
	}
}

// appendLength appends a number of 1 to 4 bytes.
func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

func appendWord(dst []byte, n int) []byte { return binary.BigEndian.AppendUint16(dst, uint16(n)) }

// appendText appends a text of at most mostName bytes.
func appendText[T string | []byte](dst []byte, text T) []byte {
	return append(appendWord(dst, len(text)), text...)
}

// appendPacket appends a packet, with the bytes of its parts after the header.
func appendPacket(dst []byte, kind, flags byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	dst = appendLength(append(dst, kind<<4|flags), n)
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}

// appendAnswer appends an acknowledgement of packet id, which is a success.
func appendAnswer(dst []byte, kind byte, id uint16) []byte {
	flags := byte(0)
	if kind == pubrel {
		flags = 2
	}
	return append(dst, kind<<4|flags, 2, byte(id>>8), byte(id))
}

// appendProperties appends the properties of a packet, and their length.
func appendProperties(dst, properties []byte) []byte {
	return append(appendLength(dst, len(properties)), properties...)
}
