package demo

import (
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	rate = 200
	sec  = time.Second
)

// brief returns the first n rows of a table in -short mode, because a drill takes seconds under the
// race detector.
func brief[T any](rows []T, n int) []T {
	if testing.Short() {
		return rows[:n]
	}
	return rows
}

// TestKill kills one of two replicas of posts for 1.2 s, like a crash with a restart.
func TestKill(t *testing.T) {
	tests := []struct {
		name      string
		config    Config
		low, high float64 // share of errors while the replica is down
		slowest   time.Duration
	}{
		{"all defences on: no effect", Config{}, 0, 0, 100 * time.Millisecond},
		{"no ejection, no retries: every other request", Config{Ejection: off(), Retries: off()}, 0.45, 0.55, 0},
		{
			"no defence at all: every other request",
			Config{Ejection: off(), Retries: off(), Breaker: off(), Timeouts: off()},
			0.45, 0.55, 0,
		},
		{"no retries: what meets it before it is ejected", Config{Retries: off()}, 0.001, 0.02, 0},
		{"no ejection: breaker and retries cover", Config{Ejection: off()}, 0, 0, 100 * time.Millisecond},
		{"no ejection, no breaker: the retry budget runs out", Config{Ejection: off(), Breaker: off()}, 0.1, 0.45, 0},
	}
	for _, tt := range brief(tests, 2) {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				e := s.net.edge("gateway[0]", "posts[1]")
				at(1*sec, e.kill)
				at(2200*time.Millisecond, e.revive)
				answers := s.load(rate, 4*sec, "/posts?page=3", 5*sec)
				if w := wrong(between(answers, 0, 1*sec)); w != 0 {
					t.Errorf("%.3f failed before the kill", w)
				}
				if w := wrong(between(answers, 1*sec, 2200*time.Millisecond)); w < tt.low || w > tt.high {
					t.Errorf("%.3f failed while the replica was away, want %v to %v", w, tt.low, tt.high)
				}
				if w := wrong(between(answers, 3400*time.Millisecond, 4*sec)); w != 0 {
					t.Errorf("%.3f failed after it was back", w)
				}
				if p := quantile(answers, 1); tt.slowest > 0 && p > tt.slowest {
					t.Errorf("slowest answer %v, want at most %v", p, tt.slowest)
				}
			})
		})
	}
}

// TestFreeze stops one of two replicas of posts for 2.5 s, like SIGSTOP.
func TestFreeze(t *testing.T) {
	const thaw = 4500 * time.Millisecond
	run := func(t *testing.T, c Config) []answer {
		s := start(t, c)
		frozen := s.net.into("posts[1]")
		if len(frozen) == 0 {
			frozen = []*edge{s.net.edge("gateway[0]", "posts[1]")}
		}
		at(2*sec, func() {
			for _, e := range frozen {
				e.hold()
			}
		})
		at(thaw, func() {
			for _, e := range frozen {
				e.release()
			}
		})
		return s.load(rate, 6*sec, "/posts?page=3", 10*sec)
	}
	tests := []struct {
		name   string
		config Config
		check  func(t *testing.T, answers []answer)
	}{
		{"all defences on: a second for those it met, then nothing", Config{}, func(t *testing.T, answers []answer) {
			if w := wrong(answers); w != 0 {
				t.Errorf("%.3f failed, want none", w)
			}
			if p := quantile(answers, 1); p > 1100*time.Millisecond {
				t.Errorf("slowest answer %v, want a timeout and a retry", p)
			}
			if p := quantile(between(answers, 2800*time.Millisecond, 6*sec), 1); p > 50*time.Millisecond {
				t.Errorf("slowest answer %v after ejection", p)
			}
		}},
		{"no ejection: the breaker opens after the timeouts", Config{Ejection: off()}, func(t *testing.T, answers []answer) {
			if p := quantile(between(answers, 2800*time.Millisecond, 2900*time.Millisecond), 1); p < sec {
				t.Errorf("slowest answer %v, want a timeout: no check of the replica's health", p)
			}
			// Once the breaker is open, only its probes reach the replica.
			if p := quantile(between(answers, 3500*time.Millisecond, thaw), 0.99); p > 50*time.Millisecond {
				t.Errorf("p99 is %v with the breaker open", p)
			}
		}},
		{"no timeouts: those it met wait for it", Config{Timeouts: off()}, func(t *testing.T, answers []answer) {
			if p := quantile(between(answers, 2*sec, 2100*time.Millisecond), 1); p < 2400*time.Millisecond {
				t.Errorf("slowest answer %v, want the length of the freeze", p)
			}
			if p := quantile(between(answers, 2800*time.Millisecond, thaw), 1); p > 50*time.Millisecond {
				t.Errorf("slowest answer %v after ejection", p)
			}
		}},
		{
			"no timeouts, no ejection: every other one waits",
			Config{Timeouts: off(), Ejection: off()},
			func(t *testing.T, answers []answer) {
				slow := 0
				frozen := between(answers, 2*sec, 3500*time.Millisecond)
				for _, a := range frozen {
					if a.took > 900*time.Millisecond {
						slow++
					}
				}
				if share := float64(slow) / float64(len(frozen)); share < 0.45 || share > 0.55 {
					t.Errorf("%.2f waited for the frozen replica, want half", share)
				}
			},
		},
	}
	for _, tt := range brief(tests, 1) {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.check(t, run(t, tt.config)) })
		})
	}
}

