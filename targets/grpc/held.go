package grpc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/http/h2"
	"brunt/targets/stream"
)

// Streams describes calls with messages in both directions, for package stream. Such a call is open when its head is
// written, because gRPC servers answer only with their first message, or with the status at the end.
func Streams() stream.Transport {
	d := Descriptor()
	return stream.Transport{
		Kind: "grpc", Schemes: d.Schemes, Settings: reflect.TypeFor[heldStep](), Compile: compileHeld,
		Client: func(o targets.Options) (stream.Carrier, error) { return newCarrier(o, d) },
	}
}

// newCarrier creates the connections for the streams of one load.
func newCarrier(o targets.Options, d *targets.Descriptor) (stream.Carrier, error) {
	c, err := newClient(o, d)
	if err != nil {
		return nil, err
	}
	return c.(*client), nil
}

// heldStep is the YAML of a call with messages in both directions.
type heldStep struct {
	syntax.Place
	// the method, such as shop.Orders/Follow, which takes and gives a stream
	GRPC string `yaml:"grpc"`
	// the first message, with its fields by name; default: none is sent
	Message *messageSource `yaml:"message"`
	// metadata by name; if a name ends in -bin, its value is sent as base64
	Metadata map[string]template.Header `yaml:"metadata"`
	// time limit of the whole call; it is sent to the server, and brunt counts it from the moment when it is ready to
	// send; default: none
	Deadline         quantity.Duration `yaml:"deadline,positive"`
	stream.Keeping   `yaml:",inline"`
	stream.Answering `yaml:",inline"`
}

// opening is the head of a call with messages in both directions.
type opening struct{ *grpcCall }

