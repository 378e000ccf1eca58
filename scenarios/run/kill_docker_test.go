//go:build linux

package run

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
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
	"table":      `{at: 200ms, for: 200ms, network.partition: {container: CONTAINER}}`,
	"program":    `{at: 200ms, for: 200ms, network.loss: {container: CONTAINER, percent: 50%}}`,
	"queue":      `{at: 200ms, for: 200ms, network.latency: {container: CONTAINER, delay: 20ms}}`,
	"discipline": `{at: 200ms, for: 200ms, network.bandwidth: {container: CONTAINER, rate: 10Mbit/s, via: tbf}}`,
	"responder":  `{at: 200ms, for: 200ms, dns.fail: {container: CONTAINER}}`,
	"throttle":   `{at: 200ms, for: 800ms, cpu.throttle: {container: CONTAINER, share: 20%}}`,
	"helper":     `{at: 200ms, for: 200ms, network.partition: {container: CONTAINER, mode: reject}}`,
}

// anotherLife are those among them after which the container's process is another.
var anotherLife = []string{"kill", "stop", "disconnect"}

// everything is all that can be seen of a container: what the engine says, and where it
// lives on, its network and what it may use.
func everything(t *testing.T, name string, v *chaostest.Victim) string {
	t.Helper()
	all := chaostest.Inspected(t, v.Yard.Engine, v.ID)
	if !slices.Contains(anotherLife, name) {
		all += chaostest.Networks(t, v.AskedContainer) + resources(t, v.PID()) + state(v.PID())
	}
	return all
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
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 1s, timeout: 300ms, grace: 300ms, flow: [{get: /}]}
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
			if name == "helper" {
				m.env = append(m.env, "BRUNT_TEST_HELPERS=1", "BRUNT_LINUX="+chaostest.Helper(t))
			}
			before := everything(t, name, v)
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
				var after string
				for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
					if after = everything(t, name, v); after == before || time.Now().After(deadline) {
						break
					}
				}
				if after != before {
					t.Errorf("%s: it differs:\n%s", when, chaostest.Difference(before, after))
				}
				if l := engineHas(t, y.Engine, m); len(l) > 0 {
					t.Errorf("%s: left in the engine: %v", when, l)
				}
			}
			out := m.run(t, text, "guard", 0, 0)
			found := pointsPattern.FindStringSubmatch(out)
			if found == nil || !strings.Contains(out, "verified true") {
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

// TestDocker_WithoutGuardThereIsResidue shows that the tests above can fail: what the
// kernel does not take back stays when brunt dies together with its guard, until the next
// start. What it does take back is gone without either.
func TestDocker_WithoutGuardThereIsResidue(t *testing.T) {
	chaostest.Root(t)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	for _, c := range []struct {
		name  string
		stays bool
	}{
		{"discipline", true},
		{"pause", true},
		{"throttle", true},
		{"freeze", true},
		{"table", false},
		{"program", false},
		{"queue", false},
		{"responder", false},
		{"helper", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMortal(t)
			if c.name == "helper" {
				m.env = append(m.env, "BRUNT_TEST_HELPERS=1", "BRUNT_LINUX="+chaostest.Helper(t))
			}
			v := y.Start(t, chaostest.VictimOptions{Unit: c.name})
			before := everything(t, c.name, v)
			text := strangerScenario(t, strangers[c.name], v)
			at := pointAfterInjection(t, m, text)
			if after := everything(t, c.name, v); after != before {
				t.Fatalf("the run that nobody kills leaves it different:\n%s", chaostest.Difference(before, after))
			}
			m.run(t, text, "both", at, 0)
			same := func() bool { return everything(t, c.name, v) == before }
			if c.stays {
				waitFor(t, "what the fault has left", func() bool { return !same() })
				if left := m.residue(t); len(left) == 0 {
					t.Error("there is no journal of it")
				}
			} else {
				waitFor(t, "the kernel to take it back", same)
			}
			if _, err := chaos.Recover(t.Context(), m.state, "run"); err != nil {
				t.Error(err)
			}
			waitFor(t, "the next start to take it back", same)
			if left := m.clean(t); len(left) > 0 {
				t.Errorf("after the next start there is still %v", left)
			}
			if l := engineHas(t, y.Engine, m); len(l) > 0 {
				t.Errorf("after the next start there is in the engine: %v", l)
			}
		})
	}
}

