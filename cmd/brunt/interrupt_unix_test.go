//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"brunt/scenarios/run"
)

// TestInterruptible: the first signal ends the context, and only the second closes the channel of hurry.
func TestInterruptible(t *testing.T) {
	ctx, stop := interruptible(new(screen), "", "again")
	defer stop()
	for i, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		select {
		case <-hurry(ctx):
			t.Fatalf("closed by %d signals", i)
		default:
		}
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
	}
	<-hurry(ctx)
	if by, ok := errors.AsType[run.Interrupt](context.Cause(ctx)); !ok || by.Code != 143 {
		t.Errorf("the context ended by %v", context.Cause(ctx))
	}
}

// TestInterruptions: a stop by the page counts as a signal does, so that one signal after it ends the teardown.
func TestInterruptions(t *testing.T) {
	ctx, stop := interruptible(new(screen), "", "again")
	defer stop()
	if n := interruptionsOf(ctx).add(); n != 1 || ctx.Err() != nil {
		t.Fatalf("%d interruptions, context %v", n, ctx.Err())
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-hurry(ctx)
	<-ctx.Done()
	if n := interruptionsOf(ctx).add(); n != 3 {
		t.Errorf("%d interruptions, want 3", n)
	}
}
