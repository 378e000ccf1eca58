//go:build linux

package run_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/journal"
	"brunt/scenarios/suite"

	"golang.org/x/sys/unix"
)

// unknowable are the faults that no value tells of, with the reason: without a journal only the kernel's copy of its
// entry takes them back.
var unknowable = map[string]string{
	"limit":   "nothing says what a group had before that is no container's",
	"exec":    "brunt does not know what a command has done",
	"group":   "brunt does not know what a command has done",
	"webhook": "brunt does not know what a call has done",
}

// inexact are the faults that values tell of, and not of all that they took, with what is missing.
var inexact = map[string]string{
	"disconnect": "the address and the aliases that the container had asked for are not known",
}

// discovered is a table of what was found after brunt, its watchdog and its journal were gone.
type discovered struct {
	mu   sync.Mutex
	rows []string
}

func (d *discovered) add(cells ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows = append(d.rows, strings.Join(cells, "\t"))
}

func (d *discovered) print(t *testing.T) {
	t.Cleanup(func() {
		slices.Sort(d.rows)
		var text strings.Builder
		w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "\nfault\tfound by\tproven\tnot proven\ttaken back\tstate after")
		for _, row := range d.rows {
			fmt.Fprintln(w, row)
		}
		_ = w.Flush()
		t.Log(text.String())
	})
}

// discoveredKinds runs a test for each of the kinds, by the kernel's copies of the journal's entries and by values
// alone, and logs the cells that it returns as a table. The short tests are of some kinds alone.
func discoveredKinds(
	t *testing.T, kinds, short []string, test func(t *testing.T, name, by string) (run string, cells []string),
) {
	t.Helper()
	table := new(discovered)
	table.print(t)
	for _, name := range kinds {
		if testing.Short() && !slices.Contains(short, name) {
			continue
		}
		for _, by := range []string{"copies", "values"} {
			t.Run(name+"/"+by, func(t *testing.T) {
				t.Parallel()
				run, cells := test(t, name, by)
				if n := dropCopies(t, run); n > 0 {
					t.Errorf("the kernel keeps %d copies still", n)
				}
				table.add(append([]string{name, by}, cells...)...)
			})
		}
	}
}

// killedTogether starts a brunt, and kills it and its watchdog once its fault is verified. It removes the journal, and
// returns the run. In the order of the kills, the watchdog can't do anything.
func (m *killedRun) killedTogether(t *testing.T, cmd *exec.Cmd) (run string) {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "verified")
	cmd.Env = append(cmd.Env, "BRUNT_TEST_MARK="+mark)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { _ = cmd.Wait(); close(over) }()
	suite.Until(t, "the fault to be in", func() bool {
		select {
		case <-over:
			t.Fatalf("brunt has ended: %s", out.String())
		default:
		}
		_, err := os.Stat(mark)
		return err == nil
	})
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	suite.Until(t, "brunt to be stopped", func() bool { return state(cmd.Process.Pid) == "T" })
	journals, _ := filepath.Glob(m.state + "/*.journal")
	if len(journals) != 1 {
		t.Fatalf("journals: %v", journals)
	}
	kill(childOf(t, cmd.Process.Pid, journals[0]))
	_ = cmd.Process.Kill()
	<-over
	for _, name := range journals {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	return strings.TrimSuffix(filepath.Base(journals[0]), ".journal")
}

// settled waits until nothing changes any more: processes that die with brunt take a moment.
func settled[T any](t *testing.T, now func() T, same func(a, b T) bool) T {
	t.Helper()
	was, since := now(), time.Now()
	suite.Until(t, "what is dying to be dead", func() bool {
		if is := now(); !same(is, was) {
			was, since = is, time.Now()
		}
		return time.Since(since) > 200*time.Millisecond
	})
	return was
}

// dropCopies removes the kernel's copies of the entries of a run.
func dropCopies(t *testing.T, run string) (dropped int) {
	t.Helper()
	const at = "/sys/fs/cgroup"
	b := make([]byte, 64<<10)
	n, err := unix.Listxattr(at, b)
	if err != nil {
		t.Skip("the kernel keeps no copies here: ", err)
	}
	for name := range strings.SplitSeq(string(b[:n]), "\x00") {
		if strings.Contains(name, "."+run+".") {
			if err := unix.Removexattr(at, name); err != nil {
				t.Error(err)
			}
			dropped++
		}
	}
	return dropped
}

