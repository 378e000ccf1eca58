//go:build linux

package run_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/cgroup"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/vdso"
	"brunt/scenarios/notes"
	"brunt/scenarios/run"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/suite"
)

// killFaults are the faults in the middle of which brunt is killed.
var killFaults = map[string]string{
	"crash":     `{at: 300ms, process.crash: {service: web, pick: one}}`,
	"freeze":    `{at: 300ms, for: 300ms, process.freeze: {service: web, pick: one}}`,
	"tree":      `{at: 300ms, for: 300ms, process.freeze: {service: store, processes: tree}}`,
	"alone":     `{at: 300ms, process.crash: {service: store, processes: main}}`,
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
	"throttle":  `{at: 300ms, for: 300ms, cpu.throttle: {service: store, share: 5%}}`,
	"limit":     `{at: 300ms, for: 300ms, memory.limit: {pid: PID, bytes: 64MiB}}`,
	"fill":      `{at: 300ms, for: 300ms, disk.fill: {service: store, path: "DIR", bytes: 4MiB}}`,
	"files":     `{at: 300ms, for: 300ms, fd.exhaust: {pid: PID}}`,
	"skew":      `{at: 300ms, for: 300ms, time.skew: {pid: PID, offset: 1h}}`,
	"burn":      `{at: 300ms, for: 300ms, stress.memory: {pid: PID, bytes: 8MiB}}`,
	// A command that ran twice would have its effect again after the undo, unless it were ended.
	"exec": `{at: 300ms, for: 300ms, exec: {inject: "touch FLAG; sleep 0.2; touch FLAG", verify: [test, -e, "FLAG"], revert: [rm, -f, "FLAG"]}}`,
	"group": `{at: 300ms, for: 400ms, steps: [{process.freeze: {pid: PID}}, {after: 50ms, network.stall: {from: web, to: store}},
      {after: 100ms, exec: {inject: [touch, "FLAG"], verify: [test, -e, "FLAG"], revert: [rm, -f, "FLAG"]}},
      {after: 150ms, process.freeze: {service: web, pick: one}}]}`,
	"webhook": `{at: 300ms, for: 300ms, webhook: {inject: {post: "HOOK"}, verify: {get: "HOOK", check: {body: "on"}}, revert: {delete: "HOOK"}}}`,
	"call": `{at: 300ms, for: 300ms, call: {inject: [{post: "HOOK"}, {think: 1ms}], verify: {ask: {get: "HOOK", check: {body: "on"}}},
      revert: [{delete: "HOOK"}, {get: "HOOK", check: {body: "off"}}]}}`,
}

// rootFaults are the faults that need root.
var rootFaults = []string{"throttle", "limit", "fill", "files", "skew", "burn"}

// killScenario is the scenario of a fault; PID in it stands for a process, FLAG for a file and HOOK
// for a URL outside the run. Its store is a child of the unit's process: it continues to listen on
// the unit's port until it is ended. WEBPORT and STOREPORT stand for ports.
func killScenario(fault string, m *killedRun) string {
	return `
version: 1
name: to be killed
seed: 1
target:
  processes:
    web: {command: [ECHO, child], port: WEBPORT, replicas: 2, links: [store], ready: {get: /}}
    store: {command: [sh, -c, '"$@" & wait', sh, ECHO], port: STOREPORT, ready: {get: /}}
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 900ms, timeout: 300ms, grace: 300ms, flow: [{get: /far}]}
chaos:
  it: ` +
		strings.NewReplacer("DIR", filepath.Dir(m.flag), "PID", strconv.Itoa(m.stranger.Process.Pid), "FLAG", m.flag, "HOOK",
			m.hook.URL).Replace(fault) +
		"\n"
}

// killedRun is a run that is to be killed, with everything that it could leave behind.
type killedRun struct {
	state    string
	runs     []string  // their names
	env      []string  // additional environment of the runs
	ports    []int     // ports of the units of the last run
	stranger *exec.Cmd // a process of the test, not of the run
	was      string    // everything about the stranger that a fault can change
	flag     string    // a file that a command creates, in a directory of its own
	hook     *httptest.Server
	hooked   atomic.Bool // set by a call
}

