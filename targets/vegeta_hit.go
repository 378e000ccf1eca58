package targets

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// A hit is a request of vegeta's that is under way.
type hit struct {
	scenarios.Arrival
	call int // whose number in calls; -1 is not known yet
	held bool
	wire *http.Request

	slot, sent, first atomic.Int64 // offsets from t0; 0 is not yet
	size              atomic.Int64 // bytes of the answer's body
	err               atomic.Pointer[error]
}

type hitKey struct{}

func (h *hit) take(now time.Duration) { h.slot.CompareAndSwap(0, int64(now)) }

func (h *hit) fail(err error) { h.err.Store(&err) }

// hit finds the hit that a request is of.
func (e *Vegeta) hit(req *http.Request) *hit {
	n, _ := strconv.ParseUint(req.Header.Get(seqHeader), 10, 64)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hits[n]
}

// cmpErr gives the reason why a context ended, where it did, else err.
func cmpErr(ended, err error) error {
	if ended != nil {
		return ended
	}
	return err
}

func protocolOf(resp *http.Response) string {
	switch {
	case resp.ProtoMajor == 2 && resp.TLS == nil:
		return "h2c"
	case resp.ProtoMajor == 2:
		return "HTTP/2"
	}
	return "HTTP/1.1"
}

// enter waits until one more request may be under way.
func (e *Vegeta) enter(ctx context.Context, h *hit) error {
	if h.held {
		return nil
	}
	select {
	case e.slots <- struct{}{}:
	default:
		e.full.Store(true)
		select {
		case e.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h.held = true
	if e.p.now() >= h.Deadline {
		return context.DeadlineExceeded
	}
	return nil
}

// trace notes when what happens to a hit.
func (h *hit) trace(now func() time.Duration) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { h.take(now()) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { h.sent.CompareAndSwap(0, int64(now())) },
		GotFirstResponseByte: func() { h.first.Store(int64(now())) },
	}
}

// hitBody counts an answer's body, and ends what its request held.
type hitBody struct {
	io.ReadCloser
	hit  *hit
	done context.CancelFunc
}

// Read implements [io.Reader].
func (b *hitBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.hit.size.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		b.hit.fail(err)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *hitBody) Close() error {
	err := b.ReadCloser.Close()
	b.done()
	return err
}

// outcome is what became of a hit.
func (e *Vegeta) outcome(h *hit, res *vegeta.Result) scenarios.Outcome {
	began := res.Timestamp.Sub(e.p.o.T0)
	end := began + res.Latency
	out := scenarios.Outcome{
		Intended: h.Intended, Ready: began, Slot: time.Duration(h.slot.Load()), Sent: time.Duration(h.sent.Load()), First: time.Duration(h.first.Load()), End: end,
		Status: int32(res.Code), Bytes: h.size.Load(), WasSent: h.sent.Load() != 0, Answered: true,
	}
	if h.slot.Load() == 0 {
		out.Slot = end
	}
	trace := h.traced()
	if e.traces != nil && binary.BigEndian.Uint64(trace[:8]) == e.traces.High {
		out.Trace = binary.BigEndian.Uint64(trace[8:])
	}
	if h.call < 0 { // the client refused it
		h.call = 0
		h.fail(errors.New(res.Error))
	}
	c := e.calls[h.call]
	out.Step = e.steps[h.call]
	err := h.failure(res)
	if err == nil && end > h.Deadline {
		err = errLate
	}
	if err != nil {
		fail(&out, err, end, h.Deadline, e.p.over.Err() != nil)
		e.sample(h, &out, err, nil, res)
		return out
	}
	a := answers.Get().(*answer)
	if a.reset(); len(c.checks) > 0 || c.graphql != nil || res.Code >= http.StatusBadRequest { // else nobody looks into it
		a.fromVegeta(res)
	}
	c.judge(a, nil, &out)
	e.sample(h, &out, nil, a, res)
	a.reset()
	answers.Put(a)
	return out
}

// traced is the id of the hit's trace.
func (h *hit) traced() scenarios.TraceID {
	if h.wire == nil {
		return scenarios.TraceID{}
	}
	for name, values := range h.wire.Header { // written as its author did
		if strings.EqualFold(name, traceHeader) && len(values) > 0 {
			return scenarios.ParseTraceparent(values[0])
		}
	}
	return scenarios.TraceID{}
}

// failure is why a hit has no answer; nil is that it has one.
func (h *hit) failure(res *vegeta.Result) error {
	if err := h.err.Load(); err != nil {
		return *err
	}
	if res.Code == 0 {
		return errors.New(res.Error)
	}
	return nil
}

// fromVegeta fills an answer in from what vegeta kept of it.
func (a *answer) fromVegeta(res *vegeta.Result) {
	a.head.SetStatusCode(int(res.Code))
	for name, values := range res.Headers {
		for _, v := range values {
			a.head.Add(name, v)
		}
	}
	a.raw, a.size, a.whole = append(a.raw, res.Body...), int64(len(res.Body)), true
}

// sample keeps a request for the report, when it is wanted.
func (e *Vegeta) sample(h *hit, out *scenarios.Outcome, err error, a *answer, res *vegeta.Result) {
	k := e.p.o.Sampler
	if k == nil || !k.Want(out) {
		return
	}
	c := e.calls[h.call]
	sm := result.Sample{At: h.Intended.Seconds(), Step: c.name, Request: c.method + " " + c.url.Text(), Status: int(out.Status), Trace: h.traced().String()}
	if h.wire != nil {
		sm.Request = h.wire.Method + " " + h.wire.URL.String()
		sm.Sent = sentByVegeta(h.wire, e.p.o.TLS)
	}
	switch {
	case err != nil:
		sm.Message = said(err)
	case out.Kind == scenarios.Error:
		sm.Message, sm.Body = c.wanted(a, nil, out), a.excerpt()
		sm.Headers = map[string]string{}
		for _, name := range sampledHeaders {
			if v := a.header(name); len(v) > 0 {
				sm.Headers[name] = string(v[0])
			}
		}
	}
	k.Keep(out, sm)
}
