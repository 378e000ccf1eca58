package targets_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// TestStages_Between: each of several requests that wait for one connection gets its own part of the attempt.
func TestStages_Between(t *testing.T) {
	const ms = time.Millisecond
	var now time.Duration
	s := targets.NewStages(func() time.Duration { return now })
	for _, e := range []struct {
		at    time.Duration
		enter scenarios.RequestPhase
	}{
		{10 * ms, scenarios.InDNS}, {15 * ms, scenarios.InConnect}, {35 * ms, scenarios.InTLS}, {65 * ms, scenarios.InLogin},
	} {
		now = e.at
		s.Enter(e.enter)
	}
	s.SentAgain(2)
	now = 70 * ms
	underWay := s.Between(30*ms, 70*ms)
	now = 72 * ms
	s.Leave()
	for _, c := range []struct {
		name     string
		from, to time.Duration
		want     scenarios.Opening
	}{
		{"first", 10 * ms, 72 * ms, scenarios.Opening{DNS: 5 * ms, Connect: 20 * ms, TLS: 30 * ms, Login: 7 * ms, Resent: 2}},
		{"joins in TLS", 40 * ms, 100 * ms, scenarios.Opening{TLS: 25 * ms, Login: 7 * ms}},
		{"gives up in connect", 12 * ms, 20 * ms, scenarios.Opening{DNS: 3 * ms, Connect: 5 * ms, Resent: 2}},
		{"comes after it", 72 * ms, 100 * ms, scenarios.Opening{}},
	} {
		if got := s.Between(c.from, c.to); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if want := (scenarios.Opening{Connect: 5 * ms, TLS: 30 * ms, Login: 5 * ms, Resent: 2}); underWay != want {
		t.Errorf("under way: %+v, want %+v", underWay, want)
	}
	var none *targets.Stages
	none.Enter(scenarios.InTLS)
	none.Leave()
}
