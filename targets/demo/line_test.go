package demo

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestLine: ten requests at once leave a line of 100 a second one after the other, 10 ms apart.
func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began, done := newLine(100), time.Now(), make(chan time.Duration, 10)
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
		if err := newLine(0).wait(gone); err != nil {
			t.Errorf("without a rate a request waits: %v", err)
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