func newKilledRun(t *testing.T) *killedRun { return newKilledRunBeside(t, "sleep") }

// newKilledRunBeside has a stranger that plays a role.
func newKilledRunBeside(t *testing.T, role string) *killedRun {
	t.Helper()
	if os.Geteuid() == 0 {
		suite.Needs(t, suite.ControlGroups)
	}
	m := &killedRun{state: t.TempDir(), stranger: exec.Command(os.Args[0], "role", role), flag: t.TempDir() + "/flag"}
	m.hook = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			m.hooked.Store(r.Method == http.MethodPost)
		}
		fmt.Fprint(w, map[bool]string{false: "off", true: "on"}[m.hooked.Load()])
	}))
	t.Cleanup(m.hook.Close)
	if err := m.stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = m.stranger.Process.Kill()
		_ = m.stranger.Wait()
	})
	if os.Geteuid() == 0 {
		for _, c := range []cgroup.Controller{cgroup.CPU, cgroup.Memory, cgroup.Disk} {
			ownGroup(t, c, m.stranger.Process.Pid)
		}
		suite.Until(t, "the stranger is a program, which Start need not wait for", func() bool {
			_, err := vdso.Image(m.stranger.Process.Pid)
			return err == nil
		})
		m.was = resources(t, m.stranger.Process.Pid)
	}
	return m
}

// run runs the scenario, on ports of its own, until it kills itself at a point, or is killed after
// some time. It returns its output.
func (m *killedRun) run(t *testing.T, text, guard string, point int, after time.Duration) string {
	t.Helper()
	return m.dies(t, after, "brunt", m.file(t, text), m.state, guard, strconv.Itoa(point))
}

// whole runs brunt without killing it, once more if the machine was so slow that the short load ended before the fault
// was injected.
func (m *killedRun) whole(t *testing.T, text string) (out string) {
	t.Helper()
	for range 5 {
		if out = m.run(t, text, "guard", 0, 0); !strings.Contains(out, "the run ended before it was") {
			return out
		}
	}
	return out
}

// killed runs brunt until it is killed, and reports whether it was. On a busy machine a short load may end before the
// fault is injected, and brunt then does not get to the point.
func (m *killedRun) killed(t *testing.T, text, guard string, point int, after time.Duration) bool {
	t.Helper()
	for range 5 {
		if out := m.run(t, text, guard, point, after); !passedPattern.MatchString(out) {
			return true
		}
	}
	return false
}

// breaks injects one fault without load, and is killed as a run is.
func (m *killedRun) breaks(t *testing.T, fault, guard string, point int, after time.Duration) string {
	t.Helper()
	return m.dies(t, after, append([]string{"break", m.state, guard, strconv.Itoa(point)}, strings.Fields(fault)...)...)
}

func (m *killedRun) dies(t *testing.T, after time.Duration, role ...string) string {
	t.Helper()
	cmd := m.brunt(role...)
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

// brunt is the command of a brunt in a role, in a run of its own.
func (m *killedRun) brunt(role ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{"role"}, role...)...)
	m.runs = append(m.runs, run.NewID())
	cmd.Env = append(os.Environ(), "BRUNT_STATE_OF="+m.state, "BRUNT_TEST_RUN="+m.runs[len(m.runs)-1])
	cmd.Env = append(cmd.Env, m.env...)
	return cmd
}

// file writes the scenario to a file, with ports of its own.
func (m *killedRun) file(t *testing.T, text string) string {
	t.Helper()
	m.ports = freePorts(t, 3) // two for web, one for store
	return scenario(t, strings.NewReplacer("WEBPORT", strconv.Itoa(m.ports[0]), "STOREPORT",
		strconv.Itoa(m.ports[2])).Replace(text))
}

// portTurn gives parallel runs different ports.
var portTurn atomic.Int64

// freePorts finds consecutive free ports in brunt's own range.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	const all = 12768
	portTurn.CompareAndSwap(0, rand.Int64N(all))
	for range 100 {
		first := 20000 + int(portTurn.Add(int64(n))%int64(all-n))
		var ports []int
		for p := range n {
			ports = append(ports, first+p)
		}
		if len(listeners(t, ports)) == 0 && !claimed(t, ports) {
			return ports
		}
	}
	t.Fatalf("no %d free ports in a row", n)
	return nil
}

