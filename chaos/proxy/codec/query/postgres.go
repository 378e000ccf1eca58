package query

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Codes with which a connection of PostgreSQL begins.
const (
	version3 = 196608
	asksTLS  = 80877103
	asksGSS  = 80877104
)

// Bounds of messages, in bytes.
const (
	longestStart   = 10000
	longestMessage = 1 << 30
	mostTexts      = 10000 // number of statements that are remembered by their names
)

// postgres cuts protocol 3.0 of PostgreSQL. A request is a query, or a series of messages that ends with Sync. Its
// answer ends with ReadyForQuery.
type postgres struct {
	uncut

	starting bool // before the first message
	asked    bool // TLS was requested, and not answered yet
	ready    bool // the login has succeeded
	group    bool // inside a request
	skip     int  // remaining bytes of a message of the client
	free     bool // that message belongs to no request
	ends     bool // that message ends the request
	texts    map[string]string

	rest  int  // remaining bytes of a message of the server
	state byte // state of the server's transaction
}

func (*postgres) Speaks() string { return SQL }

func (c *postgres) Idle() bool { return c.rest == 0 && len(c.out) == 0 }

// Refuse implements [Codec]. An open transaction then counts as failed.
func (c *postgres) Refuse(_ []byte, code, text string) (wrong, end []byte) {
	fields := "SERROR\x00VERROR\x00C" + code + "\x00M" + text + "\x00\x00"
	b := append([]byte{'E'}, binary.BigEndian.AppendUint32(nil, uint32(4+len(fields)))...)
	state := byte('I')
	if c.state == 'T' || c.state == 'E' {
		state = 'E'
	}
	return append(b, fields...), []byte{'Z', 0, 0, 0, 5, state}
}

func (c *postgres) Requests(b []byte) ([]Part, error) { return c.requests(b, c.next) }

// next cuts one part of n bytes; n is 0 if more bytes are needed.
func (c *postgres) next() (p Part, n int, err error) {
	switch {
	case c.starting:
		return c.start()
	case c.skip > 0:
		n = min(c.skip, len(c.in))
		c.skip -= n
		p = Part{Free: c.free, Last: c.ends && c.skip == 0}
		c.group = c.group && !p.Last
		return p, n, nil
	case len(c.in) < 5:
		return p, 0, nil
	}
	kind, size := c.in[0], int(binary.BigEndian.Uint32(c.in[1:]))-4
	if size < 0 || size > longestMessage {
		return p, 0, errOther
	}
	body := c.in[5:]
	if len(body) < min(size, longestName) {
		return p, 0, nil
	}
	body = body[:min(size, len(body))]
	n, c.skip, c.free, c.ends = 5+len(body), size-len(body), !c.ready, false
	if !c.ready {
		return Part{Free: true}, n, nil
	}
	switch kind {
	case 'P', 'B', 'D', 'E', 'C', 'H', 'S', 'Q', 'F':
		text := c.text(kind, body)
		if p.First = !c.group; p.First {
			p.Name = text
		}
		c.ends = kind == 'S' || kind == 'Q' || kind == 'F'
		p.Last, p.Asks = c.ends && c.skip == 0, kind == 'H'
		c.group = !p.Last
	default: // rows of a COPY, and the end
		p.Free, c.free = true, true
	}
	return p, n, nil
}

// start cuts the first message of a connection.
func (c *postgres) start() (p Part, n int, err error) {
	if len(c.in) < 8 {
		return p, 0, nil
	}
	if n = int(binary.BigEndian.Uint32(c.in)); n < 8 || n > longestStart {
		return p, 0, errOther
	}
	if len(c.in) < n {
		return p, 0, nil
	}
	c.starting = false
	switch binary.BigEndian.Uint32(c.in[4:]) {
	case version3:
	case asksTLS, asksGSS:
		c.asked = true
	default: // a request to cancel has no answer
		return p, 0, errRaw
	}
	return Part{Free: true}, n, nil
}

// text returns the statement of a message, in one line and lower case, and remembers it by its name.
func (c *postgres) text(kind byte, body []byte) string {
	first, rest, _ := bytes.Cut(body[:min(len(body), longestName)], []byte{0})
	second, _, _ := bytes.Cut(rest, []byte{0})
	switch kind {
	case 'Q':
		return plain(first)
	case 'P':
		text := plain(second)
		if len(c.texts) < mostTexts {
			c.texts[string(first)] = text
		}
		return text
	case 'B':
		return c.texts[string(second)]
	case 'D', 'C':
		if len(first) > 0 && first[0] == 'S' {
			return c.texts[string(first[1:])]
		}
	}
	return ""
}

// plain returns a statement in one line and lower case.
func plain(text []byte) string {
	return strings.ToLower(strings.Join(strings.Fields(string(text)), " "))
}

func (c *postgres) Answers(b []byte) (parts []Part, err error) {
	c.out = append(c.out, b...)
	for len(c.out) > 0 {
		p, n := Part{Free: !c.ready}, 0
		switch {
		case c.asked:
			if n = 1; c.out[0] != 'N' {
				return parts, errRaw
			}
			c.asked, c.starting = false, true
		case c.rest > 0:
			n = min(c.rest, len(c.out))
			c.rest -= n
		case len(c.out) < 5, c.out[0] == 'Z' && len(c.out) < 6:
			return parts, nil
		case c.out[0] == 'Z':
			n, c.state = 6, c.out[5]
			p.Last = c.ready
			c.ready = true
		default:
			size := int(binary.BigEndian.Uint32(c.out[1:])) + 1
			if size < 5 || size > longestMessage {
				return parts, errOther
			}
			n = min(size, len(c.out))
			c.rest = size - n
		}
		p.Bytes = bytes.Clone(c.out[:n])
		c.out = c.out[n:]
		parts = append(parts, p)
	}
	c.out = nil
	return parts, nil
}
