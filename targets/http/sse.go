package http

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
)

const eventStream = "text/event-stream"

// sseStep is the YAML of a step that opens a stream of server-sent events and reads it until its condition holds.
// Exactly one of events, until and for is given; without any of them, one event is read.
type sseStep struct {
	// a stream of events: a path under the target's URL, or a whole URL; a body makes it a POST
	URL    template.URL `yaml:"sse"`
	Events int          `yaml:"events,min=1"` // of sse: how many events are waited for; zero is one
	Until  *eventMatch  `yaml:"until"`        // of a stream, sse or of grpc: conditions on the last event or message
	// of a stream, sse or of grpc: how long it is read, counted from the request; at least one event or message must
	// come
	For quantity.Duration `yaml:"for,positive"`
}

// eventMatch describes the event that a step waits for. All given conditions must hold.
type eventMatch struct {
	kind  *check.Matcher
	id    *check.Matcher
	data  *check.Matcher
	paths []check.Field
}

func (e *eventMatch) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, `such as {event: done} or {"$.status": ready}`, "until wants a map")
		return
	}
	one := func(into **check.Matcher, n *syntax.Node) {
		*into = new(check.Matcher)
		(*into).DecodeNode(n, m)
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "event":
			one(&e.kind, f.Value)
		case f.Key == "id":
			one(&e.id, f.Value)
		case f.Key == "data":
			one(&e.data, f.Value)
		case strings.HasPrefix(f.Key, "$"):
			if k, ok := check.DecodePath(f, m); ok {
				e.paths = append(e.paths, k)
			}
		default:
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, []string{"event", "id", "data", "$.path"}), "unknown key %q", f.Key)
		}
	}
}

// streamEnd holds the fields of a call that are specific to event streams.
type streamEnd struct {
	events int
	until  *eventMatch
	stay   time.Duration
}

// String describes the end of the stream that the step waits for.
func (s *streamEnd) String() string {
	switch {
	case s.until != nil:
		return "the event that was wanted"
	case s.stay > 0:
		return "any event within " + quantity.FormatDuration(s.stay)
	case s.events == 1:
		return "an event"
	}
	return fmt.Sprintf("%d events", s.events)
}

// compileStream compiles an sse step.
func (c *Call) compileStream(kind string, s *requestStep, in targets.Scope, m *syntax.Mistakes) {
	var given []string
	for _, key := range []string{"events", "until", "for"} {
		if !s.Has(key) {
			continue
		}
		if kind != "sse" {
			m.Add(s.Of(key), "`%s` belongs to an sse step", key)
		}
		given = append(given, key)
	}
	if kind != "sse" {
		return
	}
	if len(given) > 1 {
		m.Add(s.Of(given[1]), "an sse step reads its stream by one of events, until, for, not both %s and %s", given[0],
			given[1])
	}
	c.stream = &streamEnd{events: max(1, s.SSE.Events), until: s.SSE.Until, stay: s.SSE.For.D()}
	if in.Timeout > 0 && c.stream.stay >= in.Timeout {
		m.AddHint(s.Of("for"), "the load's timeout is to be longer",
			"the stream is read for %s, and a request times out after %s",
			quantity.FormatDuration(c.stream.stay), quantity.FormatDuration(in.Timeout))
	}
	c.method = "GET"
	if s.JSON != nil || s.Form != nil || s.Body != nil || s.Multipart != nil {
		c.method = "POST"
	}
	if c.name == "" {
		c.name = "SSE " + c.url.Text()
	}
}

// An event is one event of a stream.
type event struct {
	kind string // "message" if the stream names none
	id   string // of the last event that had one
	data []byte
}

// eventReader parses the events of a stream (WHATWG HTML, section 9.2.6).
type eventReader struct {
	r     io.Reader
	buf   []byte // read, not yet parsed
	mem   []byte
	size  int64        // read so far
	claim budget.Claim // of the event that is being read
	begun bool         // the byte order mark is skipped
	lf    bool         // the last line ended with CR; an LF right after it belongs to it
	err   error

	line []byte
	kind string
	id   string
	data []byte
}

var errLongEvent = fmt.Errorf("an event is over %d MiB", h1.MaxBody>>20)

// next returns the next event. Its data is valid until the next call. An event without an empty line at its end is
// dropped.
func (e *eventReader) next() (event, error) {
	e.data, e.kind = e.data[:0], ""
	e.claim.Release()
	for {
		line, err := e.readLine()
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if len(e.data) == 0 {
				e.kind = ""
				continue
			}
			ev := event{kind: e.kind, id: e.id, data: bytes.TrimSuffix(e.data, []byte("\n"))}
			if ev.kind == "" {
				ev.kind = "message"
			}
			return ev, nil
		}
		e.field(line)
		if len(e.data) > h1.MaxBody {
			return event{}, errLongEvent
		}
	}
}

// field parses a line. A line that begins with a colon is a comment.
func (e *eventReader) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		e.data = append(append(e.data, value...), '\n')
	case "event":
		e.kind = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			e.id = string(value)
		}
	case "retry": // the delay before a reconnect, which a step never does
	}
}

