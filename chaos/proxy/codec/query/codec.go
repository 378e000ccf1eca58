package query

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// A Codec cuts the bytes of one connection. One goroutine uses it at a time.
type Codec interface {
	// Speaks is the name of the protocol.
	Speaks() string
	// Requests cuts bytes of the client. After an error, the bytes in Rest and all that follow pass unparsed.
	Requests(b []byte) ([]Part, error)
	// Answers cuts bytes of the server, as Requests does.
	Answers(b []byte) ([]Part, error)
	// Refuse returns the answer of a server that refuses the next request, with its number: an error, and the end of the
	// answer after it.
	Refuse(number uint32, code, text string) (wrong, end []byte)
	// Idle reports whether the server's bytes end at the end of a message.
	Idle() bool
	// Rest returns the bytes of the client, or of the server, that are not cut yet.
	Rest(client bool) []byte
}

// A Part is some bytes of a request or an answer.
type Part struct {
	Bytes []byte
	Name  string // of a request that begins: GET user:1, or a statement in one line and lower case
	// of a request that begins, if its answer repeats it; else 0
	Number uint32
	First  bool // the request begins
	Last   bool // the request or the answer ends
	Free   bool // the bytes belong to no request or answer
	Asks   bool // the client may wait for an answer to the request so far before it sends more
	Fixed  bool // a request that begins must not be refused
	// The request is in a transaction that an error of a statement leaves open. An error code that ends the transaction
	// must not be used: the server's state would differ from the one that the client assumes.
	Within bool
}

// uncut holds the bytes that are not cut yet.
type uncut struct{ in, out []byte } // of the client; of the server

func (u *uncut) Rest(client bool) []byte {
	if client {
		return u.in
	}
	return u.out
}

// requests cuts bytes of the client. next cuts one part of n bytes; n is 0 if more bytes are needed.
func (u *uncut) requests(b []byte, next func() (p Part, n int, err error)) (parts []Part, err error) {
	u.in = append(u.in, b...)
	for len(u.in) > 0 {
		p, n, err := next()
		if n == 0 || err != nil {
			return parts, err
		}
		p.Bytes = bytes.Clone(u.in[:n])
		u.in = u.in[n:]
		parts = append(parts, p)
	}
	u.in = nil
	return parts, nil
}

// Names of protocols.
const (
	Redis = "redis"
	SQL   = "sql"
	Mongo = "mongo"
)

// Recognize returns the codec of a connection from the first bytes of its client. If it returns none, maybe says that
// more bytes may decide.
func Recognize(b []byte) (c Codec, maybe bool) {
	switch {
	case len(b) == 0:
		return nil, true
	case b[0] == '*' && (len(b) == 1 || b[1] != 0):
		return &redis{}, true
	}
	if yes, maybe := beginsMongo(b); yes || maybe {
		if yes {
			return &mongo{}, true
		}
		return nil, true
	}
	switch {
	// a client of PostgreSQL sends the length in one piece, and it is at most longestStart
	case len(b) < 4, b[0] != 0, b[1] != 0:
		return nil, false
	case len(b) < 8:
		return nil, true
	}
	if n := binary.BigEndian.Uint32(b); n < 8 || n > longestStart {
		return nil, false
	}
	switch binary.BigEndian.Uint32(b[4:]) {
	case version3, asksTLS, asksGSS:
		return &postgres{starting: true, texts: map[string]string{}}, true
	}
	return nil, false
}

var (
	errOther = errors.New("the bytes are not of the protocol")
	errRaw   = errors.New("the connection goes on in another way")
)

// longestHead is the most bytes that are held while the name of a request, or the end of a line, is incomplete.
const longestHead = 64 << 10

// longestName is the length of the part of a name that is compared, in bytes.
const longestName = 4 << 10

// line returns the first line of b from index from, without its end, and the index after it; an index of 0 means that
// the line is incomplete.
func line(b []byte, from int) (text []byte, next int) {
	i := bytes.IndexByte(b[from:], '\n')
	if i < 1 {
		return nil, 0
	}
	return b[from : from+i-1], from + i + 1
}
