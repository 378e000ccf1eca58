package grpc

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/http/h2"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// streamStep is the YAML of a call whose method takes or gives a stream of messages. If the server gives a stream, at
// most one of messages, until and for says how far it is read. Without any of them, it is read to its end.
type streamStep struct {
	// messages to send to a method that takes a stream, in place of `message`
	Send []*messageSource `yaml:"send"`
	// of a stream of answers: how many messages are waited for; default: all, to the end of the stream
	Messages int `yaml:"messages,min=1"`
	// of a stream of answers: conditions on the last message, such as {"$.state": DONE}
	Until *messageMatch `yaml:"until"`
	// of a stream of answers: how long it is read, counted from the request; at least one message must come
	For quantity.Duration `yaml:"for,positive"`
}

// messageMatch describes the message that a step waits for. All its paths must match.
type messageMatch struct{ paths []check.Field }

func (u *messageMatch) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, `such as {"$.state": DONE}`, "until wants a map")
		return
	}
	for _, f := range n.Fields {
		if !strings.HasPrefix(f.Key, "$") {
			m.AddHint(f.Pos, "a path of the message begins with $.", "unknown key %q", syntax.Clip(f.Key, 60))
		} else if k, ok := check.DecodePath(f, m); ok {
			u.paths = append(u.paths, k)
		}
	}
}

// streamEnd says how far a stream of answers is read. The zero value means to its end.
type streamEnd struct {
	messages int
	until    *messageMatch
	stay     time.Duration
}

// given reports whether the step says how far the stream is read.
func (e *streamEnd) given() bool { return e.messages > 0 || e.until != nil || e.stay > 0 }

// String describes the end that the step waits for.
func (e *streamEnd) String() string {
	switch {
	case e.until != nil:
		return "the message that was wanted"
	case e.stay > 0:
		return "any message within " + quantity.FormatDuration(e.stay)
	case e.messages == 1:
		return "a message"
	}
	return syntax.Amount(e.messages, "message")
}

// compileStream reads how the messages of a stream are sent and read.
func (c *grpcCall) compileStream(s *callStep, in targets.Scope, m *syntax.Mistakes) {
	var given []string
	for _, key := range []string{"messages", "until", "for"} {
		if s.Has(key) {
			given = append(given, key)
		}
	}
	if len(given) > 1 {
		m.Add(s.Of(given[1]), "a stream is read by one of messages, until, for, not both %s and %s", given[0], given[1])
	}
	c.end = streamEnd{messages: s.Stream.Messages, until: s.Stream.Until, stay: s.Stream.For.D()}
	c.decodes = c.decodes || s.Stream.Until != nil
	for _, limit := range []struct {
		name string
		d    time.Duration
	}{{"load's timeout", in.Timeout}, {"deadline", c.deadline}} {
		if limit.d > 0 && c.end.stay >= limit.d {
			m.Add(s.Of("for"), "the stream is read for %s, and the %s is %s: it is to be longer",
				quantity.FormatDuration(c.end.stay), limit.name,
				quantity.FormatDuration(limit.d))
		}
	}
	c.sends = []*messageSource{s.Message}
	if c.listed = s.Has("send"); c.listed {
		c.sends = s.Stream.Send
		if s.Message != nil {
			m.Add(s.Of("message"), "a call has a message, or messages to send")
		}
	}
}

// fits notes in m which parts of the step do not fit its method.
func (c *grpcCall) fits(d protoreflect.MethodDescriptor, m *syntax.Mistakes) bool {
	before := m.Len()
	name := c.path[1:]
	switch takes, gives := d.IsStreamingClient(), d.IsStreamingServer(); {
	case c.held && !(takes && gives):
		m.AddHint(c.at, "a step without `as` calls it", "%s has no messages both ways, and only such a call is kept open",
			name)
	case c.held:
	case takes && gives:
		m.AddHint(c.at, "`as: NAME` keeps it open, for steps of send, await and close", "%s is a stream both ways", name)
	case takes && !c.listed:
		m.AddHint(c.at, "`send: [{…}, {…}]` gives its messages", "%s takes a stream of messages", name)
	case !takes && c.listed:
		m.AddHint(c.at, "`message: {…}` in place of `send`", "%s takes one message", name)
	case !gives && c.end.given():
		m.Add(c.at, "%s answers with one message; messages, until and for read a stream", name)
	}
	return m.Len() == before
}

// Parts of a call that reads a stream.
const (
	firstMessage = iota
	nextMessage
)

// parts names the further measurements of a call. If only the server knows that a method gives a stream, there are
// further measurements if the step says how far it is read.
func parts(call scenarios.Call) []string {
	if c := call.(*grpcCall); !c.lasts() {
		return nil
	}
	return []string{"first message", "message"}
}

// lasts reports whether the call is known to read a stream.
func (c *grpcCall) lasts() bool {
	b := c.bound.Load()
	return c.end.given() || b != nil && b.gives
}

// emit passes on the time of a message as a part of the call.
func (t *exchange) emit(part int, from scenarios.Outcome, size int) {
	if t.client.o.Emit == nil {
		return
	}
	from.First, from.End, from.Answered, from.Bytes = t.last, t.last, true, int64(size)
	t.client.o.Emit(t.it, t.call, part, &from)
}

