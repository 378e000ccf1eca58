//go:build linux

package run_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/journal"
	"brunt/scenarios"
	"brunt/scenarios/edit/doctor"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// TestDocker runs side by side the tests that mostly wait for their containers, do not depend on
// timing, and do not use what an engine has only once, unlike TestDocker_Stray.
func TestDocker(t *testing.T) {
	suite.Needs(t, suite.Docker)
	t.Parallel()
	for _, c := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"WatchdogRelievesAHungBrunt", testDockerWatchdogRelievesAHungBrunt}, // the longest
		{"Chosen", testDockerChosen},
		{"Connected", testDockerConnected},
		{"Discovered", testDockerDiscovered},
		{"Leader", testDockerLeader},
		{"Logs", testDockerLogs},
		{"NotReady", testDockerNotReady},
		{"Ready", testDockerReady},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t)
		})
	}
}

// TestDocker_Stack loads containers that brunt starts, and injects a fault into each of them.
func TestDocker_Stack(t *testing.T) {
	t.Parallel()
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	id := run.NewID()
	res := runOnce(t, `
version: 1
name: containers
target:
  containers:
    web:
      image: "`+y.Name+`"
      command: ["${self.port}"]
      env: {STORE: "${link.store.addr}"}
      ports: [8081]
      networks: [front, back]
      replicas: 2
      restart: always
      ready: {get: /}
    store:
      image: "`+y.Name+`"
      ports: [8080]
      networks: [back]
      health: {command: [/brunt, ask, "http://127.0.0.1:8080/"], every: 200ms}
      memory: 64MiB
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 14s, timeout: 300ms, flow: [{get: "http://${unit.web[1].addr}/"}, {get: /}]}
chaos:
  kill: {at: 300ms, for: 1s, container.kill: {service: store}}
  pause: {after: kill, wait: 1s, for: 1s, container.pause: {unit: "web[1]"}}
  cut: {after: pause, wait: 700ms, for: 1s, network.disconnect: {unit: "web[1]", network: back}}
  crash: {after: cut, wait: 1s, within: 20s, process.crash: {unit: "web[1]"}}
`, run.Options{ID: id})
	for _, f := range res.Faults {
		if !f.Verified.Known() || !f.Gone || f.Evidence == "" || f.Revert == "failed" {
			t.Errorf("%s is not proved: %+v", f.Name, f)
		}
		if f.Name == "kill" && !slices.ContainsFunc(f.Events,
			func(e result.Event) bool { return e.Event == "container.die" && e.Unit == "store[0]" }) {
			t.Errorf("kill tells of no end: %+v", f.Events)
		}
	}
	if len(res.Faults) != 4 || res.Verdict != scenarios.None {
		t.Errorf("%s: %s; %d faults", res.Verdict, res.Reason, len(res.Faults))
	}
	has, err := y.Engine.Labelled(t.Context(), containers.RunLabel, id)
	if err != nil || has.Total() > 0 {
		t.Errorf("left in the engine: %+v, %v", has, err)
	}
}

// testDockerNotReady: a container that does not come up ends the run with its output, and nothing is
// left over.
func testDockerNotReady(t *testing.T) {
	y := chaostest.NewYard(t)
	for _, c := range []struct{ name, web, want string }{
		{
			"one that ends",
			`{image: "` + y.Name + `", ports: [8080], command: [ask, "http://127.0.0.1:1/"], restart: never}`,
			"it has ended with exit code 1; its output ends:",
		},
		{
			"one that listens elsewhere", `{image: "` + y.Name + `", ports: [8081], ready: {within: 1s}}`,
			"web[0] is not ready: not within 1s",
		},
		{
			"one without an image", `{image: "brunt-there-is-none", ports: [8081]}`,
			"the engine has no image brunt-there-is-none",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := run.NewID()
			// The engine still executes a request whose client has gone.
			late, err := y.Engine.API().NetworkCreate(t.Context(), "brunt-late-"+strings.ToLower(id),
				client.NetworkCreateOptions{Labels: map[string]string{containers.RunLabel: id}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = y.Engine.RemoveNetwork(context.Background(), late.ID) })
			res := runOnce(t, `
version: 1
name: containers
target: {containers: {web: `+c.web+`}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /}]}}
`, run.Options{ID: id})
			if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, c.want) {
				t.Errorf("%s: %s", res.Verdict, res.Reason)
			}
			has, err := y.Engine.Labelled(t.Context(), containers.RunLabel, id)
			if err != nil || has.Total() > 0 {
				t.Errorf("left in the engine: %+v, %v", has, err)
			}
		})
	}
}

