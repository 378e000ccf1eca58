package amqp

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

type exchange = calls.Exchange[frame]

// kind is how a step is made.
type kind struct {
	step *step
	to   *template.Text // the routing key, or the queue
}

// mostName is the size in bytes of the longest name.
const mostName = 255

// text renders a name.
func (k *kind) text(x *exchange, t *template.Text) (string, error) {
	b, err := t.Append(nil, x.It)
	if err == nil && len(b) > mostName {
		err = &targets.Error{
			Cause: scenarios.Other, Text: fmt.Sprintf("%q… has more than %d bytes", b[:40], mostName), Final: true,
		}
	}
	return string(b), err
}

// compose renders the routing key and the message.
func (k *kind) compose(x *exchange) (err error) {
	if x.Text, err = k.text(x, k.to); err != nil {
		return err
	}
	x.Buffer, err = k.step.AppendMessage(x.Buffer, x.It)
	x.Sent = x.Buffer
	return err
}

// message appends the message to w.
func (k *kind) message(x *exchange, w *writer, p properties) error {
	name, err := k.text(x, &k.step.Exchange)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(k.step.Headers)) {
		h := k.step.Headers[name]
		b, err := h.Append(nil, x.It)
		if err != nil {
			return err
		}
		p.headers = append(p.headers, field{name, string(b)})
	}
	w.begin(one, basicPublish).word(0).shortText(name).shortText(x.Text).bits(isOn(k.step.Mandatory), false).end()
	w.content(one, &p, x.Sent, of(x.Line).most)
	return nil
}

// wait waits for the next method. An error that the server tells of the channel is the status of the call, and ends
// the connection.
func wait(x *exchange) (f frame, over bool, err error) {
	f, at, err := x.Next(x.It.Deadline)
	if err != nil {
		if reason := of(x.Line).blocked.Load(); reason != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			err = &targets.Error{
				Cause: causes.Cause(blocked), Text: "the server blocks publishers: " + *reason, Final: true,
			}
		}
		return f, true, err
	}
	f.at = at
	if f.method == channelClose {
		x.Came(at, 0)
		x.Refuse(f.refusal())
		x.Ended()
		return f, true, nil
	}
	return f, false, nil
}

// until waits for a method, and drops others.
func until(x *exchange, want method) (f frame, over bool, err error) {
	for {
		if f, over, err = wait(x); over || f.method == want {
			return f, over, err
		}
	}
}

// publish sends a message, and waits for its confirm, or until the server has read it.
func (k *kind) publish(x *exchange) error {
	c, confirm := of(x.Line), isOn(k.step.Confirm)
	var w writer
	if confirm && !c.confirms {
		w.begin(one, confirmSelect).bits(false).end()
	}
	if err := k.message(x, &w, properties{persistent: isOn(k.step.Persistent)}); err != nil {
		return err
	}
	if !confirm {
		qos(&w, 0)
	}
	if err := x.Send(w.b); err != nil {
		return err
	}
	if confirm && !c.confirms {
		if _, over, err := until(x, confirmSelectOK); over {
			return err
		}
		c.confirms = true
	}
	if c.confirms { // it counts also the messages without a wait for their confirms
		c.sent++
	}
	for {
		f, over, err := wait(x)
		switch {
		case over:
			return err
		case f.method == basicReturn: // its confirm follows
			x.Refuse(f.refusal())
		case f.method == basicQosOK && !confirm:
			x.Came(f.at, 0)
			return nil
		case (f.method == basicAck || f.method == basicNack) && confirm && f.confirms(c.sent):
			x.Came(f.at, 0)
			if f.method == basicNack {
				x.Refuse(nacked, "the server refuses the message: basic.nack")
			}
			return nil
		}
	}
}

// confirms reports whether a confirm is one of message n.
func (f *frame) confirms(n uint64) bool {
	tag := f.args.longlong()
	multiple := f.args.octet()&1 != 0
	return tag == n || multiple && tag > n
}

