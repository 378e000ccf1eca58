//go:build linux

package run_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// TestDiscovered kills brunt together with its watchdog and removes the journal: processes with the
// run's mark are found and ended, and a process without one is not touched. Where the journal was
// only moved, the marks lead to it.
func TestDiscovered(t *testing.T) {
	for _, c := range []struct {
		name string
		lost bool // the journal was removed
	}{{"the journal is lost", true}, {"the journal lies elsewhere", false}} {
		t.Run(c.name, func(t *testing.T) {
			m := newKilledRun(t)
			t.Setenv("BRUNT_STATE_OF", m.state)
			t.Setenv("BRUNT_STATE", m.state)
			m.run(t, killScenario(killFaults["stranger"], m), "both", afterInjection, 0)
			suite.Until(t, "the stranger to be stopped", func() bool { return state(m.stranger.Process.Pid) == "T" })
			journals, _ := filepath.Glob(m.state + "/*.journal")
			if len(journals) != 1 {
				t.Fatalf("journals: %v", journals)
			}
			run := strings.TrimSuffix(filepath.Base(journals[0]), ".journal")
			if c.lost {
				if err := os.Remove(journals[0]); err != nil {
					t.Fatal(err)
				}
			}
			before := m.residue(t)
			since := time.Now()
			suite.Until(t, "what is dying is dead", func() bool {
				if now := m.residue(t); !slices.Equal(now, before) {
					before, since = now, time.Now()
				}
				return time.Since(since) > 100*time.Millisecond
			})
			if !strings.Contains(strings.Join(before, "\n"), "process ") {
				t.Fatalf("nothing is left behind: %v", before)
			}
			if dropped := dropCopies(t, run); c.lost && dropped == 0 && os.Geteuid() == 0 {
				t.Error("the kernel has kept no copy")
			}
			d, err := journal.Discover(t.Context(), catalog.AllOperations(), run)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, l := range d.Left {
				if l.Run != run || l.Process.PID == m.stranger.Process.Pid {
					t.Errorf("found %+v", l)
				}
				if l.Journal != "" {
					found++
				}
			}
			if want := map[bool]int{true: 0, false: 1}[c.lost]; found != want || len(d.Left) == found {
				t.Errorf("found %+v", d.Left)
			}
			stranger := func(l journal.Leftover) bool { return l.PID == m.stranger.Process.Pid }
			if slices.ContainsFunc(d.Unproven, stranger) != c.lost { // the journal knows it
				t.Errorf("the stranger is not reported of, or twice: %+v", d.Unproven)
			}
			if after := m.residue(t); len(after) != len(before) {
				t.Errorf("looking changed something: %v, now %v", before, after)
			}
			if _, err := d.TakeBack(t.Context(), catalog.AllOperations(), nil); err != nil {
				t.Fatal(err)
			}
			var left []string
			if !c.lost {
				left = m.clean(t)
			} else {
				left = m.residue(t)
				if i := slices.Index(left, "the stranger is stopped"); i < 0 {
					t.Error("the stranger, which has no mark, was touched")
				} else {
					left = slices.Delete(left, i, i+1)
				}
			}
			if len(left) > 0 {
				t.Errorf("still there: %v", left)
			}
			if d, err := journal.Discover(t.Context(), catalog.AllOperations(), run); err != nil || len(d.Left) > 0 {
				t.Errorf("found again: %+v, %v", d, err)
			}
		})
	}
}

// TestDiscovered_Alive: the processes of a run in progress are left alone, even if its journal is
// not in its place.
func TestDiscovered_Alive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := strings.ReplaceAll(injectable, "ECHO", strings.Join(self("echo"), ", ")) +
		"  it: {at: 20s, for: 500ms, process.freeze: {service: web}}\n"
	plan, err := mustCompile(t, text).Single("it", 0)
	if err != nil {
		t.Fatal(err)
	}
	id := run.NewID()
	var d *journal.Discovery
	in, err := run.Inject(t.Context(), plan, run.Options{ID: id, State: dir, Event: func(e result.Event) {
		if e.Event != "fault.verified" {
			return
		}
		lost := filepath.Join(dir, id+".journal")
		if err := errors.Join(os.Link(lost, lost+".kept"), os.Remove(lost)); err != nil {
			t.Error(err)
		}
		if d, err = journal.Discover(t.Context(), catalog.AllOperations(), id); err != nil {
			t.Error(err)
		}
		if err := os.Rename(lost+".kept", lost); err != nil {
			t.Error(err)
		}
		if e, err := journal.Discover(t.Context(), catalog.AllOperations(), id); err != nil || len(e.Left) > 0 ||
			!slices.Equal(e.Alive, []string{id}) {
			t.Errorf("%+v, %v", e, err)
		}
	}})
	if err != nil || in.Verdict != scenarios.Pass {
		t.Fatalf("%+v, %v", in, err)
	}
	if d == nil || len(d.Left) > 0 || !slices.Equal(d.Alive, []string{id}) {
		t.Errorf("%+v", d)
	}
}

// TestDiscovered_Watchdog stops the watchdog and kills brunt while a process without a mark is frozen:
// the watchdog's own mark leads to the journal.
func TestDiscovered_Watchdog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := newServer(t, "serve")
	argv := self("inject", strconv.Itoa(server.pid), dir)
	brunt := exec.Command(argv[0], argv[1:]...)
	if err := brunt.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end := func() {
		if !ended {
			ended = true
			_ = brunt.Process.Kill()
			_ = brunt.Wait()
		}
	}
	t.Cleanup(end)
	suite.Until(t, "the server to be frozen", func() bool { return state(server.pid) == "T" })
	journals, _ := filepath.Glob(dir + "/*.journal")
	if len(journals) != 1 {
		t.Fatalf("journals: %v", journals)
	}
	run := strings.TrimSuffix(filepath.Base(journals[0]), ".journal")
	guard := childOf(t, brunt.Process.Pid, journals[0])
	find := func() *journal.Discovery {
		t.Helper()
		d, err := journal.Discover(t.Context(), catalog.AllOperations(), run)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := find(); len(d.Left) > 0 || !slices.Equal(d.Alive, []string{run}) {
		t.Errorf("a run that goes on: %+v", d)
	}
	if err := syscall.Kill(guard, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the guard to be stopped", func() bool { return state(guard) == "T" })
	end()
	d := find()
	if len(d.Left) != 2 || d.Left[0].Journal != journals[0] || d.Left[1].Process.PID != guard {
		_ = syscall.Kill(guard, syscall.SIGKILL)
		t.Fatalf("%+v", d.Left)
	}
	taken, err := d.TakeBack(t.Context(), catalog.AllOperations(), nil)
	if err != nil || len(taken) != 2 {
		t.Errorf("%+v, %v", taken, err)
	}
	suite.Until(t, "the server to go on", func() bool { return state(server.pid) != "T" })
	if s := state(guard); s != "" && s != "Z" {
		t.Errorf("the guard is in state %q", s)
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// childOf finds the child of a process by the last word of its command line.
func childOf(t *testing.T, parent int, word string) int {
	t.Helper()
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		cmd, _ := os.ReadFile("/proc/" + p.Name() + "/cmdline")
		stat, _ := os.ReadFile("/proc/" + p.Name() + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if strings.HasSuffix(string(cmd), "\x00"+word+"\x00") && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(p.Name())
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("process %d has no child that ends with %s", parent, word)
	return 0
}