// claimed reports whether a live run of brunt has claimed one of the ports.
func claimed(t *testing.T, ports []int) bool {
	t.Helper()
	claims, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(ports, func(p int) bool {
		return bytes.Contains(claims,
			fmt.Appendf(nil, "@brunt-port-%d\n", p))
	})
}

// listeners lists the ports with a listener of any process. It leaves out ports that a live run of
// brunt has claimed.
func listeners(t *testing.T, ports []int) []string {
	t.Helper()
	var out []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(table)
		if err != nil && table != "/proc/net/tcp6" { // the kernel may have been built without IPv6
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line) // number, local address, remote address, state and so forth
			const listens = "0A"
			if len(f) < 10 || f[3] != listens {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			port, err := strconv.ParseInt(hex, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(ports, int(port)) && !claimed(t, []int{int(port)}) {
				out = append(out, fmt.Sprintf("a listener on port %d (inode %s)", port, f[9]))
			}
		}
	}
	return out
}

// residue lists what a dead run has left: journals, processes that it started, listeners on its
// units' ports, the stranger if it is stopped, the flag, and the state of the hook.
func (m *killedRun) residue(t *testing.T) []string {
	t.Helper()
	var left []string
	journals, err := filepath.Glob(m.state + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range journals {
		// Files of a run that had not begun, and folders of notes: a later start removes them.
		if !strings.HasSuffix(j, ".new") && filepath.Base(j) != notes.Folder && !unguarded(j) {
			left = append(left, j)
		}
	}
	if s := state(m.stranger.Process.Pid); s == "T" {
		left = append(left, "the stranger is stopped")
	}
	left = append(left, m.changed(t)...)
	if _, err := os.Stat(m.flag); err == nil {
		left = append(left, "the flag is there")
	}
	if m.hooked.Load() {
		left = append(left, "the hook is set")
	}
	left = append(left, listeners(t, m.ports)...)
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		env, err := os.ReadFile("/proc/" + p.Name() + "/environ")
		if err != nil || !bytes.Contains(env, []byte("BRUNT_STATE_OF="+m.state)) {
			continue
		}
		pid, _ := strconv.Atoi(p.Name())
		left = append(left, fmt.Sprintf("process %d (%s)", pid, state(pid)))
	}
	return left
}

// unguarded reports whether a journal contains only the begin of its run: the watchdog is started
// next, and nothing is done before. On a busy machine a random kill may fall in between.
func unguarded(journal string) bool {
	b, err := os.ReadFile(journal)
	return err == nil && bytes.Count(b, []byte("\n")) == 1 && bytes.Contains(b, []byte(`"op":"begin"`))
}

func TestUnguarded(t *testing.T) {
	j, err := journal.Open(catalog.AllOperations(), t.TempDir(), run.NewID())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if !unguarded(j.Path()) {
		t.Error("a run that only began counts as one with something to take back")
	}
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x"}); err != nil {
		t.Fatal(err)
	}
	if unguarded(j.Path()) {
		t.Error("a run that was about to break something counts as one that did nothing")
	}
}

// changed lists remains of a fault in the stranger's resources, in the control groups of targets,
// and in the flag's directory.
func (m *killedRun) changed(t *testing.T) (left []string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	if now := resources(t, m.stranger.Process.Pid); now != m.was {
		left = append(left, fmt.Sprintf("the stranger was\n%s and is\n%s", m.was, now))
	}
	for _, run := range m.runs {
		groups, _ := filepath.Glob("/sys/fs/cgroup/*/brunt-" + run + "*")
		left = append(left, groups...)
	}
	files, _ := filepath.Glob(filepath.Dir(m.flag) + "/.brunt-*")
	return append(left, files...)
}

