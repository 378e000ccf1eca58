package proxy

import (
	"fmt"
	"net/http"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/codec/query"
)

// A request is an HTTP request on a link.
type request struct {
	n       uint64 // its number at the proxy
	method  string
	path    string
	grpc    bool   // it calls a method of gRPC
	speaks  string // name of its protocol, if that is one of package query
	asked   []byte // its beginning, if its protocol is one of package query
	fixed   bool   // it must not be refused
	within  bool   // it is in a transaction that an error of a statement leaves open
	close   bool   // the connection ends with its response
	old     bool   // HTTP/1.0
	expects bool   // 100-continue
	x       *exchange
	edits   []*Editor        // the editors that selected it
	filters []*RequestFilter // the filters that count it, besides those of gates

	// Guarded by the forward flow's lock.
	hit     bool // a toxic answers it
	answer  *http1.CannedResponse
	refusal [2]string // of a protocol of package query: code and text

	// Guarded by the exchange's lock.
	ready [][]byte // replies of the proxy that are not sent yet
	wrong bool     // the error of a refusal is among them, or was
	final bool     // ready completes the response
	done  bool     // it was answered
}

// requestDrafts returns the changes to the request by the toxics that selected it.
func (r *request) requestDrafts() (all []*http1.Draft) {
	for _, e := range r.edits {
		all = append(all, &e.Request)
	}
	return all
}

// answerDrafts returns the changes to the response by the active toxics that selected the request.
func (r *request) answerDrafts() (all []*http1.Draft) {
	for _, e := range r.edits {
		if !e.off() {
			all = append(all, &e.Answer)
		}
	}
	return all
}

// AnswerWith makes the proxy answer the item's request itself.
func (it *Item) AnswerWith(a *http1.CannedResponse) {
	it.req.hit, it.req.answer = true, a
	if !it.req.x.l.isProbe() {
		it.req.x.l.p.stats.hit.Add(1)
	}
}

// Answered reports whether the proxy answers the item's request itself.
func (it *Item) Answered() bool { return it.req != nil && it.req.hit }

// A reply is the proxy's own response to a request.
type reply struct {
	req     *request
	interim bool // 100 Continue
}

// goOn is the response for which a client waits before it sends a body.
var goOn = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// mostOpen is the number of requests of one connection that are read before the first response.
const mostOpen = 256

// An exchange pairs the requests and responses of an HTTP link, so that the proxy's own replies are
// sent in order.
//
// The lock order is: exchange, flow.
type exchange struct {
	l       *link
	many    atomic.Int64 // requests without a response
	waiting atomic.Int64 // bytes of HTTP/2 requests that wait
	lost    atomic.Bool  // the link is raw: no reply is possible

	mu        sync.Mutex
	version   version
	early     [2][]byte // bytes that arrived before the version is known
	streams   *streams  // of HTTP/2
	queries   *queries  // of a protocol of package query
	requests  http1.Framer
	responses http1.Framer
	current   *request       // the request that is being read
	open      []*request     // requests without a response, in order
	final     bool           // the response that is being read is its request's last
	unread    bool           // bytes of a client were not read
	asks      http1.Revision // of the request that is being read
	says      http1.Revision // of the response that is being read
}

func newExchange(l *link) *exchange {
	x := &exchange{l: l}
	x.requests = http1.Framer{Begin: x.beginRequest, Emit: x.emitRequest, Broken: x.brokenRequest}
	x.responses = http1.Framer{Begin: x.beginResponse, Emit: x.emitResponse, Broken: x.surrender}
	return x
}

// full reports whether mostOpen requests wait for their responses, or whether requests of HTTP/2 that wait hold limit
// bytes.
func (x *exchange) full() bool { return x.many.Load() >= mostOpen || x.waiting.Load() >= limit }

// feed processes bytes that f has read.
func (x *exchange) feed(f *flow, b []byte) {
	x.with(func() {
		if x.version == unknown {
			x.recognize(f.dir, b, false)
		} else {
			x.parse(f.dir, b)
		}
	}, f)
}

