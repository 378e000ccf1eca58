package rpc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"brunt/scenarios/disk"
)

// A Client sends requests to the other end of a pipe. It is safe for concurrent use.
type Client struct {
	pipe io.ReadWriteCloser

	stop      chan struct{} // closed by Close; ends the heartbeat
	heartbeat sync.WaitGroup
	done      chan struct{} // closed when no response can come any more

	writing chan struct{} // holds a value while a line is written, which takes long if the other end reads nothing

	mu      sync.Mutex
	last    int
	waiting map[int]chan response
	beats   []beat    // heartbeats without a response
	seen    time.Time // when the last request was sent that has a response
	ended   error     // why no response can come any more
}

// A beat is a sent heartbeat.
type beat struct {
	id   int
	sent time.Time
}

// longest is the maximum number of bytes of a line. The longest lines hold the files of a scenario.
var longest = 256 << 20

// ErrEnded reports that the other end is closed.
var ErrEnded = errors.New("the agent has ended")

// An EndedError is an [ErrEnded] that says when the other end gave its last sign.
type EndedError struct {
	Seen time.Time // the other end answered a request that was sent then; zero: it answered none
	Why  error
}

func (e EndedError) Error() string { return e.Why.Error() }

func (e EndedError) Unwrap() error { return e.Why }

// NewClient starts a client over pipe and waits for the other end's first response. It closes pipe when
// there is none.
func NewClient(ctx context.Context, pipe io.ReadWriteCloser) (*Client, error) {
	c := &Client{
		pipe: pipe, waiting: map[int]chan response{}, stop: make(chan struct{}), done: make(chan struct{}),
		writing: make(chan struct{}, 1),
	}
	go c.read() // ends with pipe
	if err := c.Call(ctx, opHello, nil, nil); err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	c.heartbeat.Go(c.heartbeats)
	return c, nil
}

func (c *Client) heartbeats() {
	t := time.NewTicker(heartbeatEvery)
	defer t.Stop()
	sent := make(chan error, 1)
	sent <- nil
	for {
		select {
		case <-t.C:
			select {
			case err := <-sent:
				if err != nil {
					return // Call reports it
				}
				line := c.beat()
				go func() { sent <- c.write(line) }() // ends with the pipe
			default: // the last one is under way still
			}
		case <-c.done:
			return
		case <-c.stop:
			return
		}
	}
}

// write writes a line. It waits until the other end reads, or the pipe is closed.
func (c *Client) write(line []byte) error {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	_, err := c.pipe.Write(append(line, '\n'))
	return err
}

// mostBeats bounds the heartbeats whose responses are expected. An end that leaves more of them without one has long
// given up its faults.
const mostBeats = int(2 * HeartbeatPatience / heartbeatEvery)

// beat returns the line of a heartbeat that is sent now. Its response is a sign of life of the other end.
func (c *Client) beat() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	if len(c.beats) == mostBeats {
		c.beats = c.beats[1:]
	}
	c.beats = append(c.beats, beat{c.last, time.Now()})
	return fmt.Appendf(nil, `{"id":%d,"op":"%s"}`, c.last, opHeartbeat)
}

// answered notes that a request was answered: the other end lived when it was sent, or later. The lock is held.
func (c *Client) answered(sent time.Time) {
	if sent.After(c.seen) {
		c.seen = sent
	}
}

// endedBy returns the error of calls after one whose request could not be written.
func (c *Client) endedBy(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return EndedError{c.seen, fmt.Errorf("%w: %w", ErrEnded, err)}
}

// read delivers responses to the calls that wait for them.
func (c *Client) read() {
	in := bufio.NewReader(c.pipe)
	for {
		b, err := disk.Line(in, longest)
		var a response
		switch {
		case err == nil:
			if json.Unmarshal(b, &a) != nil {
				err = fmt.Errorf("unexpected output %.200q", b)
			}
		case err != io.EOF: // the last line of output is part of the message
			err = fmt.Errorf("%w: %w", ErrEnded, err)
		case len(b) > 0:
			err = fmt.Errorf("%w with the output %.200q", ErrEnded, b)
		default:
			err = ErrEnded
		}
		c.mu.Lock()
		if err != nil {
			if errors.Is(err, ErrEnded) {
				err = EndedError{c.seen, err}
			}
			c.ended = err
			for _, w := range c.waiting {
				close(w)
			}
			c.waiting = map[int]chan response{}
			c.mu.Unlock()
			close(c.done)
			return
		}
		if w := c.waiting[a.ID]; w != nil {
			w <- a // there is room for one
			delete(c.waiting, a.ID)
		}
		if i := slices.IndexFunc(c.beats, func(b beat) bool { return b.id == a.ID }); i >= 0 {
			c.answered(c.beats[i].sent)
			c.beats = c.beats[i+1:] // an earlier one is no later sign
		}
		c.mu.Unlock()
	}
}