// testDockerReady: containers are asked by a command in them, and by one on this machine, whether they are ready.
func testDockerReady(t *testing.T) {
	y := chaostest.NewYard(t)
	for _, c := range []struct{ name, ready, want string }{
		{"exec", `{exec: [/brunt, ask, "http://127.0.0.1:8080/"]}`, ""},
		{
			// The engine of a busy machine may need more than a second for one command.
			"exec fails", `{exec: [/brunt, ask, "http://127.0.0.1:1/"], within: 10s}`,
			"web[0] is not ready: not within 10s: `/brunt` exits with 1: Get",
		},
		{"command", `{command: "curl -sf http://$BRUNT_ADDR/ | grep -q ok"}`, ""},
		{"command fails", `{command: "curl -s http://${self.addr}/; exit 3", within: 1s}`, "exit status 3: ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, `
version: 1
name: containers
target: {containers: {web: {image: "`+y.Name+`", ports: [8080], ready: `+c.ready+`}}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 200ms, flow: [{get: /}]}}
slo: [errors = 0%]
`, run.Options{})
			verdict := scenarios.Pass
			if c.want != "" {
				verdict = scenarios.Invalid
			}
			if res.Verdict != verdict || !strings.Contains(res.Reason, c.want) {
				t.Errorf("%s: %s; want %s: %q", res.Verdict, res.Reason, verdict, c.want)
			}
		})
	}
}

// composed is a Compose file of two services.
const composed = `
version: "3.8"
services:
  web:
    image: IMAGE
    restart: always
    ports: ["127.0.0.1::8080"]
    networks: [front, back]
    depends_on: [store]
  store:
    image: IMAGE
    expose: ["8080"]
    deploy: {replicas: 2}
    networks: [back]
    volumes: ["kept:/kept"]
networks: {front: {}, back: {}}
volumes: {kept: {}}
`

// TestDocker_Compose loads a Compose project that brunt brings up. Nothing of it is left over,
// including volumes, and a project that was already up is unchanged.
func TestDocker_Compose(t *testing.T) {
	t.Parallel()
	suite.Needs(t, suite.Root, suite.Docker, suite.Compose)
	y := chaostest.NewYard(t)
	theirs := y.Start(t, chaostest.VictimOptions{
		Labels: map[string]string{containers.ComposeProject: "theirs", containers.ComposeService: "web"},
	})
	before := chaostest.Inspected(t, y.Engine, theirs.ID)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(strings.ReplaceAll(composed, "IMAGE", y.Name)),
		0o644); err != nil {
		t.Fatal(err)
	}
	id, logs := run.NewID(), t.TempDir()
	res := runOnce(t, `
version: 1
name: composed
target: {compose: "`+filepath.Join(dir, "compose.yaml")+`", entry: web}
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 4s, timeout: 300ms, flow: [{get: /}, {get: "http://${unit.store[1].addr}/"}]}
chaos:
  pause: {at: 500ms, for: 300ms, container.pause: {unit: "store[1]"}}
  crash: {after: pause, within: 20s, process.crash: {service: web}}
`, run.Options{ID: id, LogDir: logs})
	if len(res.Faults) != 2 || res.Verdict != scenarios.None {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	for _, f := range res.Faults {
		if !f.Verified.Known() || !f.Gone {
			t.Errorf("%s is not proved: %+v", f.Name, f)
		}
	}
	// The logs are kept, though the containers are gone: those of before a crash as well.
	for unit, starts := range map[string]int{"web-0": 2, "store-0": 1, "store-1": 1} {
		got, err := os.ReadFile(filepath.Join(logs, unit+".log"))
		if n := strings.Count(string(got), "it listens on"); err != nil || n != starts {
			t.Errorf("the log of %s tells of %d starts, want %d: %q, %v", unit, n, starts, got, err)
		}
	}
	has, err := y.Engine.Labelled(t.Context(), containers.ComposeProject, "brunt-"+id)
	if err != nil || has.Total() > 0 {
		t.Errorf("left in the engine: %+v, %v", has, err)
	}
	if after := chaostest.Inspected(t, y.Engine, theirs.ID); after != before {
		t.Errorf("what others started differs:\n%s", chaostest.Difference(before, after))
	}
}

// testDockerChosen injects faults into running containers, by the names in the target and by
// selectors. A container that is removed meanwhile is gone, and another with its name is not
// touched.
func testDockerChosen(t *testing.T) {
	suite.Needs(t, suite.Root)
	y := chaostest.NewYard(t)
	label := map[string]string{"app": y.Run}
	one := y.Start(t, chaostest.VictimOptions{Labels: label})
	two := y.Start(t, chaostest.VictimOptions{Labels: label, Restart: "always"})
	is, err := y.Engine.Inspect(t.Context(), one.ID)
	if err != nil {
		t.Fatal(err)
	}
	scenario := func(chaos string) string {
		return fmt.Sprintf(`
version: 1
name: chosen
target: {url: "http://%s:8080", units: {web: {labels: {app: %s}}}}
guard: {allow: {load: [%s]}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, timeout: 300ms, flow: [{get: /}]}}
chaos:
%s`, is.Addresses()[0], y.Run, is.Addresses()[0], chaos)
	}
	t.Run("by name and by label", func(t *testing.T) {
		res := runOnce(t, scenario(`
  a: {at: 200ms, for: 300ms, container.pause: {unit: "web[1]"}}
  b: {at: 1s, for: 300ms, container.pause: {container: `+two.Ref+`}}
  c: {at: 1800ms, within: 20s, process.crash: {labels: {app: `+y.Run+
			`, brunt.run: ""}, pick: all}, require_impact: false}