// resources describes the resource limits of a process, and how it reads the clock.
func resources(t *testing.T, pid int) string {
	t.Helper()
	var b strings.Builder
	for _, c := range []cgroup.Controller{cgroup.CPU, cgroup.Memory, cgroup.Disk} {
		g, err := (cgroup.System{}).Find(pid, c)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, g.Path)
		for _, file := range []string{
			"cpu.cfs_quota_us", "cpu.max", "memory.limit_in_bytes", "memory.max", "blkio.throttle.write_bps_device", "io.max",
		} {
			if text, err := os.ReadFile(filepath.Join(g.Path, file)); err == nil && !g.Root {
				fmt.Fprintf(&b, "%s: %s\n", file, text)
			}
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		t.Fatal(err)
	}
	image, err := vdso.Image(pid)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "%s vDSO %x\n", limits, sha256.Sum256(image))
	return b.String()
}

func state(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))[0]
}

// clean waits until the watchdog has undone everything.
func (m *killedRun) clean(t *testing.T) []string {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	suite.Within(time.Until(end), func() bool { // the journal is removed last, and is cheap to check
		j, _ := filepath.Glob(m.state + "/*.journal")
		return len(j) == 0
	})
	var left []string
	suite.Within(time.Until(end), func() bool { left = m.residue(t); return len(left) == 0 })
	return left
}

var pointsPattern = regexp.MustCompile(`points (\d+) verdict (\S+)`)

// wholeLife is the fault for which brunt is killed at all points of a run. The points of the other
// faults before their injection and after their undo are the same.
const wholeLife = "freeze"

// ownPoints returns the range of points of a run that belong to its fault: all but those of the
// target's own journal entry, whose records are the first and the last.
func ownPoints(t *testing.T, out string) (from, to, all int) {
	t.Helper()
	found := passedPattern.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("the run that is not killed failed: %s", out)
	}
	names := strings.Split(found[1], ", ")
	from = slices.Index(names, "before inject")
	if second := slices.Index(names[1:], "before intent") + 1; second > 0 { // the first belongs to the target
		from = min(from, second)
	}
	if n := len(names); from < afterUnjournaled-2 || names[0] != "before intent" ||
		!slices.Equal(names[n-2:], []string{"before done", "after done"}) {
		t.Fatalf("these are no points of a run: %q\n%s", names, out)
	}
	return from + 1, len(names) - 2, len(names)
}

var passedPattern = regexp.MustCompile(`(?m)^passed (.*)$`)

// TestKilledAtEveryPoint kills brunt right before and after every record of its journal and every
// call that injects or reverts, for every fault.
func TestKilledAtEveryPoint(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	if testing.Short() {
		t.Skip("hundreds of runs in processes of their own")
	}
	for name, fault := range killFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if slices.Contains(rootFaults, name) {
				needsRoot(t)
			}
			m := newKilledRun(t)
			text := killScenario(fault, m)
			from, to, all := ownPoints(t, m.whole(t, text))
			if left := m.clean(t); len(left) > 0 {
				t.Fatalf("the run that is not killed left %v", left)
			}
			if least := 4; to-from+1 < least {
				t.Fatalf("only %d points of its own at which brunt could die", to-from+1)
			}
			if name == wholeLife {
				from, to = 1, all
			}
			for p := from; p <= to; p++ {
				m.run(t, text, "guard", p, 0)
				if left := m.clean(t); len(left) > 0 {
					t.Errorf("killed at point %d of %d: left %v", p, all, left)
				}
			}
			t.Logf("%d to %d of %d points, nothing left at any", from, to, all)
		})
	}
}

// TestKilledAtRandom kills brunt at random moments of its whole life.
func TestKilledAtRandom(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	if testing.Short() {
		t.Skip("runs in processes of their own")
	}
	r := rand.New(rand.NewPCG(5, 5))
	const trials = 7
	for _, name := range []string{"crash", "exec", "freeze", "partition", "stop", "stranger", "webhook", "call"} {
		var after []time.Duration
		for range trials {
			after = append(after, 50*time.Millisecond+time.Duration(r.Int64N(int64(1200*time.Millisecond))))
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newKilledRun(t)
			text := killScenario(killFaults[name], m)
			for _, d := range after {
				began := time.Now()
				m.run(t, text, "guard", 0, d)
				if left := m.clean(t); len(left) > 0 {
					t.Errorf("killed after %s: left %v", d, left)
				}
				t.Logf("killed after %s, clean %s later", d, (time.Since(began) - d).Round(time.Millisecond))
			}
		})
	}
}