// takesBack discovers what a run has left, and takes it back, what is not proven as far as mine says that it is of this
// test. It returns cells for the table.
func takesBack(t *testing.T, run string, mine func(journal.Leftover) bool) []string {
	t.Helper()
	d, err := journal.Discover(t.Context(), catalog.AllOperations(), run)
	if err != nil {
		t.Error(err)
	}
	if d == nil {
		t.FailNow()
	}
	unproven := 0
	for _, l := range d.Unproven {
		if mine(l) {
			unproven++
			if l.Why == "" || l.Reverts() && l.Command == "" && !strings.HasPrefix(l.What, "the clock") {
				t.Errorf("%s: why, and by which command? %+v", l.What, l)
			}
		}
	}
	taken, err := d.TakeBack(t.Context(), catalog.AllOperations(), mine)
	if err != nil {
		t.Error(err)
	}
	for _, l := range taken {
		t.Logf("%s: %s %v", l.Pending.What, l.Outcome, l.Err)
	}
	return []string{fmt.Sprint(len(d.Left)), fmt.Sprint(unproven), fmt.Sprint(len(taken))}
}

// TestDiscovered_Kinds kills brunt and its watchdog while a fault is in, for every kind on processes, and removes the
// journal. What is left is found, by the kernel's copies of the journal's entries or by marks and values alone, and
// taken back: the state after is that before.
func TestDiscovered_Kinds(t *testing.T) {
	needsRoot(t)
	kinds := slices.Sorted(maps.Keys(killFaults))
	discoveredKinds(t, kinds, []string{"throttle", "stranger"},
		func(t *testing.T, name, by string) (run string, cells []string) {
			m := newKilledRun(t)
			text := strings.NewReplacer("for: 300ms", "for: 40s", "for: 400ms", "for: 40s", "duration: 900ms", "duration: 60s").
				Replace(killScenario(killFaults[name], m))
			run = m.killedTogether(t, m.brunt("brunt", m.file(t, text), m.state, "guard", "0"))
			if by == "values" {
				dropCopies(t, run)
			}
			settled(t, func() []string { return m.residue(t) }, slices.Equal)
			stranger := m.stranger.Process.Pid
			cells = takesBack(t, run, func(l journal.Leftover) bool { return l.PID == stranger })
			var left []string
			suite.Within(5*time.Second, func() bool { left = m.residue(t); return len(left) == 0 })
			after := "as before"
			switch why := unknowable[name]; {
			case len(left) > 0 && by == "values" && why != "":
				after = "left: " + why
			case len(left) > 0:
				after = "left"
				t.Errorf("left: %v", left)
			}
			return run, append(cells, after)
		})
}

// TestDocker_DiscoveredKinds does the same for faults on containers that brunt has not started.
func TestDocker_DiscoveredKinds(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	kinds := slices.Sorted(maps.Keys(strangers))
	discoveredKinds(t, kinds, []string{"pause", "throttle"},
		func(t *testing.T, name, by string) (run string, cells []string) {
			b := newBroken(t, y, name)
			fault, _, _ := strings.Cut(b.fault, " for=")
			run = b.killedTogether(t, b.brunt(append([]string{"break", b.state, "guard", "0"},
				strings.Fields(fault+" for=40s")...)...))
			if by == "values" {
				dropCopies(t, run)
			}
			left := settled(t, func() string { return b.difference(t) }, func(a, b string) bool { return a == b })
			pid := b.v.PID()
			cells = takesBack(t, run, func(l journal.Leftover) bool {
				return strings.Contains(l.What, b.v.Ref) || pid != 0 && l.PID == pid
			})
			after := "as before"
			missing := inexact[name]
			if by == "copies" || missing == "" {
				b.same(t, "after brunt revert --discover")
			} else {
				suite.Until(t, "the container to answer", func() bool { return b.v.Answer(t.Context()) == nil })
				after = "almost: " + missing
			}
			switch {
			case t.Failed():
				after = "left"
			case left == "":
				after = "as before, and before it was taken back"
			}
			return run, append(cells, after)
		})
}

// TestDiscovered_Alike checks that discovery touches none of what it finds without being told to.
func TestDiscovered_Alike(t *testing.T) {
	needsRoot(t)
	m := newKilledRun(t)
	if err := m.stranger.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the stranger to be stopped", func() bool { return state(m.stranger.Process.Pid) == "T" })
	d, err := journal.Discover(context.Background(), catalog.AllOperations(), "none")
	if err != nil {
		t.Fatal(err)
	}
	mine := func(l journal.Leftover) bool { return l.PID == m.stranger.Process.Pid }
	if slices.ContainsFunc(d.Left, mine) || !slices.ContainsFunc(d.Unproven, mine) {
		t.Errorf("left %+v, unproven %+v", d.Left, d.Unproven)
	}
	if _, err := d.TakeBack(t.Context(), catalog.AllOperations(), nil); err != nil {
		t.Error(err)
	}
	if s := state(m.stranger.Process.Pid); s != "T" {
		t.Errorf("the stranger is in state %q", s)
	}
}
