package calls

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/stream"
)

// Absent is the status of a call that finds no message.
const Absent = -1

// IsAbsent reports whether a call found no message. It is the Absent of a [targets.Descriptor].
func IsAbsent(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == Absent }

// A Call is a compiled step.
type Call[F any] struct {
	Is       scenarios.CallTraits
	Settings // with the message

	// Compose renders everything that is sent, into x.Buffer
	Compose func(x *Exchange[F]) error
	// Run sends it on x.Line, and sets x.Answer and x.Status
	Run func(x *Exchange[F]) error
	// Command returns the call as a command for a POSIX shell; nil: none
	Command func(*result.Sent) string

	name     string
	flow     targets.Flow
	expected Expected
}

func (c *Call[F]) Name() string { return c.name }

func (c *Call[F]) Traits() scenarios.CallTraits { return c.Is }

// An Exchange is a call in progress.
type Exchange[F any] struct {
	Progress
	*session[F]
	call *Call[F]
	Line *Line[F] // nil while the call is composed

	Buffer []byte // what is sent; it begins empty, with memory that later calls use again
	Text   string // where it goes: the subject, the queue
	Sent   []byte // the message that is sent, for a sample
	State  any    // the protocol's own, from Compose to Run
	Answer stream.Message
	Status int32  // 0, [Absent], or a number of the protocol's causes
	Reason string // of a status that is an error
	Kept   bool   // the connection is the user's own, of an earlier call of this step
	dirty  bool   // the connection must not be used again
	keep   bool   // the user keeps the connection for this step
	got    [][]byte
	claim  budget.Claim  // of the frames that the call has read
	quiet  time.Duration // when the call had waited for a message in vain, and asked for a sign of life
}

// The memory of a call that is kept for the next one.
const (
	mostKept     = 8 << 10 // bytes of what is sent
	mostKeptList = 64      // messages that were taken
)

// end returns everything that was borrowed.
func (x *Exchange[F]) end() {
	c, buffer, got := x.session.client, x.Buffer[:0], x.got[:0]
	clear(x.got)
	x.claim.Release()
	x.Answer.Forget()
	if cap(buffer) > mostKept {
		buffer = nil
	}
	if cap(got) > mostKeptList {
		got = nil
	}
	*x = Exchange[F]{Buffer: buffer, got: got}
	c.exchanges.Put(x)
}

// Refuse sets the status of an answer that is an error.
func (x *Exchange[F]) Refuse(status int32, reason string) { x.Status, x.Reason = status, reason }

// Ended says that the server ends the connection after this answer.
func (x *Exchange[F]) Ended() { x.dirty = true }

// Keep keeps the connection for the user's next calls of this step.
func (x *Exchange[F]) Keep() { x.keep = true }

// Take takes a message that the call waited for.
func (x *Exchange[F]) Take(body []byte, at time.Duration) {
	x.Came(at, len(body))
	x.got = append(x.got, body)
}

// Again says that the server has given the last message before, to brunt or to another client.
func (x *Exchange[F]) Again() {
	at := len(x.got) - 1
	if x.call.Messages == 0 {
		at = template.WholeAnswer
	}
	x.It.Again = append(x.It.Again, at)
}

// Taken returns the number of messages that the call has taken.
func (x *Exchange[F]) Taken() int { return len(x.got) }

// Most returns how many messages a call takes at most: those that are there, or the first one that comes.
func (x *Exchange[F]) Most() int { return max(1, x.call.Messages) }

// AnswerTaken makes the messages that the call has taken its answer: a list if the step says how many it takes.
// Without any the answer is absent.
func (x *Exchange[F]) AnswerTaken() {
	x.It.Drained = len(x.got) < x.Most()
	x.Answer.First, x.Answer.End = x.Out.First, x.Out.End
	switch n := len(x.got); {
	case n == 0:
		x.Status, x.Answer.None = Absent, true
		x.Out.End = cmp.Or(x.quiet, x.Now())
		x.Out.First = x.Out.End
	case x.call.Messages == 0:
		x.Answer.Data = x.got[n-1]
	default:
		x.Answer.Data = appendList(nil, x.got)
	}
}