// TestKilled_TimeSkew kills brunt while the clock of a process is set off that starts others all the time: at a moment
// when brunt holds one of these, the process waits for it in the kernel.
func TestKilled_TimeSkew(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	needsRoot(t)
	kills := 6
	if suite.Full() {
		kills = 200
	}
	m := newKilledRunBeside(t, "spawns")
	text := killScenario(killFaults["skew"], m)
	from, to, all := ownPoints(t, m.whole(t, text))
	m.clean(t)
	if !m.killed(t, text, "none", afterLimit, 0) || m.was == resources(t, m.stranger.Process.Pid) {
		t.Fatal("the clock is not off where nothing sets it right: the test shows nothing")
	}
	if _, err := journal.Recover(t.Context(), guard.Operations(), m.state, "run"); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(8, 8))
	bad, spared := 0, 0
	for i := range kills {
		point, after := from+i/2%(to-from+1), time.Duration(0)
		if i%2 == 1 {
			point, after = 0, 300*time.Millisecond+time.Duration(r.Int64N(int64(900*time.Millisecond)))
		}
		if !m.killed(t, text, "guard", point, after) {
			spared++
		}
		if left := m.clean(t); len(left) > 0 {
			bad++
			t.Errorf("kill %d, at point %d of %d or after %s: left %v", i, point, all, after, left)
		}
	}
	t.Logf("%d of %d kills left something, and %d more runs ended before they were killed", bad, kills-spared, spared)
	if 5*spared > kills {
		t.Errorf("%d of %d runs ended before they were killed: the machine is too busy for this test", spared, kills)
	}
}

// TestKilled_Memory has the kernel kill brunt, because the memory of the control group of brunt, its watchdog and its
// target has run out while a fault is in.
func TestKilled_Memory(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	needsRoot(t)
	for _, name := range []string{"stranger", "latency", "throttle", "fill", "skew", "exec"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newKilledRun(t)
			own, err := (cgroup.System{}).Find(os.Getpid(), cgroup.Memory)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(own.Path, fmt.Sprintf("test-of-brunt-%d-%s", os.Getpid(), name))
			g, err := cgroup.Make(path, own.Unified)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { suite.Until(t, g.Path+" is empty", func() bool { return g.Remove() == nil }) })
			limit, killed := "memory.limit_in_bytes", "memory.oom_control"
			if own.Unified {
				limit, killed = "memory.max", "memory.events"
			}
			if err := os.WriteFile(filepath.Join(g.Path, limit), []byte("512M"), 0o600); err != nil {
				t.Fatal(err)
			}
			sh, err := exec.LookPath("sh")
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(killScenario(killFaults[name], m), "duration: 900ms", "duration: 3s", 1)
			inGroup := []string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(g.Path, "cgroup.procs")}
			var out []byte
			for range 5 { // on a busy machine brunt may be too late for its fault, and live on
				cmd := m.brunt("brunt", m.file(t, text), m.state, "eats", "0")
				cmd.Path, cmd.Args = sh, append(inGroup, cmd.Args...)
				if out, err = cmd.CombinedOutput(); err != nil {
					break
				}
			}
			events, _ := os.ReadFile(filepath.Join(g.Path, killed))
			ended, _ := errors.AsType[*exec.ExitError](err)
			if ended == nil || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL ||
				!strings.Contains(string(events), "oom_kill 1\n") {
				t.Errorf("brunt ended by %v: %s\n%s", err, out, events)
			}
			if left := m.clean(t); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// The points around a fault's injection: the target's journal entry has two points, its three
// processes two each, the fault's entry two, and its injection two. A fault that ends with brunt has
// no entry.
const (
	afterUnjournaled = 2 + 3*2 + 2
	afterInjection   = 2 + 3*2 + 2 + 2
	beforeRevert     = afterInjection + 1
	afterRevert      = afterInjection + 2
	afterCommand     = afterInjection + 2 // its process has an entry too
	afterLimit       = afterInjection + 1 // one call to the kernel
	afterThrottle    = afterInjection + 4 // creates a group, sets a limit, and moves two processes
)

