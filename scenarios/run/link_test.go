package run_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// ring is a target of two services that call each other.
const ring = `
target:
  processes:
    web: {command: [ECHO], links: [store], ready: {get: /}}
    store: {command: [ECHO], links: [web], ready: {get: /}}
  entry: web
`

// A seen holds the measurements before, during and after a fault.
type seen struct {
	res          *result.Result
	f            result.FaultRecord
	base, in, ok result.Cell // ok are the good requests of the phase
	bad          float64     // share of the phase
	after        stretch
}

func (s *seen) String() string {
	return fmt.Sprintf("p50 %.4g s before and %.4g s during the fault, %.2g of it bad; then %+v", s.base.Response.P50,
		s.in.Response.P50, s.bad, s.after)
}

// slowed checks that the fault cost at least some seconds, and no answers.
func slowed(least float64) func(*seen) string {
	return func(s *seen) string {
		if s.bad > 0 || float64(s.base.Response.P50) >= least || float64(s.in.Response.P50) < least {
			return fmt.Sprintf("want a median over %g s in its phase alone, and no error", least)
		}
		return ""
	}
}

// failed checks that the fault failed a share of the requests, with the given causes.
func failed(least, most float64, causes ...string) func(*seen) string {
	return func(s *seen) string {
		if s.bad < least || s.bad > most {
			return fmt.Sprintf("want a share from %g to %g to fail", least, most)
		}
		for _, w := range s.res.Windows {
			for _, c := range causes { // requests that the fault met were sent a little before
				if w.T+w.D > s.f.Injected-.2 && w.T < s.f.Cleared && w.Kinds[c] > 0 {
					return ""
				}
			}
		}
		return fmt.Sprintf("want errors of kind %s, and there are %+v", strings.Join(causes, " or "), s.res.Errors)
	}
}

// sentAgain checks that the fault failed no request: each that lost its connection was sent again.
func sentAgain(s *seen) string {
	if requests := cellOf(s.res, "run", "*").Count; s.bad > 0 || s.res.Generator.Attempts <= requests {
		return fmt.Sprintf("want no error, and more attempts than the %d requests: %d", requests, s.res.Generator.Attempts)
	}
	return ""
}

// TestLinkFaults injects every link fault between the load and its target and between two services:
// it is verified, it met traffic, it affected the load, and the load recovered once it was gone.
func TestLinkFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   string // EDGE stands for the link
		path    string // the path requested of store
		timeout string
		load    func(*seen) string // on load->web
		remote  func(*seen) string // on web->store
	}{
		{"latency", `for: 1s, network.latency: {EDGE, delay: 100ms}`, "/", "5s", slowed(.1), slowed(.1)},
		{"bandwidth", `for: 1s, network.bandwidth: {EDGE, rate: 64KiB/s}`, "/big", "5s", slowed(.2), slowed(.2)},
		{"stall", `for: 1s, network.stall: {EDGE}`, "/", "5s", slowed(.2), slowed(.2)},
		{"blackhole", `for: 1s, network.blackhole: {EDGE}`, "/", "400ms", failed(.5, 1, "timeout"), failed(.5, 1, "timeout")},
		{"partition", `for: 1s, network.partition: {EDGE}`, "/", "400ms", failed(.5, 1, "timeout"), failed(.5, 1, "timeout")},
		{
			"rejected", `for: 1s, network.partition: {EDGE, mode: reject}`, "/", "400ms", failed(.5, 1, "refused"),
			failed(.5, 1, "status 502"),
		},
		{
			"resetting", `for: 1s, network.partition: {EDGE, mode: reset}`, "/", "400ms", failed(.5, 1, "reset"),
			failed(.5, 1, "status 502"),
		},
		{
			"error", `for: 1s, http.error: {EDGE, status: 507}`, "/", "5s", failed(.5, 1, "status 507"),
			failed(.5, 1, "status 507"),
		},
		{
			"some errors", `for: 1s, http.error: {EDGE, percent: 30%}`, "/", "5s", failed(.05, .6, "status 503"),
			failed(.05, .6, "status 503"),
		},
		{"delay", `for: 1s, http.delay: {EDGE, delay: 100ms}`, "/", "5s", slowed(.1), slowed(.1)},
		{"latency, by vegeta", `for: 1s, network.latency: {EDGE, delay: 100ms}`, "/", "5s", slowed(.1), slowed(.1)},
		{
			"partition, by vegeta", `for: 1s, network.partition: {EDGE}`, "/", "400ms", failed(.5, 1, "timeout"),
			failed(.5, 1, "timeout"),
		},
		{
			"error, by vegeta", `for: 1s, http.error: {EDGE, status: 507}`, "/", "5s", failed(.5, 1, "status 507"),
			failed(.5, 1, "status 507"),
		},
		{
			"reset", `network.reset: {EDGE}`, "/slow", "5s", sentAgain, failed(.005, .2, "status 502"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && !slices.Contains([]string{"latency", "blackhole", "error, by vegeta", "reset"}, c.name) {
				t.Skip("the same but for the proxy's part, which has tests of its own")
			}
			t.Parallel()
			entry := func(key, timing, edge string) string {
				return "  " + key + ": {" + timing + ", " + strings.ReplaceAll(c.fault, "EDGE", edge) + "}\n"
			}
			text := "version: 1\nname: " + c.name + "\nseed: 7\n" + ring + `
load:
  main: {engine: ENGINE, executor: constant-arrival-rate, rate: 50/s, duration: DURATION, timeout: ` + c.timeout +
				`, flow: [{get: "/far` + c.path + `"}]}
chaos:
` + entry("near", "at: 1s", "from: load, to: web") + entry("far", "after: near, wait: 1500ms", "from: web, to: store")
			duration := "6s"
			if strings.HasPrefix(c.fault, "network.reset") { // its phases last 5 s
				duration = "14s"
			}
			engine := "native"
			if strings.HasSuffix(c.name, "by vegeta") {
				engine = "vegeta"
			}
			text = strings.NewReplacer("DURATION", duration, "ENGINE", engine).Replace(text)
			try(t, func(wrong *complaints) {
				res := runOnce(t, text, run.Options{})
				if wrong.passed(res); len(res.Faults) != 2 {
					t.Fatalf("%d faults", len(res.Faults))
				}
				checkLinkFault(t, wrong, res, res.Faults[0], "load->web[0]", res.Faults[1].Injected, c.load)
				checkLinkFault(t, wrong, res, res.Faults[1], "web[0]->store[0]", res.Duration+1, c.remote)
			})
		})
	}
}

