package peer

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
)

// The beginning of a connection of MySQL: the greeting of a server of version 10, and a client's answer in protocol
// 4.1.
var (
	greeting = "\x0aprobe\x00" + strings.Repeat("\x00", 8+5) + "\x00\x02" + "\x21\x02\x00" + strings.Repeat("\x00", 13+13)
	hello    = "\x01\x02\x00\x00" + strings.Repeat("\x00", 28) + "probe\x00\x00"
)

// okay is an OK packet of MySQL: nothing changed, and no transaction is open.
const okay = "\x00\x00\x00\x02\x00\x00\x00"

// packet returns a packet of MySQL.
func packet(number byte, body string) []byte {
	n := len(body)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), number}, body...)
}

// readPacket reads a packet of MySQL.
func readPacket(br *bufio.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(br, head); err != nil {
		return nil, err
	}
	n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if n == 0 || n > mostBody {
		return nil, errors.New("a packet has a wrong length")
	}
	b := make([]byte, n)
	_, err := io.ReadFull(br, b)
	return b, err
}

// serveMySQL serves a connection of MySQL.
func serveMySQL(br *bufio.Reader, c *net.TCPConn) {
	if _, err := c.Write(packet(0, greeting)); err != nil {
		return
	}
	for number := byte(2); ; number = 1 {
		if _, err := readPacket(br); err != nil {
			return
		}
		if _, err := c.Write(packet(number, okay)); err != nil {
			return
		}
	}
}

// loginMySQL begins a connection of MySQL.
func (a *Client) loginMySQL() error {
	if _, err := readPacket(a.br); err != nil {
		return err
	}
	if _, err := a.c.Write(packet(1, hello)); err != nil {
		return err
	}
	_, err := readPacket(a.br)
	return err
}

// statementMySQL sends a statement of MySQL and reads its answer.
func (a *Client) statementMySQL() (got Answer, err error) {
	if _, err := a.c.Write(packet(0, "\x03"+a.web.Path)); err != nil {
		return got, err
	}
	b, err := readPacket(a.br)
	if err != nil {
		return got, err
	}
	if got.Size = len(b); b[0] == 0xff {
		got.Own, got.Status = true, 1
	}
	return got, nil
}
