package smtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
)

// reply is a reply of the server.
type reply struct {
	code int32
	text string // its lines without the code, with \n between them
	size int    // bytes
}

// Limits of a reply. RFC 5321 allows 512 bytes for a line.
const (
	mostLine  = 4 << 10 // bytes
	mostLines = 200
)

func malformed(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: "SMTP: " + fmt.Sprintf(format, args...)}
}

// read reads a reply.
func read(r *bufio.Reader) (p reply, err error) {
	for n := range mostLines {
		line, err := r.ReadSlice('\n')
		if p.size += len(line); err != nil || p.size > mostLines*mostLine {
			return p, broken(line, n, err)
		}
		text := strings.TrimRight(string(line), "\r\n")
		code, err := strconv.ParseUint(text[:min(3, len(text))], 10, 10)
		if err != nil || len(text) < 3 || code < 200 || code > 599 || len(text) > 3 && text[3] != ' ' && text[3] != '-' {
			return p, malformed("%q is not a reply", targets.Clip(text, 60))
		}
		if n > 0 && int32(code) != p.code {
			return p, malformed("a reply has the codes %d and %d", p.code, code)
		}
		p.code = int32(code)
		if n > 0 {
			p.text += "\n"
		}
		if len(text) < 4 {
			return p, nil
		}
		if p.text += text[4:]; text[3] == ' ' {
			return p, nil
		}
	}
	return p, malformed("a reply has more than %d lines", mostLines)
}

// broken returns the error of a line that has no end, after some lines of the same reply.
func broken(line []byte, before int, err error) error {
	switch {
	case errors.Is(err, bufio.ErrBufferFull), err == nil:
		return malformed("a line of a reply is too long")
	case errors.Is(err, io.EOF) && (len(line) > 0 || before > 0):
		return io.ErrUnexpectedEOF
	}
	return err
}
