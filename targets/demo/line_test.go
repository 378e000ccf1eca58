package demo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestLine: ten requests at once leave a line of 100 a second one after the other, 10 ms apart.
func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began, done := newLine(100, 0), time.Now(), make(chan time.Duration, 10)
		for range 10 {
			go func() {
				if err := l.wait(t.Context()); err != nil {
					t.Error(err)
				}
				done <- time.Since(began)
			}()
		}
		for i := range 10 {
			if got, want := <-done, time.Duration(i+1)*10*time.Millisecond; got != want {
				t.Errorf("request %d is served after %s, want %s", i+1, got, want)
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.wait(gone); err == nil {
			t.Error("a caller that is gone is served")
		}
		if err := newLine(0, 0).wait(gone); err != nil {
			t.Errorf("without a rate a request waits: %v", err)
		}
	})
}

// TestLine_Bound: of ten requests at once, a line with a bound of four serves one, lets four wait, and refuses the
// rest. Without a bound, it serves ten requests whose callers are gone before the next one.
func TestLine_Bound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		l, refused := newLine(100, 4), 0
		for range 10 {
			if errors.Is(l.wait(gone), poolFull) {
				refused++
			}
		}
		if refused != 5 {
			t.Errorf("%d of 10 requests are refused, want 5", refused)
		}
		l = newLine(100, 0)
		for range 10 {
			if err := l.wait(gone); !errors.Is(err, context.Canceled) {
				t.Errorf("a caller that is gone gets %v", err)
			}
		}
		began := time.Now()
		if err := l.wait(t.Context()); err != nil || time.Since(began) != 110*time.Millisecond {
			t.Errorf("a request behind ten whose callers are gone is served after %s: %v", time.Since(began), err)
		}
	})
}

// TestConfig_Rate: each replica of posts gets the rate of the scenario, and refuses one that is no number.
func TestConfig_Rate(t *testing.T) {
	for _, s := range (Config{Posts: Scale{Rate: 60}}).Services() {
		if got := s.Env["DEMO_RATE"]; (got == "60") != (s.Name == postsName) {
			t.Errorf("%s has the rate %q", s.Name, got)
		}
	}
	e := environment{getenv: func(string) string { return "much" }}
	if e.rate("DEMO_RATE"); e.err() == nil {
		t.Error("a rate that is no number is taken")
	}
}
