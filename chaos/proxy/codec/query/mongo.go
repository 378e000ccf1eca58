package query

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Kinds of messages of MongoDB.
const (
	opReply      = 1
	opQuery      = 2004 // of old clients, and of the first message of a driver
	opCompressed = 2012
	opMsg        = 2013
)

// The parts of a message of MongoDB, and their sizes in bytes.
const (
	mongoHead    = 16 // length, number, number of the request, kind
	flagsSize    = 4
	longestFirst = 1 << 20 // the first message of a connection
	longestMongo = 48_000_000
	moreToCome   = 1 << 1 // of a request: no answer is wanted; of an answer: another follows
)

// mongo cuts OP_MSG. A request is a command, named as the command and its collection: "find orders".
type mongo struct {
	uncut

	skip int // remaining bytes of a message of the client
	free bool
	rest int // remaining bytes of a message of the server
	last bool
}

// beginsMongo reports whether the first bytes of a client are those of MongoDB. Maybe says that more bytes may decide.
func beginsMongo(b []byte) (yes, maybe bool) {
	if len(b) >= 4 {
		if n := binary.LittleEndian.Uint32(b); n < mongoHead+flagsSize+6 || n > longestFirst {
			return false, false
		}
	}
	if len(b) < mongoHead {
		return false, len(b) >= 4
	}
	kind := binary.LittleEndian.Uint32(b[12:])
	return (kind == opMsg || kind == opQuery) && binary.LittleEndian.Uint32(b[8:]) == 0, false
}

func (*mongo) Speaks() string { return Mongo }

func (c *mongo) Idle() bool { return c.rest == 0 && len(c.out) == 0 }

// Refuse implements [Codec]. The code is a number, and may have the name of the error behind it.
func (*mongo) Refuse(asked []byte, code, text string) (wrong, end []byte) {
	digits, name, _ := strings.Cut(code, " ")
	n, _ := strconv.ParseInt(digits, 10, 32)
	doc, _ := bson.Marshal(bson.D{ // these types have no error
		{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: text}, {Key: "code", Value: int32(n)}, {Key: "codeName", Value: name},
	})
	b := binary.LittleEndian.AppendUint32(nil, uint32(mongoHead+flagsSize+1+len(doc)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = append(b, asked[4:8]...) // its number
	b = binary.LittleEndian.AppendUint32(b, opMsg)
	return append(append(b, 0, 0, 0, 0, 0), doc...), nil
}

func (c *mongo) Requests(b []byte) ([]Part, error) { return c.requests(b, c.next) }

// next cuts one part of n bytes of the client; n is 0 if more bytes are needed.
func (c *mongo) next() (p Part, n int, err error) {
	if c.skip > 0 {
		n = min(c.skip, len(c.in))
		c.skip -= n
		return Part{Free: c.free, Last: !c.free && c.skip == 0}, n, nil
	}
	if len(c.in) < mongoHead+flagsSize {
		return p, 0, nil
	}
	size := int(binary.LittleEndian.Uint32(c.in))
	kind := binary.LittleEndian.Uint32(c.in[12:])
	switch {
	case kind == opCompressed:
		return p, 0, errRaw
	case size < mongoHead+flagsSize+1 || size > longestMongo, kind != opMsg && kind != opQuery:
		return p, 0, errOther
	case len(c.in) < min(size, longestName):
		return p, 0, nil
	}
	n = min(size, len(c.in))
	c.skip = size - n
	c.free = kind == opMsg && binary.LittleEndian.Uint32(c.in[mongoHead:])&moreToCome != 0
	if c.free {
		return Part{Free: true}, n, nil
	}
	p = Part{First: true, Last: c.skip == 0}
	if kind == opMsg {
		p.Name = nameOf(c.in[mongoHead+flagsSize : n])
	}
	verb, _, _ := strings.Cut(p.Name, " ")
	p.Fixed = p.Name == "" || mongoLogin[verb]
	return p, n, nil
}

// mongoLogin are the commands of a connection's begin and end, and of the ends of cursors and transactions. They are
// never refused.
var mongoLogin = map[string]bool{
	"hello": true, "isMaster": true, "ismaster": true, "saslStart": true, "saslContinue": true, "authenticate": true,
	"endSessions": true, "killCursors": true, "abortTransaction": true,
}

// nameOf returns the command and the collection of a message's sections; empty: its first section does not say.
func nameOf(b []byte) string {
	for len(b) > 5 && b[0] == 1 { // documents of the command come before it
		n := int(int32(binary.LittleEndian.Uint32(b[1:])))
		if n < 4 || n > len(b)-1 {
			return ""
		}
		b = b[1+n:]
	}
	const first = 1 + 4 + 1 // the kind of the section, the length of the document, the type of its first element
	if len(b) <= first || b[0] != 0 {
		return ""
	}
	verb, value, whole := bytes.Cut(b[first:], []byte{0})
	if !whole || len(verb) == 0 {
		return ""
	}
	name := string(verb) + " "
	const text = 2
	if b[first-1] == text && len(value) > 4 {
		collection, _, _ := bytes.Cut(value[4:], []byte{0})
		name += string(collection)
	}
	return name
}

func (c *mongo) Answers(b []byte) (parts []Part, err error) {
	c.out = append(c.out, b...)
	for len(c.out) > 0 {
		n := 0
		if c.rest > 0 {
			n = min(c.rest, len(c.out))
			c.rest -= n
		} else {
			if len(c.out) < mongoHead+flagsSize {
				return parts, nil
			}
			size := int(binary.LittleEndian.Uint32(c.out))
			kind := binary.LittleEndian.Uint32(c.out[12:])
			switch {
			case kind == opCompressed:
				return parts, errRaw
			case size < mongoHead+flagsSize || size > longestMongo, kind != opMsg && kind != opReply:
				return parts, errOther
			}
			n = min(size, len(c.out))
			c.rest = size - n
			c.last = kind == opReply || binary.LittleEndian.Uint32(c.out[mongoHead:])&moreToCome == 0
		}
		parts = append(parts, Part{Bytes: bytes.Clone(c.out[:n]), Last: c.last && c.rest == 0})
		c.out = c.out[n:]
	}
	c.out = nil
	return parts, nil
}