// flush releases data that waits for more of f's bytes, when no more will arrive.
func (x *exchange) flush(f *flow) {
	x.with(func() {
		if x.version == unknown {
			x.recognize(f.dir, nil, true)
		}
		switch {
		case x.queries != nil:
			x.queries.flush(f)
		case f.dir == Forward:
			x.requests.Flush()
		default:
			x.responses.Flush()
		}
	}, f)
}

// answer accepts replies to requests that a toxic selected.
func (x *exchange) answer(rs []reply) {
	x.with(func() {
		for _, r := range rs {
			switch {
			case r.req.done:
			case r.interim && r.req.speaks != "":
				r.req.refuse(x.queries.codec)
			case r.interim:
				r.req.ready = append(r.req.ready, goOn)
			case r.req.speaks != "":
				r.req.final = true
			default:
				r.req.ready = append(r.req.ready, r.req.answer.For(r.req.method, r.req.close, r.req.old))
				r.req.final = true
			}
		}
		x.reply()
	}, x.l.forward)
}

// with runs do under the lock and then makes the flows process the result. The calling flow
// processes it by itself.
func (x *exchange) with(do func(), caller *flow) {
	x.mu.Lock()
	broken := completes(do)
	stranded := broken != nil || x.lost.Load() && x.owes() || x.streams != nil && x.streams.wrong != nil
	x.mu.Unlock()
	if broken != nil {
		x.l.p.noteBroken(broken)
	}
	if stranded { // never leave a client waiting
		x.l.shut(true)
		return
	}
	caller.opp.kick(false)
}

// completes runs do, and returns its panic as an error. Either side can cause a panic of a codec by the bytes that it
// sends. The panic ends only the connection of the link, not the proxy, which other connections use.
func completes(do func()) (broken error) {
	defer func() {
		if p := recover(); p != nil {
			broken = fmt.Errorf("brunt's own codec failed on a message and ended the connection: %v, in %s", p, panicked())
		}
	}()
	do()
	return nil
}

// panicked names the function that panicked, for the function that recovers.
func panicked() string {
	var at [32]uintptr
	frames := runtime.CallersFrames(at[:runtime.Callers(0, at[:])])
	for seen, more := false, true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		of := strings.HasPrefix(f.Function, "runtime.")
		if seen && !of {
			return path.Base(f.Function)
		}
		seen = seen || f.Function == "runtime.gopanic"
	}
	return "an unknown function"
}

// refuse prepares the error of a refusal, once.
func (r *request) refuse(by query.Codec) {
	if !r.wrong {
		r.wrong = true
		text, _ := by.Refuse(r.asked, r.refusal[0], r.refusal[1])
		r.ready = append(r.ready, text)
	}
}

// owes reports whether a request waits for the proxy's own reply.
func (x *exchange) owes() bool {
	for _, r := range x.open {
		if r.final || len(r.ready) > 0 {
			return true
		}
	}
	return false
}

func (x *exchange) beginRequest(b []byte) (n int, body http1.Framing, size uint64, err error) {
	h, n, err := http1.ReadRequest(b)
	if err != nil {
		return 0, http1.NoBody, 0, err
	}
	if h.Method == "PRI" { // HTTP/2 where HTTP/1.x began
		return 0, http1.NoBody, 0, http1.ErrNotHTTP
	}
	r := &request{
		x: x, method: h.Method, path: h.URL.Path, close: h.Close, old: !h.ProtoAtLeast(1, 1),
		expects: h.ProtoAtLeast(1, 1) && strings.EqualFold(h.Header.Get("Expect"), "100-continue"),
	}
	x.begin(r)
	x.asks = http1.Revision{}
	if len(r.edits) > 0 {
		x.asks = http1.ReviseRequest(b[:n], r.requestDrafts())
	}
	x.current = r
	x.open = append(x.open, r)
	x.many.Add(1)
	body, size = http1.FramingOf(h.ContentLength, h.TransferEncoding)
	return n, body, size, nil
}