// qos appends a request for at most n messages ahead, whose answer says that the server has read what came before.
func qos(w *writer, n int) { w.begin(one, basicQos).long(0).word(uint16(n)).bits(false).end() }

// replyTo is the pseudo-queue of RabbitMQ through which replies come on the channel of the call:
// https://www.rabbitmq.com/docs/direct-reply-to.
const replyTo = "amq.rabbitmq.reply-to"

// call sends a message, and waits for the reply.
func (k *kind) call(x *exchange) error {
	c := of(x.Line)
	id := strconv.FormatUint(x.Line.Number, 36)
	var w writer
	if !c.replies {
		w.begin(one, basicConsume).word(0).shortText(replyTo).shortText(replyTo)
		w.bits(false, true, false, false).table(nil).end()
	}
	if err := k.message(x, &w, properties{correlation: id, replyTo: replyTo}); err != nil {
		return err
	}
	if err := x.Send(w.b); err != nil {
		return err
	}
	if c.confirms {
		c.sent++
	}
	for {
		f, over, err := wait(x)
		switch {
		case over:
			return err
		case f.method == basicConsumeOK:
			c.replies = true
		case f.method == basicReturn:
			x.Came(f.at, 0)
			x.Refuse(f.refusal())
			return nil
		case f.method == basicDeliver && f.correlation == id:
			x.Take(f.body, f.at)
			x.AnswerTaken()
			return nil
		}
	}
}

// consume takes messages from a queue, and acknowledges them.
func (k *kind) consume(x *exchange) error {
	s, ahead := k.step, x.Most()
	if s.Keep == keepUser {
		ahead = max(cmp.Or(s.Prefetch, usualPrefetch), ahead)
	}
	if !x.Kept {
		x.Line.Topic = "brunt-" + strconv.FormatUint(x.Line.Number, 36)
		var w writer
		qos(&w, ahead)
		w.begin(one, basicConsume).word(0).shortText(x.Text).shortText(x.Line.Topic)
		w.bits(false, false, false, false).table(nil).end()
		if err := x.Send(w.b); err != nil {
			return err
		}
	}
	tag, err := k.take(x, ahead)
	if err != nil || x.Status != 0 {
		return err
	}
	if s.Keep != keepUser {
		var w writer
		if err := x.Send(w.begin(one, basicCancel).shortText(x.Line.Topic).bits(false).end().b); err != nil {
			return err
		}
		for over := false; !over; { // no more than are asked for ahead come until then
			f, at, err := x.Next(x.It.Deadline)
			switch {
			case err != nil:
				return err
			case f.method == basicDeliver && x.Taken() == x.Most():
				return malformed("the server sends more than %d messages ahead of their acknowledgements", x.Most())
			case f.method == basicDeliver:
				tag = f.take(x, at)
			case f.method == channelClose:
				x.Came(at, 0)
				x.Refuse(f.refusal())
				x.Ended()
				return nil
			}
			over = f.method == basicCancelOK
		}
	}
	x.AnswerTaken()
	return k.acknowledge(x, tag)
}

const usualPrefetch = 100 // messages

// take waits for the first message, and takes those that are there. It returns the tag of the last one. ahead is the
// prefetch of the consumer; the probe sets it again.
func (k *kind) take(x *exchange, ahead int) (tag uint64, err error) {
	end, probed := x.Until(), false
	for x.Taken() < x.Most() {
		f, at, err := x.Next(end)
		switch {
		case x.Timely(err, end) && x.Taken() == 0 && k.step.Keep == keepUser:
			var w writer
			qos(&w, ahead)
			probed, end = true, x.It.Deadline
			if err := x.Probe(w.b); err != nil {
				return tag, err
			}
		case x.Timely(err, end), f.method == basicQosOK && probed:
			return tag, nil
		case err != nil:
			return tag, x.Silent(err)
		case f.method == channelClose:
			x.Came(at, 0)
			x.Refuse(f.refusal())
			x.Ended()
			return tag, nil
		case f.method == basicCancel:
			x.Came(at, 0)
			x.Refuse(cancelled, "the server ended the consumer of "+x.Text+": basic.cancel")
			x.Ended()
			return tag, nil
		case f.method == basicDeliver:
			tag = f.take(x, at)
			end = 0 // further ones only if they are there
		}
	}
	return tag, nil
}

