package rpc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"brunt/scenarios/disk"
)

// A client sends heartbeats. An open pipe alone does not prove that the client works: a stopped client keeps its end
// open.
const (
	heartbeatEvery = time.Second

	// HeartbeatPatience is the time without input after which an agent reverts everything and exits.
	HeartbeatPatience = 10 * heartbeatEvery
)

// Operations that both ends handle themselves.
const (
	opHello     = "hello"
	opHeartbeat = "beat"
)

// request is a line from the client to the agent.
type request struct {
	ID     int             `json:"id"`
	Op     string          `json:"op"`
	Args   json.RawMessage `json:"args,omitempty"`
	Within time.Duration   `json:"within,omitempty"` // time limit of the operation
}

// response is a line from the agent to the client.
type response struct {
	ID     int             `json:"id"`
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// errCallerHung reports that the client is alive but has stopped sending heartbeats.
var errCallerHung = errors.New("the brunt process that started this agent hangs")

// A Server answers requests.
type Server struct {
	Operations Operations
	// Patient says that a silent client, such as a stopped one, does not end the server.
	Patient bool
}

// Serve serves with a [Server] that is not Patient.
func Serve(ctx context.Context, in io.Reader, out io.Writer, do Operations) error {
	return (&Server{Operations: do}).Serve(ctx, in, out)
}

// Serve executes the operation of each request from in, concurrently, and writes the results to out. It returns nil
// when in ends, the cause when ctx ends, and [errCallerHung] when nothing has arrived for ten seconds.
// It returns after all operations have returned.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var work sync.WaitGroup
	defer work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan []byte)
	go func() { // ends with in or with the process: a read cannot be cancelled
		defer close(lines)
		for r := bufio.NewReader(in); ; {
			b, err := disk.Line(r, longest)
			if err != nil { // an incomplete line is not a request
				return
			}
			select {
			case lines <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	hung := NewPatience(HeartbeatPatience)
	defer hung.Stop()
	var mu sync.Mutex
	to := json.NewEncoder(out)
	for {
		select {
		case b, more := <-lines:
			if !more {
				return nil
			}
			hung.Again()
			var r request
			if err := json.Unmarshal(b, &r); err != nil {
				return fmt.Errorf("malformed request: %w", err)
			}
			work.Go(func() {
				a := r.respond(ctx, s.Operations)
				mu.Lock()
				defer mu.Unlock()
				_ = to.Encode(a) // a client that no longer reads has closed our input as well
			})
		case <-hung.C:
			if !s.Patient && hung.Over() {
				return errCallerHung
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (r request) respond(ctx context.Context, do Operations) response {
	a := response{ID: r.ID}
	if r.Op == opHello || r.Op == opHeartbeat {
		return a
	}
	if r.Within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Within)
		defer cancel()
	}
	result, err := do.Do(ctx, r.Op, r.Args)
	if err == nil && result != nil {
		a.Result, err = json.Marshal(result)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}
