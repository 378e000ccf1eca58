package talk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// A Caller asks the other side of a pipe. It can be used by several goroutines.
type Caller struct {
	pipe io.ReadWriteCloser

	stop chan struct{} // closed to end the heartbeat
	beat sync.WaitGroup
	over chan struct{} // closed when no answer comes any more

	mu    sync.Mutex
	last  int
	wait  map[int]chan answer
	ended error // why no answer comes any more
}

// ErrEnded tells that nobody is there any more.
var ErrEnded = errors.New("it has ended")

// Call talks over pipe, and waits until the other side answers. It closes pipe when that
// does not.
func Call(ctx context.Context, pipe io.ReadWriteCloser) (*Caller, error) {
	c := &Caller{pipe: pipe, wait: map[int]chan answer{}, stop: make(chan struct{}), over: make(chan struct{})}
	go c.read() // ends with pipe
	if err := c.Ask(ctx, opHello, nil, nil); err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	c.beat.Go(c.beats)
	return c, nil
}

func (c *Caller) beats() {
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.mu.Lock()
			_, err := c.pipe.Write([]byte(`{"op":"` + opBeat + `"}` + "\n"))
			c.mu.Unlock()
			if err != nil {
				return // whoever asks something is told
			}
		case <-c.over:
			return
		case <-c.stop:
			return
		}
	}
}

// read passes answers on to who waits for them.
func (c *Caller) read() {
	in := bufio.NewReader(c.pipe)
	for {
		b, err := in.ReadBytes('\n')
		var a answer
		switch {
		case err == nil:
			if json.Unmarshal(b, &a) != nil {
				err = fmt.Errorf("it says %.200q", b)
			}
		case err != io.EOF: // with what it has said last
			err = fmt.Errorf("%w: %w", ErrEnded, err)
		case len(b) > 0:
			err = fmt.Errorf("%w, saying %.200q", ErrEnded, b)
		default:
			err = ErrEnded
		}
		c.mu.Lock()
		if err != nil {
			c.ended = err
			for _, w := range c.wait {
				close(w)
			}
			c.wait = map[int]chan answer{}
			c.mu.Unlock()
			close(c.over)
			return
		}
		if w := c.wait[a.ID]; w != nil {
			w <- a // there is room for one
			delete(c.wait, a.ID)
		}
		c.mu.Unlock()
	}
}

// most bounds what has no deadline of its own.
const most = 30 * time.Second

// Ask has the other side do something with args, and puts what came of it into result; nil is
// that nothing comes of it. Where ctx has a deadline the other side keeps it too.
func (c *Caller) Ask(ctx context.Context, op string, args, result any) error {
	const slack = 5 * time.Second // for the way
	r := request{Op: op, Within: most}
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
	a, err := c.ask(ctx, r)
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

func (c *Caller) ask(ctx context.Context, r request) (answer, error) {
	w := make(chan answer, 1)
	c.mu.Lock()
	if c.ended != nil {
		defer c.mu.Unlock()
		return answer{}, c.ended
	}
	c.last++
	r.ID = c.last
	c.wait[r.ID] = w
	b, err := json.Marshal(r)
	if err == nil {
		_, err = c.pipe.Write(append(b, '\n'))
	}
	c.mu.Unlock()
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrEnded, err)
	}
	select {
	case a, ok := <-w:
		if !ok {
			c.mu.Lock()
			defer c.mu.Unlock()
			return answer{}, c.ended
		}
		return a, nil
	case <-ctx.Done():
		return answer{}, errors.New("it does not answer")
	}
}

// EndsWithin is how long the other side may take to end once its input has: it may have much to
// take back before.
const EndsWithin = 75 * time.Second

// Close ends the other side's input, and waits until it has ended, for as long as [EndsWithin].
func (c *Caller) Close() error { return c.CloseWithin(EndsWithin) }

// CloseWithin is Close for who has another bound.
func (c *Caller) CloseWithin(most time.Duration) error {
	close(c.stop)
	c.beat.Wait()
	half, ok := c.pipe.(interface{ CloseWrite() error })
	if !ok {
		return c.pipe.Close()
	}
	err := half.CloseWrite()
	if err == nil {
		select {
		case <-c.over:
		case <-time.After(most):
			err = errors.New("it does not end")
		}
	}
	return errors.Join(err, c.pipe.Close())
}
