//go:build linux

package run

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos"
)

// killFaults are the faults that brunt is killed in the middle of.
var killFaults = map[string]string{
	"crash":     `{at: 300ms, process.crash: {service: web, pick: one}}`,
	"freeze":    `{at: 300ms, for: 300ms, process.freeze: {service: web, pick: one}}`,
	"stop":      `{at: 300ms, for: 300ms, process.stop: {service: store}}`,
	"restart":   `{at: 300ms, process.restart: {service: store}}`,
	"latency":   `{at: 300ms, for: 300ms, network.latency: {from: web, to: store, delay: 20ms}}`,
	"bandwidth": `{at: 300ms, for: 300ms, network.bandwidth: {from: web, to: store, rate: 10Mbit/s}}`,
	"stall":     `{at: 300ms, for: 300ms, network.stall: {from: web, to: store}}`,
	"blackhole": `{at: 300ms, for: 300ms, network.blackhole: {from: web, to: store}}`,
	"reset":     `{at: 300ms, network.reset: {from: web, to: store}}`,
	"partition": `{at: 300ms, for: 300ms, network.partition: {from: web, to: store, mode: reject}}`,
	"error":     `{at: 300ms, for: 300ms, http.error: {from: web, to: store, percent: 50%}}`,
	"delay":     `{at: 300ms, for: 300ms, http.delay: {from: load, to: web, delay: 20ms}}`,
	"stranger":  `{at: 300ms, for: 300ms, process.freeze: {pid: PID}}`,
}

func killScenario(fault string, pid int) string {
	return `
version: 1
name: to be killed
seed: 1
target:
  processes:
    web: {command: [ECHO, child], replicas: 2, links: [store], ready: {get: /}}
    store: {command: [ECHO], ready: {get: /}}
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 900ms, timeout: 300ms, grace: 300ms, flow: [{get: /far}]}
chaos:
  it: ` + strings.ReplaceAll(fault, "PID", strconv.Itoa(pid)) + "\n"
}

// mortal is a run that is to be killed, with all that it could leave behind.
type mortal struct {
	state    string
	stranger *exec.Cmd // a process of ours, not of the run's
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	m := &mortal{state: t.TempDir(), stranger: exec.Command(os.Args[0], "role", "sleep")}
	if err := m.stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = m.stranger.Process.Kill()
		_ = m.stranger.Wait()
	})
	return m
}

// run runs the scenario until it kills itself at a point, or is killed after some
// time. It gives what it wrote.
func (m *mortal) run(t *testing.T, file, guard string, point int, after time.Duration) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "role", "brunt", file, m.state, guard, strconv.Itoa(point))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	}
	_ = cmd.Wait()
	return out.String()
}

// residue lists what a dead run has left: journals, processes that carry its mark,
// listeners of such, and the stranger when it is stopped.
func (m *mortal) residue(t *testing.T) []string {
	t.Helper()
	var left []string
	journals, err := filepath.Glob(m.state + "/*")
	if err != nil {
		t.Fatal(err)
	}
	left = append(left, journals...)
	if s := state(m.stranger.Process.Pid); s == "T" {
		left = append(left, "the stranger is stopped")
	}
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		env, err := os.ReadFile("/proc/" + p.Name() + "/environ")
		if err != nil || !bytes.Contains(env, []byte("BRUNT_RUN=")) || !bytes.Contains(env, []byte("BRUNT_STATE_OF="+m.state)) {
			continue
		}
		pid, _ := strconv.Atoi(p.Name())
		left = append(left, fmt.Sprintf("process %d (%s)", pid, state(pid)))
	}
	return left
}

func state(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))[0]
}

// clean waits until nothing is left, which the guard is to see to.
func (m *mortal) clean(t *testing.T) []string {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		left := m.residue(t)
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(2 * time.Millisecond)
	}
}

var pointsPattern = regexp.MustCompile(`points (\d+) verdict (\S+)`)

