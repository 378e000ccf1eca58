package workers

import (
	"context"
	"io"
	"time"

	"brunt/scenarios/result"
)

// A Hirer starts workers somewhere.
type Hirer interface {
	// Hire starts n workers: all of them, or it returns an error that says which are missing and why. The end of ctx
	// ends it.
	Hire(ctx context.Context, n int) ([]Post, error)
	// Dismiss removes the rest of the workers when they have ended.
	Dismiss() error
}

// A Post is a worker that was started. It is also this end of the conversation with the worker.
type Post interface {
	io.ReadWriteCloser
	CloseWrite() error
	Name() string            // such as "pid 12"
	Describe(*result.Worker) // fills in where it runs
	Ended() <-chan struct{}  // closed when it has ended
	Why() error              // how it ended; nil if in order
	Kill()                   // ends it at once, and waits until it has ended
}

// Terms are the terms between a run and its workers. The zero value is for processes of this machine.
type Terms struct {
	// the workers run elsewhere, without the files, the environment and the clock of this machine
	Remote bool
	// how long a worker makes load without contact to the run, and how long the run waits for it at the end; zero
	// means 10 s
	Patience time.Duration
	Skew     time.Duration // for workers elsewhere: maximum error and uncertainty of their clocks
	Stop     bool          // the loss of a worker ends the run
}
