package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/http/h1"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// recordMatch describes the record that a step waits for. All its paths must match.
type recordMatch struct{ paths []check.Field }

func (u *recordMatch) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, `such as {"$.state": DONE}`, "until wants a map")
		return
	}
	for _, f := range n.Fields {
		if !strings.HasPrefix(f.Key, "$") {
			m.AddHint(f.Pos, "a path of the record's value begins with $.", "unknown key %q", syntax.Clip(f.Key, 60))
		} else if k, ok := check.DecodePath(f, m); ok {
			u.paths = append(u.paths, k)
		}
	}
}

// end says how far a topic is read: exactly one of its fields is set.
type end struct {
	messages int
	until    *recordMatch
	stay     time.Duration
}

// String describes the end that the step waits for.
func (e *end) String() string {
	switch {
	case e.until != nil:
		return "the record that was wanted"
	case e.stay > 0:
		return "any record within " + quantity.FormatDuration(e.stay)
	}
	return syntax.Amount(e.messages, "record")
}

// messagePart is the part of a step that consumes: the time of each record in the topic.
const messagePart = 0

// consume reads the topic as far as the step wants.
func (t *exchange) consume() error {
	call, out := t.call, t.Out
	r := t.reader()
	ctx, cancel := t.until(t.It.Deadline)
	defer cancel()
	if err := r.ready(ctx); err != nil {
		return either(ctx, err)
	}
	t.Wrote(t.Now())
	reading := ctx
	if call.end.stay > 0 {
		var cancel context.CancelFunc
		reading, cancel = t.until(min(t.It.Deadline, out.Sent+call.end.stay))
		defer cancel()
	}
	for t.count = 0; ; {
		one, came, err := r.next(reading)
		if err != nil {
			if err = t.over(err); err != nil {
				return err
			}
			break
		}
		if t.It.Came = 0; came < out.Sent { // it was fetched with an earlier record
			t.It.Came, came = came, out.Sent
		}
		t.took(one, came)
		if call.end.stay == 0 && t.done() {
			break
		}
	}
	out.Answered = true
	if r.member == nil || !call.commits {
		return nil
	}
	return either(ctx, r.member.commit(r.at(), t.ask))
}

// ask sends a request to a broker on a connection that is kept for later calls. The time that it takes is after the
// last record, so that it belongs to none of the outcome's times.
func (t *exchange) ask(address string, req kmsg.Request) (resp kmsg.Response, err error) {
	places, deadline := t.routes.To(address), t.It.Deadline
	on, _, _, err := places.Get(deadline, &scenarios.Opening{})
	if err != nil {
		return nil, err
	}
	for {
		on.Until(deadline, h1.Slack(t.client.o.Timeout))
		if resp, err = on.exchange(req); !errors.Is(err, targets.ErrStale) {
			places.Put(on, err == nil && t.client.o.KeepsAlive())
			return resp, err
		}
		if on, err = places.Replace(on, deadline, &scenarios.Opening{}); err != nil {
			return nil, err
		}
	}
}

// reader returns the session's reader for the call.
func (t *exchange) reader() *reader {
	c := t.call
	key := fmt.Sprintf("%q %q %d %v %v", t.topic, t.group, c.where, c.commits, c.settled)
	r := t.session.readers[key]
	if r == nil {
		if t.session.readers == nil {
			t.session.readers = map[string]*reader{}
		}
		r = t.client.newReader(t.topic, t.group, c)
		t.session.readers[key] = r
	}
	return r
}

// took takes a record.
func (t *exchange) took(one *record, came time.Duration) {
	out := t.Out
	if t.count++; t.count == 1 {
		out.First, out.End = came, came
	}
	size := int64(len(one.key) + len(one.value))
	// Records of several brokers are not taken in the order in which they came.
	out.First, out.End, out.Bytes = min(out.First, came), max(out.End, came), out.Bytes+size
	t.answer = answer{record: *one}
	o := &t.client.o
	written := min(time.UnixMilli(one.timestamp).Sub(o.T0), came)
	if o.Emit == nil || written <= -time.Millisecond { // the resolution of a timestamp
		return
	}
	written = max(0, written)
	o.Emit(t.It, t.call, messagePart, &scenarios.Outcome{
		Intended: written, Ready: written, Slot: written, Sent: written, First: came, End: came, WasSent: true,
		Answered: true, Bytes: size,
	})
}

// done reports whether the last record ends the step.
func (t *exchange) done() bool {
	e := &t.call.end
	if e.until == nil {
		return t.count >= e.messages
	}
	return !slices.ContainsFunc(e.until.paths, func(k check.Field) bool { return !k.Holds(t.JSON(k.Path), t.It) })
}

// over returns the result of a topic that gives no further record. It is nil if it was to be read for a time that is
// over.
func (t *exchange) over(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) || t.Now() >= t.It.Deadline {
		return err
	}
	if t.count == 0 {
		return targets.StreamError("%s was wanted, and none came", &t.call.end)
	}
	return nil
}