// Err returns the error that calls return since the other end has ended; nil while it has not. It does not wait.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// defaultTimeout bounds calls whose context has no deadline.
const defaultTimeout = 30 * time.Second

// Call runs op with args at the other end and decodes its result into result, unless result is nil. The other end keeps
// the deadline of ctx too. Cancelling ctx does not end the call, because the caller must learn what op did.
func (c *Client) Call(ctx context.Context, op string, args, result any) error {
	return c.call(ctx, nil, op, args, result)
}

// Ask is [Client.Call] for an op that changes nothing: it returns the error of ctx as soon as ctx is cancelled.
func (c *Client) Ask(ctx context.Context, op string, args, result any) error {
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		// the other end also keeps the deadline, and reports its findings up to then
		if errors.Is(ctx.Err(), context.Canceled) {
			close(cancelled)
		}
	})
	defer stop()
	err := c.call(ctx, cancelled, op, args, result)
	if errors.Is(err, errCancelled) {
		return ctx.Err()
	}
	return err
}

// errCancelled says that the caller no longer wants the response.
var errCancelled = errors.New("the call is cancelled")

func (c *Client) call(ctx context.Context, cancelled <-chan struct{}, op string, args, result any) error {
	const slack = 5 * time.Second // for the transport
	r := request{Op: op, Within: defaultTimeout}
	if end, ok := ctx.Deadline(); ok {
		r.Within = max(time.Until(end), time.Millisecond)
	}
	var err error
	if args != nil {
		if r.Args, err = json.Marshal(args); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Within+slack)
	defer cancel()
	a, err := c.exchange(ctx, cancelled, r)
	switch {
	case err != nil:
		return err
	case a.Error != "":
		return errors.New(a.Error)
	case result != nil:
		return json.Unmarshal(a.Result, result)
	}
	return nil
}

func (c *Client) exchange(ctx context.Context, cancelled <-chan struct{}, r request) (response, error) {
	w := make(chan response, 1)
	c.mu.Lock()
	if c.ended != nil {
		defer c.mu.Unlock()
		return response{}, c.ended
	}
	c.last++
	r.ID = c.last
	c.waiting[r.ID] = w
	c.mu.Unlock()
	began := time.Now()
	b, err := json.Marshal(r)
	sent := make(chan error, 1)
	if err == nil {
		go func() { sent <- c.write(b) }() // ends with the pipe, if the other end reads nothing
	}
	for err == nil {
		select {
		case serr := <-sent:
			if sent = nil; serr != nil {
				err = c.endedBy(serr)
			}
		case a, ok := <-w:
			c.mu.Lock()
			defer c.mu.Unlock()
			if !ok {
				return response{}, c.ended
			}
			c.answered(began)
			return a, nil
		case <-cancelled:
			err = errCancelled
		case <-ctx.Done():
			err = errors.New("the agent does not respond")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, r.ID) // a late response is dropped
	return response{}, err
}

// CloseTimeout is the time in which the other end must exit after its input has ended: it may have many faults to undo
// first.
const CloseTimeout = 75 * time.Second

// Close ends the other end's input and waits up to [CloseTimeout] until it has exited.
func (c *Client) Close() error { return c.CloseWithin(CloseTimeout) }

// CloseWithin is [Client.Close] with another timeout.
func (c *Client) CloseWithin(most time.Duration) error {
	close(c.stop)
	c.heartbeat.Wait()
	half, ok := c.pipe.(interface{ CloseWrite() error })
	if !ok {
		return c.pipe.Close()
	}
	err := half.CloseWrite()
	if err == nil {
		select {
		case <-c.done:
		case <-time.After(most):
			err = errors.New("the agent does not exit")
		}
	} else {
		select {
		case <-c.done: // it has ended already
			err = nil
		default:
		}
	}
	closing := c.pipe.Close()
	if errors.Is(closing, fs.ErrClosed) { // by CloseWrite, if the pipe has one end to write and another to read
		closing = nil
	}
	return errors.Join(err, closing)
}
