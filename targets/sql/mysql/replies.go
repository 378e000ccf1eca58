package mysql

import (
	"bytes"
	"encoding/binary"
)

// replies reads the server's status from the packets of a connection. The driver keeps it to itself, nothing else tells
// whether a transaction is open, as a procedure may have begun one, and a further statement would change the load.
//
// Each answer without an error ends with the status. It is in a packet OK or EOF, or in OK in place of EOF:
//
//	greeting -> login … OK
//	command  -> OK | ERR | columns, rows … EOF        again if the status says that more results follow
//
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
type replies struct {
	status  uint16
	known   bool   // status is the server's
	secures bool   // the server offers TLS
	method  string // how the account logs in, such as caching_sha2_password; empty: unknown
	oneEnd  bool   // no EOF ends the columns

	wanted    wanted
	ends      int // packets EOF until the end of the rows
	header    [headerSize]byte
	have      int    // bytes of the header
	left      int    // bytes of the packet that follow
	held      int    // bytes of the packet, with those that it continues
	head      []byte // begin of the packet
	continues bool   // the packet continues the one before
}

// wanted is the packet of the server that matters next.
type wanted byte

const (
	greeting wanted = iota
	loginEnd
	answer
	rowsEnd
	nothing // until the next command
)

// The flags of a server's status, and of what a client and a server can do.
const (
	inTransaction = 1 << 0
	autocommit    = 1 << 1
	moreResults   = 1 << 3

	ssl          = 1 << 11
	deprecateEOF = 1 << 24
)

const (
	headerSize = 4         // of a packet: three bytes of its length, and its number
	fullPacket = 1<<24 - 1 // length of a packet that another continues
	mostHead   = 256       // bytes of a packet that are kept; a greeting has a version of any length
)

// within reports whether a transaction is open, or would be with the next statement; true if that is unknown.
func (r *replies) within() bool { return !r.known || r.status&(inTransaction|autocommit) != autocommit }

// asks notes a packet of the client, and reports whether it is a command.
func (r *replies) asks(packet []byte) (command bool) {
	const prepare, longData, end = 0x16, 0x18, 0x19
	switch {
	case len(packet) < headerSize+4:
	case r.wanted == greeting: // answered by the login
		r.oneEnd = binary.LittleEndian.Uint32(packet[headerSize:])&deprecateEOF != 0
		r.wanted = loginEnd
		return false
	}
	if len(packet) <= headerSize || packet[headerSize-1] != 0 {
		return false
	}
	switch packet[headerSize] {
	case prepare, longData, end: // they change nothing, or have no answer
		r.wanted = nothing
	default:
		r.wanted = answer
	}
	return true
}

// take reads bytes of the server. In a login after a request for TLS it lowers the numbers of the packets by that one,
// of which the driver does not know.
func (r *replies) take(b []byte, lower bool) {
	for len(b) > 0 {
		if r.have < headerSize {
			if r.have == headerSize-1 && lower {
				b[0]--
			}
			r.header[r.have] = b[0]
			b = b[1:]
			if r.have++; r.have == headerSize {
				r.left, r.head = r.size(), r.head[:0]
				if r.held += r.left; !r.continues {
					r.held = r.left
				}
			}
		} else {
			n := min(r.left, len(b))
			r.head = append(r.head, b[:min(n, mostHead-len(r.head))]...)
			r.left -= n
			b = b[n:]
		}
		if r.have == headerSize && r.left == 0 {
			r.have = 0
			if !r.continues && len(r.head) > 0 {
				r.packet(r.size())
			}
			r.continues = r.size() == fullPacket
		}
	}
}

// size returns the length of the packet.
func (r *replies) size() int { return int(r.header[0]) | int(r.header[1])<<8 | int(r.header[2])<<16 }

// packet notes a packet of the server.
func (r *replies) packet(size int) {
	const ok, localFile, eof, failure = 0x00, 0xfb, 0xfe, 0xff
	kind := r.head[0]
	switch {
	case r.wanted == nothing:
	case r.wanted == greeting:
		r.secures, r.method = offersTLS(r.head), methodOf(r.head)
	case kind == failure:
		r.wanted = nothing
	case r.wanted == loginEnd && kind == eof: // the account wants another method than the greeting names
		name, _, _ := bytes.Cut(r.head[1:], []byte{0})
		r.method = string(name)
	case r.wanted == rowsEnd:
		if kind != eof || size >= fullPacket { // a column or a row
			return
		}
		if r.ends--; r.ends == 0 {
			r.end(!r.oneEnd)
		}
	case kind == ok:
		r.end(false)
	case r.wanted == answer && kind != localFile:
		r.wanted, r.ends = rowsEnd, 2
		if r.oneEnd {
			r.ends = 1
		}
	}
}

// end reads the status from the packet that ends an answer: an old EOF, or OK.
func (r *replies) end(old bool) {
	rest := r.head[1:]
	if old {
		rest = rest[min(2, len(rest)):] // the number of warnings
	} else {
		rest = afterInteger(afterInteger(rest)) // affected rows and the last id
	}
	r.wanted = nothing
	if r.known = len(rest) >= 2; !r.known {
		return
	}
	if r.status = binary.LittleEndian.Uint16(rest); r.status&moreResults != 0 {
		r.wanted = answer
	}
}

// afterInteger returns the bytes after an integer of variable length; nil if it is cut.
func afterInteger(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	size := 1
	switch b[0] {
	case 0xfc:
		size = 3
	case 0xfd:
		size = 4
	case 0xfe:
		size = 9
	}
	return b[min(size, len(b)):]
}

// offersTLS reports whether a greeting offers TLS.
func offersTLS(greeting []byte) bool {
	const before = 4 + 8 + 1 // number of the connection, begin of the challenge, a zero
	_, rest, _ := bytes.Cut(greeting[1:], []byte{0})
	return len(rest) >= before+2 && binary.LittleEndian.Uint16(rest[before:])&ssl != 0
}

// methodOf returns the method of logging in that a greeting names; empty if it names none.
func methodOf(greeting []byte) string {
	const before = 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10 // as in offersTLS; flags, characters, status, flags, length, zeros
	const challenge = 13                              // rest of the challenge, a zero at its end
	_, rest, _ := bytes.Cut(greeting[1:], []byte{0})
	if len(rest) < before+challenge {
		return ""
	}
	name, _, _ := bytes.Cut(rest[before+challenge:], []byte{0})
	return string(name)
}
