//go:build linux

package run_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/journal"
	"brunt/chaos/oci"
	"brunt/chaos/rootfs"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	"github.com/moby/moby/api/types/container"
)

// strangers are the faults on a running container in the middle of which brunt is killed, without
// load; CONTAINER stands for its name.
var strangers = map[string]string{
	"pause":       `container.pause container=CONTAINER for=50ms`,
	"kill":        `container.kill container=CONTAINER for=50ms`,
	"stop":        `container.stop container=CONTAINER grace=1s for=50ms`,
	"disconnect":  `network.disconnect container=CONTAINER for=50ms`,
	"freeze":      `process.freeze container=CONTAINER for=50ms`,
	"table":       `network.partition container=CONTAINER for=50ms`,
	"program":     `network.loss container=CONTAINER percent=50% for=50ms`,
	"queue":       `network.latency container=CONTAINER delay=20ms for=50ms`,
	"discipline":  `network.bandwidth container=CONTAINER rate=10Mbit/s via=tbf for=50ms`,
	"responder":   `dns.fail container=CONTAINER for=50ms`,
	"throttle":    `cpu.throttle container=CONTAINER share=20% for=2s`, // takes a while to be verified
	"limit":       `memory.limit container=CONTAINER bytes=64MiB for=50ms`,
	"files":       `fd.exhaust container=CONTAINER for=50ms`,
	"skew":        `time.skew container=CONTAINER offset=1h for=50ms`,
	"fill":        `disk.fill container=CONTAINER path=/scratch bytes=4MiB for=50ms`,
	"diverted":    `http.error from=container/CONTAINER to=container/PEER for=50ms`,
	"sliced":      `tcp.slicer from=container/CONTAINER to=container/PEER size=1KiB delay=5ms for=50ms`,
	"agent":       `process.freeze container=CONTAINER for=50ms`,
	"agent-limit": `memory.limit container=CONTAINER bytes=64MiB for=50ms`,
	"agent-files": `fd.exhaust container=CONTAINER for=50ms`,
	"agent-cut":   `network.partition container=CONTAINER mode=reject for=50ms`,
}

// byAgents are the faults that agents in the engine inject.
var byAgents = []string{"agent-cut", "agent", "agent-limit", "agent-files"}

// onPackets are the faults that change the configuration of a network.
var onPackets = []string{"table", "program", "queue", "discipline", "responder", "agent-cut", "diverted", "sliced"}

// staying are the faults that stay when brunt dies together with its watchdog: the kernel undoes the
// others.
var staying = []string{
	"pause", "kill", "stop", "disconnect", "freeze", "discipline", "throttle", "limit", "files", "skew",
}

// anotherLife are the faults after which the container has another process.
var anotherLife = []string{"kill", "stop", "disconnect"}

// everything is the visible state of a container: its state in the engine, its process, network and
// resource limits.
func everything(t *testing.T, name string, v *chaostest.Victim) string {
	t.Helper()
	all := chaostest.Inspected(t, v.Yard.Engine, v.ID)
	if !slices.Contains(anotherLife, name) {
		all += resources(t, v.PID()) + state(v.PID()) + room(t, v)
	}
	if slices.Contains(onPackets, name) {
		all += chaostest.Networks(t, v.Container)
	}
	return all
}

// scratch is a filesystem of each victim that only the test writes to.
func scratch(h *container.HostConfig) { h.Tmpfs = map[string]string{"/scratch": "size=16m"} }

// room is the content of the scratch filesystem and its free space.
func room(t *testing.T, v *chaostest.Victim) string {
	t.Helper()
	dir, err := rootfs.Open(v.PID(), "/scratch")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	space, err := rootfs.SpaceOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	names, err := dir.Readdirnames(-1)
	return fmt.Sprintf("scratch %+v %v %v\n", space, names, err)
}

// useAgents makes runs of m use agents in the engine also for what brunt could do itself.
func (m *killedRun) useAgents(t *testing.T) {
	t.Helper()
	m.env = append(m.env, "BRUNT_TEST_AGENTS=1", "BRUNT_LINUX="+chaostest.AgentProgram(t))
}