// TestWithoutWatchdogThereIsResidue shows that the two tests above can fail: without a watchdog, or
// with one that is killed together with brunt, a frozen stranger stays frozen, and a process that a
// unit started lives on and keeps its port. Then the start of the next run finds the journal and
// cleans up.
func TestWithoutWatchdogThereIsResidue(t *testing.T) {
	if testing.Short() {
		t.Skip("runs in processes of their own")
	}
	const trials = 2
	for _, c := range []struct {
		name, fault string
		point       int
		stopped     bool // the stranger is stopped
		entries     int  // open entries of the journal
	}{
		{"a stranger that was stopped", "stranger", afterInjection, true, 2},
		{"a stranger that was about to go on", "stranger", beforeRevert, true, 2},
		{"a stranger that goes on again", "stranger", afterRevert, false, 2},
		{"a unit that was stopped", "freeze", afterInjection, false, 2},
		{"a unit that was killed", "crash", afterUnjournaled, false, 1},
		{"a link that was cut", "partition", afterInjection, false, 2},
		{"a command that was run", "exec", afterCommand, false, 2},
		{"a call that was made", "webhook", afterInjection, false, 2},
		{"steps that were made", "call", afterInjection, false, 2},
		{"a stranger that was limited", "limit", afterLimit, false, 2},
		{"a unit in a group of its own", "throttle", afterThrottle, false, 2},
		{"a clock that is off", "skew", afterLimit, false, 2},
	} {
		for _, spared := range []string{"none", "both"} {
			t.Run(c.name+", guard "+spared, func(t *testing.T) {
				t.Parallel()
				if slices.Contains(rootFaults, c.fault) {
					needsRoot(t)
				}
				for i := range trials {
					m := newKilledRun(t)
					t.Log(m.run(t, killScenario(killFaults[c.fault], m), spared, c.point, 0))
					if c.stopped { // the kernel stops a process when it is scheduled next
						suite.Until(t, "the stranger to be stopped", func() bool { return state(m.stranger.Process.Pid) == "T" })
					}
					left := strings.Join(m.residue(t), "\n")
					for _, want := range []string{".journal", "process ", fmt.Sprintf("a listener on port %d", m.ports[2])} {
						if !strings.Contains(left, want) {
							t.Fatalf("trial %d: %q is not left behind: %s", i, want, left)
						}
					}
					if got := strings.Contains(left, "the stranger is stopped"); got != c.stopped {
						t.Errorf("trial %d: the stranger is stopped: %v, want %v", i, got, c.stopped)
					}
					own := slices.Contains([]string{"exec", "webhook", "call"}, c.fault)
					if got := strings.Contains(left, "the flag is there") || strings.Contains(left, "the hook is set"); got != own {
						t.Errorf("trial %d: the author's own fault is in: %v: %s", i, got, left)
					}
					if got := strings.Contains(left, "the stranger was") ||
						strings.Contains(left, "/sys/fs/cgroup"); got != slices.Contains(rootFaults, c.fault) {
						t.Errorf("trial %d: what a unit may use is changed: %v: %s", i, got, left)
					}
					taken, err := journal.Recover(t.Context(), guard.Operations(), m.state, "run")
					if err != nil {
						t.Fatal(err)
					}
					if len(taken) != c.entries {
						t.Errorf("trial %d: taken back %+v, want %d", i, taken, c.entries)
					}
					if left := m.clean(t); len(left) > 0 {
						t.Errorf("trial %d: after the next start there is still %v", i, left)
					}
				}
			})
		}
	}
}

