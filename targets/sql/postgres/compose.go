package postgres

import (
	"encoding/binary"
	"strconv"

	"brunt/targets/sql"
)

// begin appends the header of a message, and returns the place of its length.
func begin(dst []byte, kind byte) ([]byte, int) {
	return append(dst, kind, 0, 0, 0, 0), len(dst) + 1
}

// end writes the length of the message that ends dst.
func end(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at))
	return dst
}

// appendText appends a text that ends with a zero byte.
func appendText(dst []byte, text string) []byte { return append(append(dst, text...), 0) }

// appendQuery appends a simple query.
func appendQuery(dst []byte, text string) []byte {
	dst, at := begin(dst, 'Q')
	return end(appendText(dst, text), at)
}

// compose writes the messages of a statement. It returns the prepared statement, or nil if the statement is not
// prepared.
//
//	prepared before:  Bind, Execute, Sync
//	otherwise:        Parse, Bind, Describe, Execute, Sync
func (c *connection) compose(s *sql.Statement, args [][]byte) (p *prepared) {
	out := c.out[:0]
	switch s.Form {
	case sql.Simple:
		out = appendQuery(out, s.Text)
	case sql.Listening:
		out = appendQuery(out, "listen "+s.Channel)
	case sql.Copying: // the server drops the rows if it refuses the statement
		out = appendQuery(out, s.Text)
		var at int
		out, at = begin(out, 'd')
		for _, a := range args {
			out = append(out, a...)
		}
		out = append(end(out, at), 'c', 0, 0, 0, 4)
	default:
		if p = c.prepared[s]; p == nil {
			p = &prepared{}
			if c.keeps {
				c.names++
				p.name = "b" + strconv.Itoa(c.names)
				c.prepared[s] = p
			}
			out = appendParse(out, p.name, s.Text)
		}
		out = appendBind(out, p.name, args)
		if !p.described {
			var at int
			out, at = begin(out, 'D')
			out = end(append(out, 'P', 0), at)
		}
		out = append(out,
			'E', 0, 0, 0, 9, 0, 0, 0, 0, 0, // the portal without a name, all rows
			'S', 0, 0, 0, 4)
	}
	c.out = out
	return p
}

// appendParse appends a message that prepares a statement.
func appendParse(dst []byte, name, text string) []byte {
	dst, at := begin(dst, 'P')
	dst = appendText(appendText(dst, name), text)
	return end(append(dst, 0, 0), at) // the server determines the types of parameters
}

// appendBind appends a message with the arguments of a statement. They are all texts, and so are the values of the
// answer.
func appendBind(dst []byte, name string, args [][]byte) []byte {
	dst, at := begin(dst, 'B')
	dst = append(appendText(append(dst, 0), name), 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(args)))
	for _, a := range args {
		if a == nil {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(a))), a...)
	}
	return end(append(dst, 0, 0), at)
}

// forget drops a prepared statement that the server does not have, or does not have in this form.
func (c *connection) forget(s *sql.Statement) { delete(c.prepared, s) }