// A broken is a running container, and a fault on it in the middle of which brunt is killed.
type broken struct {
	*killedRun
	name, fault string
	v           *chaostest.Victim
	peer        *chaostest.Victim // a peer that v calls; nil if v calls no peer
	before      string
}

func newBroken(t *testing.T, y *chaostest.Yard, name string) *broken {
	t.Helper()
	b := &broken{killedRun: newKilledRun(t), name: name}
	if slices.Contains(byAgents, name) {
		b.useAgents(t)
	}
	b.v = y.Start(t, chaostest.VictimOptions{
		Unit: name, Restart: "unless-stopped", Aliases: []string{"db"}, Host: scratch,
	})
	b.fault = strings.ReplaceAll(strangers[name], "CONTAINER", b.v.Ref)
	if strings.Contains(b.fault, "PEER") {
		b.peer = y.Start(t, chaostest.VictimOptions{Unit: name + "-peer"})
		b.fault = strings.ReplaceAll(b.fault, "PEER", b.peer.Ref)
	}
	b.before = everything(t, name, b.v)
	return b
}

// difference lists what changed in the container since before; empty is nothing.
func (b *broken) difference(t *testing.T) string {
	t.Helper()
	now := everything(t, b.name, b.v)
	if now == b.before {
		return ""
	}
	return chaostest.Difference(b.before, now)
}

// same waits until everything is as before, and nothing is left in the engine.
func (b *broken) same(t *testing.T, when string) {
	t.Helper()
	if left := b.clean(t); len(left) > 0 {
		t.Errorf("%s: left %v", when, left)
	}
	// The container may take longer to recover than brunt's undo.
	suite.Until(t, when+": the container to answer", func() bool { return b.v.Answer(t.Context()) == nil })
	if b.peer != nil { // the path is restored at once
		at := "http://" + b.peer.Addresses()[0].String() + ":8080/"
		var said strings.Builder
		code, err := b.v.Yard.Engine.Exec(t.Context(), b.v.ID, []string{oci.Entry, "ask", at}, nil, &said, &said)
		if err != nil || code != 0 || strings.TrimSpace(said.String()) != "ok" {
			t.Errorf("%s: its peer says %d %q, %v", when, code, said.String(), err)
		}
	}
	differs := ""
	suite.Within(20*time.Second, func() bool { differs = b.difference(t); return differs == "" })
	if differs != "" {
		t.Errorf("%s: it differs:\n%s", when, differs)
	}
	if l := engineHas(t, b.v.Yard.Engine, b.killedRun); len(l) > 0 {
		t.Errorf("%s: left in the engine: %v", when, l)
	}
}

// unharmed injects the fault without a kill, and returns the number of points at which brunt can be
// killed, and the one right after the injection.
func (b *broken) unharmed(t *testing.T) (points, injected int) {
	t.Helper()
	var out string
	for range busyTries { // a fault that is not verified in time is not an error of this test
		out = b.breaks(t, b.fault, "guard", 0, 0)
		if strings.Contains(out, "verified true") {
			break
		}
	}
	found := injectedPattern.FindStringSubmatch(out)
	if found == nil || !strings.Contains(out, "verified true") {
		t.Fatalf("the run that is not killed failed: %s", out)
	}
	b.same(t, "the run that is not killed")
	injected, _ = strconv.Atoi(found[1])
	points, _ = strconv.Atoi(found[2])
	return points, injected
}

var injectedPattern = regexp.MustCompile(`injected (\d+) points (\d+)`)

// TestDocker_KilledAtEveryPoint kills brunt right before and after every record of its journal and
// every call that injects or reverts, for faults on running containers: each container must be as
// before.
func TestDocker_KilledAtEveryPoint(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker, suite.In("kill"))
	if testing.Short() {
		t.Skip("hundreds of brunts in processes of their own")
	}
	y := chaostest.NewYard(t)
	for name := range strangers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroken(t, y, name)
			points, injected := b.unharmed(t)
			least := 8
			if name == "fill" { // it has no journal entry
				least = 5
			}
			if points < least {
				t.Fatalf("only %d points at which brunt could die", points)
			}
			for p := 1; p <= points; p++ {
				b.breaks(t, b.fault, "guard", p, 0)
				b.same(t, fmt.Sprintf("killed at point %d of %d", p, points))
			}
			t.Logf("%d points, nothing left at any", points)
			b.withoutWatchdog(t, injected)
		})
	}
}

