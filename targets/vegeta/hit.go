package vegeta

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math"
	nethttp "net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/http/h1"

	lib "github.com/tsenart/vegeta/v12/lib"
)

// A hit is one of vegeta's requests in progress.
type hit struct {
	scenarios.Arrival
	call int // index in calls; -1: not known yet
	held bool
	wire *nethttp.Request

	slot, sent, first atomic.Int64 // offsets from t0; 0: not yet
	attempts          atomic.Int64 // times that the request was written
	size              atomic.Int64 // bytes of the answer's body
	err               atomic.Pointer[error]
	stages            atomic.Pointer[targets.Stages] // of the connection opened for it; nil: none was opened
}

type hitKey struct{}

func (h *hit) take(now time.Duration) { h.slot.CompareAndSwap(0, int64(now)) }

func (h *hit) fail(err error) { h.err.Store(&err) }

// hit returns the hit of a request.
func (e *Engine) hit(req *nethttp.Request) *hit {
	n, _ := strconv.ParseUint(req.Header.Get(seqHeader), 10, 64)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hits[n]
}

func protocolOf(resp *nethttp.Response) string {
	switch {
	case resp.ProtoMajor == 2 && resp.TLS == nil:
		return "h2c"
	case resp.ProtoMajor == 2:
		return "HTTP/2"
	}
	return "HTTP/1.1"
}

// enter waits until one more request may be in progress.
func (e *Engine) enter(ctx context.Context, h *hit) error {
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
	if e.o.Now() >= h.Deadline {
		return context.DeadlineExceeded
	}
	return nil
}

// trace returns hooks that record the times of a hit's steps.
func (h *hit) trace(now func() time.Duration) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { h.take(now()) },
		WroteRequest: func(httptrace.WroteRequestInfo) {
			h.sent.CompareAndSwap(0, int64(now()))
			h.attempts.Add(1)
		},
		GotFirstResponseByte: func() { h.first.Store(int64(now())) },
	}
}

// hitBody counts the bytes of a response body, and releases the resources of its request.
type hitBody struct {
	io.ReadCloser
	hit  *hit
	done context.CancelFunc
}

// read reads from the body. It runs in vegeta's goroutine, so it turns a panic of net/http into an error.
func (b *hitBody) read(p []byte) (n int, err error) {
	defer scenarios.Recover(&err)
	return b.ReadCloser.Read(p)
}

func (b *hitBody) Read(p []byte) (int, error) {
	n, err := b.read(p)
	b.hit.size.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		b.hit.fail(err)
	}
	return n, err
}

func (b *hitBody) Close() error {
	err := b.ReadCloser.Close()
	b.done()
	return err
}

// outcome returns the outcome of a hit.
func (e *Engine) outcome(h *hit, res *lib.Result) scenarios.Outcome {
	began := res.Timestamp.Sub(e.o.T0)
	end := began + res.Latency
	out := scenarios.Outcome{
		Intended: h.Intended, Ready: began, Slot: time.Duration(h.slot.Load()), Sent: time.Duration(h.sent.Load()),
		First: time.Duration(h.first.Load()), End: end,
		Status: int32(res.Code), Bytes: h.size.Load(), WasSent: h.sent.Load() != 0,
		Attempts: uint16(min(h.attempts.Load(), math.MaxUint16)), Answered: true,
	}
	if h.slot.Load() == 0 {
		out.Slot = end
	}
	if stages := h.stages.Load(); stages != nil { // the request may have taken another connection meanwhile
		out.Opening = stages.Between(out.Slot, max(out.Slot, min(end, cmp.Or(out.Sent, end))))
	}
	trace := h.traced()
	if e.traces != nil && binary.BigEndian.Uint64(trace[:8]) == e.traces.High {
		out.Trace = binary.BigEndian.Uint64(trace[8:])
	}
	if h.call < 0 { // the client refused the request
		h.call = 0
		h.fail(errors.New(res.Error))
	}
	c := e.calls[h.call]
	out.Step = e.v.Steps[h.call]
	err := h.failure(res)
	if err == nil && end > h.Deadline {
		err = targets.ErrLate
	}
	if most := c.MaxBody(); err == nil && c.NeedsBody() && len(res.Body) > most {
		err = h1.TooLarge(most)
	}
	if err != nil {
		targets.Fail(&out, err, end, h.Deadline, e.over.Err() != nil)
		e.sample(h, &out, err, nil, res)
		return out
	}
	a := h1.NewAnswer()
	defer a.Release()
	if c.Inspects() || res.Code >= nethttp.StatusBadRequest { // else nothing needs the answer
		a.Fill(int(res.Code), res.Headers, res.Body)
	}
	c.Judge(a, nil, &out)
	e.sample(h, &out, nil, a, res)
	return out
}

// traced returns the hit's trace ID.
func (h *hit) traced() scenarios.TraceID {
	if h.wire == nil {
		return scenarios.TraceID{}
	}
	for name, values := range h.wire.Header { // in the author's spelling
		if strings.EqualFold(name, http.TraceHeader) && len(values) > 0 {
			return scenarios.ParseTraceparent(values[0])
		}
	}
	return scenarios.TraceID{}
}

// failure returns the reason why a hit has no answer; nil if it has one.
func (h *hit) failure(res *lib.Result) error {
	if err := h.err.Load(); err != nil {
		return *err
	}
	if res.Code == 0 {
		return errors.New(res.Error)
	}
	return nil
}

// sample keeps a request for the report, if the sampler wants it.
func (e *Engine) sample(h *hit, out *scenarios.Outcome, err error, a *h1.Answer, res *lib.Result) {
	k := e.o.Sampler
	if k == nil || !k.Want(out) {
		return
	}
	c := e.calls[h.call]
	method, url := c.Asks()
	sm := result.Sample{
		At: h.Intended.Seconds(), Step: c.Name(), Request: method + " " + url, Status: int(out.Status),
		Trace: h.traced().String(),
	}
	if h.wire != nil {
		sm.Request = h.wire.Method + " " + h.wire.URL.String()
		sm.Sent = sentByVegeta(h.wire, e.o.TLS)
	}
	switch {
	case err != nil:
		sm.Message = targets.Explain(err)
	case out.Kind == scenarios.Error:
		sm.Message, sm.Body = c.Wanted(a, nil, out), a.Excerpt()
		sm.Headers = http.SampleHeaders(a)
	}
	k.Keep(out, sm)
}

// sentByVegeta describes a request of vegeta for a sample.
func sentByVegeta(req *nethttp.Request, tls *scenarios.TLS) *result.Sent {
	s := &result.Sent{Method: req.Method, URL: req.URL.String(), Trust: tls != nil && tls.InsecureSkipVerify}
	if req.Host != "" && req.Host != req.URL.Host {
		s.Headers = append(s.Headers, "Host: "+req.Host)
	}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		if strings.HasPrefix(name, "X-Vegeta-") { // vegeta's own headers
			continue
		}
		for _, v := range req.Header[name] {
			s.Headers = append(s.Headers, name+": "+v)
		}
	}
	if len(req.Header["User-Agent"]) == 0 { // then net/http sets its own
		s.Headers = append(s.Headers, "User-Agent: Go-http-client/1.1")
	}
	if req.GetBody == nil {
		return s
	}
	body, err := req.GetBody()
	if err != nil {
		return s
	}
	defer body.Close()
	b, _ := io.ReadAll(io.LimitReader(body, result.LongestSent))
	s.Body, s.Cut = string(b), max(0, req.ContentLength-int64(len(b)))
	return s
}