// take takes the message of basic.deliver, and returns its delivery tag.
func (f *frame) take(x *exchange, at time.Duration) uint64 {
	tag, again := f.tag()
	if x.Take(f.body, at); again {
		x.Again()
	}
	return tag
}

// tag returns the delivery tag of basic.deliver, and reports whether it is a redelivery.
func (f *frame) tag() (tag uint64, again bool) {
	f.args.shortText() // of the consumer
	tag = f.args.longlong()
	return tag, f.args.octet()&1 != 0
}

// acknowledge acknowledges the messages up to a tag. A kept consumer goes on; otherwise it waits until the server has
// read the acknowledgement.
func (k *kind) acknowledge(x *exchange, tag uint64) error {
	keeps := k.step.Keep == keepUser
	if keeps {
		x.Keep()
	}
	if x.Taken() == 0 {
		return nil
	}
	if !isOn(k.step.Ack) {
		if !keeps {
			x.Ended() // with the channel, the server has the messages again
		}
		return nil
	}
	var w writer
	w.begin(one, basicAck).longlong(tag).bits(true).end()
	if !keeps {
		qos(&w, 0)
	}
	switch err := x.Send(w.b); {
	case err != nil && keeps: // the messages came before
		x.Ended()
		return nil
	case err != nil || keeps:
		return err
	}
	f, over, err := until(x, basicQosOK)
	if !over {
		x.Came(f.at, 0)
	}
	return err
}

// declare makes a queue, and its exchange and binding.
func (k *kind) declare(x *exchange) error {
	s, durable := k.step, isOn(k.step.Durable)
	name, err := k.text(x, &s.Exchange)
	if err != nil {
		return err
	}
	key := x.Text
	if s.Has("binding") {
		if key, err = k.text(x, &s.Binding); err != nil {
			return err
		}
	}
	var fields []field
	for _, name := range slices.Sorted(maps.Keys(s.Arguments)) {
		t := s.Arguments[name]
		b, err := t.Append(nil, x.It)
		if err != nil {
			return err
		}
		fields = append(fields, field{name, typed(string(b))})
	}
	var w writer
	if name != "" {
		kind := s.Type
		if kind == "" {
			kind = "direct"
		}
		w.begin(one, exchangeDeclare).word(0).shortText(name).shortText(kind)
		w.bits(false, durable, false, false, false).table(nil).end()
	}
	w.begin(one, queueDeclare).word(0).shortText(x.Text).bits(false, durable, false, false, false).table(fields).end()
	if name != "" {
		w.begin(one, queueBind).word(0).shortText(x.Text).shortText(name).shortText(key).bits(false).table(nil).end()
	}
	if err := x.Send(w.b); err != nil {
		return err
	}
	if err := k.counted(x); err != nil || x.Status != 0 || name == "" {
		return err
	}
	f, over, err := until(x, queueBindOK)
	if !over {
		x.Came(f.at, 0)
	}
	return err
}

// depth asks for the state of a queue.
func (k *kind) depth(x *exchange) error {
	var w writer
	w.begin(one, queueDeclare).word(0).shortText(x.Text).bits(true, false, false, false, false).table(nil).end()
	if err := x.Send(w.b); err != nil {
		return err
	}
	return k.counted(x)
}

// counted reads the state of a queue.
func (k *kind) counted(x *exchange) error {
	f, over, err := until(x, queueDeclareOK)
	if over {
		return err
	}
	x.Came(f.at, 0)
	queue, messages, consumers := f.args.shortText(), f.args.long(), f.args.long()
	name, _ := json.Marshal(queue) // a text has no error
	x.Answer.Data = fmt.Appendf(nil, `{"queue":%s,"messages":%d,"consumers":%d}`, name, messages, consumers)
	x.Answer.First, x.Answer.End = x.Out.First, x.Out.End
	return nil
}