// TestDefaultsOfProcesses injects faults into processes without `ready` and `restart`: a frozen one
// is detected by its answers, not by its port, which the kernel keeps open; and one that exits
// successfully when it is crashed is restarted.
func TestDefaultsOfProcesses(t *testing.T) {
	t.Parallel()
	const (
		itself   = `[ECHO]`
		child    = `[sh, -c, '"$@" & wait', sh, ECHO]`
		graceful = `[sh, -c, "trap 'kill $!; exit 0' TERM; \"$@\" & wait", sh, ECHO]`
	)
	for _, c := range []struct{ name, command, fault, evidence, gone string }{
		{
			"one that is frozen", itself, `{at: 300ms, for: 300ms, process.freeze: {service: web}}`, "a request has no answer",
			"runs and is ready",
		},
		{
			"one whose child serves", child, `{at: 300ms, for: 300ms, process.freeze: {service: web}}`, "2 of 2 processes",
			"run, and the unit is ready",
		},
		{
			"one that ends in good order", graceful, `{at: 300ms, within: 8s, process.crash: {service: web, signal: TERM}}`,
			"after SIGTERM", "ready again as pid",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, `
version: 1
name: defaults
target: {processes: {web: {command: `+c.command+`}}}
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, timeout: 300ms, flow: [{get: /}]}
chaos:
  it: `+c.fault+"\n", run.Options{})
			f := res.Faults[0]
			if !f.Gone || !strings.Contains(f.Evidence, c.evidence) ||
				!strings.Contains(f.GoneEvidence, c.gone) {
				t.Errorf("%s, %s: %+v", res.Verdict, res.Reason, f)
			}
			if !f.Verified.Known() || f.NotShown != "" {
				t.Errorf("its effect was found at %v, and not shown is %q", f.Verified, f.NotShown)
			}
		})
	}
}

// stopped runs a fault for a minute, and stops brunt once the fault is in, as a debugger or a full disk
// would: its heartbeat ends.
func (m *killedRun) stopped(t *testing.T, fault string, in func(brunt int) bool) (brunt int) {
	t.Helper()
	text := strings.ReplaceAll(killScenario(fault, m), "900ms", "61s")
	cmd := m.brunt("brunt", m.file(t, text), m.state, "guard", "0")
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
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	suite.Until(t, "the fault to be in", func() bool { return in(cmd.Process.Pid) })
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// TestWatchdog_StoppedBrunt checks that the watchdog of a stopped brunt reverts a fault without waiting
// for brunt's death, and without ending brunt, also one that a process of brunt's holds.
func TestWatchdog_StoppedBrunt(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for ten heartbeats")
	}
	t.Run("freeze", func(t *testing.T) {
		t.Parallel()
		m := newKilledRun(t)
		frozen := func() bool { return state(m.stranger.Process.Pid) == "T" }
		brunt := m.stopped(t, `{at: 300ms, for: 60s, process.freeze: {pid: PID}}`, func(int) bool { return frozen() })
		suite.Until(t, "the watchdog to let the stranger go on", func() bool { return !frozen() })
		if s := state(brunt); s != "T" {
			t.Errorf("brunt is in state %q; it was to be stopped all the while", s)
		}
	})
	for name, fault := range map[string]string{
		"fill": `{at: 300ms, for: 60s, disk.fill: {service: store, path: "DIR", bytes: 4MiB}}`,
		"burn": `{at: 300ms, for: 60s, stress.memory: {pid: PID, bytes: 8MiB}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			t.Parallel()
			m := newKilledRun(t)
			brunt := m.stopped(t, fault, func(brunt int) bool { return slices.ContainsFunc(proc.Family(brunt), isStressor) })
			of := proc.Family(brunt)
			suite.Until(t, "the watchdog to end the process of the fault",
				func() bool { return !slices.ContainsFunc(of, isStressor) })
			if s := state(brunt); s != "T" {
				t.Errorf("brunt is in state %q; it was to be stopped all the while", s)
			}
			if name == "fill" && slices.ContainsFunc(proc.Family(brunt),
				func(pid int) bool { return holdsDeleted(pid, filepath.Dir(m.flag)) }) {
				t.Error("the file is still open")
			}
		})
	}
}

// isStressor reports whether a process is a stress process.
func isStressor(pid int) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(env, []byte("\x00BRUNT_STRESS="))
}

// commandLine returns the arguments of a process, each with a zero byte after it.
func commandLine(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return string(line)
}

// holdsDeleted reports whether a process holds a file without a name in a directory open.
func holdsDeleted(pid int, dir string) bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(links, func(link string) bool {
		to, err := os.Readlink(link)
		return err == nil && strings.HasPrefix(to, dir) && strings.HasSuffix(to, "(deleted)")
	})
}
