package calls

import (
	"bufio"
	"context"
	"errors"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// Progress is a call in progress. It records the times of its outcome, which are those that brunt calls the response
// time:
//
//	Make, slot: a connection is free
//	Wrote:      the request is written; that of the attempt that is answered, or else of the last one
//	Came:       the first byte of the answer, and each time the last one so far
//
// The exchange of a protocol embeds it.
type Progress struct {
	It  *template.Iter
	Out *scenarios.Outcome

	options *targets.Options
	run     Run
	trips   int  // connections that it got from [targets.Places]: several if the protocol asks further servers
	wrote   bool // the present attempt
}

// A Run says when the run is over: a [targets.Pool].
type Run interface{ Over() context.Context }

// A Maker makes a call in its protocol, which Progress asks in this order.
type Maker interface {
	// Compose renders what is sent. Without it there is no call.
	Compose() error
	// Run sends it and reads the answer, by [Make]
	Run() error
	// Judge judges an answer that came in time.
	Judge()
	// Sample describes the call for the report, but for its outcome and its error.
	Sample() targets.Sampled
}

// Begin begins a call.
func (x *Progress) Begin(o *targets.Options, run Run, it *template.Iter, out *scenarios.Outcome) {
	*x = Progress{It: it, Out: out, options: o, run: run}
}

// Now returns the time on the run's clock.
func (x *Progress) Now() time.Duration { return x.options.Now() }

// Do makes a call, from its slot to its outcome and its sample.
func (x *Progress) Do(by Maker) {
	out := x.Out
	err := by.Compose()
	if err != nil {
		out.Slot = x.Now()
	} else {
		err = by.Run()
	}
	if err == nil {
		by.Judge()
	} else {
		end := max(min(x.Now(), x.It.Deadline), out.Slot)
		targets.Fail(out, err, end, x.It.Deadline, x.run.Over().Err() != nil)
	}
	if k := x.options.Sampler; k != nil && k.Want(out) {
		s := by.Sample()
		s.Out, s.Err = out, err
		s.Keep(k, x.It)
	}
}

// A Fate says what becomes of a connection after a call.
type Fate uint8

// The fates of a connection.
const (
	Close Fate = iota
	Reuse      // other calls may use it
	Hold       // the call keeps it
)

// Reusable returns the fate of a connection that other calls may use if it is clean.
func (x *Progress) Reusable(clean bool) Fate {
	if clean && x.options.KeepsAlive() {
		return Reuse
	}
	return Close
}

// A Trip sends a call on a connection, and reads the answer.
type Trip[C targets.Pooled] interface {
	// Exchange may panic: that is an error of the connection.
	Exchange(on C) (Fate, error)
}

// Make makes a trip on a connection of places. When it is made again, [targets.Resend] decides. A call may make several
// trips, one after another: its slot and the time when it was sent are those of the first one.
func Make[C targets.Pooled](x *Progress, places *targets.Places[C], repeats bool, by Trip[C]) error {
	on, slot, _, err := places.Get(x.It.Deadline, &x.Out.Opening)
	if x.trips++; x.trips == 1 {
		x.Out.Slot = slot
	}
	if err != nil {
		return err
	}
	return makeOn(x, places, on, repeats, by)
}

// makeOn is [Make] on a connection.
func makeOn[C targets.Pooled](x *Progress, places *targets.Places[C], on C, repeats bool, by Trip[C]) error {
	out, began := x.Out, x.Out.First
	for again := (targets.Resend{Repeats: repeats}); ; {
		x.wrote = false
		fate, err := exchange(by, on)
		answered := out.First != began // and so the call has more to say, on the same connection
		if !answered && again.Again(err) {
			if on, err = places.Replace(on, x.It.Deadline, &out.Opening); err != nil {
				return err
			}
			continue
		}
		if fate != Hold {
			places.Put(on, fate == Reuse)
		}
		if ended, ok := errors.AsType[*targets.EndedError](err); ok && answered {
			err = ended.Err
		}
		if err == nil && out.End > x.It.Deadline {
			err = targets.ErrLate
		}
		return err
	}
}

func exchange[C targets.Pooled](by Trip[C], on C) (fate Fate, err error) {
	defer scenarios.Recover(&err)
	return by.Exchange(on)
}

// Wrote records that the call was written. Only the first time of an attempt counts.
func (x *Progress) Wrote(at time.Duration) {
	if x.wrote {
		return
	}
	x.wrote = true
	if x.Out.Attempts++; x.trips <= 1 || !x.Out.WasSent {
		x.Out.Sent, x.Out.WasSent = at, true
	}
}

// Awaits says that the call writes nothing: an earlier one has asked for what it waits for.
func (x *Progress) Awaits() {
	if !x.wrote {
		x.wrote, x.Out.WasSent, x.Out.Sent = true, true, x.Now()
	}
}

// Came records when the answer, or a part of it, came. The goroutine that reads may see it before the one that writes
// knows that it has written. If it came before the call, on a connection that the user keeps, the call waited for it no
// time.
func (x *Progress) Came(at time.Duration, size int) {
	if x.It.Came = 0; at < x.Out.Slot {
		x.It.Came, at = at, x.Out.Slot
	}
	x.Out.Sent = min(x.Out.Sent, at)
	if x.Out.First == 0 {
		x.Out.First = at
	}
	x.Out.End = at
	x.Out.Bytes += int64(size)
}

// Ask sends bytes on a connection, and waits for the first byte of the answer, which br then holds.
func (x *Progress) Ask(on *h1.Conn, b []byte) (br *bufio.Reader, err error) {
	on.Until(x.It.Deadline, h1.Slack(x.options.Timeout))
	br, err = on.Ask(b, nil)
	if on.WasSent {
		x.Wrote(on.Sent)
	}
	return br, err
}

// A Reader reads the answer to a call.
type Reader interface {
	// Read may panic: that is an error of the connection.
	Read(br *bufio.Reader) error
}

// Asked sends bytes on a connection, and lets in read the answer. The connection is clean if that was all of it.
func (x *Progress) Asked(on *h1.Conn, b []byte, in Reader) (clean bool, err error) {
	br, err := x.Ask(on, b)
	if err != nil {
		return false, err
	}
	defer h1.Release(br)
	x.Came(on.First, 0)
	err = read(in, br)
	x.Out.End = x.EndOf(on, err)
	return err == nil && br.Buffered() == 0, err
}

func read(in Reader, br *bufio.Reader) (err error) {
	defer scenarios.Recover(&err)
	return in.Read(br)
}

// EndOf returns when an answer that was read ended.
func (x *Progress) EndOf(on *h1.Conn, err error) time.Duration {
	if on.Reads > 1 || err != nil {
		return x.Now()
	}
	return on.First // the last byte came with the first
}
