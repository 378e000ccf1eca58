package mongo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

// frame is an answer of the server.
type frame struct {
	to  int32  // the number of the request
	doc []byte // a document of BSON, checked by [checkDocument]
	len int    // of the message, in bytes
}

// The parts of a message, and their sizes in bytes.
const (
	opMsg        = 2013
	headSize     = 16 // length, number, number of the request, kind
	flagsSize    = 4
	checksumSize = 4
	mostMessage  = 48_000_000 // maxMessageSizeBytes of all servers

	hasChecksum = 1 << 0
	moreToCome  = 1 << 1
	requiredBit = 0xffff // an unknown flag among these must be refused
)

func malformed(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: "MongoDB: " + fmt.Sprintf(format, args...)}
}

// appendMessage appends a message with one document.
func appendMessage(dst []byte, number int32, doc []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(headSize+flagsSize+1+len(doc)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(number))
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, opMsg)
	dst = append(dst, 0, 0, 0, 0, 0) // no flags; a section with one document
	return append(dst, doc...)
}

// read reads an answer.
func read(r *bufio.Reader) (f frame, err error) {
	head := make([]byte, headSize+flagsSize)
	if _, err := io.ReadFull(r, head); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return f, malformed("the connection ends within a message")
		}
		return f, err
	}
	f.len = int(int32(binary.LittleEndian.Uint32(head)))
	if f.len < len(head) || f.len > mostMessage {
		return f, malformed("%d is not the length of a message", f.len)
	}
	if kind := binary.LittleEndian.Uint32(head[12:]); kind != opMsg {
		return f, malformed("the server answers by a message of kind %d; brunt knows OP_MSG, which is %d", kind, opMsg)
	}
	f.to = int32(binary.LittleEndian.Uint32(head[8:]))
	flags := binary.LittleEndian.Uint32(head[headSize:])
	if unknown := flags & requiredBit &^ hasChecksum; unknown != 0 {
		return f, malformed("an answer has the flags %#x", unknown)
	}
	body, err := calls.ReadWhole(r, f.len-len(head))
	if err != nil {
		return f, err
	}
	if flags&hasChecksum != 0 {
		if len(body) < checksumSize {
			return f, malformed("an answer is too short for its checksum")
		}
		body = body[:len(body)-checksumSize]
	}
	f.doc, err = section(body)
	return f, err
}

// section returns the document of an answer, which is in the section of kind 0. Those of kind 1 are skipped.
func section(body []byte) (doc []byte, err error) {
	for len(body) > 0 {
		kind, rest := body[0], body[1:]
		if len(rest) < 4 {
			break
		}
		n := int64(int32(binary.LittleEndian.Uint32(rest)))
		if n < 5 || n > int64(len(rest)) {
			return nil, malformed("%d is not the length of a section", n)
		}
		switch {
		case kind == 0 && doc == nil:
			if doc = rest[:n:n]; checkDocument(doc) != nil {
				return nil, checkDocument(doc)
			}
		case kind != 1:
			return nil, malformed("an answer has a section of kind %d", kind)
		}
		body = rest[n:]
	}
	if doc == nil || len(body) > 0 {
		return nil, malformed("an answer has no document")
	}
	return doc, nil
}
