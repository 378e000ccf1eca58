package demo

import (
	"context"
	"testing"
	"time"
)

// System is SocialConnect on an in-memory network, for tests of other packages' parts over it.
type System = system

// Start runs the services of c until the test ends. It must be called in a bubble.
func Start(t *testing.T, c Config) *System {
	t.Helper()
	return start(t, c)
}

// Answer sends one request to a unit. The status is 0 without an answer.
func (s *system) Answer(ctx context.Context, unit, method, path, body string, header ...string) (status int, text string) {
	a := s.askUnit(ctx, unit, method, path, body, header...)
	return a.status, a.body
}

// Break breaks the links from units to others; without from, all into those. How is kill, hold or slow; undo takes it back.
func (s *system) Break(how string, from, to []string, d time.Duration) (undo func()) {
	var edges []*edge
	for _, b := range to {
		if len(from) == 0 {
			edges = append(edges, s.net.into(b)...)
		}
		for _, a := range from {
			edges = append(edges, s.net.edge(a, b))
		}
	}
	for _, e := range edges {
		switch how {
		case "kill":
			e.kill()
		case "hold":
			e.hold()
		default:
			e.slow(d)
		}
	}
	return func() {
		for _, e := range edges {
			switch how {
			case "kill":
				e.revive()
			case "hold":
				e.release()
			default:
				e.slow(0)
			}
		}
	}
}
