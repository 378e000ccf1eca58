package stream

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// A Transport is a way to open streams that another package provides. Its steps have a kind of that package's
// protocol, and are streams if they have the key `as`.
//
//	step --Compile--> Opening --Fill--> Request --Open--> Wire --> messages       the rest is the same for all transports
type Transport struct {
	Kind     string       // of its steps
	Schemes  []string     // of the endpoints of its steps
	Settings reflect.Type // the struct whose fields are the YAML of a step
	// Compile compiles a step that opens a stream. It notes mistakes in m.
	Compile func(by syntax.Block, in targets.Scope, m *syntax.Mistakes) (*Opened, bool)
	// Client creates the connections for the streams of one load.
	Client func(o targets.Options) (Carrier, error)
}

// Opened is the part of a compiled step that the transport knows.
type Opened struct {
	Opening
	Place     *syntax.Place
	Keeping   *Keeping
	Answering *Answering
	First     *MessageSource // the first message; nil: none
}

// An Opening says how a step of a transport opens a stream.
type Opening interface {
	URL() string         // destination, for the names of steps
	Refs() []*syntax.Ref // its placeholders
	// Check notes in m which parts of a message do not fit the stream, if that is known.
	Check(what *MessageSource, m *syntax.Mistakes)
	// Bind prepares the opening at the target.
	Bind(ctx context.Context, by Carrier) error
	// Fill fills in the placeholders for one stream.
	Fill(it *template.Iter, by Carrier) (Request, error)
}

// A Request opens one stream, perhaps more than once.
type Request interface {
	// Open opens the stream by a deadline. It records in out when the request was sent.
	Open(deadline time.Duration, out *scenarios.Outcome) (Wire, error)
	// Describe fills in s, except for the message.
	Describe(s *result.Sent)
}

// A Carrier holds the connections for the streams of one load.
type Carrier interface {
	targets.Transport
	Waiting() int          // requests that wait for a connection
	Over() context.Context // is done when the run is over
	Go(f func()) bool      // runs f until the client is closed; false: it is already closed
}

// A Wire carries the messages of one stream.
//
//	Read    in a goroutine of its own, one message after another, until it fails: the error is why the stream ended
//	Append  by the user: the bytes of a message on the wire
//	Write   by the user, meanwhile
//	Leave   by the user: brunt ends the stream, and the other side has a second to do so too
//	Close   ends the stream at once, or within that second if brunt has left it
type Wire interface {
	// Read returns the next message.
	Read() (*Message, error)
	// Append appends a message in wire format. An error means that the message can't be sent; the stream stays open.
	Append(dst, data []byte, binary bool) ([]byte, error)
	// Write writes the result of Append by a deadline, and returns when it was written. If it can't be written
	// completely, the stream ends.
	Write(b []byte, deadline time.Duration) (at time.Duration, err error)
	// Leave tells the other side that brunt ends the stream. Answers reports that the other side will confirm it.
	Leave() (answers bool, err error)
	// Close ends the stream.
	Close(left bool) error
}

// StatusError is an answer that is an error: a refused handshake, or the status of a call that ended.
type StatusError struct {
	Cause  scenarios.Cause
	Status int32
	Text   string
}

func (e *StatusError) Error() string { return e.Text }

// ErrorCause implements the interface that [targets.CauseOf] uses.
func (e *StatusError) ErrorCause() scenarios.Cause { return e.Cause }

// CloseTime is how long the other side has to end a stream that brunt closes.
const CloseTime = time.Second

// transports are the transports of other packages.
type transports []Transport

// of returns the transport of a kind of step. It is nil for the kinds of this package.
func (all transports) of(kind string) *Transport {
	if i := slices.IndexFunc(all, func(t Transport) bool { return t.Kind == kind }); i >= 0 {
		return &all[i]
	}
	return nil
}

// open compiles a step that opens a stream.
func (t *Transport) open(by syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	o, ok := t.Compile(by, in, m)
	if !ok {
		return nil, false
	}
	c := &call{kind: by.Kind, opening: o.Opening, send: o.First}
	c.name = cmp.Or(in.Name, c.defaultName())
	c.compileShared(&shared{o.Place, o.Keeping, o.Answering}, by, in, m)
	if c.send != nil {
		c.opening.Check(c.send, m)
	}
	return c, true
}

// bind prepares the opening of a stream, and checks the messages that are sent on it.
func bind(ctx context.Context, of scenarios.Call, by targets.Client) error {
	c := of.(*call)
	opener := c
	if c.opener != nil {
		opener = c.opener
	}
	if opener.opening == nil {
		return nil
	}
	if err := opener.opening.Bind(ctx, by.(*client).lines.(*carried).Carrier); err != nil || c.send == nil {
		return err
	}
	var m syntax.Mistakes
	opener.opening.Check(c.send, &m)
	return m.Err()
}

// carried holds the streams of a load that go over a carrier.
type carried struct {
	Carrier
	client *client
}

// open implements lines.
func (c *carried) open(st *stream, deadline time.Duration, out *scenarios.Outcome) (*conn, error) {
	wire, err := st.request.Open(deadline, out)
	if err != nil {
		return nil, err
	}
	on := c.client.newConn(wire)
	on.prepare(st)
	if err := on.begin(); err != nil {
		_ = wire.Close(false)
		return nil, err
	}
	out.First, out.End, out.Answered = out.Sent, out.Sent, true
	return on, nil
}

// put implements lines.
func (c *carried) put(on *conn, _ bool) { _ = on.Close() }

// address implements lines.
func (c *carried) address() string { return c.client.at.Host }