// took processes a message of a stream.
func (t *exchange) took(wire []byte, now time.Duration) {
	o := t.out
	before := t.last
	t.count, t.last = t.count+1, now
	t.forget(wire)
	if t.count == 1 {
		o.First = now
		t.emit(firstMessage, scenarios.Outcome{
			Intended: o.Intended, Ready: o.Ready, Slot: o.Slot, Opening: o.Opening, Sent: o.Sent, WasSent: true,
		}, len(wire))
		return
	}
	t.emit(nextMessage, scenarios.Outcome{Intended: before, Ready: before, Slot: before, Sent: before, WasSent: true},
		len(wire))
}

// mostBehind is how long brunt reads messages after the deadline that came before it.
const mostBehind = time.Second

// readMessages reads a stream of messages as far as the step wants.
func (t *exchange) readMessages(s *h2.Stream, sent time.Duration) error {
	end, deadline := &t.call.end, t.deadline
	if end.stay > 0 {
		deadline = min(deadline, sent+end.stay)
		s.Extend(deadline - t.client.o.Now())
	}
	r := messageReader{r: s, buf: t.in}
	defer func() {
		t.in = r.buf
		_ = t.claim.Join(r.claim) // it was claimed
	}()
	for {
		wire, err := r.next()
		t.size = r.size
		if err != nil || s.Came() > deadline || t.client.o.Now() > deadline+mostBehind {
			return t.streamOver(s, err)
		}
		if t.took(wire, s.Came()); end.stay == 0 && t.done() {
			t.out.End = t.last
			return nil
		}
	}
}

// done reports whether the last message ends the step. A message with a wrong type also ends it, because no later
// message helps.
func (t *exchange) done() bool {
	end := &t.call.end
	if end.until == nil {
		return end.messages > 0 && t.count >= end.messages
	}
	if t.parse(); t.broken != nil {
		return true
	}
	return !slices.ContainsFunc(end.until.paths, func(k check.Field) bool { return !k.Holds(t.JSON(k.Path), t.it) })
}

// streamOver returns the result of a stream that ended. It is nil if the status of the stream counts, or if it was to
// be read for a time that is over.
func (t *exchange) streamOver(s *h2.Stream, err error) error {
	end := &t.call.end
	timeout := err == nil || errors.Is(err, os.ErrDeadlineExceeded)
	switch {
	case timeout && t.client.o.Now() >= t.deadline:
		return os.ErrDeadlineExceeded
	case timeout && t.count > 0:
		t.out.End = t.last
		return nil
	case timeout:
		return end.none()
	case err != io.EOF:
		return err
	}
	t.out.End = s.End()
	s.AddTrailers(t.raw)
	if err = t.readStatus(); err == nil && t.status == 0 && end.given() {
		err = targets.StreamError("the stream ended after %s, and %s was wanted", syntax.Amount(t.count, "message"), end)
	}
	return err
}

// none is the error of a stream without a message.
func (e *streamEnd) none() error { return targets.StreamError("%s was wanted, and none came", e) }

// messageReader reads the messages of a stream.
type messageReader struct {
	r     io.Reader
	buf   []byte
	claim budget.Claim         // of the message
	size  int64                // read so far
	came  func() time.Duration // returns when the last bytes came; nil: not needed
	first time.Duration        // when the last message began
}

// forget gives the memory of the last message back.
func (r *messageReader) forget() {
	r.claim.Release()
	r.buf = nil
}

// next returns the next message, which is valid until the next call. The error is [io.EOF] at the end of the stream.
func (r *messageReader) next() ([]byte, error) {
	r.claim.Release()
	r.buf = slices.Grow(r.buf[:0], 512)[:prefix]
	if err := r.fill(r.buf); err != nil {
		return nil, err
	}
	if r.came != nil {
		r.first = r.came()
	}
	n := binary.BigEndian.Uint32(r.buf[1:])
	switch {
	case r.buf[0] != 0:
		return nil, errCompressed
	case n > h1.MaxBody:
		return nil, bad("a message has %d bytes, over the %d MiB that brunt reads", n, h1.MaxBody>>20)
	}
	// The memory grows with the received bytes: a length alone must not claim it.
	for r.buf = r.buf[:0]; len(r.buf) < int(n); {
		from := len(r.buf)
		some := min(int(n)-from, h1.KeptBody)
		var err error
		if r.buf, err = r.claim.Grow(r.buf, some); err != nil {
			return nil, err
		}
		r.buf = r.buf[:from+some]
		if err := r.fill(r.buf[from:]); err == io.EOF {
			return nil, errHalf
		} else if err != nil {
			return nil, err
		}
	}
	return r.buf, nil
}

// fill reads all of b. The error is [io.EOF] if the stream ended before the first byte.
func (r *messageReader) fill(b []byte) error {
	n, err := io.ReadFull(r.r, b)
	r.size += int64(n)
	if err == io.ErrUnexpectedEOF {
		return errHalf
	}
	return err
}

var (
	errCompressed = bad("the message is compressed, which was not asked for")
	errHalf       = bad("the stream ended inside a message")
)
