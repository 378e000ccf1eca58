package run_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/run"
)

// TestTeardownContext checks that teardown goes on after an interrupt, and ends after its limit, or at once when it is
// hurried.
func TestTeardownContext(t *testing.T) {
	for _, c := range []struct {
		name, want string
		hurry      bool
		takes      time.Duration
	}{
		{"its limit", "all of it may take 10m", false, 10 * time.Minute},
		{"a second signal", "a second signal ended it", true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				interrupted, stop := context.WithCancel(context.Background())
				stop()
				hurry := make(chan struct{})
				began := time.Now()
				ctx, end := run.TeardownContext(interrupted, 10*time.Minute, hurry)
				defer end()
				if c.hurry {
					close(hurry)
				}
				<-ctx.Done()
				if got := context.Cause(ctx).Error(); got != c.want || time.Since(began) != c.takes {
					t.Errorf("%q after %s, want %q after %s", got, time.Since(began), c.want, c.takes)
				}
			})
		})
	}
}

// TestTeardownLimit checks that commands with long timeouts of their own are not cut short.
func TestTeardownLimit(t *testing.T) {
	const rest = "target: {url: \"http://127.0.0.1:8080\"}\nload: {main: {executor: constant-arrival-rate, rate: 10/s, " +
		"duration: 60s, flow: [{get: /}]}}\n"
	for _, c := range []struct {
		name, teardown string
		want           time.Duration
	}{
		{"requests", "[{get: /}]", 10 * time.Minute},
		{"a few commands", "[{command: a}, {command: b, timeout: 3m}]", 10 * time.Minute},
		{"long commands", "[{command: a, timeout: 25m}, {get: /}, {command: b}]", 26*time.Minute + scenarios.DefaultTimeout},
		{"pauses", "[{command: a}, {think: 3m}, {get: /}, {think: 1m..12m}]", 16*time.Minute + scenarios.DefaultTimeout},
		{"many requests", "[{get: /}" + strings.Repeat(", {get: /}", 89) + "]", 15 * time.Minute},
	} {
		p, err := plantest.CompileText("version: 1\nteardown: " + c.teardown + "\n" + rest)
		if err != nil {
			t.Fatalf("%s: %s", c.name, plantest.Explained(err))
		}
		if got := p.TeardownLimit(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