// withoutWatchdog kills the watchdog together with brunt, as often as BRUNT_REVERTS says. It shows that
// the test above can fail: what the kernel does not undo stays, until `brunt revert` undoes it by
// the journal.
func (b *broken) withoutWatchdog(t *testing.T, injected int) {
	t.Helper()
	times, _ := strconv.Atoi(os.Getenv("BRUNT_REVERTS"))
	var took []time.Duration
	for i := range max(2, times) {
		if out := b.breaks(t, b.fault, "both", injected, 0); out != "" {
			t.Logf("time %d: %s", i, out)
		}
		if slices.Contains(staying, b.name) {
			suite.Until(t, "what the fault has left", func() bool { return b.difference(t) != "" })
		} else {
			suite.Until(t, "the kernel to take it back", func() bool { return b.difference(t) == "" })
		}
		began := time.Now()
		taken, err := journal.Recover(t.Context(), catalog.AllOperations(), b.state, "revert")
		took = append(took, time.Since(began))
		if err != nil || len(taken) == 0 && b.name != "fill" {
			t.Errorf("time %d: taken back %+v, %v", i, taken, err)
		}
		b.same(t, fmt.Sprintf("time %d, after brunt revert", i))
	}
	slices.Sort(took)
	t.Logf("guard killed too: %d of %d taken back, within %s in the median and %s at most", len(took), len(took),
		took[len(took)/2], took[len(took)-1])
}

// TestDocker_KilledWithItsStack kills brunt at every point of a run with containers of its own: no
// container, network or image may be left. Without a watchdog all of them are left, until the next
// run starts.
func TestDocker_KilledWithItsStack(t *testing.T) {
	suite.Needs(t, suite.Docker, suite.In("kill"))
	if testing.Short() {
		t.Skip("runs in processes of their own")
	}
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
	m := newKilledRun(t)
	out := m.run(t, text, "guard", 0, 0)
	found := pointsPattern.FindStringSubmatch(out)
	if found == nil || !strings.Contains(out, "verdict none") {
		t.Fatalf("the run that is not killed failed: %s", out)
	}
	points, _ := strconv.Atoi(found[1])
	for _, p := range []int{2, 5, points / 2, points} {
		t.Run(fmt.Sprintf("point %d of %d", p, points), func(t *testing.T) {
			t.Parallel()
			m := newKilledRun(t)
			m.run(t, text, "guard", p, 0)
			if left := m.clean(t); len(left) > 0 {
				t.Errorf("left %v", left)
			}
			if l := engineHas(t, y.Engine, m); len(l) > 0 {
				t.Errorf("left %v in the engine", l)
			}
		})
	}
	t.Run("without its guard", func(t *testing.T) {
		t.Parallel()
		m := newKilledRun(t)
		m.run(t, text, "both", 5, 0)
		if l := engineHas(t, y.Engine, m); len(l) == 0 {
			t.Error("without a guard nothing is left: the test above can't fail")
		}
		if _, err := journal.Recover(t.Context(), catalog.AllOperations(), m.state, "run"); err != nil {
			t.Error(err)
		}
		if l := engineHas(t, y.Engine, m); len(l) > 0 {
			t.Errorf("after the next start there is still %v", l)
		}
	})
}

// engineHas lists the objects of runs of m in the engine, by the run's label.
func engineHas(t *testing.T, e *docker.Engine, m *killedRun) []string {
	t.Helper()
	var out []string
	for _, run := range m.runs {
		has, err := e.Labelled(context.Background(), containers.RunLabel, run)
		if err != nil {
			t.Fatal(err)
		}
		if has.Total() > 0 {
			out = append(out, fmt.Sprintf("%s: %+v", run, has))
		}
	}
	return out
}