// TestSlowStore delays the link from posts to the store.
func TestSlowStore(t *testing.T) {
	tests := []struct {
		name       string
		config     Config
		delay      time.Duration // in each direction
		wrong      bool
		fast, slow time.Duration // bounds of all response times
	}{
		{
			"200 ms only makes reads slower",
			Config{},
			100 * time.Millisecond, false, 200 * time.Millisecond,
			250 * time.Millisecond,
		},
		{"200 ms each way, too", Config{}, 200 * time.Millisecond, false, 400 * time.Millisecond, 450 * time.Millisecond},
		{"slower than the timeout", Config{}, 600 * time.Millisecond, true, 0, 3 * sec},
		{
			"slower than the timeout would be, without one",
			Config{Timeouts: off()},
			600 * time.Millisecond, false,
			1200 * time.Millisecond, 1300 * time.Millisecond,
		},
	}
	for _, tt := range brief(tests, 2) {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				for _, unit := range []string{"posts[0]", "posts[1]"} {
					s.net.edge(unit, "store[0]").slow(tt.delay)
				}
				answers := s.load(100, 2*sec, "/posts/17", 5*sec)
				if w := wrong(answers); (w > 0) != tt.wrong {
					t.Errorf("%.3f failed", w)
				}
				if f, l := quantile(answers, 0), quantile(answers, 1); f < tt.fast || l > tt.slow {
					t.Errorf("answers took %v to %v, want %v to %v", f, l, tt.fast, tt.slow)
				}
			})
		})
	}
}

// TestSplitUsers cuts the link from the gateway to users for 3 s.
func TestSplitUsers(t *testing.T) {
	tests := []struct {
		name     string
		config   Config
		p95      time.Duration // while the link is cut, at most
		atLeast  time.Duration // for all requests; 0: not checked
		answered bool
	}{
		{"all defences on: bare ids, quickly", Config{}, 110 * time.Millisecond, 0, true},
		{
			"no breaker: each read waits for the timeout",
			Config{Breaker: off()},
			110 * time.Millisecond,
			100 * time.Millisecond, true,
		},
		{"no timeouts: reads hang", Config{Timeouts: off()}, 5 * sec, sec, false},
	}
	for _, tt := range brief(tests, 1) {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				e := s.net.edge("gateway[0]", "users[0]")
				at(1*sec, e.hold)
				at(4*sec, e.release)
				answers := s.load(rate, 6*sec, "/posts?page=7", sec)
				cut := between(answers, sec+time.Millisecond, 3*sec)
				if tt.answered != (wrong(cut) == 0) {
					t.Errorf("%.3f failed while it was cut", wrong(cut))
				}
				if p := quantile(cut, 0.95); p > tt.p95 {
					t.Errorf("p95 is %v, want at most %v", p, tt.p95)
				}
				if f := quantile(cut, 0); f < tt.atLeast {
					t.Errorf("fastest answer %v, want at least %v", f, tt.atLeast)
				}
				// Half a second later the breaker is open: only its probes still wait.
				if settled := between(answers, 1500*time.Millisecond, 3*sec); reflect.DeepEqual(tt.config, Config{}) {
					if p := quantile(settled, 0.95); p > 10*time.Millisecond {
						t.Errorf("p95 is %v with the breaker open", p)
					}
				}
				for _, a := range cut {
					if a.status == 200 && strings.Contains(a.body, `"name"`) {
						t.Fatalf("names while users was cut: %s", a.body)
					}
				}
				for _, a := range append(between(answers, 0, 900*time.Millisecond),
					between(answers, 5500*time.Millisecond, 6*sec)...) {
					if a.status != 200 || strings.Count(a.body, `"name"`) != 10 {
						t.Fatalf("at %v: %d %s", a.at, a.status, a.body)
					}
				}
			})
		})
	}
}

// TestSplitStore cuts the link from one of two replicas of posts to the store: that replica is
// healthy, but all its responses are errors. The load runs for some seconds before, because the
// retry budget grows with the number of requests.
func TestSplitStore(t *testing.T) {
	if testing.Short() {
		t.Skip("six seconds of load")
	}
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		e := s.net.edge("posts[1]", "store[0]")
		at(3*sec, e.hold)
		answers := s.load(rate, 6*sec, "/posts?page=3", 5*sec)
		if w := wrong(answers); w > 0.01 {
			t.Errorf("%.4f failed, want under 0.01", w)
		}
		if p := quantile(between(answers, 5*sec, 6*sec), 0.99); p > 50*time.Millisecond {
			t.Errorf("p99 is %v once the breaker is open", p)
		}
	})
}
