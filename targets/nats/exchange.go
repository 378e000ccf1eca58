package nats

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

type exchange = calls.Exchange[frame]

// kind is how a step is made.
type kind struct {
	step    *step
	subject *template.Text // of the message; of nats.consume: the stream
}

// compose renders the subject, and the message with its headers. The buffer has the headers, then the message.
func (k *kind) compose(x *exchange) error {
	subject, err := k.subject.Append(nil, x.It)
	if err != nil {
		return err
	}
	x.Text = string(subject)
	if err := badSubject(x.Text, k.subject == &k.step.Subscribe); err != nil {
		return &targets.Error{Cause: scenarios.Other, Text: err.Error(), Final: true}
	}
	if len(k.step.Headers) > 0 {
		x.Buffer = append(x.Buffer, "NATS/1.0\r\n"...)
		for _, name := range slices.Sorted(maps.Keys(k.step.Headers)) {
			h := k.step.Headers[name]
			x.Buffer = append(append(x.Buffer, name...), ": "...)
			if x.Buffer, err = h.Append(x.Buffer, x.It); err != nil {
				return err
			}
			x.Buffer = append(x.Buffer, "\r\n"...)
		}
		x.Buffer = append(x.Buffer, "\r\n"...)
	}
	head := len(x.Buffer)
	if x.Buffer, err = k.step.AppendMessage(x.Buffer, x.It); err != nil {
		return err
	}
	x.Sent = x.Buffer[head:]
	return nil
}

// message appends the composed message.
func (k *kind) message(x *exchange, reply string) []byte {
	headers := x.Buffer[:len(x.Buffer)-len(x.Sent)]
	b := make([]byte, 0, len(x.Buffer)+len(x.Text)+len(reply)+64)
	return appendPublish(b, x.Text, reply, headers, x.Sent)
}

// inbox returns where the reply to this call comes.
func inbox(x *exchange) string { return x.Line.Name + strconv.FormatUint(x.Line.Number, 36) }

// publish sends a message, and waits until the server has read it or its stream has stored it.
func (k *kind) publish(x *exchange) error {
	if k.step.Ack == "stream" {
		return k.store(x)
	}
	if err := x.Send(append(k.message(x, ""), ping...)); err != nil {
		return err
	}
	for {
		f, at, err := x.Next(x.It.Deadline)
		switch {
		case err != nil:
			return err
		case f.op == "-ERR":
			x.Came(at, len(f.body))
			x.Refuse(refusal(f.body))
			x.Ended() // whether the server reads on depends on the error
			return nil
		case f.op == "PONG":
			x.Came(at, len("PONG\r\n"))
			return nil
		}
	}
}

// store sends a message to a stream, and waits for the acknowledgement.
func (k *kind) store(x *exchange) error {
	f, err := k.ask(x)
	if err != nil || x.Status != 0 {
		return err
	}
	var a ack
	if !a.parse(f.body) || a.Error == nil && (a.Stream == "" || a.Seq == 0) {
		return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(
			"%q answers %s, and it is no acknowledgement of a stream", targets.Clip(string(f.body), 60), x.Text)}
	}
	x.Refuse(a.refused())
	return nil
}

// request sends a message, and waits for the reply.
func (k *kind) request(x *exchange) error {
	f, err := k.ask(x)
	if err != nil || x.Status != 0 {
		return err
	}
	if strings.HasPrefix(x.Text, "$JS.API.") {
		var a ack
		a.parse(f.body)
		x.Refuse(a.refused())
		return nil
	}
	// a micro-service says in this header that it failed: https://github.com/nats-io/nats-architecture-and-design ADR-32
	if code, err := strconv.ParseUint(f.header("Nats-Service-Error-Code"), 10, 10); err == nil && code >= firstStatus {
		x.Refuse(int32(code), f.header("Nats-Service-Error"))
	}
	return nil
}

// ask sends a message with a place for the reply, and returns the reply.
func (k *kind) ask(x *exchange) (frame, error) {
	to := inbox(x)
	if err := x.Send(k.message(x, to)); err != nil {
		return frame{}, err
	}
	return reply(x, to)
}

// reply waits for a message to a subject of the line. An error of the server, or a status in the message, is the status
// of the call.
func reply(x *exchange, to string) (frame, error) {
	for {
		f, at, err := x.Next(x.It.Deadline)
		switch {
		case err != nil:
			return f, err
		case f.op == "-ERR":
			x.Came(at, len(f.body))
			x.Refuse(refusal(f.body))
			x.Ended()
			return f, nil
		case f.op != "MSG" || f.subject != to: // it belongs to an earlier call
			continue
		}
		x.Came(at, len(f.headers)+len(f.body))
		x.Answer.Data, x.Answer.First, x.Answer.End = f.body, at, at
		if code, text := f.status(); code != 0 {
			x.Refuse(code, reason(code, text, x.Text))
		}
		return f, nil
	}
}

// reason describes a status.
func reason(code int32, text, subject string) string {
	if code == noResponders {
		return "no one listens to " + subject
	}
	return strings.TrimSpace(strconv.Itoa(int(code)) + " " + text)
}