// testDockerWatchdogRelievesAHungBrunt stops brunt while its table cuts a container off. The table is that of brunt's
// own process for networks, which the watchdog asks to remove it, or that of an agent in the engine, which the watchdog
// removes: brunt lives either way, and says who took the fault back.
func testDockerWatchdogRelievesAHungBrunt(t *testing.T) {
	suite.Needs(t, suite.Root)
	if testing.Short() {
		t.Skip("waits for ten heartbeats")
	}
	y := chaostest.NewYard(t)
	for _, agent := range []bool{false, true} {
		t.Run(fmt.Sprintf("agent %v", agent), func(t *testing.T) {
			t.Parallel()
			m := newKilledRun(t)
			v := y.Start(t, chaostest.VictimOptions{Host: scratch})
			before := everything(t, "table", v)
			if agent {
				m.useAgents(t)
			}
			cmd := m.brunt("break", m.state, "guard", "0", "network.partition", "container="+v.Ref, "for=90s")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			defer func() { _ = cmd.Process.Kill() }()
			suite.Until(t, "the container to be cut off", func() bool {
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
			suite.Until(t, "the container to be reached again", func() bool { return everything(t, "table", v) == before })
			if s := state(cmd.Process.Pid); s != "T" {
				t.Errorf("brunt is in state %q; it was to be stopped all the while", s)
			}
			_ = cmd.Process.Signal(syscall.SIGCONT)
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Error("brunt hangs on")
			}
			if said := out.String(); !strings.Contains(said, "its watchdog took the fault back at") {
				t.Errorf("it says %q", said)
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

// TestDocker_KilledAtRandom kills brunt at random moments, 50 times or as often as BRUNT_KILLS says, and reports
// how long it took until the container was as before. The fault lasts longer than brunt: where it
// was seen to be active, it was active when brunt was killed. [TestDocker_KilledAtEveryPoint] covers
// the time before and after.
func TestDocker_KilledAtRandom(t *testing.T) {
	kills := 50
	if n, err := strconv.Atoi(os.Getenv("BRUNT_KILLS")); err == nil {
		kills = n
	} else if !suite.Full() {
		t.Skip("it takes minutes: BRUNT_FULL=1 asks for it")
	}
	suite.Needs(t, suite.Root, suite.Docker, suite.In("kill"))
	y := chaostest.NewYard(t)
	r := rand.New(rand.NewPCG(9, 9))
	names := slices.Sorted(maps.Keys(strangers))
	var took, samples []time.Duration
	for i := range kills {
		b := newBroken(t, y, names[i%len(names)])
		most := 2500 * time.Millisecond // most faults are active for a while by then
		if slices.Contains(byAgents, b.name) {
			most = 6 * time.Second
		}
		after := time.Duration(r.Int64N(int64(most)))
		in, killed := b.killedAfter(t, after)
		for differs := true; differs; {
			began := time.Now()
			differs = b.difference(t) != ""
			samples = append(samples, time.Since(began))
			if differs && time.Since(killed) > 20*time.Second {
				t.Errorf("%s, killed after %s: it differs still", b.name, after)
				break
			}
		}
		d := time.Since(killed)
		if in {
			took = append(took, d)
		}
		t.Logf("%d %s killed after %s, in then: %v, as before %s later", i, b.name, after, in, d)
		b.same(t, fmt.Sprintf("%s, killed after %s", b.name, after))
		_ = y.Engine.Remove(t.Context(), b.v.ID)
	}
	slices.Sort(took)
	slices.Sort(samples)
	if len(took) <= kills/2 {
		t.Fatalf("of %d kills only %d were with the fault in", kills, len(took))
	}
	t.Logf("%d kills, %d of them with the fault in: as before after %s in the median, %s at most; a look takes %s of it",
		kills, len(took), took[len(took)/2], took[len(took)-1], samples[len(samples)/2])
}

// killedAfter starts a lasting fault, and kills brunt some time later. It returns whether the fault
// was seen to be active right before, and when brunt was killed.
func (b *broken) killedAfter(t *testing.T, after time.Duration) (in bool, killed time.Time) {
	t.Helper()
	lasting := regexp.MustCompile(`for=\S+`).ReplaceAllString(b.fault, "for=60s")
	cmd := b.brunt(append([]string{"break", b.state, "guard", "0"}, strings.Fields(lasting)...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after) // simulates work of this length before the kill
	in = b.difference(t) != ""
	killed = time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Errorf("%s: it has ended before: %s", b.name, out.String())
	}
	_ = cmd.Wait()
	return in, killed
}