// TestKilledAtEveryPoint kills brunt right before and after every record of its
// journal and every call that injects or reverts, for every fault.
func TestKilledAtEveryPoint(t *testing.T) {
	for name, fault := range killFaults {
		if testing.Short() && name != "freeze" && name != "stranger" && name != "partition" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			m := newMortal(t)
			t.Setenv("BRUNT_STATE_OF", m.state)
			file := scenario(t, killScenario(fault, m.stranger.Process.Pid))
			out := m.run(t, file, "guard", 0, 0)
			found := pointsPattern.FindStringSubmatch(out)
			if found == nil {
				t.Fatalf("the run that nobody kills failed: %s", out)
			}
			if left := m.clean(t); len(left) > 0 {
				t.Fatalf("the run that nobody kills left %v", left)
			}
			points, _ := strconv.Atoi(found[1])
			if points < 8 {
				t.Fatalf("only %d points at which brunt could die", points)
			}
			for p := 1; p <= points; p++ {
				m.run(t, file, "guard", p, 0)
				if left := m.clean(t); len(left) > 0 {
					t.Errorf("killed at point %d of %d: left %v", p, points, left)
				}
			}
			t.Logf("%d points, nothing left at any", points)
		})
	}
}

// TestKilledAtRandom kills brunt at random moments, through all of its life.
func TestKilledAtRandom(t *testing.T) {
	m := newMortal(t)
	t.Setenv("BRUNT_STATE_OF", m.state)
	r := rand.New(rand.NewPCG(5, 5))
	trials := 50
	if testing.Short() {
		trials = 8
	}
	names := []string{"freeze", "stranger", "stop", "crash", "partition"}
	for i := range trials {
		file := scenario(t, killScenario(killFaults[names[i%len(names)]], m.stranger.Process.Pid))
		after := 50*time.Millisecond + time.Duration(r.Int64N(int64(1200*time.Millisecond)))
		began := time.Now()
		m.run(t, file, "guard", 0, after)
		if left := m.clean(t); len(left) > 0 {
			t.Errorf("trial %d, killed after %s: left %v", i, after, left)
		}
		t.Logf("trial %d (%s): killed after %s, clean %s later", i, names[i%len(names)], after, (time.Since(began) - after).Round(time.Millisecond))
	}
}

// atInjection is the point right after the fault's injection: the stack's entry is
// two points, its three processes two each, the fault's entry two, and two its
// injection.
const atInjection = 2 + 3*2 + 2 + 2

// TestWithoutGuardThereIsResidue shows that the two tests above can fail: without a
// guard, or with one that is killed together with brunt, a frozen stranger stays
// frozen, and a process that a unit started lives on. Then the start of the next run
// finds the journal and cleans up.
func TestWithoutGuardThereIsResidue(t *testing.T) {
	trials := 20
	if testing.Short() {
		trials = 2
	}
	for _, guard := range []string{"none", "both"} {
		for i := range trials {
			m := newMortal(t)
			t.Setenv("BRUNT_STATE_OF", m.state)
			file := scenario(t, killScenario(killFaults["stranger"], m.stranger.Process.Pid))
			m.run(t, file, guard, atInjection, 0)
			// the kernel stops a process when it is scheduled next
			waitFor(t, "the stranger to be stopped", func() bool { return state(m.stranger.Process.Pid) == "T" })
			left := strings.Join(m.residue(t), "\n")
			for _, want := range []string{".journal", "the stranger is stopped", "process "} {
				if !strings.Contains(left, want) {
					t.Fatalf("guard %s, trial %d: %q is not left behind: %s", guard, i, want, left)
				}
			}
			taken, err := chaos.Recover(t.Context(), m.state, "run")
			if err != nil {
				t.Fatal(err)
			}
			if len(taken) != 2 {
				t.Errorf("guard %s, trial %d: taken back %+v, want the stack and the freeze", guard, i, taken)
			}
			if left := m.residue(t); len(left) > 0 {
				t.Errorf("guard %s, trial %d: after the next start there is still %v", guard, i, left)
			}
		}
	}
}

// TestGuardTakesBackFromAHungBrunt stops brunt, as a debugger or a full disk would:
// its heartbeat ends, and the guard acts without waiting for its death.
func TestGuardTakesBackFromAHungBrunt(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for ten heartbeats")
	}
	m := newMortal(t)
	t.Setenv("BRUNT_STATE_OF", m.state)
	file := scenario(t, strings.ReplaceAll(killScenario(`{at: 300ms, for: 60s, process.freeze: {pid: PID}}`, m.stranger.Process.Pid), "900ms", "61s"))
	cmd := exec.Command(os.Args[0], "role", "brunt", file, m.state, "guard", "0")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			t.Log(s.Text())
		}
	}()
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	waitFor(t, "the stranger to be frozen", func() bool { return state(m.stranger.Process.Pid) == "T" })
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the guard to let the stranger go on", func() bool { return state(m.stranger.Process.Pid) != "T" })
	if s := state(cmd.Process.Pid); s != "T" {
		t.Errorf("brunt is in state %q; it was to be stopped all the while", s)
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
