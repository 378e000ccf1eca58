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

// interruptions counts the requests to end a run: signals, and POST /stop on the live page. The first ends the run,
// the second ends its teardown.
type interruptions struct {
	mu     sync.Mutex
	n      int
	second chan struct{} // closed at the second request
}

// add counts a request, closes the channel at the second one, and returns the count.
func (i *interruptions) add() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.n++; i.n == 2 {
		close(i.second)
	}
	return i.n
}

// interruptionsKey is the key of a context's interruptions.
type interruptionsKey struct{}

// interruptionsOf returns the interruptions of a context made by [interruptible]; nil for other contexts.
func interruptionsOf(ctx context.Context) *interruptions {
	i, _ := ctx.Value(interruptionsKey{}).(*interruptions)
	return i
}

// hurry returns the channel that the second interruption closes; nil if the context counts none.
func hurry(ctx context.Context) <-chan struct{} {
	if i := interruptionsOf(ctx); i != nil {
		return i.second
	}
	return nil
}

// interrupts is printed at a run's first signal, and hurries at the second. Each describes the effect of this signal,
// and interrupts also that of the next one.
const (
	interrupts = "brunt: interrupted: faults are taken back, then teardown and the report follow\n" +
		"brunt: a second Ctrl-C does not wait for teardown"
	hurries = "brunt: interrupted again: teardown ends now; faults are still taken back,\n" +
		"brunt: the target is taken down, and the report is written"
)

// A screen is the destination of messages. While a run has a live block, messages go above it, so that the block
// stays whole. The zero value writes to the standard error.
type screen struct {
	mu   sync.Mutex
	live io.Writer
}

// show sets the live block of the run in progress; nil if no run is in progress.
func (s *screen) show(live io.Writer) {
	s.mu.Lock()
	s.live = live
	s.mu.Unlock()
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		return s.live.Write(p)
	}
	return clean(os.Stderr).Write(p)
}

// interruptible returns a context that ends with the first SIGINT or SIGTERM, and then prints say to w. brunt then
// reverts faults and writes the report. The second interruption closes the channel of [hurry]. If it is a signal,
// again is printed, unless again is empty.
func interruptible(w io.Writer, say, again string) (context.Context, func()) {
	count := &interruptions{second: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), interruptionsKey{}, count))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				code := 130
				if s == syscall.SIGTERM {
					code = 143
				}
				if line := map[int]string{1: say, 2: again}[count.add()]; line != "" {
					fmt.Fprintln(w, line)
				}
				cancel(run.Interrupt{Code: code})
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
