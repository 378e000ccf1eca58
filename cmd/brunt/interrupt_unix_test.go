//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/run"
	"brunt/scenarios/suite"
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

// TestInterruptible_Ends: the third request ends brunt at once, the second a while later, and both say what brunt
// waited for.
func TestInterruptible_Ends(t *testing.T) {
	for _, c := range []struct {
		name    string
		signals []syscall.Signal
		after   time.Duration
	}{
		{"third", []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGTERM}, time.Hour},
		{"second", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out screen
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			out.show(w)
			ctx, stop := interruptible(&out, "", "")
			defer stop()
			ended := make(chan int, 2)
			count := interruptionsOf(ctx)
			count.quit, count.after = func(code int) { ended <- code }, c.after
			count.waitsFor("the load")
			for i, s := range c.signals {
				if err := syscall.Kill(os.Getpid(), s); err != nil {
					t.Fatal(err)
				}
				suite.Until(t, "a signal to be counted", func() bool {
					count.mu.Lock()
					defer count.mu.Unlock()
					return count.n > i
				})
			}
			if code := <-ended; code != 143 {
				t.Errorf("it ended with %d", code)
			}
			_ = w.Close()
			if text, _ := io.ReadAll(r); !strings.Contains(string(text), "while it waited for the load") {
				t.Errorf("it said %q", text)
			}
		})
	}
}

// TestPress: a signal of the same kind within a second of the one that counted is the same request.
func TestPress(t *testing.T) {
	var p press
	began := time.Now()
	for i, c := range []struct {
		signal  os.Signal
		at      time.Duration
		repeats bool
	}{
		{syscall.SIGTERM, 0, false},
		{syscall.SIGTERM, 900 * time.Millisecond, true},
		{syscall.SIGTERM, 1100 * time.Millisecond, false},
		{syscall.SIGTERM, 2000 * time.Millisecond, true},
		{syscall.SIGINT, 2000 * time.Millisecond, false},
	} {
		if got := p.repeats(c.signal, began.Add(c.at)); got != c.repeats {
			t.Errorf("signal %d repeats: %v", i, got)
		}
	}
}