// pointAfterInjection finds the point right after a fault was injected, by a run that
// nobody kills.
func pointAfterInjection(t *testing.T, m *mortal, text string) int {
	t.Helper()
	out := m.run(t, text, "guard", 0, 0)
	found := injectedPattern.FindStringSubmatch(out)
	if found == nil || !strings.Contains(out, "verified true") {
		t.Fatalf("the run that nobody kills failed: %s", out)
	}
	if left := m.clean(t); len(left) > 0 {
		t.Fatalf("the run that nobody kills left %v", left)
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

var injectedPattern = regexp.MustCompile(`injected (\d+)`)

// TestDocker_GuardEndsAHungBrunt stops brunt while a table of its own cuts a container off:
// the kernel keeps it for as long as brunt is there, so the guard ends brunt.
func TestDocker_GuardEndsAHungBrunt(t *testing.T) {
	chaostest.Root(t)
	if testing.Short() {
		t.Skip("waits for ten heartbeats")
	}
	y := chaostest.NewYard(t)
	for _, helper := range []bool{false, true} {
		t.Run(fmt.Sprintf("helper %v", helper), func(t *testing.T) {
			t.Parallel()
			m := newMortal(t)
			v := y.Start(t, chaostest.VictimOptions{})
			before := everything(t, "table", v)
			text := strings.ReplaceAll(strangerScenario(t, `{at: 200ms, for: 90s, network.partition: {container: CONTAINER}}`, v), "duration: 1s", "duration: 100s")
			m.runs = append(m.runs, NewID())
			cmd := exec.Command(os.Args[0], "role", "brunt", m.file(t, text), m.state, "guard", "0")
			cmd.Env = append(os.Environ(), "BRUNT_STATE_OF="+m.state, "BRUNT_TEST_RUN="+m.runs[0])
			if helper {
				cmd.Env = append(cmd.Env, "BRUNT_TEST_HELPERS=1", "BRUNT_LINUX="+chaostest.Helper(t))
			}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			defer func() { _ = cmd.Process.Kill() }()
			waitFor(t, "the container to be cut off", func() bool {
				select {
				case err := <-ended:
					t.Fatalf("brunt has ended: %v: %s", err, out.String())
				default:
				}
				return everything(t, "table", v) != before
			})
			if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the container to be reached again", func() bool { return everything(t, "table", v) == before })
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Error("brunt hangs on")
			}
			if left := m.clean(t); len(left) > 0 {
				t.Errorf("left %v", left)
			}
			if l := engineHas(t, y.Engine, m); len(l) > 0 {
				t.Errorf("left in the engine: %v", l)
			}
		})
	}
}

// TestDocker_KilledAtRandom kills brunt at random moments, as often as BRUNT_KILLS says,
// and tells how long it took until the container was as before.
func TestDocker_KilledAtRandom(t *testing.T) {
	kills, _ := strconv.Atoi(os.Getenv("BRUNT_KILLS"))
	if kills == 0 {
		t.Skip("it takes minutes: BRUNT_KILLS=50 asks for it")
	}
	chaostest.Root(t)
	y := chaostest.NewYard(t)
	r := rand.New(rand.NewPCG(9, 9))
	names := []string{"table", "program", "queue", "discipline", "pause", "throttle", "freeze", "helper"}
	var took []time.Duration
	file := chaostest.Helper(t)
	for i := range kills {
		name := names[i%len(names)]
		m := newMortal(t)
		v := y.Start(t, chaostest.VictimOptions{Unit: name})
		before := everything(t, name, v)
		if name == "helper" {
			m.env = append(m.env, "BRUNT_TEST_HELPERS=1", "BRUNT_LINUX="+file)
		}
		text := strings.NewReplacer("for: 200ms", "for: 1500ms", "for: 800ms", "for: 1500ms", "duration: 1s", "duration: 2s").Replace(strangerScenario(t, strangers[name], v))
		after := 400*time.Millisecond + time.Duration(r.Int64N(int64(1600*time.Millisecond)))
		var killed time.Time
		hit := make(chan bool, 1)
		time.AfterFunc(after-time.Millisecond, func() { hit <- everything(t, name, v) != before })
		m.run(t, text, "guard", 0, after)
		killed = time.Now()
		was := <-hit
		for deadline := killed.Add(20 * time.Second); everything(t, name, v) != before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("%s, killed after %s: it differs still", name, after)
				break
			}
		}
		d := time.Since(killed)
		if was {
			took = append(took, d)
		}
		left := m.clean(t)
		if len(left)+len(engineHas(t, y.Engine, m)) > 0 {
			t.Errorf("%s, killed after %s: left %v", name, after, left)
		}
		t.Logf("%d %s killed after %s, in then: %v, as before %s later", i, name, after, was, d)
		_ = y.Engine.Remove(t.Context(), v.ID)
	}
	slices.Sort(took)
	if len(took) > 0 {
		t.Logf("%d kills, %d of them with the fault in: as before after %s in the median, %s at most", kills, len(took), took[len(took)/2], took[len(took)-1])
	}
}
