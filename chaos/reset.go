package chaos

import (
	"context"
	"errors"
	"fmt"

	"brunt/chaos/proxy"
	"brunt/scenarios"
)

// Reset resets every connection that is open on a link, on both sides. New ones
// work.
type Reset struct {
	Edge `yaml:",inline"`
}

var (
	_ Fault   = (*Reset)(nil)
	_ OneShot = (*Reset)(nil)
)

// OneShot implements [OneShot].
func (*Reset) OneShot() bool { return true }

// Check implements [Fault].
func (f *Reset) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) { f.check(at, sc, m) }

// Plan implements [Fault].
func (f *Reset) Plan(ctx context.Context, env Env) ([]Step, error) {
	return toxicPlan(ctx, &f.Edge, env, &toxic{
		what: "reset all connections", toxic: proxy.Reset{}, watch: true, undone: answers,
		prove: func(ctx context.Context, _ *Link, before *proxy.Line) (string, error) {
			if before == nil {
				return "", errors.New("no connection could be opened before it, as another fault is on the link")
			}
			if got := fate(ctx, before); got != proxy.WasReset {
				return "", fmt.Errorf("%w: a connection that was open before is %s", errNoEffect, got)
			}
			return "a connection that was open before is reset", nil
		},
	})
}
