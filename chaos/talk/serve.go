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

// A caller that lives says so: its end of the pipe is open as long as a caller that is stopped
// has it.
const (
	beatEvery    = time.Second
	beatPatience = 10 * beatEvery
)

// What both sides know of themselves.
const (
	opHello = "hello"
	opBeat  = "beat"
)

// request is a line to the other side.
type request struct {
	ID     int             `json:"id"`
	Op     string          `json:"op"`
	Args   json.RawMessage `json:"args,omitempty"`
	Within time.Duration   `json:"within,omitempty"` // for what has to wait
}

// answer is a line from it.
type answer struct {
	ID     int             `json:"id"`
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// ErrHung tells that the caller lives and says nothing any more.
var ErrHung = errors.New("who has started this hangs")

// Serve has do answer what lines from in ask for, each at once, until in ends, which is no
// error, ctx does, or nothing has come for ten seconds. It returns when all that was begun is
// over.
func Serve(ctx context.Context, in io.Reader, out io.Writer, do func(ctx context.Context, op string, args json.RawMessage) (any, error)) error {
	var work sync.WaitGroup
	defer work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan []byte)
	go func() { // ends with in, or with the process: a read can't be given up
		defer close(lines)
		for s := bufio.NewReader(in); ; {
			b, err := s.ReadBytes('\n')
			if err != nil { // half a line asks for nothing
				return
			}
			select {
			case lines <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	hung := time.NewTimer(beatPatience)
	defer hung.Stop()
	var mu sync.Mutex
	to := json.NewEncoder(out)
	for {
		select {
		case b, more := <-lines:
			if !more {
				return nil
			}
			hung.Reset(beatPatience)
			var r request
			if err := json.Unmarshal(b, &r); err != nil {
				return fmt.Errorf("a line that is no request: %w", err)
			}
			if r.Op == opBeat {
				continue
			}
			work.Go(func() {
				a := r.answer(ctx, do)
				mu.Lock()
				defer mu.Unlock()
				_ = to.Encode(a) // who does not read it any more has closed our input as well
			})
		case <-hung.C:
			return ErrHung
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (r request) answer(ctx context.Context, do func(context.Context, string, json.RawMessage) (any, error)) answer {
	a := answer{ID: r.ID}
	if r.Op == opHello {
		return a
	}
	if r.Within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Within)
		defer cancel()
	}
	result, err := do(ctx, r.Op, r.Args)
	if err == nil && result != nil {
		a.Result, err = json.Marshal(result)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}
