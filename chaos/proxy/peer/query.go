package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
)

// message returns a message of PostgreSQL.
func message(kind byte, body string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body))), body...)
}

// start is the first message of a connection of PostgreSQL, without its length.
const start = "\x00\x03\x00\x00user\x00probe\x00\x00"

// readMessage reads a message of PostgreSQL.
func readMessage(br *bufio.Reader) (kind byte, body []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(br, head); err != nil {
		return 0, nil, err
	}
	body, err = readBody(br, head[1:])
	return head[0], body, err
}

// mostBody is the longest body of a message of a probe, in bytes.
const mostBody = 1 << 16

// readBody reads the bytes after a length; the length counts itself.
func readBody(br *bufio.Reader, length []byte) ([]byte, error) {
	n := binary.BigEndian.Uint32(length)
	if n < 4 || n > mostBody {
		return nil, errors.New("a message has a wrong length")
	}
	b := make([]byte, n-4)
	_, err := io.ReadFull(br, b)
	return b, err
}

// serveQueries serves a connection of any form but those of HTTP.
func (w *Web) serveQueries(c *net.TCPConn) {
	br := bufio.NewReader(c)
	switch w.Form {
	case MySQL:
		serveMySQL(br, c)
		return
	case Mongo:
		serveMongo(br, c)
		return
	case Kafka:
		serveKafka(br, c)
		return
	case AMQP:
		serveAMQP(br, c)
		return
	}
	if w.Form == SQL {
		length := make([]byte, 4)
		if _, err := io.ReadFull(br, length); err != nil {
			return
		}
		if _, err := readBody(br, length); err != nil {
			return
		}
		if _, err := c.Write(append(message('R', "\x00\x00\x00\x00"), message('Z', "I")...)); err != nil {
			return
		}
	}
	for {
		answer := []byte("+" + ownHeader + "\r\n")
		if w.Form == SQL {
			if kind, _, err := readMessage(br); err != nil || kind != 'Q' {
				return
			}
			answer = append(message('C', ownHeader+"\x00"), message('Z', "I")...)
		} else if readCommand(br) != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// readCommand reads a command of Redis.
func readCommand(br *bufio.Reader) error {
	n, err := readCount(br, '*')
	for range n {
		size, err := readCount(br, '$')
		if err != nil {
			return err
		}
		if _, err := br.Discard(size + 2); err != nil {
			return err
		}
	}
	return err
}

// readCount reads a line with a number after a mark.
func readCount(br *bufio.Reader, mark byte) (int, error) {
	line, err := br.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 4 || line[0] != mark {
		return 0, errors.New("that is no length")
	}
	n, err := strconv.ParseUint(string(line[1:len(line)-2]), 10, 16)
	return int(n), err
}

// login begins a connection of PostgreSQL.
func (a *Client) login() error {
	head := binary.BigEndian.AppendUint32(nil, uint32(4+len(start)))
	if _, err := a.c.Write(append(head, start...)); err != nil {
		return err
	}
	for {
		if kind, _, err := readMessage(a.br); err != nil || kind == 'Z' {
			return err
		}
	}
}

// query sends the path as a command or a statement and reads its answer. The status is 0, or 1 for an error.
func (a *Client) query() (got Answer, err error) {
	switch a.web.Form {
	case SQL:
		return a.statement()
	case MySQL:
		return a.statementMySQL()
	case Mongo:
		return a.commandMongo()
	}
	verb, key, _ := strings.Cut(a.web.Path, " ")
	words := []string{verb}
	if key != "" {
		words = append(words, key)
	}
	b := []byte("*" + strconv.Itoa(len(words)) + "\r\n")
	for _, w := range words {
		b = append(b, "$"+strconv.Itoa(len(w))+"\r\n"+w+"\r\n"...)
	}
	if _, err := a.c.Write(b); err != nil {
		return got, err
	}
	line, err := a.br.ReadSlice('\n')
	if err != nil {
		return got, err
	}
	got.Size = len(line)
	if got.Own = line[0] == '-'; got.Own {
		got.Status = 1
	}
	return got, nil
}

// statement sends a statement and reads its answer.
func (a *Client) statement() (got Answer, err error) {
	if _, err := a.c.Write(message('Q', a.web.Path+"\x00")); err != nil {
		return got, err
	}
	for {
		kind, body, err := readMessage(a.br)
		if err != nil || kind == 'Z' {
			return got, err
		}
		got.Size += len(body)
		if kind == 'E' {
			got.Own, got.Status = true, 1
		}
	}
}
