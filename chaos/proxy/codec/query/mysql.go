package query

import (
	"bytes"
	"encoding/binary"
)

// Bits of the capabilities of a client of MySQL or MariaDB.
const (
	isMySQL       = 1 << 0 // set by clients that do not know MariaDB's extensions
	compresses    = 1 << 5
	speaks41      = 1 << 9
	wantsTLS      = 1 << 11
	withoutEOF    = 1 << 24
	compressesZ   = 1 << 26
	attributes    = 1 << 27
	cachesColumns = 1 << 4 // one of MariaDB's extensions
)

// Bits of the state of a server.
const (
	inTransaction = 1 << 0
	moreResults   = 1 << 3
	hasCursor     = 1 << 6
)

// Commands of a client.
const (
	comQuit       = 0x01
	comQuery      = 0x03
	comFieldList  = 0x04
	comStatistics = 0x09
	comChangeUser = 0x11
	comBinlog     = 0x12
	comPrepare    = 0x16
	comExecute    = 0x17
	comLongData   = 0x18
	comCloseStmt  = 0x19
	comFetch      = 0x1c
	comBinlogGTID = 0x1e
)

// Bounds of packets, in bytes.
const (
	packetHead  = 4
	longest     = 1<<24 - 1 // a longer message continues in the next packet
	longestInfo = 32        // of an OK packet, up to the state of the server
)

// mysql cuts the protocol of MySQL and MariaDB. A request is a command; its answer is an OK, an error, or results.
type mysql struct {
	uncut

	can      uint32 // capabilities of the client
	caches   bool   // results may omit columns
	greeted  bool   // the server's greeting has arrived
	answered bool   // the client has answered the greeting
	ready    bool   // the login has succeeded
	skip     int    // remaining bytes of a packet of the client
	goesOn   bool   // the client's message continues in the next packet
	free     bool   // the client's message belongs to no request
	texts    map[uint32]string

	rest    int    // remaining bytes of a packet of the server
	long    bool   // the server's message continues in the next packet
	status  uint16 // of the server
	command byte   // command that is being answered; 0: none
	name    string // name of the statement that is being prepared
	at      int    // position in the answer
	left    int    // remaining packets at that position
	ended   bool   // the answer ends with the present packet
}

// The positions of a codec of MySQL in an answer.
const (
	atFirst = iota
	atColumns
	atRows
	atPrepared
)

// Greets returns the codec of a connection from the first bytes of its server. If it returns none, maybe says that more
// bytes may decide.
func Greets(b []byte) (c Codec, maybe bool) {
	switch {
	case len(b) > 3 && b[3] != 0, len(b) > 4 && b[4] != 10, len(b) > 2 && b[2] != 0:
		return nil, false
	case len(b) < 5:
		return nil, true
	}
	return &mysql{texts: map[uint32]string{}}, true
}

func (*mysql) Speaks() string { return SQL }

func (c *mysql) Idle() bool { return c.rest == 0 && len(c.out) == 0 }

// numbers maps each SQLSTATE to the error of MySQL that has it most often.
var numbers = map[string]uint16{
	"08004": 1040, "08S01": 1053, "21S01": 1136, "22001": 1406, "22003": 1264, "23000": 1062, "28000": 1045, "40001": 1213,
	"42000": 1064, "42S02": 1146,
	"70100": 1317, "HY000": 1205,
}

// cannotConnectNow is an SQLSTATE of PostgreSQL. For MySQL it becomes a communication error.
const cannotConnectNow = "57P03"

// otherError is the number used for an SQLSTATE that is not in numbers.
const otherError = 1105

func (c *mysql) Refuse(_ []byte, code, text string) (wrong, end []byte) {
	c.command = 0
	if code == cannotConnectNow {
		code = "08S01"
	}
	n := numbers[code]
	if n == 0 {
		n = otherError
	}
	body := binary.LittleEndian.AppendUint16([]byte{0xff}, n)
	body = append(append(append(body, '#'), code...), text...)
	return append([]byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), 1}, body...), nil
}

