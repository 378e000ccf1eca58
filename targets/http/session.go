package http

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/auth"
	"brunt/targets/http/cookies"
	"brunt/targets/http/h1"
	"brunt/targets/http/h2"
)

// client is the HTTP client of one load.
type client struct {
	*pool
	base      *origin
	basePath  string // of the base URL, without its last /
	keepAlive bool
	traces    *Traces // nil: no traceparent is sent
	refused   refusedCookies
}

var (
	_ targets.Client  = (*client)(nil)
	_ targets.Session = (*session)(nil)
)

// newClient creates the client of one load.
func newClient(o targets.Options) (targets.Client, error) {
	p, err := newPool(o)
	if err != nil {
		return nil, err
	}
	c := &client{pool: p, keepAlive: o.KeepsAlive(), traces: NewTraces(o.Tracing)}
	if o.Base != "" {
		if _, err := targets.ParseBase(o.Base); err != nil {
			return nil, err
		}
		prefix, path := targets.SplitURL([]byte(o.Base))
		if c.base, err = p.origin(prefix); err != nil {
			return nil, err
		}
		c.basePath = strings.TrimSuffix(string(path), "/")
	}
	return c, nil
}

func (c *client) Open(int) (targets.Session, error) {
	return &session{client: c, traces: c.traces.open()}, nil
}

// session is a virtual user. It holds no memory except its cookies. A request borrows the buffers that it needs.
type session struct {
	client *client
	jar    *cookies.Jar // nil until a cookie comes
	first  *cookies.Jar // the cookies of init; nil: none
	traces traceSource
	tokens auth.Cache
}

func (s *session) Close() error { return nil }

func (s *session) Do(it *template.Iter, call scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.session, t.call, t.it, t.out = s, call.(*Call), it, out
	if !t.call.traced {
		out.Trace = s.client.traces.next(&s.traces)
	}
	if err := t.ready(); err != nil {
		out.Slot = s.client.now()
		t.fail(err)
	} else if err := t.run(); err != nil {
		t.fail(err)
	} else {
		t.call.Judge(t.ans, it, out)
		t.grouped()
		t.sample(nil)
	}
	t.end()
}

