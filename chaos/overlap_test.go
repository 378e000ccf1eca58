//go:build unix

package chaos_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"brunt/chaos/chaostest"
)

// TestFaultsThatOverlap injects two faults on one link. The first must not prevent the injection of
// the second, nor the proof that the second is gone.
func TestFaultsThatOverlap(t *testing.T) {
	const slow = "network.latency: {from: web, to: store, delay: 80ms}"
	for _, c := range []struct {
		below, above string
		seen         bool // the second is verified through the first
	}{
		{slow, "network.latency: {from: web, to: store, delay: 20ms}", true},
		{slow, "network.bandwidth: {from: web, to: store, rate: 10Mbit/s}", true},
		{slow, "tcp.slow_close: {from: web, to: store, delay: 100ms}", true},
		{slow, "tcp.limit: {from: web, to: store, bytes: 1KiB}", true},
		{slow, "tcp.slicer: {from: web, to: store, size: 100, delay: 2ms}", true},
		{"tcp.slow_close: {from: web, to: store, delay: 100ms}", "tcp.limit: {from: web, to: store, bytes: 1KiB}", true},
		{"tcp.slicer: {from: web, to: store, size: 100, delay: 2ms}", "http.error: {from: web, to: store}", true},
		{
			"tcp.slicer: {from: web, to: store, size: 100, delay: 2ms}",
			"network.bandwidth: {from: web, to: store, rate: 64KiB/s}", true,
		},
		{"network.stall: {from: web, to: store}", "tcp.limit: {from: web, to: store, bytes: 1KiB}", false},
		{slow, "http.error: {from: web, to: store}", true},
		{slow, "http.rewrite: {from: web, to: store, answer: {status: 500}}", true},
		{
			"http.rewrite: {from: web, to: store, answer: {status: 500}}",
			"http.rewrite: {from: web, to: store, request: {path: /new}}", true,
		},
		{"http.rewrite: {from: web, to: store, answer: {status: 500}}", "http.error: {from: web, to: store}", true},
		{
			"tcp.slicer: {from: web, to: store, size: 100, delay: 2ms}",
			"http.rewrite: {from: web, to: store, answer: {body: new}}", true,
		},
		{slow, "http.delay: {from: web, to: store, delay: 20ms}", true},
		{slow, "network.partition: {from: web, to: store, mode: reject}", true},
		{"network.stall: {from: web, to: store}", "network.partition: {from: web, to: store}", true},
		{"network.stall: {from: web, to: store}", "network.reset: {from: web, to: store}", false},
		{
			"network.partition: {from: web, to: store, mode: reject}", "network.partition: {from: web, to: store, mode: reject}",
			true,
		},
		{"network.blackhole: {from: web, to: store}", "http.error: {from: web, to: store}", false},
	} {
		t.Run(c.below+" "+c.above, func(t *testing.T) {
			t.Parallel()
			w := link(true)(t, true)
			out := injectIn(t, c.below, w)
			steps := chaostest.Plan(t, c.above, w)
			began := time.Now()
			held, err := steps[0].Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("injecting took %s", took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if evidence, err := held.Verify(ctx); (err == nil) != c.seen {
				t.Errorf("verified %q, %v; want it seen: %v", evidence, err, c.seen)
			}
			if _, err := held.Revert(t.Context()); err != nil {
				t.Fatal(err)
			}
			began = time.Now()
			if _, err := held.Gone(t.Context()); err != nil {
				t.Errorf("gone: %v", err)
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("found gone after %s", took)
			}
			out()
		})
	}
}

// The first fault may end while the second waits for a connection through it.
func TestFaultBelowEndsMeanwhile(t *testing.T) {
	t.Parallel()
	w := link(false)(t, true)
	out := injectIn(t, "network.stall: {from: web, to: store}", w)
	step := chaostest.Plan(t, "network.partition: {from: web, to: store}", w)[0]
	over := make(chan struct{})
	time.AfterFunc(900*time.Millisecond, func() {
		defer close(over)
		out()
	})
	held, err := step.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	<-over
	if evidence, err := held.Verify(t.Context()); err != nil {
		t.Errorf("%q, %v", evidence, err)
	}
	if _, err := held.Revert(t.Context()); err != nil {
		t.Error(err)
	}
}

// A fault that stays for less time than its delay is still verified: nothing is answered while it is
// injected. Without effect it is not verified.
func TestShortStay(t *testing.T) {
	t.Parallel()
	for _, yaml := range []string{
		"network.latency: {from: web, to: store, delay: 30s}", "http.delay: {from: web, to: store, delay: 30s}",
		"network.stall: {from: web, to: store}",
	} {
		for _, effective := range []bool{true, false} {
			w := link(true)(t, effective)
			held, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			evidence, err := held.Verify(ctx)
			cancel()
			if (err == nil) != effective {
				t.Errorf("%s, effective %v: %q, %v", yaml, effective, evidence, err)
			}
			if _, err := held.Revert(t.Context()); err != nil {
				t.Error(err)
			}
			if evidence, err := held.Gone(t.Context()); err != nil {
				t.Errorf("%s: %q, %v", yaml, evidence, err)
			}
		}
	}
}

// TestSettingsThatAreRefused checks that mistakes are reported before anything starts.
func TestSettingsThatAreRefused(t *testing.T) {
	w := link(true)(t, true)
	w.Scope.Services["web"] = 2
	for yaml, want := range map[string]string{
		"process.crash: {service: web, signal: STOP}":                                                      "SIGSTOP ends no process",
		"process.crash: {service: web, signal: CONT}":                                                      "SIGCONT ends no process",
		"process.crash: {service: web, signal: SIGTERM}":                                                   `no signal "SIGTERM"`,
		"process.crash: {pid: 12345}":                                                                      "nothing starts process 12345 again",
		"process.restart: {pid: 12345, grace: 1s}":                                                         "can't start process 12345 again",
		"process.crash: {service: web, pick: 3}":                                                           "3 can't be picked",
		"network.latency: {from: web, to: store, delay: 100us}":                                            "at least 1ms",
		"network.latency: {from: web, to: store, delay: 10ms, jitter: 11ms}":                               "no delay is negative",
		"network.partition: {from: web, direction: one-way}":                                               "wants both from and to",
		"network.bandwidth: {from: web, to: store, rate: 10Gbit/s}":                                        "can be told from it only up to",
		"tcp.limit: {from: web, to: store, bytes: 1GiB}":                                                   "a probe has to send 1GiB",
		"tcp.limit: {from: web, to: store, bytes: 10, percent: 0.5%}":                                      "too few to prove",
		"tcp.slow_close: {from: web, to: store, delay: 1s, percent: 0%}":                                   "hits no ",
		"tcp.slicer: {from: web, to: store, size: 64KiB, delay: 1s}":                                       "at most 16KiB",
		"tcp.slicer: {from: web, to: store, size: 64, variation: 64, delay: 1s}":                           "not less than the size",
		"tcp.slicer: {from: web, to: store, size: 64, delay: 1us}":                                         "at least 50µs",
		"tcp.slicer: {from: web, to: store, size: 16KiB, delay: 100us}":                                    "can't be distinguished from a clean link",
		"http.error: {from: web, to: store, method: get}":                                                  "upper case",
		"http.error: {from: web, to: store, path: \"/posts?page=*\"}":                                      "before the query",
		"http.error: {from: web, to: store, path: posts}":                                                  "begins with /",
		"http.error: {from: web, to: store, percent: 0.01%}":                                               "too few to prove",
		"http.error: {from: web, to: store, percent: 0%}":                                                  "hits no ",
		"http.error: {from: web, to: store, headers: {Content-Length: 7}}":                                 "the proxy's own",
		"http.rewrite: {from: web, to: store}":                                                             "does not say what is rewritten",
		"http.rewrite: {from: web, to: store, answer: {headers: {Content-Length: 7}}}":                     "the proxy's own",
		"http.rewrite: {from: web, to: store, request: {path: /a?b}}":                                      "before the query",
		"http.rewrite: {from: web, to: store, path: /v1/*, request: {path: \"~ ^/v2/ -> /v0/\"}}":          "no path is found that fits",
		"http.rewrite: {from: web, to: store, request: {path: \"~ ^/v2/(?:a|b)$ -> /v0/\"}, probe: /v2/c}": "is not rewritten",
		"http.rewrite: {from: web, to: store, path: posts, request: {path: /new}}":                         "begins with /",
		"http.error: {from: web, to: store, headers: {\"a b\": c}}":                                        "not a name of a header",
		"http.delay: {from: web, to: store, delay: 10ms, jitter: 20ms, method: \"delete\"}":                "upper case",
	} {
		if got := chaostest.Mistakes(t, yaml, w.Scope); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", yaml, got, want)
		}
	}
}
