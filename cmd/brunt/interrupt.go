package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"brunt/scenarios/run"
)

// interruptions counts the requests to end a run: signals, and POST /stop on the live page. The first ends the run,
// the second ends its teardown, and the third brunt itself. A while after the second brunt ends too, whatever it waits
// for.
type interruptions struct {
	quit  func(code int)
	after time.Duration // from the second request to the end

	mu     sync.Mutex
	n      int
	second chan struct{} // closed at the second request
	waits  string        // what brunt waits for
}

// endsAfter is how long brunt goes on after a second request to end.
const endsAfter = 10 * time.Second

// add counts a request, closes the channel at the second one, and returns the count.
func (i *interruptions) add() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.n++; i.n == 2 {
		close(i.second)
	}
	return i.n
}

// waitsFor notes what brunt waits for from now on. A nil i notes nothing.
func (i *interruptions) waitsFor(what string) {
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.waits = what
}

// end ends brunt in the midst of what it does. The watchdog of a run then takes back its faults and its target.
func (i *interruptions) end(w io.Writer, code int) {
	i.mu.Lock()
	what := cmp.Or(i.waits, "its work")
	i.mu.Unlock()
	say(w, fmt.Sprintf("brunt: ended while it waited for %s; what it did not finish is missing from the report.\n"+
		"brunt: the watchdog of a run takes back what is left of it: `brunt status` shows that, and `brunt revert` does it too",
		what))
	i.quit(code)
}

// say prints a line, but does not wait for long: brunt may hang because what it prints is not read.
func say(w io.Writer, line string) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		fmt.Fprintln(w, line)
	}()
	select {
	case <-said:
	case <-time.After(time.Second):
	}
}

// A press is the signal that was counted last.
type press struct {
	signal os.Signal
	at     time.Time
}

// samePress is how long a signal of the same kind repeats the one before: `timeout` and a terminal signal brunt and
// its process group.
const samePress = time.Second

// repeats reports whether a signal repeats the last one. Otherwise it becomes the last one.
func (p *press) repeats(s os.Signal, now time.Time) bool {
	if s == p.signal && now.Sub(p.at) < samePress {
		return true
	}
	*p = press{s, now}
	return false
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
		"brunt: the target is taken down, and the report is written; after 10s, or at a third Ctrl-C, brunt ends"
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

// interruptible returns a context that ends with the first SIGINT or SIGTERM, and then prints first to w. brunt then
// reverts faults and writes the report. The second interruption closes the channel of [hurry]. If it is a signal,
// again is printed, unless again is empty. The third one ends brunt.
func interruptible(w io.Writer, first, again string) (context.Context, func()) {
	count := &interruptions{second: make(chan struct{}), quit: os.Exit, after: endsAfter}
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), interruptionsKey{}, count))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		code, second := 130, (<-chan struct{})(count.second)
		var last press
		var over <-chan time.Time
		for {
			select {
			case s := <-signals:
				if last.repeats(s, time.Now()) {
					continue
				}
				if code = 130; s == syscall.SIGTERM {
					code = 143
				}
				n := count.add()
				if line := map[int]string{1: first, 2: again}[n]; line != "" {
					say(w, line)
				}
				if cancel(run.Interrupt{Code: code}); n > 2 {
					count.end(w, code)
				}
			case <-second:
				second, over = nil, time.After(count.after)
			case <-over:
				count.end(w, code)
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