// exchange is a call in progress, including its redirects.
type exchange struct {
	*session
	call *Call
	it   *template.Iter
	out  *scenarios.Outcome

	rendered rendered
	filled   bool
	wire     wire
	mem      []byte            // buffer of the request
	send     []byte            // the request: mem, or the shared bytes of a call without placeholders
	tail     net.Buffers       // sent after it: the parts of a body with large files
	ans      *h1.Answer        // nil until the answer begins
	begun    bool              // the first request of the chain got its slot
	part     scenarios.Outcome // of the answer in its group
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// mostKept is the maximum size in bytes of a request's buffer that is kept for the next request.
const mostKept = 64 << 10

// end returns everything that was borrowed.
func (t *exchange) end() {
	t.dropAnswer()
	f := &t.rendered
	for _, b := range []*[]byte{&t.mem, &f.url, &f.host, &f.values, &f.body} {
		if *b = (*b)[:0]; cap(*b) > mostKept {
			*b = nil
		}
	}
	clear(f.proof)
	f.proof = f.proof[:0]
	t.session, t.call, t.it, t.out = nil, nil, nil, nil
	t.filled, t.wire, t.send, t.tail, t.begun = false, wire{}, nil, nil, false
	exchanges.Put(t)
}

func (t *exchange) dropAnswer() {
	if t.ans != nil {
		t.ans.Release()
		t.ans = nil
	}
}

// ready builds the bytes of the first request.
func (t *exchange) ready() (err error) {
	c, client := t.call, t.client
	if r := c.ready.Load(); r != nil && t.jar == nil && r.client == client {
		t.wire = wire{method: c.method, origin: r.origin, target: r.target}
		t.send = r.bytes
		if t.out.Trace != 0 {
			t.mem = append(t.mem[:0], r.bytes...)
			client.traces.Append(t.mem[:r.traceAt], t.out.Trace)
			t.send = t.mem
		}
		return nil
	}
	o, target, err := t.rendered.target(c, t.it, client)
	if err != nil {
		return err
	}
	if err := t.fill(); err != nil {
		return err
	}
	t.wire = wire{method: c.method, origin: o, target: target, cookie: t.cookies(o, target)}
	if err := t.compose(); err != nil {
		return err
	}
	if c.makesProofs() { // signing takes time of brunt, not of the target
		t.out.Ready = max(t.out.Ready, client.now())
	}
	if c.fixed && t.wire.cookie == "" && t.tail == nil {
		c.ready.Store(&readyRequest{
			client: client, origin: o, target: []byte(string(target)), bytes: []byte(string(t.send)),
			traceAt: t.rendered.traceAt,
		})
	}
	return nil
}

// fill renders everything except the URL. A call without placeholders that was ready before is rendered only for a
// redirect.
func (t *exchange) fill() error {
	if t.filled {
		return nil
	}
	t.filled = true
	return t.rendered.fill(t.call, t.it)
}

// compose writes the request into mem.
func (t *exchange) compose() error {
	t.send = nil // the earlier request is not a sample of this one
	if err := t.prove(); err != nil {
		return err
	}
	t.wire.trace = t.out.Trace
	t.mem = t.call.compose(t.mem[:0], &t.rendered, &t.wire, t.client)
	t.send, t.tail = t.mem, nil
	if !t.wire.bare {
		t.tail = t.rendered.tail(t.call)
	}
	return nil
}

// run sends the request and follows its redirects.
func (t *exchange) run() error {
	for hop := 0; ; hop++ {
		if err := t.roundTrip(); err != nil {
			return err
		}
		location := t.redirect()
		if location == nil || t.call.redirects == 0 {
			return nil
		}
		if hop == t.call.redirects {
			return ErrRedirects
		}
		if err := t.follow(location); err != nil {
			return err
		}
	}
}

// roundTrip sends one request and reads its answer. It records the times in the outcome. Slot and sent are those of
// the first request of a chain.
func (t *exchange) roundTrip() error {
	if t.client.over3 != nil {
		return t.roundTrip3()
	}
	if t.client.speaks2(t.wire.origin) {
		if err := t.roundTrip2(); !errors.Is(err, h2.ErrHTTP1) {
			return err
		}
	}
	p, o, out, deadline := t.client.pool, t.wire.origin, t.out, t.it.Deadline
	spent := &out.Opening
	if t.begun { // after a redirect
		spent = new(scenarios.Opening)
	}
	c, slot, waited, err := o.places.Get(deadline, spent)
	if !t.begun && (waited || out.Slot == 0) { // it already has one if the server proved not to speak HTTP/2
		out.Slot = slot
	}
	if err != nil {
		return err
	}
	br, err := t.ask(&c, spent)
	if c == nil {
		return err
	}
	if c.WasSent {
		out.Attempts++
		if !t.begun {
			out.Sent, out.WasSent = c.Sent, true
		}
	}
	t.begun = true
	if err != nil {
		o.places.Put(c, false)
		return err
	}
	out.First = c.First
	clean, err := t.read(c, br)
	out.End = c.First
	if t.call.stream != nil && err == nil {
		t.streamed(out)
	} else if c.Reads > 1 || err != nil { // otherwise the last byte came with the first
		out.End = p.now()
	}
	if err != nil && c.Fault != nil && !isStream(err) {
		err = fmt.Errorf("%w (%v)", c.Fault, err)
	}
	o.places.Put(c, clean && t.client.keepAlive)
	if err != nil {
		return err
	}
	return t.answered()
}

// answered records the answer in the outcome.
func (t *exchange) answered() error {
	o, out := t.wire.origin, t.out
	if out.End > t.it.Deadline { // it came too late
		return targets.ErrLate
	}
	out.Status, out.Answered = int32(t.ans.Status()), true
	out.Bytes += t.ans.Size
	if t.ans.SetsCookies() {
		t.store(o, t.wire.target)
	}
	return nil
}

// ask sends the request on c, or on a new connection in its place if c has ended, as [targets.Resend] says. It sets c
// to nil if there is no connection any more.
func (t *exchange) ask(c **h1.Conn, spent *scenarios.Opening) (br *bufio.Reader, err error) {
	p, deadline := t.client.pool, t.it.Deadline
	for again := (targets.Resend{Repeats: t.repeats()}); ; {
		(*c).Until(deadline, p.slack)
		br, err = (*c).Ask(t.send, t.tail)
		if !again.After(err, t.out) {
			return br, err
		}
		if *c, err = t.wire.origin.places.Replace(*c, deadline, spent); err != nil {
			return nil, err
		}
		if t.tail != nil { // a write consumes it
			t.tail = t.rendered.tail(t.call)
		}
	}
}

// repeats reports whether the request may be sent twice, as a GET behind a redirect may.
func (t *exchange) repeats() bool { return t.call.repeats || t.wire.bare }

// read reads the answer whose first byte br holds.
func (t *exchange) read(c *h1.Conn, br *bufio.Reader) (clean bool, err error) {
	defer scenarios.Recover(&err)
	defer h1.Release(br)
	t.ans = h1.NewAnswer()
	if t.call.stream != nil {
		return t.readStream(c, br)
	}
	return t.ans.Read(br, t.wire.method, t.call.keeps())
}

// fail records err in the outcome.
func (t *exchange) fail(err error) {
	targets.Fail(t.out, err, max(t.client.now(), t.out.Slot), t.it.Deadline, t.client.Over().Err() != nil)
	t.sample(err)
}

// sample keeps a request for the report, if the sampler wants it.
func (t *exchange) sample(err error) {
	k := t.client.o.Sampler
	if k == nil || !k.Want(t.out) {
		return
	}
	sm := result.Sample{
		At: t.out.Intended.Seconds(), Step: t.call.name, Request: t.call.method + " " + t.at(), Status: int(t.out.Status),
		Trace: t.traced().String(),
	}
	switch {
	case err != nil:
		sm.Message = targets.Explain(err)
	case t.out.Kind == scenarios.Error:
		sm.Message, sm.Body = t.call.Wanted(t.ans, t.it, t.out), t.ans.Excerpt()
		sm.Headers = SampleHeaders(t.ans)
	}
	if t.send != nil {
		var tail net.Buffers
		if t.filled && !t.wire.bare {
			tail = t.rendered.tail(t.call) // again, because a write consumes it
		}
		sm.Sent = sentOf(t.send, tail, t.at(), t.client.o.TLS)
	}
	t.learn()
	auth.Mask(t.rendered.proof, &sm)
	k.Keep(t.out, sm)
}

// at returns the URL of the last request.
func (t *exchange) at() string {
	if t.wire.origin == nil {
		return t.call.url.Text()
	}
	return t.wire.origin.url.Scheme + "://" + t.wire.origin.host + string(t.wire.target)
}
