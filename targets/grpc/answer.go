package grpc

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/targets"
	"brunt/targets/grpc/status"
	"brunt/targets/http/h1"

	"github.com/ohler55/ojg/jp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// answer is the answer to a call. The message is decoded once, on demand.
type answer struct {
	raw    *h1.Answer                     // nil: no answer came
	of     protoreflect.MessageDescriptor // type of the message
	status codes.Code
	wire   []byte        // the message, or the last message of a stream; nil if no message came, or if it is not kept
	size   int64         // of all messages, in bytes
	count  int           // number of messages of a stream
	last   time.Duration // when the last message came

	parsed bool
	json   []byte
	doc    any          // nil: there is no message
	broken error        // why the message does not have its type
	claim  budget.Claim // of a message of a stream, and of its JSON
}

// readStatus reads the status of the answer.
func (a *answer) readStatus() error {
	value := a.raw.Head().Peek("Grpc-Status")
	if len(value) == 0 {
		if code := a.raw.Status(); code != 200 {
			return bad("the answer is status %d of HTTP without a grpc-status", code)
		}
		return bad("the answer has no grpc-status")
	}
	n, ok := number(value)
	if !ok {
		return bad("grpc-status is %s", targets.Quote(string(value)))
	}
	a.status = codes.Code(n)
	return nil
}

// readMessage checks that an OK has exactly one message.
func (a *answer) readMessage() error {
	a.size = a.raw.Size
	switch {
	case a.status != codes.OK:
		return nil
	case a.raw.Size == 0:
		return bad("the answer is OK and has no message")
	case a.raw.Size < prefix || len(a.raw.Raw) < prefix:
		return bad("the answer has %d bytes, which hold no message", a.raw.Size)
	case a.raw.Raw[0] != 0:
		return errCompressed
	case int64(binary.BigEndian.Uint32(a.raw.Raw[1:])) != a.raw.Size-prefix:
		return bad("the answer is not one message: it has %d bytes, and the first message %d", a.raw.Size-prefix,
			binary.BigEndian.Uint32(a.raw.Raw[1:]))
	}
	if a.raw.Whole {
		a.wire = a.raw.Raw[prefix:]
	}
	return nil
}

// forget replaces the message by wire.
func (a *answer) forget(wire []byte) {
	a.claim.Release()
	a.wire, a.parsed, a.json, a.doc, a.broken = wire, false, nil, nil, nil
}

// number parses the digits of a status.
func number(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 5 {
		return 0, false
	}
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = 10*n + int(d-'0')
	}
	return n, n < 1<<16
}

// bad is the error for an answer that is not gRPC.
func bad(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(format, args...)}
}

// said returns the text of the status.
func (a *answer) said() string {
	text := string(a.raw.Head().Peek("Grpc-Message"))
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return text
}

// metadata returns a value of the headers or trailers.
func (a *answer) metadata(name string) (string, bool) {
	if all := a.Header(name); len(all) > 0 {
		return string(all[0]), true
	}
	return "", false
}

// parse decodes the message.
func (a *answer) parse() {
	if a.parsed {
		return
	}
	a.parsed = true
	if a.wire == nil {
		return
	}
	if a.json, a.broken = decodeJSON(a.wire, a.of, &a.claim); a.broken == nil {
		a.doc, a.broken = check.Parse(a.json, &a.claim)
	}
}

// Unread returns the bound over which the document is, for package targets; nil: it is over none.
func (a *answer) Unread() error { return budget.Over(a.broken) }

func (a *answer) Header(name string) [][]byte {
	all := a.raw.Header(name)
	return all[:min(1, len(all))]
}

// Body implements [targets.Answer]. It returns the message as JSON.
func (a *answer) Body() []byte {
	a.parse()
	return a.json
}

// Document implements [targets.Answer]. It returns the message.
func (a *answer) Document() (doc any, ok bool) { return check.First(a.JSON(jp.R())) }

func (a *answer) JSON(path jp.Expr) []any {
	if a.parse(); a.doc == nil {
		return nil
	}
	return check.AtPath(a.doc, path)
}

// excerpt returns the beginning of the message as JSON, for a sample.
func (a *answer) excerpt() string {
	const most = 300
	return targets.Clip(string(a.Body()), most)
}

// String returns the status and its text.
func (a *answer) String() string {
	name := status.Name(int(a.status))
	if text := a.said(); text != "" {
		return name + ": " + strconv.Quote(targets.Clip(text, 300))
	}
	return name
}
