package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"brunt/scenarios/run"
)

// interruptible returns a context that ends with the first SIGINT or SIGTERM, and prints say.
// brunt then reverts faults and writes the report; a second signal has no effect.
func interruptible(say string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
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
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
