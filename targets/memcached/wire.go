package memcached

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

type line = calls.Line[frame]

// protocol is how memcached goes over connections.
var protocol = calls.Protocol[frame]{
	Causes: causes, Login: login, Read: read, Asked: true,
}

// ops are the first words of the lines that a server sends.
var ops = [...]string{
	"VA", "HD", "EN", "NF", "NS", "EX", "STAT", "END", "VERSION", "ERROR", "CLIENT_ERROR", "SERVER_ERROR",
}

// A frame is a line of the server, with the value that follows it.
type frame struct {
	op   string // one of ops
	rest string // of the line; of VA: its flags
	body []byte // of VA
}

// Limits of what a server may send, in bytes if not said otherwise.
const (
	mostBody  = 64 << 20
	mostStats = 10_000 // lines
)

func malformed(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: "memcached: " + fmt.Sprintf(format, args...)}
}

// read reads a line, and the value that follows it.
func read(r *bufio.Reader) (f frame, err error) {
	text, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return f, malformed("a line has more than %d bytes", len(text))
	}
	if err != nil {
		if errors.Is(err, io.EOF) && len(text) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return f, err
	}
	op, rest, _ := bytes.Cut(bytes.TrimRight(text, "\r\n"), []byte(" "))
	i := slices.IndexFunc(ops[:], func(name string) bool { return string(op) == name })
	if i < 0 {
		return f, malformed("%q is no line of the protocol", targets.Clip(string(text), 60))
	}
	if f.op = ops[i]; f.op != "VA" {
		f.rest = string(rest)
		return f, nil
	}
	size, flags, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.ParseUint(string(size), 10, 32)
	if err != nil || n > mostBody {
		return f, malformed("%q is not the size of a value", targets.Clip(string(size), 60))
	}
	f.rest = string(flags)
	b, err := calls.ReadWhole(r, int(n)+len("\r\n"))
	if err != nil {
		return f, err
	}
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		return f, malformed("a value is longer than its line says")
	}
	f.body = b[:n:n]
	return f, nil
}

// flag returns a flag of the answer by its letter.
func (f *frame) flag(letter byte) string {
	for word := range strings.FieldsSeq(f.rest) {
		if word[0] == letter {
			return word[1:]
		}
	}
	return ""
}

// refusal returns the number and the text of an error; 0: it is not an error.
func (f *frame) refusal() (int32, string) {
	for n := unknownCommand; n <= serverError; n++ {
		if f.op == names[n] {
			return int32(n), strings.TrimSpace(f.op + " " + f.rest)
		}
	}
	return 0, ""
}

// login makes the TLS handshake if the endpoint wants it, and asks for the version.
func login(ctx context.Context, l *line, _ *url.URL, config *tls.Config) error {
	if config != nil {
		if err := l.Secure(ctx, config); err != nil {
			return err
		}
	}
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	if _, err := l.Write([]byte("version\r\n")); err != nil {
		return err
	}
	f, err := read(l.Reader)
	if err != nil {
		return err
	}
	if n, reason := f.refusal(); n != 0 {
		return &targets.Error{Cause: causes.Cause(n), Text: "the connection is refused: " + reason}
	}
	if f.op != "VERSION" {
		return malformed("the server answers %s, and VERSION was expected", f.op)
	}
	return nil
}

// locate checks the URL of an endpoint.
func locate(u *url.URL) ([]string, error) {
	switch {
	case u.Port() == "":
		return nil, fmt.Errorf("a port is missing: write %s://%s:11211", u.Scheme, u.Host)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "":
		return nil, fmt.Errorf("it has a host and a port alone")
	case u.User != nil:
		return nil, fmt.Errorf("brunt does not know memcached's logins")
	}
	return []string{u.Host}, nil
}
