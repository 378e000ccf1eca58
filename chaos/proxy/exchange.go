package proxy

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"brunt/chaos/seed"
)

// A request is one on an HTTP link.
type request struct {
	n       uint64 // its number at the proxy
	method  string
	path    string
	close   bool // the connection ends with its response
	old     bool // HTTP/1.0
	expects bool // 100-continue
	x       *exchange
	about   []*editor // that count it
	edits   []*editor // that chose it

	// Under the forward flow's lock.
	hit    bool // a toxic answers it
	answer *answer

	// Under the exchange's lock.
	ready [][]byte // what the proxy replies and has not sent yet
	final bool     // with that it is answered
	done  bool     // it was answered
}

// A reply is due to a request that a toxic hit.
type reply struct {
	req     *request
	interim bool // 100 Continue
}

// goOn is what a client waits for before it sends a body.
var goOn = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// mostOpen is how many requests of one connection are read before the first of
// them is answered.
const mostOpen = 256

// An exchange pairs the requests and responses of an HTTP link, so that what the
// proxy itself replies comes in its turn.
//
// Locks are taken in the order: exchange, flow.
type exchange struct {
	l    *link
	many atomic.Int64 // requests that are not answered
	lost atomic.Bool  // the link is raw: nothing can be replied any more

	mu        sync.Mutex
	requests  framer
	responses framer
	current   *request   // that is being read
	open      []*request // not answered, in order
	final     bool       // the response that is being read is its request's last
	asks      revision   // of the request that is being read
	says      revision   // of the response that is being read
}

func newExchange(l *link) *exchange {
	x := &exchange{l: l}
	x.requests = framer{begin: x.beginRequest, emit: x.emitRequest, broken: x.brokenRequest}
	x.responses = framer{begin: x.beginResponse, emit: x.emitResponse, broken: x.surrender}
	return x
}

// full tells that enough requests wait for their responses.
func (x *exchange) full() bool { return x.many.Load() >= mostOpen }

// feed takes what f has read.
func (x *exchange) feed(f *flow, b []byte) {
	x.with(func() {
		if f.dir == Forward {
			x.requests.feed(b)
		} else {
			x.responses.feed(b)
		}
	}, f)
}

// flush lets go what waits for more of f's bytes, as there will be none.
func (x *exchange) flush(f *flow) {
	x.with(func() {
		if f.dir == Forward {
			x.requests.flush()
		} else {
			x.responses.flush()
		}
	}, f)
}

// answer takes replies for requests that a toxic hit.
func (x *exchange) answer(rs []reply) {
	x.with(func() {
		for _, r := range rs {
			switch {
			case r.req.done:
			case r.interim:
				r.req.ready = append(r.req.ready, goOn)
			default:
				r.req.ready = append(r.req.ready, r.req.answer.to(r.req))
				r.req.final = true
			}
		}
		x.reply()
	}, x.l.forward)
}

// with runs do under the lock and sees to it that the flows go on with what it gave
// them. The one whose reader or driver calls goes on by itself.
func (x *exchange) with(do func(), caller *flow) {
	x.mu.Lock()
	do()
	stranded := x.lost.Load() && x.owes()
	x.mu.Unlock()
	if stranded { // never leave a client waiting
		x.l.shut(true)
		return
	}
	caller.opp.kick(false)
}

// owes tells whether a request waits for the proxy's own reply.
func (x *exchange) owes() bool {
	for _, r := range x.open {
		if r.final || len(r.ready) > 0 {
			return true
		}
	}
	return false
}

func (x *exchange) beginRequest(b []byte) (n int, body framing, size uint64, err error) {
	h, n, err := readRequest(b)
	if err != nil {
		return 0, empty, 0, err
	}
	if h.Method == "PRI" { // HTTP/2
		return 0, empty, 0, errNotHTTP
	}
	r := &request{
		x: x, method: h.Method, path: h.URL.Path, close: h.Close, old: !h.ProtoAtLeast(1, 1),
		expects: h.ProtoAtLeast(1, 1) && strings.EqualFold(h.Header.Get("Expect"), "100-continue"),
	}
	p := x.l.p
	if x.l.isProbe() {
		r.n = p.probesRequests.Add(1) - 1
	} else {
		r.n = p.requests.Add(1) - 1
		p.stats.passed.Add(1)
	}
	x.asks = revision{}
	for _, e := range x.l.editors() {
		if !e.fits(r) {
			continue
		}
		r.about = append(r.about, e)
		if seed.Chosen(e.share, e.seed, e.toxic, r.n) {
			r.edits = append(r.edits, e)
		}
	}
	if len(r.edits) > 0 {
		x.asks = reviseRequest(b[:n], r.edits)
	}
	x.current = r
	x.open = append(x.open, r)
	x.many.Add(1)
	body, size = framingOf(h.ContentLength, h.TransferEncoding)
	return n, body, size, nil
}

// brokenRequest makes the connection end with the request that can't be read to its
// end.
func (x *exchange) brokenRequest() {
	if x.current != nil {
		x.current.close = true
	}
}

func (x *exchange) emitRequest(b []byte, first, last bool) {
	if r := x.current; r != nil {
		for _, e := range r.about {
			e.count(len(b), first, slices.Contains(r.edits, e))
		}
	}
	if b = x.asks.apply(b, first); len(b) > 0 || last {
		x.l.forward.feed(item{b: b, first: first, last: last, req: x.current})
	}
	if last {
		x.current = nil
		x.asks.over(&x.requests)
	}
}

func (x *exchange) beginResponse(b []byte) (n int, body framing, size uint64, err error) {
	if len(x.open) == 0 || x.open[0].final {
		return 0, empty, 0, errNotHTTP // nobody asked
	}
	r := x.open[0]
	h, n, err := readResponse(b, r.method)
	if err != nil {
		return 0, empty, 0, err
	}
	x.says = revision{}
	x.final = h.StatusCode >= 200 || h.StatusCode == http.StatusSwitchingProtocols
	switch {
	case h.StatusCode == http.StatusSwitchingProtocols, r.method == "CONNECT" && h.StatusCode/100 == 2:
		x.surrender() // from here on it is another protocol
		return n, endless, 0, nil
	}
	if x.final && len(r.edits) > 0 {
		x.says = reviseAnswer(b[:n], h, r.method, r.edits)
	}
	switch {
	case r.method == "HEAD" || !bodyAllowed(h.StatusCode):
		return n, empty, 0, nil
	}
	body, size = framingOf(h.ContentLength, h.TransferEncoding)
	return n, body, size, nil
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

func (x *exchange) emitResponse(b []byte, first, last bool) {
	if b = x.says.apply(b, first); len(b) > 0 {
		x.l.back.feed(item{b: b})
	}
	if last {
		x.says.over(&x.responses)
	}
	if last && x.final && len(x.open) > 0 {
		x.pop()
		x.reply()
	}
}

// surrender makes the link raw in both directions. A request that is under way ends
// there, in case that a toxic waits for its end.
func (x *exchange) surrender() {
	x.lost.Store(true)
	x.responses.raw = true
	x.requests.raw = true
	x.requests.flush()
	if x.current != nil {
		x.emitRequest(nil, false, true)
	}
}

// pop takes the request off that was answered.
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

// reply sends what the proxy has to say to the requests whose turn it is.
func (x *exchange) reply() {
	for len(x.open) > 0 && x.responses.idle() {
		r := x.open[0]
		for _, b := range r.ready {
			x.l.back.feed(item{b: b, shared: true})
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