// appendList appends messages as a list of JSON: each is its JSON, or else a text.
func appendList(dst []byte, messages [][]byte) []byte {
	for i, one := range messages {
		dst = append(dst, "[,"[min(i, 1)])
		if json.Valid(one) {
			dst = append(dst, one...)
			continue
		}
		text, _ := json.Marshal(string(one)) // a text has no error
		dst = append(dst, text...)
	}
	return append(dst, ']')
}

// Send writes bytes. The first write of a call is when it is sent.
func (x *Exchange[F]) Send(b []byte) error {
	if x.Line.asked != nil {
		return x.ask(b)
	}
	if x.Line.lot.Take(&x.Line.place) { // so that the answer is read when it comes
		x.Line.place.Wake()
	}
	_, err := x.Line.write(b, x.session.client.o.T0.Add(x.It.Deadline))
	if err == nil || targets.IsReset(err) {
		x.Wrote(x.Now())
	}
	if err != nil && x.Line.over() && !errors.Is(x.Line.err, net.ErrClosed) {
		return x.Line.err // it says more: why the server closed the connection
	}
	return err
}

// Probe sends what a server answers at once, on a connection that the user keeps and on which no message came: one that
// is dead brings none either. The time of the answer is not the call's.
func (x *Exchange[F]) Probe(b []byte) error {
	x.quiet = x.Now()
	return x.Silent(x.Send(b))
}

// Silent returns the error of a call after a [Exchange.Probe], which says so if the server did not answer in time. It
// is no timeout, which would say that no message came.
func (x *Exchange[F]) Silent(err error) error {
	if x.quiet == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return &targets.Error{
		Cause: scenarios.Closed, Final: true,
		Text: "brunt closed the connection: no message came, and the server did not answer either",
	}
}

// ask writes bytes, and waits for the first byte of the answer. It returns [targets.ErrStale] if the connection proves
// to be closed before anything was written.
func (x *Exchange[F]) ask(b []byte) (err error) {
	l := x.Line
	l.asked.Used, l.asked.Claim = l.Used, &x.claim
	l.Reader, err = x.Ask(l.asked, b)
	return err
}

// errNone says that no frame came by the time until which [Exchange.Next] waits.
var errNone = fmt.Errorf("no message came: %w", os.ErrDeadlineExceeded)

// Next waits for the next frame, until a time on the run's clock, and records the time of the first one.
func (x *Exchange[F]) Next(until time.Duration) (f F, at time.Duration, err error) {
	l := x.Line
	if l.asked != nil {
		f, err = x.session.client.p.Read(l.Reader)
		return f, x.EndOf(l.asked, err), err
	}
	var a arrived[F]
	select {
	case a = <-l.arrived:
		l.taken(a)
	default:
		if l.timer == nil {
			l.timer = time.NewTimer(until - x.Now())
		} else {
			l.timer.Reset(until - x.Now())
		}
		defer l.timer.Stop()
		select {
		case a = <-l.arrived:
			l.taken(a)
		case <-l.ended:
			select {
			case a = <-l.arrived: // it came before the end
				l.taken(a)
			default:
				return f, x.Now(), l.err
			}
		case <-l.timer.C:
			return f, x.Now(), errNone
		}
	}
	return a.frame, a.at, x.claim.Join(a.claim)
}

// Compose implements [Maker].
func (x *Exchange[F]) Compose() error {
	x.It.Again, x.It.Drained = x.It.Again[:0], false
	return x.call.Compose(x)
}

