//go:build linux

package run

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/docker"
)

// strangers are the faults on a container that runs already which brunt is killed in the
// middle of; CONTAINER stands for its name.
var strangers = map[string]string{
	"pause":      `{at: 200ms, for: 200ms, container.pause: {container: CONTAINER}}`,
	"kill":       `{at: 200ms, for: 200ms, container.kill: {container: CONTAINER}}`,
	"stop":       `{at: 200ms, for: 200ms, container.stop: {container: CONTAINER, grace: 1s}}`,
	"disconnect": `{at: 200ms, for: 200ms, network.disconnect: {container: CONTAINER}}`,
	"freeze":     `{at: 200ms, for: 200ms, process.freeze: {container: CONTAINER}}`,
}

// strangerScenario breaks a container that runs already; the load goes elsewhere.
func strangerScenario(t *testing.T, fault string, v *chaostest.Victim) string {
	t.Helper()
	return fmt.Sprintf(`
version: 1
name: to be killed
seed: 1
target: {processes: {web: {command: [ECHO], port: WEBPORT, ready: {get: /}}}}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 600ms, timeout: 300ms, grace: 300ms, flow: [{get: /}]}
chaos:
  it: %s
`, strings.ReplaceAll(fault, "CONTAINER", v.Ref))
}

// TestDocker_KilledAtEveryPoint kills brunt right before and after every record of its
// journal and every call that injects or reverts, for faults on containers that run
// already: each must be as it was.
func TestDocker_KilledAtEveryPoint(t *testing.T) {
	chaostest.Root(t)
	y := chaostest.NewYard(t)
	for name, fault := range strangers {
		if testing.Short() && name != "pause" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMortal(t)
			v := y.Start(t, chaostest.VictimOptions{Unit: name, Restart: "unless-stopped", Aliases: []string{"db"}})
			text := strangerScenario(t, fault, v)
			before := chaostest.Inspected(t, y.Engine, v.ID)
			as := func(when string) {
				t.Helper()
				if left := m.clean(t); len(left) > 0 {
					t.Errorf("%s: left %v", when, left)
				}
				// The container's own way back may be longer than brunt's.
				var why error
				for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
					if why = v.Ask(t.Context()); why == nil {
						break
					}
					if time.Now().After(deadline) {
						t.Fatalf("%s: %v", when, why)
					}
				}
				if after := chaostest.Inspected(t, y.Engine, v.ID); after != before {
					t.Errorf("%s: docker inspect differs:\n%s", when, chaostest.Difference(before, after))
				}
			}
			out := m.run(t, text, "guard", 0, 0)
			found := pointsPattern.FindStringSubmatch(out)
			if found == nil {
				t.Fatalf("the run that nobody kills failed: %s", out)
			}
			as("the run that nobody kills")
			points, _ := strconv.Atoi(found[1])
			if points < 8 {
				t.Fatalf("only %d points at which brunt could die: %s", points, out)
			}
			for p := 5; p <= points; p++ { // the first four are of the process that is loaded
				m.run(t, text, "guard", p, 0)
				as(fmt.Sprintf("killed at point %d of %d", p, points))
			}
		})
	}
}

// TestDocker_KilledWithItsStack kills brunt at every point of a run that makes its own
// containers: no container, network or image may be left. Without a guard all of them are,
// until the next run starts.
func TestDocker_KilledWithItsStack(t *testing.T) {
	y := chaostest.NewYard(t)
	text := `
version: 1
name: to be killed
seed: 1
target:
  containers:
    web: {image: "` + y.Image + `", ports: [8080], networks: [front, back]}
    store: {image: "` + y.Image + `", ports: [8080], networks: [back]}
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 600ms, timeout: 300ms, grace: 300ms, flow: [{get: /}]}
chaos:
  it: {at: 200ms, for: 100ms, container.pause: {service: store}}
`
	m := newMortal(t)
	left := func() []string { return engineHas(t, y.Engine, m) }
	out := m.run(t, text, "guard", 0, 0)
	found := pointsPattern.FindStringSubmatch(out)
	if found == nil || !strings.Contains(out, "verdict pass") {
		t.Fatalf("the run that nobody kills failed: %s", out)
	}
	points, _ := strconv.Atoi(found[1])
	at := []int{1, 2, 5, points / 2, points - 1, points}
	if testing.Short() {
		at = []int{5}
	}
	for _, p := range at {
		m.run(t, text, "guard", p, 0)
		if left := m.clean(t); len(left) > 0 {
			t.Errorf("killed at point %d of %d: left %v", p, points, left)
		}
		if l := left(); len(l) > 0 {
			t.Errorf("killed at point %d of %d: left %v in the engine", p, points, l)
		}
	}
	m.run(t, text, "both", 5, 0)
	if l := left(); len(l) == 0 {
		t.Error("without a guard nothing is left: the test above can't fail")
	}
	if _, err := chaos.Recover(t.Context(), m.state, "run"); err != nil {
		t.Error(err)
	}
	if l := left(); len(l) > 0 {
		t.Errorf("after the next start there is still %v", l)
	}
}

// engineHas lists what runs of m have in the engine, by the run's label.
func engineHas(t *testing.T, e *docker.Engine, m *mortal) []string {
	t.Helper()
	var out []string
	for _, run := range m.runs {
		has, err := e.Labelled(context.Background(), docker.RunLabel, run)
		if err != nil {
			t.Fatal(err)
		}
		if has.Total() > 0 {
			out = append(out, fmt.Sprintf("%s: %+v", run, has))
		}
	}
	return out
}