// size returns the length of the packet that begins b.
func size(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func (c *mysql) Requests(b []byte) ([]Part, error) { return c.requests(b, c.next) }

// next cuts one part of n bytes of the client; n is 0 if more bytes are needed.
func (c *mysql) next() (p Part, n int, err error) {
	if c.skip > 0 {
		n = min(c.skip, len(c.in))
		c.skip -= n
		return Part{Free: c.free, Last: !c.free && c.skip == 0 && !c.goesOn}, n, nil
	}
	if len(c.in) < packetHead {
		return p, 0, nil
	}
	length := size(c.in)
	if length == 0 && !c.goesOn && c.ready {
		return p, 0, errOther
	}
	if c.goesOn || !c.ready {
		return c.more(length)
	}
	body := c.in[packetHead:]
	if len(body) < min(length, longestName) {
		return p, 0, nil
	}
	body = body[:min(length, len(body))]
	n, c.skip, c.goesOn, c.free = packetHead+len(body), length-len(body), length == longest, false
	switch body[0] {
	case comBinlog, comBinlogGTID:
		return p, 0, errRaw
	case comChangeUser: // another login
		c.ready, c.free = false, true
	case comQuit, comLongData, comCloseStmt: // commands without an answer
		c.free = true
	default:
		if c.command != 0 { // it did not wait for the previous answer
			return p, 0, errRaw
		}
		c.command, c.at, c.left = body[0], atFirst, 0
		if c.command == comFetch || c.command == comFieldList {
			c.at = atRows
		}
		p = Part{First: true, Name: c.statement(body), Within: c.status&inTransaction != 0}
		p.Fixed = p.Name == "" || p.Name == "rollback" // rollback is never refused: it is the way out of a transaction
		c.name = p.Name
	}
	p.Free, p.Last = c.free, !c.free && c.skip == 0 && !c.goesOn
	return p, n, nil
}

// more cuts a packet of the login, or one that continues a message.
func (c *mysql) more(length int) (p Part, n int, err error) {
	if c.ready {
		n, c.skip, c.goesOn = packetHead, length, length == longest
		return Part{Free: c.free, Last: !c.free && c.skip == 0 && !c.goesOn}, n, nil
	}
	if n = packetHead + length; len(c.in) < n {
		if n > longestHead {
			return p, 0, errOther
		}
		return p, 0, nil
	}
	if !c.answered {
		if err := c.client(c.in[packetHead:n]); err != nil {
			return p, 0, err
		}
	}
	return Part{Free: true}, n, nil
}

// client takes a client's answer to the greeting.
func (c *mysql) client(body []byte) error {
	if !c.greeted || len(body) < longestInfo {
		return errOther
	}
	c.answered, c.can = true, binary.LittleEndian.Uint32(body)
	if c.can&(compresses|compressesZ|wantsTLS) != 0 || c.can&speaks41 == 0 {
		return errRaw
	}
	c.caches = c.can&isMySQL == 0 && binary.LittleEndian.Uint32(body[28:])&cachesColumns != 0
	return nil
}

// statement returns the text of the statement of a command, in one line and lower case; it is empty for a command
// without one.
func (c *mysql) statement(body []byte) string {
	text := body[1:min(len(body), longestName)]
	switch body[0] {
	case comQuery:
		if c.can&attributes != 0 {
			if len(text) < 2 || text[0] != 0 { // they come before the text
				return "?"
			}
			text = text[2:]
		}
		return plain(text)
	case comPrepare:
		return plain(text)
	case comExecute, comFetch:
		if len(text) >= 4 {
			return c.texts[binary.LittleEndian.Uint32(text)]
		}
	}
	return ""
}

func (c *mysql) Answers(b []byte) (parts []Part, err error) {
	c.out = append(c.out, b...)
	for len(c.out) > 0 {
		n := 0
		switch {
		case c.rest > 0:
			n = min(c.rest, len(c.out))
			c.rest -= n
		case len(c.out) < packetHead:
			return parts, nil
		default:
			length := size(c.out)
			body := c.out[packetHead:]
			if len(body) < min(length, longestInfo) {
				return parts, nil
			}
			body = body[:min(length, len(body))]
			n, c.rest = packetHead+len(body), length-len(body)
			within := c.long
			if c.long = length == longest; !within {
				if c.ended, err = c.packet(body, length); err != nil {
					return parts, err
				}
			}
		}
		p := Part{Bytes: bytes.Clone(c.out[:n])}
		if p.Last = c.ended && c.rest == 0 && !c.long; p.Last {
			c.ended, c.command = false, 0
		}
		c.out = c.out[n:]
		parts = append(parts, p)
	}
	c.out = nil
	return parts, nil
}

// packet processes the first bytes of a message of the server, and its length. It reports whether the message ends the
// answer to a command.
func (c *mysql) packet(body []byte, length int) (ends bool, err error) {
	switch {
	case !c.greeted:
		c.greeted = true
		return false, nil
	case !c.ready:
		if c.ready = len(body) > 0 && body[0] == 0; c.ready {
			c.status = state(body)
		}
		return false, nil
	case c.command == 0:
		return false, errOther
	case len(body) == 0:
		return false, nil
	case body[0] == 0xff && c.at != atColumns && c.at != atPrepared:
		return true, nil
	}
	switch c.at {
	case atColumns, atPrepared:
		if c.left--; c.left > 0 {
			return false, nil
		}
		if c.at == atPrepared {
			return true, nil
		}
		c.at = atRows
		if c.can&withoutEOF == 0 && len(body) >= 5 { // the end of the columns
			c.status = binary.LittleEndian.Uint16(body[3:])
			return c.command == comExecute && c.status&hasCursor != 0, nil
		}
		return false, nil
	case atRows:
		return c.row(body, length), nil
	}
	return c.first(body, length)
}

// row processes a row of results, or their end.
func (c *mysql) row(body []byte, length int) (ends bool) {
	switch {
	case body[0] != 0xfe:
		return false
	case c.can&withoutEOF != 0 && length < longest:
		c.status = state(body)
	case c.can&withoutEOF == 0 && length < 9 && len(body) >= 5:
		c.status = binary.LittleEndian.Uint16(body[3:])
	default:
		return false
	}
	c.at = atFirst
	return c.status&moreResults == 0
}

// first processes the first packet of an answer, or of one of its results.
func (c *mysql) first(body []byte, length int) (ends bool, err error) {
	switch {
	case c.command == comStatistics:
		return true, nil
	case c.command == comPrepare && body[0] == 0 && len(body) >= 9:
		if len(c.texts) < mostTexts {
			c.texts[binary.LittleEndian.Uint32(body[1:])] = c.name
		}
		c.at, c.left = atPrepared, 0
		for _, n := range []int{int(binary.LittleEndian.Uint16(body[7:])), int(binary.LittleEndian.Uint16(body[5:]))} {
			if c.left += n; n > 0 && c.can&withoutEOF == 0 {
				c.left++
			}
		}
		return c.left == 0, nil
	case body[0] == 0:
		c.status = state(body)
		return c.status&moreResults == 0, nil
	case body[0] == 0xfe && length < 9:
		return true, nil
	case body[0] == 0xfb: // the client is asked to send a file
		return false, errRaw
	}
	n, used := number(body)
	if c.caches && used < len(body) && body[used] == 0 {
		n = 0 // the client knows the columns already
	}
	if c.can&withoutEOF == 0 {
		n++
	}
	if c.at, c.left = atColumns, n; n == 0 {
		c.at = atRows
	}
	return false, nil
}

// number reads a number of variable length. used is the number of bytes it takes.
func number(b []byte) (n, used int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] == 0xfc && len(b) >= 3:
		return int(b[1]) | int(b[2])<<8, 3
	case b[0] == 0xfd && len(b) >= 4:
		return int(b[1]) | int(b[2])<<8 | int(b[3])<<16, 4
	case b[0] == 0xfe:
		return 0, 9 // no count of columns or rows that matters is this large
	}
	return int(b[0]), 1
}

// state returns the state of the server from an OK packet.
func state(ok []byte) uint16 {
	at := 1
	for range 2 { // skip the number of changed rows, and the last id
		_, used := number(ok[min(at, len(ok)):])
		at += used
	}
	if len(ok) < at+2 {
		return 0
	}
	return binary.LittleEndian.Uint16(ok[at:])
}
