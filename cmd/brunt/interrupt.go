package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"brunt/scenarios/run"
)

// hurryKey is the key of a context's channel that the second signal closes.
type hurryKey struct{}

// hurry returns the channel that the second signal closes; nil where a second signal has no effect.
func hurry(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(hurryKey{}).(chan struct{})
	return c
}

// hurries is printed at the second signal to a run.
const hurries = "brunt: interrupted again; ending teardown, the target is still taken down"

// A screen is where messages go: above the live block of a run while there is one, so that it stays whole. The
// zero value writes to the standard error.
type screen struct {
	mu   sync.Mutex
	live io.Writer
}

// show names the live block of the run that goes on; nil: there is none.
func (s *screen) show(live io.Writer) {
	s.mu.Lock()
	s.live = live
	s.mu.Unlock()
}

// Write implements [io.Writer].
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		return s.live.Write(p)
	}
	return os.Stderr.Write(p)
}

// interruptible returns a context that ends with the first SIGINT or SIGTERM, and prints say on w.
// brunt then reverts faults and writes the report. A second signal prints again and closes the channel of
// [hurry]; it has no effect where again is empty.
func interruptible(w io.Writer, say, again string) (context.Context, func()) {
	second := make(chan struct{})
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), hurryKey{}, second))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			code := 130
			if s == syscall.SIGTERM {
				code = 143
			}
			if say != "" {
				fmt.Fprintln(w, say)
			}
			cancel(run.Interrupt{Code: code})
		case <-done:
			return
		}
		select {
		case <-signals:
			if again != "" {
				fmt.Fprintln(w, again)
				close(second)
			}
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
