package redis

import (
	"bufio"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// session is a virtual user. It holds no memory: a call borrows the buffers that it needs.
type session struct {
	client *client
	routes *routes
	own    bool // the connections belong to this user only
}

func (s *session) Close() error {
	if s.own {
		s.routes.close()
	}
	return nil
}

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.session, t.call, t.it, t.out = s, by.(*call), it, out
	err := t.compose()
	if err != nil {
		out.Slot = s.client.o.Now()
	} else if err = t.run(); err == nil {
		t.judge()
	}
	if err != nil {
		targets.Fail(out, err, max(s.client.o.Now(), out.Slot), it.Deadline, s.client.Over().Err() != nil)
	}
	t.emit()
	t.sample(err)
	t.end()
}

// exchange is a call in progress.
type exchange struct {
	*session
	call *call
	it   *template.Iter
	out  *scenarios.Outcome

	mem    []byte // buffer of the sent bytes, unless they are the same for every call
	word   []byte
	send   []byte
	slot   uint16
	asking bool   // ASKING precedes the commands
	hops   int    // nodes that it went to before
	to     string // host:port of the cluster node that it was sent to
	in     reader
	answer
	claim budget.Claim      // of the answer
	parts []part            // of a pipeline: its answers so far
	one   scenarios.Outcome // of the part that is being emitted
}

