package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
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
const hurries = "\nbrunt: interrupted again; ending teardown, the target is still taken down"

// interruptible returns a context that ends with the first SIGINT or SIGTERM, and prints say.
// brunt then reverts faults and writes the report. A second signal prints again and closes the channel of
// [hurry]; it has no effect where again is empty.
func interruptible(say, again string) (context.Context, func()) {
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
				fmt.Fprintln(os.Stderr, say)
			}
			cancel(run.Interrupt{Code: code})
		case <-done:
			return
		}
		select {
		case <-signals:
			if again != "" {
				fmt.Fprintln(os.Stderr, again)
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
