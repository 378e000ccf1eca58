package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/cenkalti/backoff/v5"
)

// A batch is the content of one request to a service.
type batch interface {
	send(ctx context.Context) error
}

const (
	mostWaiting = 300              // batches, one per second for five minutes
	lastWait    = 5 * time.Second  // for the remaining batches when the run is over
	mostPause   = 10 * time.Second // between two attempts to reach a service
)

// A queue sends batches to one service, in order, one at a time. It retries a batch that
// fails, and drops the oldest batch when it is full.
type queue struct {
	out Out
	to  encoder
	log *slog.Logger

	mu      sync.Mutex
	waiting []batch
	closed  bool
	some    chan struct{} // has a message when a batch waits or the queue is closed
	hurry   chan struct{} // closed when lastWait is over
	timer   *time.Timer   // closes hurry
	done    int           // batches that were sent
	lost    int           // batches that were dropped or refused
	first   error         // the first error
	failing bool
}

func newQueue(out Out, to encoder, log *slog.Logger) *queue {
	return &queue{out: out, to: to, log: log, some: make(chan struct{}, 1), hurry: make(chan struct{})}
}

// put adds a batch; nil is ignored.
func (q *queue) put(p batch) {
	if p == nil {
		return
	}
	q.mu.Lock()
	if len(q.waiting) == mostWaiting {
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.lost++
	}
	q.waiting = append(q.waiting, p)
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.some <- struct{}{}:
	default:
	}
}

// close tells the queue that no batch follows, and bounds the time for the waiting ones.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.timer = time.AfterFunc(lastWait, func() { close(q.hurry) })
	q.wake()
}

// take waits for a batch. It returns nil once the queue is closed and empty.
func (q *queue) take() batch {
	for {
		q.mu.Lock()
		if len(q.waiting) > 0 {
			p := q.waiting[0]
			q.waiting = q.waiting[1:]
			q.mu.Unlock()
			return p
		}
		over := q.closed
		q.mu.Unlock()
		if over {
			return nil
		}
		<-q.some
	}
}

// work sends batches until the queue is closed and empty.
func (q *queue) work() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-q.hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	for p := q.take(); p != nil; p = q.take() {
		err := ctx.Err()
		if err == nil {
			err = q.send(ctx, p)
		}
		q.mu.Lock()
		if err == nil {
			q.done++
		} else {
			q.lost++
		}
		q.mu.Unlock()
	}
	if to, ok := q.to.(io.Closer); ok {
		_ = to.Close()
	}
}

// send retries until the batch is delivered, permanently refused, or too late.
func (q *queue) send(ctx context.Context, p batch) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 500*time.Millisecond, mostPause
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := deliver(ctx, p)
		if err == nil {
			q.failing = false
			return struct{}{}, nil
		}
		q.failed(ctx, err)
		if _, partly := errors.AsType[partlyError](err); partly {
			return struct{}{}, backoff.Permanent(err)
		}
		if r, ok := errors.AsType[*statusError](err); ok {
			switch {
			case r.final:
				return struct{}{}, backoff.Permanent(err)
			case r.after > 0:
				return struct{}{}, backoff.RetryAfter(int(min(r.after, time.Minute).Seconds()))
			}
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0))
	return err
}

// A partlyError means that a service accepted a message, and not all of its content. The message is not sent again,
// because the service would have the rest twice.
type partlyError struct{ error }

// deliver sends a batch once. It turns a panic of the service's client, which an answer can cause, into an error.
func deliver(ctx context.Context, p batch) (err error) {
	defer scenarios.Recover(&err)
	return p.send(ctx)
}

// failed keeps the first error, and logs a warning for the first of several failures in a row.
func (q *queue) failed(ctx context.Context, err error) {
	if ctx.Err() != nil && q.first != nil {
		return
	}
	if q.first == nil {
		q.first = err
	}
	if !q.failing {
		q.failing = true
		q.log.Warn("could not send the run to "+q.out.String()+"; the load goes on", "error", q.out.mask(withoutURL(err)))
	}
}

// withoutURL returns the text of an error without its URL, because the reader knows it and it may hold a secret.
func withoutURL(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return err.Error()
}

// note returns a sentence about unsent batches; empty if all were sent.
func (q *queue) note() string {
	if q.timer != nil {
		q.timer.Stop()
	}
	if q.lost == 0 {
		return ""
	}
	why := "it answered too slowly"
	if q.first != nil {
		why = q.out.mask(withoutURL(q.first))
	}
	return fmt.Sprintf("--out %s: %d of %s were not delivered: %s", q.out, q.lost, syntax.Amount(q.done+q.lost, "message"),
		why)
}

// A statusError is an answer other than a good one: with a status other than 2xx, or of gRPC other than OK.
type statusError struct {
	status string
	code   int // of HTTP
	body   string
	final  bool          // the same request can't succeed later
	after  time.Duration // until the service wants to be asked again; zero: it does not say
}

// mostBody is how much of an answer's text is shown, in bytes.
const mostBody = 300

func newStatusError(resp *http.Response) *statusError {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	_ = resp.Body.Close()
	r := &statusError{
		status: resp.Status, code: resp.StatusCode, body: strings.TrimSpace(words.Clean(string(b))),
		final: resp.StatusCode/100 != 5 && resp.StatusCode != http.StatusTooManyRequests,
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		r.after = time.Duration(s) * time.Second
	}
	return r
}

func (r *statusError) Error() string {
	if r.body == "" {
		return "answered " + r.status
	}
	return "answered " + r.status + ": " + r.body
}
