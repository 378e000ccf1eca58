package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The head of a message of MongoDB, up to the document: length, number, number of the request, kind, flags, kind of the
// section.
const mongoHead = 21

// appendMongo returns an OP_MSG with a document.
func appendMongo(number, to uint32, pairs bson.D) ([]byte, error) {
	doc, err := bson.Marshal(pairs)
	b := binary.LittleEndian.AppendUint32(nil, uint32(mongoHead+len(doc)))
	b = binary.LittleEndian.AppendUint32(b, number)
	b = binary.LittleEndian.AppendUint32(b, to)
	b = append(b, "\xdd\x07\x00\x00\x00\x00\x00\x00\x00"...)
	return append(b, doc...), err
}

// readMongo reads an OP_MSG: its number, and its document.
func readMongo(br *bufio.Reader) (number uint32, doc bson.Raw, err error) {
	head := make([]byte, mongoHead)
	if _, err := io.ReadFull(br, head); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(head)
	if n < mongoHead+5 || n > mostBody {
		return 0, nil, errors.New("a message has a wrong length")
	}
	doc = make([]byte, n-mongoHead)
	_, err = io.ReadFull(br, doc)
	return binary.LittleEndian.Uint32(head[4:]), doc, err
}

// serveMongo serves a connection of MongoDB.
func serveMongo(br *bufio.Reader, c *net.TCPConn) {
	for {
		number, _, err := readMongo(br)
		if err != nil {
			return
		}
		answer, err := appendMongo(1, number, bson.D{{Key: "ok", Value: 1.0}})
		if err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// commandMongo sends the path as a command and its collection, and reads the answer. The status is 0, or 1 for an
// error.
func (a *Client) commandMongo() (got Answer, err error) {
	verb, collection, _ := strings.Cut(a.web.Path, " ")
	asks, err := appendMongo(1, 0, bson.D{{Key: verb, Value: collection}, {Key: "$db", Value: "probe"}})
	if err != nil {
		return got, err
	}
	if _, err := a.c.Write(asks); err != nil {
		return got, err
	}
	_, doc, err := readMongo(a.br)
	if err != nil {
		return got, err
	}
	got.Size = len(doc)
	if ok, isNumber := doc.Lookup("ok").AsFloat64OK(); isNumber && ok == 0 {
		got.Own, got.Status = true, 1
	}
	return got, nil
}
