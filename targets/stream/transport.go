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

// A Transport is a way to open streams that another package has. Its steps are of a kind of that package's protocol,
// which are streams where they have the key `as`.
//
//	step --Compile--> Opening --Fill--> Request --Open--> Wire --> messages       the rest is the same for all transports
type Transport struct {
	Kind     string       // of the steps
	Schemes  []string     // of the endpoints that they go to
	Settings reflect.Type // the struct whose fields are the YAML of a step
	// Compile compiles what opens a stream. It notes mistakes in m.
	Compile func(by syntax.Block, in targets.Scope, m *syntax.Mistakes) (*Opened, bool)
	// Client creates what the streams of one load go over.
	Client func(o targets.Options) (Carrier, error)
}

// Opened is a step of a transport, compiled as far as the transport knows it.
type Opened struct {
	Opening
	Place     *syntax.Place
	Keeping   *Keeping
	Answering *Answering
	First     *MessageSource // the first message; nil: none
}

// An Opening is what a step of a transport opens a stream with.
type Opening interface {
	URL() string         // where it goes, for the names of steps
	Refs() []*syntax.Ref // its placeholders
	// Check notes in m what of a message does not fit the stream, as far as it is known.
	Check(what *MessageSource, m *syntax.Mistakes)
	// Bind prepares the opening at the target.
	Bind(ctx context.Context, by Carrier) error
	// Fill fills in the placeholders for one stream.
	Fill(it *template.Iter, by Carrier) (Request, error)
}

// A Request opens one stream, perhaps more than once.
type Request interface {
	// Open opens the stream by a deadline, and notes when it was sent in out.
	Open(deadline time.Duration, out *scenarios.Outcome) (Wire, error)
	// Describe fills in s, without the message.
	Describe(s *result.Sent)
}

// A Carrier is what the streams of one load go over.
type Carrier interface {
	targets.Transport
	Waiting() int          // requests that wait for a connection
	Over() context.Context // is done when the run is over
	Go(f func()) bool      // runs f until the client is closed; false: it is closed already
}

// A Wire carries the messages of one stream.
//
//	Read    by a goroutine of its own, one message after another, until it fails: the error is why the stream ended
//	Append  by the user: what goes over the wire for a message
//	Write   by the user, meanwhile
//	Leave   by the user: brunt ends the stream, and the other side has a second to do so too
//	Close   ends the stream at once, or, if brunt has left it, within that second
type Wire interface {
	// Read returns the next message.
	Read() (*Message, error)
	// Append appends a message as it goes over the wire. An error says that the message can't be sent; the stream stays
	// open.
	Append(dst, data []byte, binary bool) ([]byte, error)
	// Write writes what Append gave by a deadline, and returns when it was written. What could not be written as a whole
	// ends the stream.
	Write(b []byte, deadline time.Duration) (at time.Duration, err error)
	// Leave says that brunt ends the stream. Answers reports that the other side says so too.
	Leave() (answers bool, err error)
	// Close ends the stream.
	Close(left bool) error
}

// StatusError is an answer that is an error: a handshake that is refused, or the status of a call that ended.
type StatusError struct {
	Cause  scenarios.Cause
	Status int32
	Text   string
}

func (e *StatusError) Error() string { return e.Text }

// ErrorCause is the cause for [targets.CauseOf].
func (e *StatusError) ErrorCause() scenarios.Cause { return e.Cause }

// CloseTime is how long the other side has to end a stream that brunt closes.
const CloseTime = time.Second

// transports are those of other packages.
type transports []Transport

// of returns the transport of a kind of step; nil: it is none of another package.
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

// bind prepares what opens a stream, and checks what is sent on it.
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

// carried are the streams of a load that go over a carrier.
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
