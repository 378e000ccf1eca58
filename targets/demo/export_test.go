package demo

import (
	"context"
	"net/http"
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

// StartParsed is Start on a network that knows requests, for [System.Requests].
func StartParsed(t *testing.T, c Config) *System {
	t.Helper()
	n := newNetwork()
	n.requests = true
	return startOn(t, c, n)
}

// Ask sends one request to a unit. The status is 0 without an answer.
func (s *system) Ask(
	ctx context.Context, unit, method, path, body string, header ...string,
) (status int, text string, answered http.Header) {
	a := s.askUnit(ctx, unit, method, path, body, header...)
	return a.status, a.body, a.header
}

// Answer sends one request to a unit. The status is 0 without an answer.
func (s *system) Answer(
	ctx context.Context, unit, method, path, body string, header ...string,
) (status int, text string) {
	a := s.askUnit(ctx, unit, method, path, body, header...)
	return a.status, a.body
}

// Requests decides about the requests on the links from units to others, until undo.
func (s *system) Requests(from, to []string, effect func(method, path string) RequestEffect) (undo func()) {
	set := func(effect func(method, path string) RequestEffect) {
		for _, a := range from {
			for _, b := range to {
				e := s.net.edge(a, b)
				e.mu.Lock()
				e.effect = effect
				e.mu.Unlock()
			}
		}
	}
	set(effect)
	return func() { set(nil) }
}

// Crash ends units as a signal does, without what they held; restart starts them again.
func (s *system) Crash(units []string) (restart func()) {
	var all []func()
	for _, u := range units {
		all = append(all, s.crash(u))
	}
	return func() {
		for _, f := range all {
			f()
		}
	}
}

// Stop ends units in good order; restart starts them again.
func (s *system) Stop(units []string) (restart func()) {
	for _, u := range units {
		s.stop[u]()
	}
	return func() {
		for _, u := range units {
			s.lives[u] = s.launch[u]()
		}
	}
}

// Exhaust lets units open no descriptor, until undo. It shows what their callers see of it: the descriptors themselves
// are not there.
func (s *system) Exhaust(units []string) (undo func()) {
	var all []func()
	for _, u := range units {
		all = append(all, s.net.exhaust(u))
	}
	return func() {
		for _, f := range all {
			f()
		}
	}
}

// Break breaks the links from units to others; without from, all into those. How is kill, hold or slow; undo takes it
// back.
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
