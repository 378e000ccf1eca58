package traces

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/connect"
	"brunt/scenarios/result"
)

// Bounds on what waits to be forwarded, and on how long it may take.
const (
	mostWaiting      = 256      // messages
	mostWaitingBytes = 32 << 20 // of their bodies
	forwardPatience  = 5 * time.Second
	longestAnswer    = 64 << 10 // bytes that are read of an answer
)

// A forwarder sends the messages of a receiver on to another receiver of OTLP over HTTP, in their order, as they came
// but without compression. It never waits for that receiver: a message for which there is no room is lost. It sends
// a message once.
type forwarder struct {
	to     string // URL
	client http.Client
	ctx    context.Context // of all requests; its end loses the messages that wait
	cancel context.CancelFunc
	ended  chan struct{} // closed when the last message was sent or lost

	mu      sync.Mutex // guards what follows
	waiting chan message
	closed  bool // waiting is closed
	bytes   int  // bodies in waiting
	told    result.ForwardedSpans
}

// A message is a message with spans.
type message struct {
	kind  string // content type
	body  []byte
	spans int64
}

// newForwarder creates a forwarder to the URL of a receiver, whose address reach has to allow.
func newForwarder(to string, reach connect.Check) *forwarder {
	f := &forwarder{
		to: to, waiting: make(chan message, mostWaiting), ended: make(chan struct{}),
		client: http.Client{
			Timeout: forwardPatience, Transport: reach.Transport(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		told: result.ForwardedSpans{To: to},
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(f.ended)
		for m := range f.waiting {
			rejected, err := f.send(m)
			f.count(m, rejected, err)
		}
	}()
	return f
}

// add forwards a message later.
func (f *forwarder) add(m message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		f.lose(m, "it came after the end of the run")
		return
	}
	if f.bytes+len(m.body) <= mostWaitingBytes {
		select {
		case f.waiting <- m:
			f.bytes += len(m.body)
			return
		default:
		}
	}
	f.lose(m, "too many others waited")
}

// lose counts a message that was not delivered.
func (f *forwarder) lose(m message, why string) {
	f.told.Lost++
	f.told.LostSpans += m.spans
	if f.told.Why == "" {
		f.told.Why = why
	}
}

// count counts a message that was sent, of which the other receiver rejected some spans.
func (f *forwarder) count(m message, rejected int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes -= len(m.body)
	if err != nil {
		f.lose(m, err.Error())
		return
	}
	rejected = max(0, min(rejected, m.spans))
	f.told.Messages++
	f.told.Spans += m.spans - rejected
	if f.told.LostSpans += rejected; rejected > 0 && f.told.Why == "" {
		f.told.Why = "the collector rejected spans of a message that it took"
	}
}

// send sends a message, and returns how many of its spans the other receiver rejected.
func (f *forwarder) send(m message) (rejected int64, err error) {
	defer scenarios.Recover(&err)
	req, err := http.NewRequestWithContext(f.ctx, http.MethodPost, f.to, bytes.NewReader(m.body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", m.kind)
	req.Header["X-Idempotency-Key"] = nil // not sent: it lets the client repeat a request on a connection that was idle
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	switch {
	case resp.StatusCode/100 != 2:
		return 0, fmt.Errorf("%s answers %d", f.to, resp.StatusCode)
	case err != nil || m.kind != protobufForm:
		return 0, err
	}
	return rejectedSpans(answer), nil
}

// rejectedSpans reads the number of rejected spans from an ExportTraceServiceResponse; 0 if it can't be read.
func rejectedSpans(b []byte) (n int64) {
	_ = fields(b, func(partial field) error {
		if partial.number != 1 {
			return nil
		}
		return fields(partial.bytes, func(f field) error {
			if f.number == 1 {
				n = int64(f.value)
			}
			return nil
		})
	})
	return n
}

// flush waits until the messages so far are sent, for a limited time, and loses the others. Later messages are lost.
func (f *forwarder) flush(ctx context.Context) {
	f.mu.Lock()
	if !f.closed {
		f.closed = true
		close(f.waiting)
	}
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, forwardPatience)
	defer cancel()
	select {
	case <-f.ended:
	case <-ctx.Done():
	}
	f.cancel() // a request that is under way fails at once, and so do those that follow
	<-f.ended
	f.client.CloseIdleConnections()
}

// tell returns what was forwarded so far.
func (f *forwarder) tell() *result.ForwardedSpans {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	return &told
}