// subscribe waits for messages of a subject.
func (k *kind) subscribe(x *exchange) error {
	if !x.Kept {
		group, err := k.step.Queue.Append(nil, x.It)
		if err != nil {
			return err
		}
		if len(group) > 0 {
			group = append(group, ' ')
		}
		x.Line.Topic = strconv.FormatUint(x.Line.Number+1, 10) // 1 is the inbox
		if err := x.Send(fmt.Appendf(nil, "SUB %s %s%s\r\n", x.Text, group, x.Line.Topic)); err != nil {
			return err
		}
	}
	until, probed := x.Until(), false
	for x.Taken() < x.Most() {
		f, at, err := x.Next(until)
		switch {
		case x.Timely(err, until) && x.Taken() == 0 && k.step.Keep == "user":
			probed, until = true, x.It.Deadline
			if err := x.Probe(ping); err != nil {
				return err
			}
		case x.Timely(err, until), f.op == "PONG" && probed:
			return k.leave(x)
		case err != nil:
			return x.Silent(err)
		case f.op == "-ERR":
			x.Came(at, len(f.body))
			x.Refuse(refusal(f.body))
			x.Ended()
			return nil
		case f.op == "MSG" && f.sid == x.Line.Topic:
			x.Take(f.body, at)
			until = 0 // further ones only if they are there
		}
	}
	return k.leave(x)
}

// leave ends a subscription, unless it is kept. After the answer to a PING no message of it comes.
func (k *kind) leave(x *exchange) error {
	x.AnswerTaken()
	if k.step.Keep == "user" {
		x.Keep()
		return nil
	}
	if err := x.Send(fmt.Appendf(nil, "UNSUB %s\r\nPING\r\n", x.Line.Topic)); err != nil {
		x.Ended() // the messages came before
		return nil
	}
	for {
		switch f, _, err := x.Next(x.It.Deadline); {
		case err != nil:
			x.Ended()
			return nil
		case f.op == "PONG":
			return nil
		}
	}
}

// consume takes messages from a consumer, and acknowledges them. Several are first asked for without waiting.
func (k *kind) consume(x *exchange) error {
	consumer, err := k.step.Consumer.Append(nil, x.It)
	if err != nil {
		return err
	}
	api := "$JS.API.CONSUMER.MSG.NEXT." + x.Text + "." + string(consumer)
	until := x.Until()
	if x.Most() > 1 {
		if err := k.pull(x, api, fmt.Appendf(nil, `{"batch":%d,"no_wait":true}`, x.Most())); err != nil || x.Status != 0 {
			return err
		}
	}
	if x.Taken() == 0 {
		expires := max(time.Millisecond, until-x.Now())
		if err := k.pull(x, api, fmt.Appendf(nil, `{"batch":1,"expires":%d}`, expires.Nanoseconds())); err != nil ||
			x.Status != 0 {
			return err
		}
	}
	x.AnswerTaken()
	return nil
}

// pull asks for messages, takes them, and acknowledges them.
func (k *kind) pull(x *exchange, api string, ask []byte) error {
	x.Line.Number++
	to := inbox(x)
	if err := x.Send(appendPublish(nil, api, to, nil, ask)); err != nil {
		return err
	}
	most, acks := x.Most(), []string(nil)
	if bytes.Contains(ask, []byte(`"batch":1,`)) {
		most = 1
	}
	for len(acks) < most {
		f, err := k.taken(x, to)
		if err != nil {
			return err
		}
		if x.Status == noMessages || x.Status == timedOut { // no more for now
			x.Refuse(0, "")
			if x.Taken() == 0 {
				x.Out.First, x.Out.End = 0, 0 // no message came
			}
			break
		}
		if x.Status != 0 && len(acks) > 0 { // such as 409 Leadership Change: what came before is the answer
			x.Refuse(0, "")
			break
		}
		if x.Status != 0 {
			return nil
		}
		acks = append(acks, f.reply)
	}
	return k.acknowledge(x, acks)
}

// taken waits for a message of a pull. Its subject is that of the stream; it is known by the subscription.
func (k *kind) taken(x *exchange, to string) (frame, error) {
	for {
		f, at, err := x.Next(x.It.Deadline)
		switch {
		case err != nil:
			return f, err
		case f.op == "-ERR":
			x.Came(at, len(f.body))
			x.Refuse(refusal(f.body))
			x.Ended()
			return f, nil
		case f.op != "MSG":
			continue
		}
		if code, text := f.status(); code != 0 {
			if f.subject != to || code == firstStatus { // of an earlier pull, or a heartbeat
				continue
			}
			x.Came(at, len(f.headers))
			x.Refuse(code, reason(code, text, x.Text))
			return f, nil
		}
		if !strings.HasPrefix(f.reply, "$JS.ACK.") {
			continue
		}
		x.Take(f.body, at)
		if f.delivered() > 1 {
			x.Again()
		}
		return f, nil
	}
}

// acknowledge acknowledges messages, and waits until the server has noted that.
func (k *kind) acknowledge(x *exchange, acks []string) error {
	if k.step.Ack != "on" || len(acks) == 0 {
		return nil
	}
	to := inbox(x) + "a"
	var b []byte
	for _, of := range acks {
		b = appendPublish(b, of, to, nil, []byte("+ACK"))
	}
	if err := x.Send(b); err != nil {
		return err
	}
	for range acks {
		if _, err := reply(x, to); err != nil {
			return err
		}
		if x.Status != 0 { // the server may have noted some, so that it is no answer
			return &targets.Error{Cause: causes.Cause(x.Status), Text: x.Reason}
		}
	}
	return nil
}