// brokenRequest makes the connection end after a request that can't be parsed to its end.
func (x *exchange) brokenRequest() {
	if x.current != nil {
		x.current.close = true
	}
}

func (x *exchange) emitRequest(b []byte, first, last bool) {
	if r := x.current; r != nil {
		r.count(len(b))
	} else if x.requests.Raw && len(b) > 0 {
		x.noteUnread()
	}
	if b = x.asks.Apply(b, first); len(b) > 0 || last {
		x.l.forward.feed(Item{Bytes: b, first: first, last: last, req: x.current})
	}
	if last {
		x.current = nil
		x.asks.Finish(&x.requests)
	}
}

func (x *exchange) beginResponse(b []byte) (n int, body http1.Framing, size uint64, err error) {
	if len(x.open) == 0 || x.open[0].final {
		return 0, http1.NoBody, 0, http1.ErrNotHTTP // a response without a request
	}
	r := x.open[0]
	h, n, err := http1.ReadResponse(b, r.method)
	if err != nil {
		return 0, http1.NoBody, 0, err
	}
	x.says = http1.Revision{}
	x.final = h.StatusCode >= 200 || h.StatusCode == http.StatusSwitchingProtocols
	switch {
	case h.StatusCode == http.StatusSwitchingProtocols, r.method == "CONNECT" && h.StatusCode/100 == 2:
		x.surrender() // from here on the connection uses another protocol
		return n, http1.UntilClose, 0, nil
	}
	var drafts []*http1.Draft
	if x.final {
		drafts = r.answerDrafts()
	}
	if x.leaves() {
		drafts = append(drafts, &closes)
	}
	if len(drafts) > 0 {
		x.says = http1.ReviseAnswer(b[:n], h, r.method, drafts)
	}
	switch {
	case r.method == "HEAD" || !http1.BodyAllowed(h.StatusCode):
		return n, http1.NoBody, 0, nil
	}
	body, size = http1.FramingOf(h.ContentLength, h.TransferEncoding)
	return n, body, size, nil
}

func (x *exchange) emitResponse(b []byte, first, last bool) {
	if b = x.says.Apply(b, first); len(b) > 0 {
		x.l.back.feed(Item{Bytes: b})
	}
	if last {
		x.says.Finish(&x.responses)
	}
	if last && x.final && len(x.open) > 0 {
		x.pop()
		x.reply()
	}
}

// idle reports whether the server's bytes end at the end of a message.
func (x *exchange) idle() bool {
	if x.queries != nil {
		return x.queries.codec.Idle()
	}
	return x.responses.Idle()
}

// noteUnread counts a link whose protocol the proxy does not read, once.
func (x *exchange) noteUnread() {
	if !x.unread && !x.l.isProbe() {
		x.l.p.stats.unread.Add(1)
	}
	x.unread = true
}

// surrender makes the link raw in both directions. It ends a request in progress, in case a toxic
// waits for its end.
func (x *exchange) surrender() {
	x.lost.Store(true)
	x.responses.Raw = true
	x.requests.Raw = true
	x.requests.Flush()
	if x.current != nil {
		x.emitRequest(nil, false, true)
	}
}

// pop removes the answered request.
func (x *exchange) pop() {
	full := x.full()
	x.open[0].done = true
	x.open[0] = nil
	x.open = x.open[1:]
	x.many.Add(-1)
	if full {
		x.l.forward.nudge()
	}
}

// reply sends the proxy's replies to the requests at the head of the queue.
func (x *exchange) reply() {
	for len(x.open) > 0 && x.idle() {
		r := x.open[0]
		if r.final && r.speaks != "" {
			r.refuse(x.queries.codec)
			if _, end := x.queries.codec.Refuse(r.asked, r.refusal[0], r.refusal[1]); len(end) > 0 {
				r.ready = append(r.ready, end)
			}
		}
		for _, b := range r.ready {
			x.l.back.feed(Item{Bytes: b, shared: true})
		}
		r.ready = nil
		if !r.final {
			return
		}
		x.pop()
		if r.close {
			x.l.back.finish(end)
			x.l.forward.finish(end)
			return
		}
	}
}