// checkLinkFault checks the record of a link fault, and its effect on the load until the next one.
func checkLinkFault(t *testing.T, wrong *complaints, res *result.Result, f result.FaultRecord, link string,
	until result.Num, felt func(*seen) string,
) {
	s := &seen{
		res: res, f: f, base: cellOf(res, "baseline", "*"), in: cellOf(res, f.Name, "*"), ok: cellOf(res, f.Name, "ok"),
	}
	s.bad = 1 - float64(s.ok.Count)/float64(s.in.Count)
	s.after = between(res, "*", f.Cleared, until)
	t.Logf("%s: %s; %d %s; %s; %s", f.Name, f.Evidence, f.Traffic, f.TrafficUnit, f.GoneEvidence, s)
	if !f.Verified.Known() || f.Evidence == "" || f.Traffic == 0 || !f.Gone || f.GoneEvidence == "" || f.Via != "proxy" {
		wrong.addf("%s is not proved: %+v", f.Name, f)
	}
	if len(f.Units) == 0 || f.Units[0] != link {
		wrong.addf("%s hit %v, want %s", f.Name, f.Units, link)
	}
	if why := felt(s); why != "" {
		wrong.addf("%s: %s: %s", f.Name, why, s)
	}
	if s.after.offered == 0 || s.after.errors > 0 {
		wrong.addf("%s: something is left of it: %s", f.Name, s)
	}
	slower := s.in.Response.P50 > 1.5*s.base.Response.P50
	if slower && s.after.slowest >= float64(s.in.Response.P50) {
		wrong.addf("%s: it is as slow afterwards: %s", f.Name, s)
	}
}

// TestPartition partitions web from store: in both directions or in one, with open connections or
// only new ones.
func TestPartition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		settings           string
		kept, fresh, store bool // expected failures: open connections web->store, new ones, those store->web
	}{
		{"both ways", "", true, true, true},
		{"one way", ", direction: one-way", true, true, false},
		{"existing kept", ", existing: keep", false, true, false},
		{"one way, existing kept", ", direction: one-way, existing: keep", false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := "version: 1\nname: " + c.name + "\nseed: 7\n" + ring + `
warmup: {for: 500ms}
load:
  kept: {executor: constant-arrival-rate, rate: 40/s, duration: 4s, timeout: 300ms, flow: [{get: /far/}]}
  fresh: {executor: constant-arrival-rate, rate: 40/s, duration: 4s, timeout: 300ms, flow: [{get: /fresh/}]}
  store: {executor: constant-arrival-rate, rate: 40/s, duration: 4s, timeout: 300ms, flow: [{get: "http://${unit.store.addr}/back"}]}
chaos:
  split: {at: 1s, for: 1s, network.partition: {from: web, to: store` + c.settings + `}}
`
			try(t, func(wrong *complaints) {
				res := runOnce(t, text, run.Options{})
				if wrong.passed(res); len(res.Faults) != 1 {
					t.Fatalf("%d faults", len(res.Faults))
				}
				f := res.Faults[0]
				if !f.Verified.Known() || f.Evidence == "" || f.Traffic == 0 || !f.Gone || f.GoneEvidence == "" {
					wrong.addf("it is not proved: %+v", f)
				}
				t.Logf("%s; %d %s; %s", f.Evidence, f.Traffic, f.TrafficUnit, f.GoneEvidence)
				for _, l := range []struct {
					load string
					bad  bool
				}{{"kept", c.kept}, {"fresh", c.fresh}, {"store", c.store}} {
					in, ok := loadCell(res, "split", l.load, "*"), loadCell(res, "split", l.load, "ok")
					bad := 1 - float64(ok.Count)/float64(in.Count)
					t.Logf("%s: %.2g of %d bad", l.load, bad, in.Count)
					if l.bad && bad < .5 || !l.bad && bad > .2 || in.Count == 0 {
						wrong.addf("%s: %g of %d requests are bad; it was to fail: %v", l.load, bad, in.Count, l.bad)
					}
					if s := between(res, l.load, f.Cleared, res.Duration+1); s.offered == 0 || s.errors > 0 {
						wrong.addf("%s: something is left of it: %+v", l.load, s)
					}
				}
			})
		})
	}
}