// Run implements [Maker]. It makes the call on the connection that the user keeps for the step, or on one of the pool.
func (x *Exchange[F]) Run() error {
	l, err := x.kept()
	if err != nil {
		return err
	}
	if l != nil {
		err = makeOn(&x.Progress, x.places, l, x.call.Is.Repeats, x)
	} else {
		err = Make(&x.Progress, x.places, x.call.Is.Repeats, x)
	}
	if err == nil {
		x.Out.Answered, x.Out.Status = true, x.Status
	}
	return err
}

// kept returns the connection that the user keeps for this step; nil: none. One that has ended is an error, for
// messages may have been missed; the next call opens another.
func (x *Exchange[F]) kept() (*Line[F], error) {
	l := x.held[x.call]
	if l == nil {
		return nil, nil
	}
	delete(x.held, x.call)
	x.Kept, x.Out.Slot = true, x.Now()
	if l.over() && len(l.arrived) == 0 {
		x.Awaits()
		x.places.Put(l, false)
		return nil, l.err
	}
	return l, nil
}

// Exchange implements [Trip].
func (x *Exchange[F]) Exchange(l *Line[F]) (Fate, error) {
	switch {
	case x.Kept:
		x.Awaits()
	case l.Used && l.over():
		return Close, targets.ErrStale
	}
	x.Line = l
	l.Number++
	err := x.exchange()
	switch usable := err == nil && !x.dirty; {
	case usable && x.keep: // also one that has ended: the next call takes what waits there, and then says so
		if x.held == nil {
			x.held = map[*Call[F]]*Line[F]{}
		}
		x.held[x.call] = l
		return Hold, nil
	default:
		return x.Reusable(usable && !l.over() && !x.Kept), err
	}
}

// exchange makes the call on a connection, and says whether that ended because it was idle.
func (x *Exchange[F]) exchange() error {
	err := x.call.Run(x)
	l := x.Line
	switch {
	case err == nil:
		l.last = x.Out.End
	case l.asked == nil && l.Used && l.over() && x.Out.Attempts > 0 && x.Out.First == 0:
		err = targets.Ended(err, x.Out.Sent, x.Out.Sent-l.last, x.Now()-x.Out.Sent)
	}
	if l.asked != nil && l.Reader != nil {
		x.dirty, l.asked.Claim = x.dirty || l.Reader.Buffered() > 0, nil
		h1.Release(l.Reader)
		l.Reader = nil
	}
	return err
}

// Judge implements [Maker].
func (x *Exchange[F]) Judge() {
	x.call.expected.Judge(&x.Answer, x.Status, x.session.client.p.Causes.Cause(x.Status), x.It, x.Out)
}

// Sample implements [Maker].
func (x *Exchange[F]) Sample() targets.Sampled {
	c := x.session.client
	u := *c.at
	u.User, u.RawQuery = nil, ""
	if x.Line != nil {
		u.Host = x.Line.Address
	}
	sent := &result.Sent{URL: u.String(), Method: x.call.Is.Method + " " + targets.Clip(x.Text, mostShown)}
	sent.Command = x.call.Command
	if o := c.o.TLS; o != nil {
		sent.Trust = o.InsecureSkipVerify
	}
	sent.SetBody(string(x.Sent))
	return targets.Sampled{Step: x.call.name, Sent: sent, Failed: func() (string, string) {
		return x.call.expected.Wanted(&x.Answer, x.Status, x.Reason, x.It, x.Out), Excerpt(&x.Answer)
	}}
}

const mostShown = 300 // bytes of an answer

// Timely reports whether an error means that the time to wait for a message is over, rather than the call's.
func (x *Exchange[F]) Timely(err error, until time.Duration) bool {
	return err == errNone && until < x.It.Deadline
}

// Until returns how long a call waits for a message: until `within` has passed, and by default until most of its time
// has passed, so that there is time left to tell the server.
func (x *Exchange[F]) Until() time.Duration {
	now := x.Now()
	if w := x.call.Within.D(); w > 0 {
		return min(now+w, x.It.Deadline)
	}
	return now + (x.It.Deadline-now)*4/5
}
