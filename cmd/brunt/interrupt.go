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

// interruptions counts the requests to end a run: signals, and POST /stop of the live page. The first ends the run, the
// second its teardown.
type interruptions struct {
	mu     sync.Mutex
	n      int
	second chan struct{} // closed by the second
}

// add counts one more, closes the channel at the second, and returns how many there were.
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

// interruptionsOf returns the interruptions that a context of [interruptible] counts; nil for another one.
func interruptionsOf(ctx context.Context) *interruptions {
	i, _ := ctx.Value(interruptionsKey{}).(*interruptions)
	return i
}

// hurry returns the channel that the second interruption closes; nil where nothing counts them.
func hurry(ctx context.Context) <-chan struct{} {
	if i := interruptionsOf(ctx); i != nil {
		return i.second
	}
	return nil
}

// interrupts is printed at the first signal to a run, and hurries at the second: each says what happens now, and what
// the next one does.
const (
	interrupts = "brunt: interrupted: faults are taken back, then teardown and the report follow\n" +
		"brunt: a second Ctrl-C does not wait for teardown"
	hurries = "brunt: interrupted again: teardown ends now; faults are still taken back,\n" +
		"brunt: the target is taken down, and the report is written"
)

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

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		return s.live.Write(p)
	}
	return clean(os.Stderr).Write(p)
}

// interruptible returns a context that ends with the first SIGINT or SIGTERM, and prints say on w.
// brunt then reverts faults and writes the report. The second interruption closes the channel of [hurry]; where it is a
// signal, again is printed, unless it is empty.
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
