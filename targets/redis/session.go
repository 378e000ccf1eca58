package redis

import (
	"bufio"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
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
		s.routes.Close()
	}
	return nil
}

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.Begin(&s.client.o, s.client, it, out)
	t.session, t.call = s, by.(*call)
	t.Progress.Do(t)
	t.emit()
	t.end()
}

// exchange is a call in progress.
type exchange struct {
	calls.Progress
	*session
	call *call

	mem    []byte // buffer of the sent bytes, unless they are the same for every call
	word   []byte
	send   []byte
	slot   uint16
	asking bool   // ASKING precedes the commands
	hops   int    // nodes that it went to before
	to     string // host:port of the cluster node that it was sent to
	conn   *h1.Conn
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
	t.Progress, t.session, t.call, t.send, t.conn, t.in = calls.Progress{}, nil, nil, nil, nil, reader{}
	t.asking, t.hops, t.to = false, 0, ""
	t.answer = answer{reply: reply{text: text}}
	t.parts = parts
	exchanges.Put(t)
}

// Compose implements [calls.Maker].
func (t *exchange) Compose() (err error) {
	c := t.call
	if t.slot = c.slot; c.fixed != nil {
		t.send = c.fixed
		return nil
	}
	t.mem, t.word, t.slot, err = c.encoded.compose(t.mem[:0], t.word, t.It)
	t.send = t.mem
	return err
}

// mostHops is how many further nodes a call goes to: as many as with go-redis.
const mostHops = 3

// Run implements [calls.Maker]. In a cluster it goes on to the node that the answer names, or to the one that other
// nodes name if its own does not serve.
func (t *exchange) Run() error {
	err := t.route()
	if err == nil {
		t.Out.Answered, t.Out.Status = true, t.status()
	}
	return err
}

func (t *exchange) route() error {
	k := t.client.cluster
	if k == nil {
		return calls.Make(&t.Progress, t.routes.only, t.call.repeats, t)
	}
	var err error
	if t.to, err = k.node(t.call.keyed, t.slot, t.It.Deadline); err != nil {
		t.Out.Slot = t.Now()
		return err
	}
	for {
		err = calls.Make(&t.Progress, t.routes.To(t.to), t.call.repeats, t)
		to, yes := t.elsewhere(err)
		if !yes || t.hops == mostHops {
			return err
		}
		t.hops, t.to, t.Out.First = t.hops+1, to, 0 // no answer has come yet
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
		return k.other(t.to, t.call.keyed, t.slot, t.It.Deadline)
	}
	if !t.untouched() {
		return "", false
	}
	if t.down() {
		return k.other(t.to, t.call.keyed, t.slot, t.It.Deadline)
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

// Exchange implements [calls.Trip].
func (t *exchange) Exchange(conn *h1.Conn) (calls.Fate, error) {
	t.conn = conn
	clean, err := t.Asked(conn, t.send, t)
	return t.Reusable(clean && !t.demoted()), err
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

// Read implements [calls.Reader].
func (t *exchange) Read(br *bufio.Reader) (err error) {
	defer func() { t.Out.Bytes += t.in.size }()
	t.in = reader{br: br, room: mostDecoded, of: &t.call.expected, claim: &t.claim}
	t.answer = answer{reply: reply{text: t.text[:0]}}
	t.parts = t.parts[:0]
	if t.call.source.form == pipeline {
		return t.readPipeline()
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
func (t *exchange) readPipeline() error {
	var list []any
	at, reads := t.conn.First, t.conn.Reads
	came := func() time.Duration { // when the bytes that were read last had arrived
		if t.conn.Reads > reads {
			at, reads = t.Now(), t.conn.Reads
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
		*one = *t.Out
		one.Checks, one.Failed, one.Attempts, one.Bytes, one.Opening = 0, 0, 0, 0, scenarios.Opening{}
		if i < len(t.parts) && t.parts[i].end <= t.It.Deadline {
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
		emit(t.It, t.call, i, one)
	}
}
