package postgres

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"brunt/scenarios/budget"
	"brunt/targets/sql"
)

// reader reads the answer to one statement.
type reader struct {
	conn *connection
	br   *bufio.Reader
	of   *sql.Statement
	plan *prepared // of the statement; nil: it is not prepared
	to   *sql.Result

	size    int64        // bytes that came
	columns []column     // of the rows that are kept
	claim   budget.Claim // of the message that is kept
	parsed  bool         // the server has prepared the statement
	fatal   bool         // the server ends the connection
	done    bool         // the server is ready for another statement
}

// Limits on messages, in bytes.
const (
	longestMessage = 1 << 30 // the limit of the server
	longestKept    = 2 << 20 // of a message that is kept: more than all rows that are kept
)

// read reads messages until the server is ready for another statement, or has ended the connection with an error.
func (in *reader) read() error {
	if p := in.plan; p != nil && p.described {
		in.columns, in.to.Returns = p.columns, p.returns
	}
	for !in.done {
		if err := in.message(); err != nil {
			if in.fatal {
				break // the earlier error is the answer
			}
			return err
		}
	}
	in.settle()
	return nil
}

// settle records whether the statement is now prepared.
func (in *reader) settle() {
	p := in.plan
	switch {
	case p == nil:
		return
	case in.to.Failure.Code == "":
		p.described, p.returns, p.columns = true, in.to.Returns, in.columns
	// It is not prepared, or has other columns now.
	case !p.described && !in.parsed, in.to.Failure.Code == "0A000", in.to.Failure.Code == "26000":
		in.conn.forget(in.of)
	}
}

// bad is the error for an answer that violates the protocol.
func bad(format string, args ...any) error {
	return fmt.Errorf("the answer is not PostgreSQL's: "+format, args...)
}

// message reads one message.
func (in *reader) message() error {
	head, err := in.br.Peek(5)
	if err != nil {
		return cut(err, len(head))
	}
	kind, n := head[0], be32(head[1:])-4
	if n < 0 || n > longestMessage {
		return bad("a message %q of %d bytes", kind, n)
	}
	if _, err := in.br.Discard(5); err != nil {
		return err
	}
	in.size += int64(5 + n)
	switch kind {
	case 'D', 'd':
		in.to.Rows++
		if kind == 'D' && in.of.Keep {
			return in.row(n)
		}
		return in.skip(n)
	case '1':
		in.parsed = true
	case 'T':
		return in.describe(n)
	case 'C', 'E', 'Z', 'A', 'G':
		body, err := in.body(n)
		if err != nil {
			return err
		}
		return in.event(kind, body)
	case '2', '3', 'n', 's', 't', 'I', 'N', 'S', 'H', 'c':
	default:
		return bad("a message %q", kind)
	}
	return in.skip(n)
}

// cut is the error for an answer that ends after n bytes of a message.
func cut(err error, n int) error {
	if n > 0 && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// skip drops n bytes.
func (in *reader) skip(n int) error {
	_, err := in.br.Discard(n)
	return cut(err, 1)
}

// body returns n bytes. They are valid until the next read.
func (in *reader) body(n int) ([]byte, error) {
	if n <= in.br.Size() {
		b, err := in.br.Peek(n)
		if err != nil {
			return nil, cut(err, 1)
		}
		_, _ = in.br.Discard(n)
		return b, nil
	}
	if n > longestKept {
		return nil, bad("a message of %d bytes", n)
	}
	in.claim.Release()
	if err := in.claim.Take(2 * n); err != nil { // the buffer grows
		return nil, err
	}
	var b bytes.Buffer
	_, err := io.CopyN(&b, in.br, int64(n))
	return b.Bytes(), cut(err, 1)
}

// event processes a short message.
func (in *reader) event(kind byte, body []byte) error {
	switch kind {
	case 'C':
		in.to.Affected += affected(body)
		in.rolledBack(body)
	case 'E':
		in.failure(body)
	case 'G':
		if in.of.Form != sql.Copying {
			return fmt.Errorf("the statement wants rows: sql.copy sends them")
		}
	case 'A':
		return in.notification(body)
	case 'Z':
		if len(body) != 1 {
			return bad("a state of %d bytes", len(body))
		}
		in.conn.state, in.done = body[0], true
	}
	return nil
}

// affected returns how many rows a statement changed, according to its tag.
func affected(tag []byte) (n int64) {
	tag = bytes.TrimSuffix(tag, []byte{0})
	verb, rest, _ := bytes.Cut(tag, []byte(" "))
	switch string(verb) {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "COPY":
	default:
		return 0
	}
	if i := bytes.LastIndexByte(rest, ' '); i >= 0 { // the tag of INSERT has an object number before it
		rest = rest[i+1:]
	}
	for _, c := range rest {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

// rolledBack processes the tag of a COMMIT. It is ROLLBACK if an earlier error ended the transaction, which the
// server does not report as an error.
func (in *reader) rolledBack(tag []byte) {
	if in.of.Form == sql.Simple && in.of.Text == "commit" && in.to.Failure.Code == "" &&
		bytes.HasPrefix(tag, []byte("ROLLBACK")) {
		in.to.Failure = failureOf(stateRolledBack,
			"the transaction was rolled back: an error that a step allows had ended it")
	}
}

// failureOf is an error with a SQLSTATE.
func failureOf(code, text string) sql.Failure {
	f := sql.Failure{Code: code, Text: text, Number: sql.State(code)}
	f.Cause = sql.States().Cause(f.Number)
	return f
}

// stateRolledBack is the SQLSTATE of a transaction that was rolled back.
const stateRolledBack = "40000"

// failure processes an error. The first error of an answer counts, unless a later one ends the connection.
func (in *reader) failure(body []byte) {
	severity, state, text := "", "", ""
	for len(body) > 1 {
		field := body[0]
		value, rest, ok := cString(body[1:])
		if !ok {
			break
		}
		switch field {
		case 'S':
			if severity == "" {
				severity = string(value)
			}
		case 'V': // like S, but always in English
			severity = string(value)
		case 'C':
			state = string(value)
		case 'M':
			text = string(value)
		}
		body = rest
	}
	if !code.MatchString(state) || len(state) != 5 {
		state = "XX000" // internal error
	}
	in.fatal = in.fatal || severity == "FATAL" || severity == "PANIC"
	if in.to.Failure.Code != "" && !in.fatal {
		return
	}
	in.to.Failure = failureOf(state, text)
	in.conn.demoted = in.conn.demoted || in.conn.writes && state == readOnly
}

// notification processes a notification of NOTIFY.
func (in *reader) notification(body []byte) error {
	if in.of.Form != sql.Listening {
		return nil // of another step that used this connection before
	}
	if len(body) < 4 {
		return bad("a notification of %d bytes", len(body))
	}
	channel, rest, ok := cString(body[4:])
	if !ok {
		return bad("a notification without a channel")
	}
	payload, _, _ := cString(rest)
	in.to.Rows++
	if !in.of.Keep {
		return nil
	}
	row := map[string]any{
		"channel": string(channel), "payload": string(payload), "pid": int64(binary.BigEndian.Uint32(body)),
	}
	return in.to.Keep(len(body), len(row), func() any { return row })
}
