package workers

import (
	"context"
	"io"
	"time"

	"brunt/scenarios/result"
)

// A Hirer starts workers somewhere.
type Hirer interface {
	// Hire starts n workers: all of them, or an error that says which lack and why. Ctx ends it.
	Hire(ctx context.Context, n int) ([]Post, error)
	// Dismiss removes what is left of them, once they have ended.
	Dismiss() error
}

// A Post is a worker that was started. It is this end of the conversation with it, too.
type Post interface {
	io.ReadWriteCloser
	CloseWrite() error
	Name() string            // as "pid 12"
	Describe(*result.Worker) // fills in where it runs
	Ended() <-chan struct{}  // closed when it has ended
	Why() error              // how it ended; nil: in order
	Kill()                   // ends it at once, and waits until it has ended
}

// Terms are what a run and its workers agree on; the zero value is that of processes of this machine.
type Terms struct {
	// they run elsewhere: they have neither the files nor the environment nor the clock of this machine
	Remote bool
	// how long a worker makes load without a word from the run, and the run waits for it in the end; zero: 10 s
	Patience time.Duration
	Skew     time.Duration // of workers elsewhere: by how much their clock may be unknown
	Stop     bool          // the loss of a worker ends the run
}