// compileHeld compiles a step that opens such a call.
func compileHeld(by syntax.Block, in targets.Scope, m *syntax.Mistakes) (*stream.Opened, bool) {
	s, ok := syntax.Resolve(by, map[string]func() *heldStep{by.Kind: func() *heldStep { return new(heldStep) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	c := &grpcCall{name: s.GRPC, at: s.Of("grpc"), deadline: s.Deadline.D(), held: true}
	head := &callStep{Place: s.Place, GRPC: s.GRPC, Metadata: s.Metadata}
	known := c.compileMethod(head, in, m)
	c.compileMetadata(head, m)
	if known != nil && m.Len() == before {
		c.bindTo(known, m)
	}
	o := &stream.Opened{Opening: opening{c}, Place: &s.Place, Keeping: &s.Keeping, Answering: &s.Answering}
	if s.Message != nil {
		o.First = stream.JSONMessage(&s.Message.JSON, s.Message.node)
	}
	return o, m.Len() == before
}

func (o opening) URL() string { return o.name }

func (o opening) Refs() []*syntax.Ref { return o.refs() }

func (o opening) Bind(ctx context.Context, by stream.Carrier) error {
	return o.bindBy(ctx, by.(*client))
}

func (o opening) Check(what *stream.MessageSource, m *syntax.Mistakes) {
	b := o.bound.Load()
	n := what.Node()
	if b == nil {
		return
	}
	before := m.Len()
	if n != nil {
		checkFields(n, b.input, m)
	}
	text, static := what.Static()
	if !static || m.Len() > before {
		return
	}
	if _, err := encode(nil, []byte(text), b.input); err != nil {
		hint := ""
		if n == nil {
			hint = "such as send: {json: {…}}, by the names of its fields"
		}
		m.AddHint(what.At(), hint, "message: %s", why(err))
	}
}

func (o opening) Fill(it *template.Iter, by stream.Carrier) (stream.Request, error) {
	r := &head{client: by.(*client), call: o.grpcCall, binding: o.bound.Load()}
	if r.binding == nil {
		return nil, errUnbound
	}
	var err error
	r.bytes, _, err = o.compose(nil, nil, it, r.client, r.binding)
	return r, err
}

// head opens one call.
type head struct {
	client  *client
	call    *grpcCall
	binding *binding
	bytes   []byte
}

// forever is the deadline of a call without one. The run's clock is negative during the warm-up.
const forever = time.Duration(math.MaxInt64 / 2)

func (r *head) Open(deadline time.Duration, out *scenarios.Outcome) (stream.Wire, error) {
	ends := forever
	if own := r.call.deadline; own > 0 {
		ends = out.Ready + own
	}
	held, err := r.client.line.Open(h2.Request{Bytes: r.bytes, Deadline: min(deadline, ends)}, out)
	if err != nil {
		return nil, err
	}
	held.Extend(ends - r.client.o.Now())
	w := &wire{head: r, held: held, ends: ends, timer: time.NewTimer(time.Hour), done: make(chan struct{})}
	w.timer.Stop()
	w.in = messageReader{r: held, came: held.Came}
	return w, nil
}

func (r *head) Describe(s *result.Sent) {
	s.URL, s.Protos, s.Command = r.client.url(r.call.path), r.call.protos, command
	s.Headers = sentMetadata(r.bytes)
}

// wire is a call in progress with messages in both directions.
type wire struct {
	*head
	held *h2.Held
	ends time.Duration // deadline of the call, on the run's clock
	in   messageReader

	answer *h1.Answer // nil: the answer has not begun
	timer  *time.Timer
	done   chan struct{} // closed when the call has ended
	end    error         // why it has ended; valid after done
}

func (w *wire) Read() (*stream.Message, error) {
	m, err := w.next()
	if err == nil {
		return m, nil
	}
	w.held.Finish(err)
	w.in.forget()
	// A server that keeps the deadline resets the stream then, as grpc-go does. Its time began later than brunt's, so
	// the deadline ended the call, even if brunt reads the reset before its own timer fires.
	late := errors.Is(err, os.ErrDeadlineExceeded) || targets.CauseOf(err) == scenarios.Reset
	if late && w.client.o.Now() >= w.ends {
		err = errPassed
	}
	if w.answer != nil {
		w.answer.Release()
	}
	w.end = err
	close(w.done)
	return nil, err
}

// next reads the next message.
func (w *wire) next() (*stream.Message, error) {
	if w.answer == nil {
		a, err := w.held.Answer()
		if err != nil {
			return nil, err
		}
		if w.answer = a; a.Status() != 200 {
			return nil, (&answer{raw: a}).readStatus()
		}
	}
	w.in.buf = nil // each message keeps its own buffer
	b, err := w.in.next()
	if err == io.EOF {
		return nil, w.status()
	} else if err != nil {
		return nil, err
	}
	return &stream.Message{
		Data: b, First: w.in.first, End: w.held.Came(), Decode: w.decode, Claim: w.in.claim.Move(),
	}, nil
}

// decode returns a message as JSON.
func (w *wire) decode(b []byte, by *budget.Claim) ([]byte, error) {
	json, err := decodeJSON(b, w.binding.output, by)
	if budget.Over(err) != nil {
		return nil, err
	} else if err != nil {
		return nil, bad("the message is no %s: %s", w.binding.output.FullName(), why(err))
	}
	return json, nil
}

// status returns the status of a call that the server ended, as an error.
func (w *wire) status() error {
	a := &answer{raw: w.answer}
	w.held.AddTrailers(w.answer)
	if err := a.readStatus(); err != nil {
		return err
	}
	if a.status == 0 {
		return errEnded
	}
	return &stream.StatusError{Cause: causes.Cause(int32(a.status)), Status: int32(a.status), Text: a.String()}
}

var errEnded = error(&targets.Error{Cause: scenarios.Closed, Text: "the server ended the call with status OK"})

// errPassed is final, because the deadline of the call is not that of the step which waits.
var errPassed = error(&targets.Error{Cause: scenarios.Timeout, Text: "the deadline of the call passed", Final: true})

func (w *wire) Append(dst, data []byte, binaryData bool) (_ []byte, err error) {
	from := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0)
	if binaryData { // it is already encoded
		dst = append(dst, data...)
	} else if dst, err = encode(dst, data, w.binding.input); err != nil {
		return dst, &targets.Error{Cause: scenarios.Other, Text: fmt.Sprintf("message: %s", why(err)), Final: true}
	}
	binary.BigEndian.PutUint32(dst[from+1:], uint32(len(dst)-from-prefix))
	return dst, nil
}

func (w *wire) Write(b []byte, deadline time.Duration) (time.Duration, error) {
	at, err := w.held.Write(b, deadline, w.timer)
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return at, err
	}
	w.timer.Reset(max(0, deadline-w.client.o.Now()))
	defer w.timer.Stop()
	select {
	case <-w.done: // the reader has found the status
		return at, w.end
	case <-w.timer.C:
		return at, err
	}
}

func (w *wire) Leave() (answers bool, err error) {
	w.held.End()
	return true, nil
}

func (w *wire) Close(left bool) error {
	if left {
		w.held.Extend(stream.CloseTime)
	} else {
		w.held.Cancel()
	}
	return nil
}