`), run.Options{})
		for i, want := range [][]string{{"web[1]"}, {"web[1]"}} {
			if f := res.Faults[i]; !f.Verified.Known() || !f.Gone || !slices.Equal(f.Units, want) {
				t.Errorf("%s is not proved: %+v", f.Name, f)
			}
		}
		if f := res.Faults[2]; !strings.Contains(f.Note, "nothing starts web[0] again") {
			t.Errorf("an unsupervised container: %+v", f)
		}
	})
	t.Run("gone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var replacement string
		o := run.Options{Event: func(e result.Event) {
			if e.Event != "fault.verified" {
				return
			}
			// The container is recreated under its name, and paused.
			api := y.Engine.API()
			if err := y.Engine.Remove(ctx, two.ID); err != nil {
				t.Error(err)
			}
			made, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
				Config: &container.Config{
					Image: y.Image, Labels: map[string]string{containers.RunLabel: y.Run, "app": y.Run},
				},
				Name: two.Ref,
			})
			if err != nil {
				t.Error(err)
				return
			}
			if replacement = made.ID; y.Engine.Start(ctx, replacement) != nil || y.Engine.Pause(ctx, replacement) != nil {
				t.Error("the replacement does not start")
			}
		}}
		res := runOnce(t, scenario(`  a: {at: 200ms, for: 2s, container.pause: {container: `+two.Ref+`}}`), o)
		if f := res.Faults[0]; f.Revert != string(chaos.Gone) || !f.Gone || !strings.Contains(f.GoneEvidence, "is no more") {
			t.Errorf("%s %s: %+v", res.Verdict, res.Reason, f)
		}
		if now, err := y.Engine.Inspect(t.Context(), replacement); err != nil || !now.Paused {
			t.Errorf("the replacement was touched: %+v, %v", now, err)
		}
	})
}

// TestDocker_Engine: brunt connects to no engine that the scenario does not allow, and reports an
// engine that does not answer before the run starts.
func TestDocker_Engine(t *testing.T) {
	suite.Needs(t, suite.In("docker"))
	text := `