// readLine returns a line without its end: LF, CR or both. A line without an end is dropped.
func (e *eventReader) readLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		if e.lf && len(e.buf) > 0 {
			e.lf = false
			if e.buf[0] == '\n' {
				e.buf = e.buf[1:]
			}
		}
		if i := bytes.IndexAny(e.buf, "\r\n"); i >= 0 {
			e.line = append(e.line, e.buf[:i]...)
			e.lf = e.buf[i] == '\r'
			e.buf = e.buf[i+1:]
			return e.mark(e.line), nil
		}
		e.line = append(e.line, e.buf...)
		e.buf = nil
		if len(e.line) > h1.MaxBody {
			return nil, errLongEvent
		}
		if e.err != nil {
			return nil, e.err
		}
		if e.mem == nil {
			e.mem = make([]byte, 4<<10)
		}
		n, err := e.r.Read(e.mem)
		e.buf, e.err = e.mem[:n], err
		e.size += int64(n)
		if err := e.claim.Take(2 * n); err != nil { // the line and the data, which grow
			return nil, err
		}
	}
}

// mark removes the byte order mark from the stream's first line.
func (e *eventReader) mark(line []byte) []byte {
	if e.begun {
		return line
	}
	e.begun = true
	return bytes.TrimPrefix(line, []byte("\ufeff"))
}

func isStream(err error) bool {
	own, ok := errors.AsType[*targets.Error](err)
	return ok && own.Cause == scenarios.Stream
}

// readStream reads a stream of events until the condition of its step holds. It reads an error or a redirect as an
// ordinary answer.
func (t *exchange) readStream(c *h1.Conn, br *bufio.Reader) (clean bool, err error) {
	a, first := t.ans, br
	for code := 0; code < 200 && code != 101; code = a.Status() {
		if br, err = a.ReadHead(br); err != nil {
			return false, err
		}
	}
	if code := a.Status(); code >= 300 || code == 101 {
		return a.ReadRest(br, first, t.wire.method, t.call.keeps())
	}
	return false, t.readEvents(a.BodyReader(br), c.Sent, func(deadline time.Duration) { c.Until(deadline, 0) })
}

// readEvents reads a stream of events from the body r until the condition of its step holds. It calls until with the
// time until which r is read.
func (t *exchange) readEvents(r io.Reader, sent time.Duration, until func(time.Duration)) error {
	a, s, code := t.ans, t.call.stream, t.ans.Status()
	kind, _, _ := mime.ParseMediaType(string(a.Head().ContentType()))
	switch encoding := strings.ToLower(string(a.Head().ContentEncoding())); {
	case code != 200 || kind != eventStream:
		return targets.StreamError("the answer has status %d and content type %q, and is not a %s", code,
			a.Head().ContentType(), eventStream)
	case encoding != "" && encoding != "identity":
		return targets.StreamError("the stream is compressed by %s; brunt reads streams as they are", encoding)
	}
	deadline := t.it.Deadline
	if s.stay > 0 {
		deadline = min(deadline, sent+s.stay)
	}
	until(deadline)
	e := &eventReader{r: r}
	defer e.claim.Release()
	a.Events = 0
	for {
		ev, err := e.next()
		now := t.client.now()
		if err != nil || now > deadline {
			a.Size = e.size
			return t.streamOver(e, err, now)
		}
		if a.Events++; a.Events == 1 {
			a.FirstEvent = now
		}
		a.LastEvent, a.EventKind, a.EventID = now, ev.kind, ev.id
		a.SetBody(ev.data)
		if s.stay == 0 && s.done(a, t.it) {
			a.Size = e.size
			return nil
		}
	}
}

// streamOver returns the result of a stream that ended. It is nil if the stream was to be read for a time that is
// over, and an error otherwise.
func (t *exchange) streamOver(e *eventReader, err error, now time.Duration) error {
	a, s := t.ans, t.call.stream
	timeout := err == nil || errors.Is(err, os.ErrDeadlineExceeded)
	switch {
	case timeout && now >= t.it.Deadline:
		return os.ErrDeadlineExceeded
	case timeout && a.Events > 0: // it was to be read for a time that is over
		return nil
	case timeout:
		return targets.StreamError("%s was wanted, and none came", s)
	case err == io.EOF:
		return targets.StreamError("the stream ended after %s, and %s was wanted", syntax.Amount(a.Events, "event"), s)
	}
	return err
}

// done reports whether the last event read ends the step.
func (s *streamEnd) done(a *h1.Answer, it *template.Iter) bool {
	if s.until == nil {
		return a.Events >= s.events
	}
	u := s.until
	return (u.kind == nil || u.kind.Matches(a.EventKind, true, it)) &&
		(u.id == nil || u.id.Matches(a.EventID, a.EventID != "", it)) &&
		(u.data == nil || u.data.MatchesText(a.Body(), it)) &&
		!slices.ContainsFunc(u.paths, func(k check.Field) bool { return !k.Holds(a.JSON(k.Path), it) })
}

// streamed records when the first event and the last wanted event came.
func (t *exchange) streamed(out *scenarios.Outcome) {
	if t.ans.Events > 0 {
		out.First, out.End = t.ans.FirstEvent, t.ans.LastEvent
		return
	}
	out.End = t.client.now()
}
