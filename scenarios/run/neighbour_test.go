//go:build linux

package run_test

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios/suite"
)

// A neighbour is a run of brunt in a process of its own, beside another with the same state
// directory.
type neighbour struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func newNeighbour(t *testing.T, state, text string) *neighbour {
	t.Helper()
	argv := self("brunt", scenario(t, text), state, "guard", "0")
	n := &neighbour{cmd: exec.Command(argv[0], argv[1:]...)}
	n.cmd.Env = append(os.Environ(), "BRUNT_STATE_OF="+state)
	n.cmd.Stdout, n.cmd.Stderr = &n.out, &n.out
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.cmd.Process.Kill() })
	return n
}

// end waits for the run's end and returns its output.
func (n *neighbour) end() string {
	_ = n.cmd.Wait()
	return n.out.String()
}

// breaks is a scenario that injects faults into all its units, for as long as the run lasts.
const breaks = `
version: 1
name: breaks all it has
target:
  processes:
    web: {command: [ECHO, child], replicas: 2, restart_delay: 100ms, links: [store], ready: {get: /}}
    store: {command: [ECHO], restart_delay: 100ms, ready: {get: /}}
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 8s, timeout: 300ms, flow: [{get: /far/}]}
chaos:
  crash: {at: 500ms, every: 700ms, repeat: 2, process.crash: {service: web, pick: all}}
  freeze: {at: 600ms, for: 4s, process.freeze: {service: store}}
`

// calm is a scenario with the same names and no fault.
const calm = `
version: 1
name: breaks nothing
target:
  processes:
    web: {command: [ECHO, child], replicas: 2, restart_delay: 100ms, links: [store], ready: {get: /}}
    store: {command: [ECHO], restart_delay: 100ms, ready: {get: /}}
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 5s, flow: [{get: /far/}]}
`

// TestNeighbours has two runs at once on one machine, with units of the same names and one state
// directory: one injects faults into all its units, is killed meanwhile, and its watchdog cleans up;
// the other is not affected.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	m := newKilledRun(t)
	quiet := newNeighbour(t, m.state, calm)
	loud := newNeighbour(t, m.state, breaks)
	suite.Until(t, "two runs, and something frozen", func() bool {
		left := strings.Join(m.residue(t), "\n")
		return strings.Count(left, ".journal") == 2 && strings.Contains(left, "(T)")
	})
	_ = loud.cmd.Process.Kill()
	if said := loud.end(); said != "" {
		t.Errorf("the one that was killed was over already: %s", said)
	}
	if said := quiet.end(); !strings.Contains(said, "\n0 of 250 bad\n") {
		t.Errorf("the one that breaks nothing: %s", said)
	}
	if left := m.clean(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestNeighbours_Stranger has two runs that both want to freeze the same process. One of them gets
// it; the other leaves it alone, and does not resume it.
func TestNeighbours_Stranger(t *testing.T) {
	t.Parallel()
	m := newKilledRun(t)
	text := func(at, stays string) string {
		return `
version: 1
name: wants the stranger
target: {processes: {web: {command: [ECHO], ready: {get: /}}}}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 12s, flow: [{get: /}]}
chaos:
  freeze: {at: ` + at + `, for: ` + stays + `, process.freeze: {pid: ` + strconv.Itoa(m.stranger.Process.Pid) + `}}
`
	}
	first := newNeighbour(t, m.state, text("300ms", "11s"))
	suite.Until(t, "the stranger to be frozen", func() bool { return state(m.stranger.Process.Pid) == "T" })
	second := newNeighbour(t, m.state, text("300ms", "300ms"))
	said := second.end()
	if !strings.Contains(said, "verdict invalid") ||
		!strings.Contains(said, "freeze was not injected") && !strings.Contains(said, "brunt itself was late") {
		t.Errorf("the second: %s", said)
	}
	if said := first.end(); !strings.Contains(said, "verdict none") && !strings.Contains(said, "brunt itself was late") {
		t.Errorf("the first: %s", said)
	}
	if left := m.clean(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
