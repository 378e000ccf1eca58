package nats

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

// A frame is a line of the server, with what follows it.
type frame struct {
	op      string // MSG for HMSG too; PING, PONG, INFO, +OK, -ERR
	subject string
	sid     string
	reply   string // where an answer to the message goes; empty: nowhere
	headers []byte // of a message, with NATS/1.0 and a status in the first line
	body    []byte // of a message; of INFO and -ERR, the rest of the line
}

// Limits of what a server may send, in bytes.
const (
	mostLine = 1 << 20
	mostBody = 64 << 20
)

func malformed(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: "NATS: " + fmt.Sprintf(format, args...)}
}

// readLine reads a line without its end. The line is valid until the next read, unless it is longer than the buffer.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			if line, err = r.ReadSlice('\n'); len(long)+len(line) > mostLine {
				return nil, malformed("a line has more than %d bytes", mostLine)
			}
			long = append(long, line...)
		}
		line = long
	}
	if err != nil {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// read reads a frame.
func read(r *bufio.Reader) (f frame, err error) {
	line, err := readLine(r)
	if err != nil {
		return f, err
	}
	op, rest, _ := bytes.Cut(line, []byte(" "))
	switch f.op = strings.ToUpper(string(op)); f.op {
	case "MSG", "HMSG":
		return readMessage(r, f.op == "HMSG", rest)
	case "PING", "PONG", "+OK":
		return f, nil
	case "INFO", "-ERR":
		f.body = bytes.Clone(bytes.TrimSpace(rest))
		return f, nil
	}
	return f, malformed("%q is no line of the protocol", targets.Clip(string(line), 60))
}

// readMessage reads a message, after the words of its line: subject, sid, an optional reply subject, the size of the
// headers if there are any, and the whole size.
func readMessage(r *bufio.Reader, headed bool, rest []byte) (f frame, err error) {
	words := strings.Fields(string(rest))
	fixed := 3
	if headed {
		fixed = 4
	}
	if len(words) != fixed && len(words) != fixed+1 {
		return f, malformed("%q is not the line of a message", targets.Clip(string(rest), 60))
	}
	f.op, f.subject, f.sid = "MSG", words[0], words[1]
	if len(words) > fixed {
		f.reply = words[2]
	}
	size, err := strconv.Atoi(words[len(words)-1])
	if err != nil || size < 0 || size > mostBody {
		return f, malformed("%q is not the size of a message", words[len(words)-1])
	}
	head := 0
	if headed {
		if head, err = strconv.Atoi(words[len(words)-2]); err != nil || head < 0 || head > size {
			return f, malformed("%q is not the size of the headers of a message", words[len(words)-2])
		}
	}
	all, err := calls.ReadWhole(r, size+len("\r\n"))
	if err != nil {
		return f, err
	}
	if !bytes.HasSuffix(all, []byte("\r\n")) {
		return f, malformed("a message is longer than its line says")
	}
	f.headers, f.body = all[:head:head], all[head:size:size]
	return f, nil
}

// status returns the status in the headers of a message, and its description; 0: the headers have none.
func (f *frame) status() (code int32, text string) {
	line, _, _ := bytes.Cut(f.headers, []byte("\r\n"))
	rest, ok := bytes.CutPrefix(line, []byte("NATS/1.0 "))
	if !ok {
		return 0, ""
	}
	number, text, _ := strings.Cut(strings.TrimSpace(string(rest)), " ")
	n, err := strconv.ParseUint(number, 10, 10)
	if err != nil {
		return 0, ""
	}
	return int32(n), text
}

// delivered returns how often JetStream has delivered a message, which stands in the subject for its acknowledgement:
// $JS.ACK.STREAM.CONSUMER.DELIVERED.…, or $JS.ACK.DOMAIN.ACCOUNT.STREAM.CONSUMER.DELIVERED.…
func (f *frame) delivered() uint64 {
	words, at := strings.Split(f.reply, "."), 4
	if len(words) < 9 {
		return 0
	}
	if len(words) > 9 {
		at = 6
	}
	n, _ := strconv.ParseUint(words[at], 10, 64) // zero if it is no number
	return n
}

// header returns the first value of a header, or an empty text.
func (f *frame) header(name string) string {
	for line := range strings.SplitSeq(string(f.headers), "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// appendPublish appends a message to a subject. Reply may be empty, and so may headers, which end with an empty line.
func appendPublish(dst []byte, subject, reply string, headers, body []byte) []byte {
	op := "PUB "
	if len(headers) > 0 {
		op = "HPUB "
	}
	dst = append(append(dst, op...), subject...)
	if reply != "" {
		dst = append(append(dst, ' '), reply...)
	}
	if len(headers) > 0 {
		dst = strconv.AppendInt(append(dst, ' '), int64(len(headers)), 10)
	}
	dst = strconv.AppendInt(append(dst, ' '), int64(len(headers)+len(body)), 10)
	dst = append(append(append(dst, "\r\n"...), headers...), body...)
	return append(dst, "\r\n"...)
}