version: 1
name: engines
target: TARGET
GUARD
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /}]}}
`
	const theirs = `{url: "http://127.0.0.1:1", units: {web: {container: web}}}`
	for _, c := range []struct{ name, host, target, guard, mistake, reason string }{
		{
			"another machine", "tcp://192.0.2.7:2376", theirs, "",
			"the Docker engine tcp://192.0.2.7:2376 is not on this machine", "",
		},
		{"another machine by name", "tcp://engine.test.example:2376", theirs, "", "is not on this machine", ""},
		{"another machine that is allowed", "tcp://192.0.2.7:2376", theirs, "guard: {allow: {chaos: [192.0.2.7]}}", "", ""},
		{
			"a stack on another machine", "tcp://192.0.2.7:2376", "{stack: demo, platform: docker}",
			"guard: {allow: {chaos: [192.0.2.7]}}", "brunt makes containers on this machine alone", "",
		},
		{
			"nothing listens", "tcp://127.0.0.1:1", "{stack: demo, platform: docker}", "", "",
			"no Docker engine answers at tcp://127.0.0.1:1: nothing listens there; start it",
		},
		{
			"no socket", "unix:///nowhere.sock", "{stack: demo, platform: docker}", "", "",
			"no Docker engine answers at unix:///nowhere.sock",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", c.host)
			file := scenario(t, strings.NewReplacer("GUARD", c.guard, "TARGET", c.target).Replace(text))
			plan, err := compileFile(file)
			if c.mistake != "" || err != nil {
				if err == nil || !strings.Contains(err.Error(), c.mistake) || c.mistake == "" {
					t.Errorf("%v, want %q", err, c.mistake)
				}
				return
			}
			if c.reason == "" {
				return
			}
			res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
			if err != nil || res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, c.reason) {
				t.Errorf("%v: %+v", err, res)
			}
			needs := doctor.Needs(t.Context(), plan)
			if !slices.ContainsFunc(needs, func(k doctor.Check) bool {
				return k.State == doctor.Bad &&
					strings.Contains(k.Found, c.reason)
			}) {
				t.Errorf("doctor says %+v", needs)
			}
		})
	}
}

// testDockerDiscovered kills brunt together with its watchdog and removes its journal: the objects
// that it created in the engine are found by their label, unless their run goes on.
func testDockerDiscovered(t *testing.T) {
	suite.Needs(t, suite.Root)
	y := chaostest.NewYard(t)
	m := newKilledRun(t)
	m.run(t, `
version: 1
name: to be killed
seed: 1
target: {containers: {web: {image: "`+y.Name+`", ports: [8080]}}}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 600ms, flow: [{get: /}]}}
chaos: {it: {at: 200ms, for: 100ms, container.pause: {service: web}}}
`, "both", 5, 0)
	run := m.runs[0]
	if len(engineHas(t, y.Engine, m)) == 0 {
		t.Fatal("nothing was left")
	}
	held, err := journal.Open(catalog.AllOperations(), t.TempDir(), run) // the lock means that the run goes on
	if err != nil {
		t.Fatal(err)
	}
	d, err := journal.Discover(t.Context(), catalog.AllOperations(), run)
	if err != nil || len(d.Left) != 0 || !slices.Contains(d.Alive, run) {
		t.Errorf("of a run that goes on: %+v, %v", d, err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(m.state + "/*.journal")
	if err != nil || len(left) != 1 {
		t.Fatalf("journals %v, %v", left, err)
	}
	if err := os.Remove(left[0]); err != nil {
		t.Fatal(err)
	}
	d, err = journal.Discover(t.Context(), catalog.AllOperations(), run)
	if err != nil || len(d.Left) != 1 || !strings.Contains(d.Left[0].What, "1 containers, 1 networks") {
		t.Fatalf("found %+v, %v", d, err)
	}
	if _, err := d.TakeBack(t.Context(), catalog.AllOperations(), nil); err != nil {
		t.Error(err)
	}
	if has := engineHas(t, y.Engine, m); len(has) > 0 {
		t.Errorf("left: %v", has)
	}
}

// testDockerLeader selects the container that reports to lead, asked by a command in it and by a
// path.
func testDockerLeader(t *testing.T) {
	y := chaostest.NewYard(t)
	label := map[string]string{"app": y.Run}
	one := y.Start(t, chaostest.VictimOptions{Labels: label})
	two := y.Start(t, chaostest.VictimOptions{Labels: label})
	is, err := y.Engine.Inspect(t.Context(), two.ID)
	if err != nil {
		t.Fatal(err)
	}
	// The second container is asked at its own address only from within; a pause of the first would
	// show that the wrong one was selected.
	leader := fmt.Sprintf(`{exec: [/brunt, leads, "%s"]}`, is.Addresses()[0])
	res := runOnce(t, fmt.Sprintf(`
version: 1
name: led
target: {url: "http://%s:8080"}
guard: {allow: {load: [%s]}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 5s, timeout: 300ms, flow: [{get: /}]}}
chaos: {x: {at: 200ms, for: 300ms, container.pause: {labels: {app: %s}, pick: leader, leader: %s}}}
`, is.Addresses()[0], is.Addresses()[0], y.Run, leader), run.Options{})
	if f := res.Faults[0]; !f.Verified.Known() || !f.Gone ||
		!slices.Equal(f.Units, []string{chaos.ContainerName(two.Ref)}) {
		t.Errorf("%s: %+v", one.Ref, f)
	}
}
