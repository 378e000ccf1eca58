package target_test

import (
	"context"
	"errors"
	"testing"

	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/target"
)

// TestSystem_ReadyInterrupted: an interrupt of the wait for a target is reported as such, not as a
// timeout.
func TestSystem_ReadyInterrupted(t *testing.T) {
	plan, err := plantest.CompileText(`
version: 1
target: {url: "http://127.0.0.1:1", ready: {within: 20s}}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}}
`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	s := target.New(&target.Host{Plan: plan, Log: events.New(events.Options{})})
	interrupt := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupt)
	for range 50 { // both the run and the wait are over
		if err := s.Up(ctx); !errors.Is(err, interrupt) {
			t.Fatal(err)
		}
	}
}
