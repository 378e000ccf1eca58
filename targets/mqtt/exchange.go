package mqtt

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

type exchange = calls.Exchange[*packet]

// kind is how a step is made.
type kind struct {
	step  *step
	topic *template.Text // of the message, or the filter of the subscription
	qos   byte
	check func(string) error // what is wrong with the topic
}

// compose renders the topic and the message.
func (k *kind) compose(x *exchange) error {
	topic, err := k.topic.Append(nil, x.It)
	if err != nil {
		return err
	}
	x.Text = string(topic)
	if err := k.check(x.Text); err != nil {
		return &targets.Error{Cause: scenarios.Other, Text: err.Error(), Final: true}
	}
	x.Buffer, err = k.step.AppendMessage(x.Buffer, x.It)
	x.Sent = x.Buffer
	return err
}

// message returns the PUBLISH of a message.
func (k *kind) message(x *exchange, id uint16, version byte) ([]byte, error) {
	head := appendText(nil, x.Text)
	if k.qos > 0 {
		head = appendWord(head, int(id))
	}
	if version == 5 {
		properties, err := k.properties(x)
		if err != nil {
			return nil, err
		}
		head = appendProperties(head, properties)
	} else if err := k.step.wants5(); err != nil {
		return nil, err
	}
	flags := k.qos << 1
	if k.step.Retain {
		flags |= 1
	}
	return appendPacket(nil, publish, flags, head, x.Sent), nil
}

// properties returns the properties of a message.
func (k *kind) properties(x *exchange) (b []byte, err error) {
	if e := k.step.Expiry.D(); e > 0 {
		b = binary.BigEndian.AppendUint32(append(b, messageExpiry), uint32(max(1, e/time.Second)))
	}
	for _, name := range slices.Sorted(maps.Keys(k.step.Headers)) {
		h := k.step.Headers[name]
		value, err := h.Append(nil, x.It)
		if err != nil {
			return nil, err
		}
		if len(value) > mostName {
			return nil, &targets.Error{
				Cause: scenarios.Other, Final: true,
				Text: fmt.Sprintf("the header %q has %d bytes, and MQTT has at most %d", targets.Clip(name, 60), len(value),
					mostName),
			}
		}
		b = appendText(appendText(append(b, userProperty), name), value)
	}
	return b, nil
}

// await waits for a packet, and keeps messages that come meanwhile for the steps that subscribed to them.
func await(x *exchange, until time.Duration, is func(*packet) bool) (*packet, time.Duration, error) {
	for {
		p, at, err := x.Next(until)
		switch {
		case err != nil:
			return nil, at, err
		case is(p):
			return p, at, nil
		case p.kind == publish:
			if err := of(x.Line).keep(x, p, at); err != nil {
				return nil, at, err
			}
		}
	}
}

// answered waits for the answer of a kind to packet id. An answer that is an error is the status of the call.
func answered(x *exchange, kind byte, id uint16) (ok bool, err error) {
	p, at, err := await(x, x.It.Deadline, func(p *packet) bool { return p.kind == kind && p.id == id })
	if err != nil {
		return false, err
	}
	x.Came(at, 0)
	if p.code >= firstError {
		x.Refuse(int32(p.code), describe(p.code, p.reason))
		return false, nil
	}
	if of(x.Line).version == 5 && kind != suback && kind != unsuback {
		x.Answer.Data, x.Answer.First, x.Answer.End = fmt.Appendf(nil, `{"reason":%d}`, p.code), at, at
	}
	return true, nil
}

// publish sends a message, and waits until its QoS is fulfilled.
func (k *kind) publish(x *exchange) error {
	s, id := of(x.Line), uint16(0)
	if k.qos > 0 {
		id = s.id()
	}
	b, err := k.message(x, id, s.version)
	if err != nil {
		return err
	}
	if k.qos == 0 {
		n, err := s.ping(b, x.Send)
		if err != nil {
			return err
		}
		_, at, err := await(x, x.It.Deadline, func(p *packet) bool { return p.kind == pingresp && p.pong == n })
		if err == nil {
			x.Came(at, 0)
		}
		return err
	}
	if k.qos == 1 {
		if err := x.Send(b); err != nil {
			return err
		}
		_, err := answered(x, puback, id)
		return err
	}
	s.opened[id] = true
	if err := x.Send(b); err != nil {
		return err
	}
	ok, err := answered(x, pubrec, id)
	if ok {
		if err = x.Send(appendAnswer(nil, pubrel, id)); err != nil {
			return err
		}
		_, err = answered(x, pubcomp, id)
	}
	if err == nil {
		delete(s.opened, id)
	}
	return err
}