// part is the answer to one command of a pipeline.
type part struct {
	reply
	first, end time.Duration
	bytes      int64
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// mostKept is the maximum size in bytes of a call's buffer that is kept for the next call.
const mostKept = 64 << 10

// end returns everything that was borrowed.
func (t *exchange) end() {
	for _, b := range []*[]byte{&t.mem, &t.word, &t.text} {
		if *b = (*b)[:0]; cap(*b) > mostKept {
			*b = nil
		}
	}
	t.claim.Release()
	t.held.Release()
	text, parts := t.text, t.parts[:0]
	t.session, t.call, t.it, t.out, t.send, t.in = nil, nil, nil, nil, nil, reader{}
	t.asking, t.hops, t.to = false, 0, ""
	t.answer = answer{reply: reply{text: text}}
	t.parts = parts
	exchanges.Put(t)
}

// compose renders the call.
func (t *exchange) compose() (err error) {
	c := t.call
	if t.slot = c.slot; c.fixed != nil {
		t.send = c.fixed
		return nil
	}
	t.mem, t.word, t.slot, err = c.encoded.compose(t.mem[:0], t.word, t.it)
	t.send = t.mem
	return err
}

// mostHops is how many further nodes a call goes to: as many as with go-redis.
const mostHops = 3

// run sends the call and reads its answer. In a cluster it goes on to the node that the answer names, or to the one
// that other nodes name if its own does not serve.
func (t *exchange) run() error {
	k := t.client.cluster
	if k == nil {
		return t.ask(t.routes.only)
	}
	var err error
	if t.to, err = k.node(t.call.keyed, t.slot, t.it.Deadline); err != nil {
		t.out.Slot = t.client.o.Now()
		return err
	}
	for {
		err = t.ask(t.routes.to(t.to))
		to, yes := t.elsewhere(err)
		if !yes || t.hops == mostHops {
			return err
		}
		t.hops, t.to = t.hops+1, to
	}
}

// elsewhere returns the node to which a call that a node has not executed goes next. Err is the error of the call.
func (t *exchange) elsewhere(err error) (address string, yes bool) {
	k := t.client.cluster
	if err != nil {
		k.renew()
		if targets.CauseOf(err) != scenarios.Refused {
			return "", false
		}
		return k.other(t.to, t.call.keyed, t.slot, t.it.Deadline)
	}
	if !t.untouched() {
		return "", false
	}
	if t.down() {
		return k.other(t.to, t.call.keyed, t.slot, t.it.Deadline)
	}
	to, yes := t.redirect(t.to)
	switch {
	case yes && !to.ask:
		k.move(to.slot, to.address)
	case yes && !t.asking:
		t.mem = asking(t.send, t.call.source.form == pipeline)
		t.send, t.asking = t.mem, true
	}
	return to.address, yes
}

// untouched reports whether a node that does not serve the call has executed none of its commands: a single command, a
// transaction, whose EXEC the node refuses, or a pipeline of which the node serves no command.
func (t *exchange) untouched() bool {
	for i := range t.parts {
		if _, yes := t.parts[i].redirect(""); !yes && !t.parts[i].down() {
			return false
		}
	}
	return true
}

// ask sends the call to one node and reads its answer.
func (t *exchange) ask(places *targets.Places[*h1.Conn]) error {
	out, deadline := t.out, t.it.Deadline
	conn, slot, _, err := places.Get(deadline, &out.Opening)
	if t.hops == 0 {
		out.Slot = slot
	}
	if err != nil {
		return err
	}
	var br *bufio.Reader
	for again := (targets.Resend{Repeats: t.call.repeats}); ; {
		conn.Until(deadline, t.client.slack)
		if br, err = conn.Ask(t.send, nil); !again.After(err, out) {
			break
		}
		if conn, err = places.Replace(conn, deadline, &out.Opening); err != nil {
			return err
		}
	}
	if conn.WasSent {
		out.Attempts++
		if t.hops == 0 || !out.WasSent {
			out.Sent, out.WasSent = conn.Sent, true
		}
	}
	if err != nil {
		places.Put(conn, false)
		return err
	}
	out.First = conn.First
	err = t.read(conn, br)
	if out.End = conn.First; conn.Reads > 1 || err != nil { // otherwise the last byte came with the first
		out.End = t.client.o.Now()
	}
	clean := err == nil && br.Buffered() == 0 && !t.demoted()
	h1.Release(br)
	places.Put(conn, clean && t.client.o.KeepsAlive())
	switch {
	case err != nil:
		return err
	case out.End > deadline:
		return targets.ErrLate
	}
	out.Answered, out.Status = true, t.status()
	out.Bytes += t.in.size
	return nil
}

// status returns the status of the reply for an outcome.
func (p *reply) status() int32 {
	switch {
	case p.failed:
		return failed + p.number
	case p.none:
		return absent
	}
	return 0
}

// demoted reports whether the server is no longer the primary, so that the sentinels name another one.
func (t *exchange) demoted() bool {
	if t.client.at.master == "" {
		return false
	}
	for i := range t.parts {
		if p := &t.parts[i]; p.failed && p.number == readOnly {
			return true
		}
	}
	return t.failed && t.number == readOnly
}

var readOnly = numbers["READONLY"]

// read reads the answers to the call.
func (t *exchange) read(conn *h1.Conn, br *bufio.Reader) (err error) {
	defer scenarios.Recover(&err)
	t.in = reader{br: br, room: mostDecoded, of: &t.call.expected, claim: &t.claim}
	t.answer = answer{reply: reply{text: t.text[:0]}}
	t.parts = t.parts[:0]
	if t.call.source.form == pipeline {
		return t.readPipeline(conn)
	}
	if t.asking {
		if err := t.in.read(new(reply)); err != nil {
			return err
		}
	}
	switch t.call.source.form {
	case multi: // the first error counts: that of a command that was not queued, rather than the error of EXEC
		for range t.call.replies - 1 {
			if err := t.in.read(&t.reply); err != nil {
				return err
			}
		}
	}
	if !t.call.decodes {
		return t.in.read(&t.reply)
	}
	t.doc, err = t.in.decode(&t.reply)
	return err
}

// readPipeline reads the answer to each command.
func (t *exchange) readPipeline(conn *h1.Conn) error {
	var list []any
	at, reads := conn.First, conn.Reads
	came := func() time.Duration { // when the bytes that were read last had arrived
		if conn.Reads > reads {
			at, reads = t.client.o.Now(), conn.Reads
		}
		return at
	}
	for range t.call.replies {
		if t.asking {
			if err := t.in.read(new(reply)); err != nil {
				return err
			}
		}
		if _, err := t.in.br.Peek(1); err != nil {
			return broken(err)
		}
		p := part{first: came()}
		before := t.in.size
		if t.call.decodes {
			v, err := t.in.decode(&p.reply)
			if err != nil {
				return err
			}
			list = append(list, v)
		} else if err := t.in.read(&p.reply); err != nil {
			return err
		}
		p.end, p.bytes = came(), t.in.size-before
		if p.failed {
			t.in.note(&t.reply, p.text)
		}
		t.parts = append(t.parts, p)
	}
	if list != nil {
		t.doc = list
	}
	return nil
}

// emit passes on the commands of a pipeline, each with its own answer.
func (t *exchange) emit() {
	emit := t.client.o.Emit
	if emit == nil || t.call.source.form != pipeline {
		return
	}
	one := &t.one
	for i := range t.call.replies {
		*one = *t.out
		one.Checks, one.Failed, one.Attempts, one.Bytes, one.Opening = 0, 0, 0, 0, scenarios.Opening{}
		if i < len(t.parts) && t.parts[i].end <= t.it.Deadline {
			p := &t.parts[i]
			one.Kind, one.Cause, one.Status, one.Answered = scenarios.OK, scenarios.NoCause, p.status(), true
			one.First, one.End, one.Bytes = p.first, p.end, p.bytes
			switch {
			case !p.failed || p.rank == allowedError:
			case p.rank == shedError:
				one.Kind = scenarios.Shed
			default:
				one.Kind, one.Cause = scenarios.Error, causes.Cause(p.number)
			}
		}
		emit(t.it, t.call, i, one)
	}
}
