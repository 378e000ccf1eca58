//go:build linux

package run_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/chaostest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// TestAmplification_Containers holds the calls between containers against the logs of both: their number exactly, and
// the calls per request in each phase as closely as a busy machine lets requests be told apart at its ends. The load
// asks for one call per request before the fault, and for more in it. The fault delays the same link, so that its own
// proxies come after those that count. After a restart of the caller the calls are unknown, and not zero.
func TestAmplification_Containers(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	t.Parallel()
	y, logs := chaostest.NewYard(t), t.TempDir()
	res := runOnce(t, fmt.Sprintf(`version: 1
name: containers
seed: 7
target:
  containers:
    web: {image: %[1]q, command: ["${self.port}"], ports: [8081], ready: {get: /}}
    store: {image: %[1]q, ports: [8080], ready: {get: /}}
  entry: web
load:
  one:
    executor: constant-arrival-rate
    rate: 25/s
    duration: 14s
    flow: [{get: "/calls?url=http://${unit.store.addr}/called&times=1", name: one}]
  five:
    executor: constant-arrival-rate
    rate: 50/s
    start: 7s
    duration: 3s
    flow: [{get: "/calls?url=http://${unit.store.addr}/called&times=5", name: five}]
  idle: {executor: constant-arrival-rate, rate: 5/s, start: 15s, duration: 17s, flow: [{get: /, name: idle}]}
chaos:
  more: {at: 5s, for: 6s, http.delay: {from: web, to: store, delay: 2ms}}
  restart: {at: 20s, within: 10s, process.crash: {unit: "web[0]"}}
judge: {hold: 1s}
slo:
  - amplification(web -> store) < 2 in baseline
  - amplification(web -> store) < 2 in more
  - amplification(web[0] -> store[0]) < 2 in recovery/restart
`, y.Name), run.Options{LogDir: logs, Proxies: self("proxies")})
	requests := readCallLog(t, filepath.Join(logs, "web-0.log")).requests
	calls := readCallLog(t, filepath.Join(logs, "store-0.log")).calls
	on := slices.IndexFunc(res.Amplification, func(a result.Amplification) bool { return a.To == "store" })
	if on < 0 || res.Amplification[on].Unit != result.UnitCalls {
		t.Fatalf("%+v; %+v; %s", res.Amplification, res.Objectives, res.Reason)
	}
	link := res.Links[slices.IndexFunc(res.Links, func(l result.Link) bool { return l.To == "store[0]" })]
	n := int(link.Points[len(link.Points)-1].V)
	if lost := n - len(calls); n == 0 || lost < 0 || lost > int(errorsOf(res)) {
		t.Errorf("%d calls were counted, by the log of the container there were %d, and %d requests failed", n, len(calls),
			errorsOf(res))
	}
	t.Logf("%d calls were counted, by the log of the container there were %d", n, len(calls))
	if o := &res.Objectives[2]; o.Verdict != scenarios.Inconclusive {
		t.Errorf("%s: %s after a restart of the caller: %s", o.Text, o.Verdict, o.Note)
	}
	noted := slices.ContainsFunc(res.Notes, func(n string) bool { return strings.Contains(n, "not counted from now on") })
	if len(res.Faults) > 1 && res.Faults[1].Injected.Known() && !noted {
		t.Errorf("no note says that the calls are unknown since the restart: %q", res.Notes)
	}
	const busy = 100 * time.Millisecond // by which a request may come late to a container
	if lag := res.Generator.Lag.P99.D(); lag > busy {
		t.Logf("this machine sent requests %s late, so the phases are not compared", lag)
		return
	}
	if more := &res.Faults[0]; !more.Verified.Known() || !more.Gone {
		t.Errorf("the fault on the counted link is not proved: %+v", more)
	}
	for i, phase := range []slo.Phase{{Kind: slo.BaselinePhase}, res.Faults[0].Phase()} {
		a, o := res.Amplification[on].In(phase), &res.Objectives[i]
		span := phaseOf(t, res, phase)
		from, to := res.T0.Add(span.Start.D()), res.T0.Add(span.End.D())
		sent := within(requests, from, to)
		truth := within(calls, from, to) / sent
		slack := (within(calls, from.Add(-busy), from.Add(busy)) + within(calls, to.Add(-busy), to.Add(busy))) / sent
		if low, high := float64(a.Low)-slack, float64(a.High)+slack; truth < low || truth > high {
			t.Errorf("%s: %v in %v to %v; by the log of the container %v", phase, a.Value, a.Low, a.High, truth)
		}
		if want := []scenarios.Verdict{scenarios.Pass, scenarios.Fail}[i]; o.Verdict != want {
			t.Errorf("%s: %s: %s", o.Text, o.Verdict, o.Note)
		}
		t.Logf("%s: %.3f in %.3f to %.3f, by the log %.3f calls", phase, a.Value, a.Low, a.High, truth)
	}
}

// errorsOf returns how many requests of a run failed.
func errorsOf(res *result.Result) (n int64) {
	for _, g := range res.Errors {
		n += g.Count
	}
	return n
}