// subscribe waits for messages of a filter.
func (k *kind) subscribe(x *exchange) error {
	s := of(x.Line)
	if s.lost {
		s.lost = false
		x.Came(x.Now(), 0)
		x.Refuse(subscriptionLost, "the connection was lost, and its subscriptions with it: messages may be missed")
		return nil
	}
	if !s.filters[x.Text] {
		if ok, err := k.begin(x, s); !ok {
			return err
		}
	} else {
		x.Awaits()
	}
	var acks []byte
	until, pong := x.Until(), uint64(0)
	for x.Taken() < x.Most() {
		m, err := s.next(x, until, pong)
		if err != nil && x.Taken() > 0 { // what came before is the answer
			break
		}
		if x.Timely(err, until) && k.step.Keep == keepUser {
			until = x.It.Deadline
			if pong, err = s.ping(nil, x.Probe); err == nil {
				continue
			}
		}
		if x.Timely(err, until) || err == nil && m.kind == pingresp {
			break
		}
		if err != nil {
			return x.Silent(err)
		}
		fresh := false
		if acks, fresh = s.accept(acks, m.packet); fresh {
			if x.Take(m.body, m.at); m.dup {
				x.Again()
			}
		}
		until = 0 // further ones only if they are there
	}
	x.AnswerTaken()
	if len(acks) > 0 {
		if err := x.Send(acks); err != nil { // the messages came before
			if x.Line.Fail(err); k.step.Keep == keepUser && x.Line.User == nil {
				x.Keep() // the next call says that the connection ended
			} else {
				x.Ended()
			}
			return nil
		}
	}
	if k.step.Keep != keepUser {
		return k.end(x, s)
	}
	if x.Line.User == nil {
		x.Keep()
	}
	return nil
}

// begin subscribes. It reports whether the server accepts that.
func (k *kind) begin(x *exchange, s *state) (bool, error) {
	id := s.id()
	head := appendWord(nil, int(id))
	if s.version == 5 {
		head = append(head, 0)
	}
	s.filters[x.Text] = true // messages may come before the answer
	err := x.Send(appendPacket(nil, subscribe, 2, append(appendText(head, x.Text), k.qos)))
	if err != nil {
		return false, err
	}
	ok, err := answered(x, suback, id)
	if ok {
		x.Out.First, x.Out.End = 0, 0 // the answer is the message
	} else {
		delete(s.filters, x.Text)
	}
	return ok, err
}

// next returns the next message of the subscription: one that waits, or one that comes; or the answer to a ping.
func (s *state) next(x *exchange, until time.Duration, pong uint64) (arrived, error) {
	of := func(topic string) bool { return matches(x.Text, topic) }
	if i := slices.IndexFunc(s.waiting, func(m arrived) bool { return of(m.topic) }); i >= 0 {
		m := s.waiting[i]
		s.waiting, s.size = slices.Delete(s.waiting, i, i+1), s.size-len(m.body)
		s.claim.Give(len(m.body))
		return m, nil
	}
	p, at, err := await(x, until, func(p *packet) bool {
		return p.kind == publish && of(p.topic) || p.kind == pingresp && p.pong == pong
	})
	return arrived{p, at}, err
}

// end ends the subscription. Messages of it that come until the server has noted that are dropped.
func (k *kind) end(x *exchange, s *state) error {
	id := s.id()
	head := appendWord(nil, int(id))
	if s.version == 5 {
		head = append(head, 0)
	}
	delete(s.filters, x.Text)
	waiting := s.waiting
	s.waiting, s.size = nil, 0
	s.claim.Release()
	for _, m := range waiting {
		if err := s.keep(x, m.packet, m.at); err != nil {
			x.Ended()
			return nil
		}
	}
	out := *x.Out
	err := x.Send(appendPacket(nil, unsubscribe, 2, appendText(head, x.Text)))
	if err == nil {
		_, err = answered(x, unsuback, id)
	}
	*x.Out = out
	if err != nil || x.Status > 0 {
		x.Ended()
	}
	if x.Status > 0 {
		x.Refuse(0, "")
	}
	return nil
}
