package demo

import (
	"maps"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// decode reads the YAML under `with:` in a scenario.
func decode(t *testing.T, with string) (Config, error) {
	t.Helper()
	text := "version: 1\nname: t\ntarget: {stack: demo, with: " + with + "}\n" +
		"load: {l: {executor: constant-arrival-rate, rate: 1/s, duration: 1s, flow: [{get: /posts}]}}\n"
	sc, err := scenarios.Parse("t.yaml", scenarios.Options{
		Read: func(string) ([]byte, error) { return []byte(text), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	m := sc.Mistakes()
	if sc.Target.With != nil {
		syntax.Decode(sc.Target.With, &c, m)
	}
	return c, m.Err()
}

func TestConfig(t *testing.T) {
	tests := []struct {
		name     string
		with     string
		replicas int
		off      string // the gateway's switches that are off, or have the given values
	}{
		{"nothing written", "{}", 2, ""},
		{"written, but empty", "{breaker: , posts: }", 2, ""},
		{
			"written as it is by default",
			"{posts: {replicas: 2}, breaker: on, limiter: on, retries: true, ejection: on, timeouts: on}", 2, "",
		},
		{"one off", "{breaker: off}", 2, "DEMO_BREAKER"},
		{
			"all off", "{breaker: off, limiter: off, retry_after: off, retries: off, ejection: false, timeouts: off}", 2,
			"DEMO_BREAKER DEMO_EJECTION DEMO_LIMITER DEMO_RETRY_AFTER DEMO_RETRIES DEMO_TIMEOUTS",
		},
		{"broken", "{broken: names}", 2, "DEMO_BROKEN=names"},
		{"one on", "{affinity: on}", 2, "DEMO_AFFINITY=on"},
		{
			"all that is off, on",
			"{affinity: on, negative_cache: on, single_flight: on, retry_writes: true, balance: ip_hash, graceful: off}", 2,
			"DEMO_AFFINITY=on DEMO_NEGATIVE_CACHE=on DEMO_SINGLE_FLIGHT=on DEMO_RETRY_WRITES=on DEMO_BALANCE=ip_hash " +
				"DEMO_GRACEFUL=off",
		},
		{"of the others", "{ack_early: on, idempotency: on, log_writes: on}", 2, ""},
		{"most replicas", "{posts: {replicas: 9}}", 9, ""},
		{"one replica", "{posts: {replicas: 1}}", 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := decode(t, tt.with)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range c.Services() {
				switch s.Name {
				case postsName:
					if s.Replicas != tt.replicas {
						t.Errorf("%d replicas of posts, want %d", s.Replicas, tt.replicas)
					}
					if want := onOff(c.Timeouts); s.Env["DEMO_TIMEOUTS"] != want {
						t.Errorf("timeouts of posts are %q, want %q", s.Env["DEMO_TIMEOUTS"], want)
					}
					if want := onlyOn(c.AckEarly); s.Env["DEMO_ACK_EARLY"] != want || s.Env["DEMO_LOG_WRITES"] != want {
						t.Errorf("posts have %v, want %s", s.Env, want)
					}
				case storeName:
					if want := onlyOn(c.Idempotency); s.Env["DEMO_IDEMPOTENCY"] != want || s.Env["DEMO_LOG_WRITES"] != want {
						t.Errorf("the store has %v, want %s", s.Env, want)
					}
				case gatewayName:
					want := map[string]string{
						"DEMO_BREAKER": "on", "DEMO_LIMITER": "on", "DEMO_RETRY_AFTER": "on", "DEMO_RETRIES": "on",
						"DEMO_EJECTION": "on", "DEMO_TIMEOUTS": "on", "DEMO_GRACEFUL": "on",
						"DEMO_BALANCE": "round_robin", "DEMO_AFFINITY": "off", "DEMO_NEGATIVE_CACHE": "off", "DEMO_SINGLE_FLIGHT": "off",
						"DEMO_RETRY_WRITES": "off",
						"DEMO_BROKEN":       "nothing",
					}
					for word := range strings.FieldsSeq(tt.off) {
						key, value, as := strings.Cut(word, "=")
						if want[key] = "off"; as {
							want[key] = value
						}
					}
					if !maps.Equal(s.Env, want) {
						t.Errorf("the gateway has %v, want %v", s.Env, want)
					}
				}
			}
		})
	}
}

func TestConfig_Mistakes(t *testing.T) {
	tests := []struct{ name, with, want string }{
		{"too few replicas", "{posts: {replicas: 0}}", "at least 1"},
		{"too many replicas", "{posts: {replicas: 10}}", "at most 9"},
		{"no switch", "{breaker: maybe}", "want on or off"},
		{"no balancer", "{balance: random}", "balance"},
		{"unknown", "{braker: off}", "breaker"},
		{"no rule", "{monitor: promt}", "prompt"},
		{"no check", "{unchecked: expire}", "expiry"},
		{"no entry", "{gateway: {replicas: 0}}", "at least 1"},
		{"ready at some time", "{ready: later}", "at_once"},
		{"no leak", "{leak: files}", "handles"},
		{"no length of time", "{work: 50}", "50ms"},
		{"no room", "{capacity: 0}", "at least 1"},
		{"a misspelt switch", "{sheding: off}", "shedding"},
		{"no kind of standby", "{standby: warm}", "cold"},
		{"no kind of telemetry", "{telemetry: on}", "async"},
		{"too many mailers", "{outbox: on, mailers: 10}", "at most 9"},
		{"no time to commit", "{commit: later}", "before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := decode(t, tt.with); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

// TestServices checks what a stack requires: a service starts after those that it calls, and there
// is one entry.
func TestServices(t *testing.T) {
	started := map[string]bool{}
	entries := 0
	for _, s := range (Config{
		Identity: on(), Cache: on(), Monitor: promptRule, Telemetry: asyncTelemetry, Registry: on(), Standby: hotStandby,
		Outbox: on(), Mailers: 2,
	}).Services() {
		if makers[s.Name] == nil {
			t.Errorf("%s can't be served", s.Name)
		}
		for _, l := range s.Links {
			if !started[l] {
				t.Errorf("%s calls %s, which is started after it", s.Name, l)
			}
		}
		started[s.Name] = true
		if s.Entry {
			entries++
		}
		if s.Replicas < 1 || s.Ready != "/healthz" {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	if len(started) != len(makers) || entries != 1 {
		t.Errorf("%d services of %d, %d entries", len(started), len(makers), entries)
	}
}
