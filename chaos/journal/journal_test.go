package journal

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
)

func openJournal(t *testing.T, dir, run string) *Journal {
	t.Helper()
	j, err := Open(testOperations(), dir, run)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// unlocked unlocks the journal as the death of its run would.
func unlocked(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.f.Close(); err != nil {
		t.Fatal(err)
	}
}

func sleeper(t *testing.T) (*exec.Cmd, proc.Identity) {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Skip("needs the command sleep: " + err.Error())
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	id, err := proc.Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, id
}

func TestJournalIsRemovedWhenAllIsTakenBack(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "r1")
	id, err := j.Intent(chaos.Intent{Fault: "f", What: "break it", Undo: []chaos.Undo{{Op: "test"}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := List(dir)
	if err != nil || len(s) != 1 || !s[0].Alive || len(s[0].Open) != 1 || s[0].Open[0].What != "break it" ||
		s[0].Run != "r1" {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := j.Done(id, chaos.Reverted); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestJournalOfTheDeadIsReplayed(t *testing.T) {
	dir := t.TempDir()
	alive, dead := openJournal(t, dir, "alive"), openJournal(t, dir, "dead")
	_, id := sleeper(t)
	for _, j := range []*Journal{alive, dead} {
		if _, err := j.Intent(chaos.Intent{
			Fault: "f", What: "stop it", Undo: []chaos.Undo{{Op: continueOp, Args: []byte(`"` + j.Path() + `"`)}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dead.Intent(chaos.Intent{
		Fault: "g", What: "stop another", Undo: []chaos.Undo{{Op: continueOp, Identity: id.Raw()}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := proc.Signal(id, "STOP"); err != nil {
		t.Fatal(err)
	}
	unlocked(t, dead)
	taken, err := Recover(t.Context(), testOperations(), dir, "revert")
	if err == nil || !strings.Contains(err.Error(), "damaged") { // the first entry has no identity
		t.Errorf("an entry that can't be read is not an error: %v", err)
	}
	if len(taken) != 2 || taken[0].Pending.What != "stop another" || taken[0].Outcome != chaos.Reverted ||
		taken[1].Err == nil {
		t.Errorf("taken back %+v: want the last first, and one failure", taken)
	}
	if err := proc.Await(t.Context(), 10*time.Second, func() bool { return !proc.IsStopped(id.PID) }, "x"); err != nil {
		t.Error("the process is still stopped")
	}
	s, err := List(dir)
	if err != nil || len(s) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, one := range s {
		if one.Run == "dead" && (len(one.Open) != 1 || one.Open[0].Error == "") {
			t.Errorf("what could not be taken back is to stay, with its error: %+v", one)
		}
	}
}

func TestJournalWithATornLine(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "torn")
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "whole", Undo: []chaos.Undo{{
		Op:       continueOp,
		Identity: proc.Identity{PID: 1 << 22, Start: 1}.Raw(),
	}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.f.WriteString(`{"op":"intent","id":2,"undo":[{"op":"process.con`); err != nil {
		t.Fatal(err)
	}
	unlocked(t, j)
	taken, err := Recover(t.Context(), testOperations(), dir, "run")
	if err != nil || len(taken) != 1 || taken[0].Outcome != chaos.Gone {
		t.Errorf("%+v, %v", taken, err)
	}
}

func TestUnknownUndoIsKept(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "newer")
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x", Undo: []chaos.Undo{{Op: "of.tomorrow"}}}); err != nil {
		t.Fatal(err)
	}
	unlocked(t, j)
	if _, err := Recover(t.Context(), testOperations(), dir, "revert"); err == nil ||
		!strings.Contains(err.Error(), "of.tomorrow") ||
		!strings.HasSuffix(err.Error(), "taken back by hand, remove "+filepath.Join(dir, "newer.journal")) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "newer.journal")); err != nil {
		t.Errorf("the journal is gone: %v", err)
	}
}

func TestNoJournalNoInjection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(testOperations(), file, "r"); err == nil || !strings.Contains(err.Error(), "BRUNT_STATE") {
		t.Errorf("a journal in a file: %v; want an error that says what to do", err)
	}
	j := openJournal(t, t.TempDir(), "r")
	unlocked(t, j)
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x"}); err == nil {
		t.Error("an entry that was not written is taken for written")
	}
}

// Two live runs cannot hit the same process.
func TestSharedUnitIsRefused(t *testing.T) {
	dir := t.TempDir()
	_, id := sleeper(t)
	_, other := sleeper(t)
	undo := []chaos.Undo{{Op: continueOp, Identity: id.Raw()}}
	first, second := openJournal(t, dir, "first"), openJournal(t, dir, "second")
	if _, err := first.Intent(chaos.Intent{Fault: "f", What: "x", Undo: undo}); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Intent(chaos.Intent{Fault: "f", What: "x", Undo: undo}); err == nil ||
		!strings.Contains(err.Error(), "first") {
		t.Errorf("%v, want a refusal that names the run", err)
	}
	if _, err := second.Intent(chaos.Intent{
		Fault: "f", What: "x", Undo: []chaos.Undo{{Op: continueOp, Identity: other.Raw()}},
	}); err != nil {
		t.Errorf("another process is refused too: %v", err)
	}
}

// A successor with the same pid is never hit.
func TestIdentity(t *testing.T) {
	_, id := sleeper(t)
	for _, c := range []struct {
		name string
		id   proc.Identity
		want bool
	}{
		{"itself", id, true},
		{"another start", proc.Identity{PID: id.PID, Start: id.Start + 1, Boot: id.Boot}, false},
		{"another boot", proc.Identity{PID: id.PID, Start: id.Start, Boot: "other"}, false},
		{"no process", proc.Identity{PID: 1 << 22, Start: 1, Boot: id.Boot}, false},
	} {
		if got := c.id.Alive(); got != c.want {
			t.Errorf("%s: alive is %v", c.name, got)
		}
		if err := proc.Signal(c.id, "CONT"); (err == nil) != c.want || !c.want && !errors.Is(err, proc.ErrEnded) {
			t.Errorf("%s: signal gives %v", c.name, err)
		}
	}
}

func TestProtected(t *testing.T) {
	for name, pid := range map[string]int{
		"the first process": 1, "brunt itself": os.Getpid(), "its parent": os.Getppid(),
	} {
		if err := proc.Protect(pid); !errors.Is(err, proc.ErrProtected) {
			t.Errorf("%s may be hit: %v", name, err)
		}
	}
	cmd, _ := sleeper(t)
	if err := proc.Protect(cmd.Process.Pid); err != nil {
		t.Errorf("another process is protected: %v", err)
	}
}

func TestWatch(t *testing.T) {
	for _, c := range []struct {
		name string
		say  string
		left int
	}{{"brunt says that all is well", "..q", 1}, {"brunt dies", "..", 0}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			j := openJournal(t, dir, "r")
			if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x", Undo: []chaos.Undo{{
				Op:       continueOp,
				Identity: proc.Identity{PID: 1 << 22, Start: 1}.Raw(),
			}}}); err != nil {
				t.Fatal(err)
			}
			in, out := io.Pipe()
			done := make(chan error, 1)
			go func() { done <- RunWatchdog(testOperations(), in, j.Path()) }()
			if _, err := out.Write([]byte(c.say)); err != nil {
				t.Fatal(err)
			}
			unlocked(t, j)
			_ = out.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if s, err := List(dir); err != nil || len(s) != c.left {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

func TestStateDirs(t *testing.T) {
	env := func(vars map[string]string) func(string) string { return func(k string) string { return vars[k] } }
	if got := Dirs(env(map[string]string{"BRUNT_STATE": "/x", "HOME": "/h"})); !slices.Equal(got, []string{"/x"}) {
		t.Errorf("%q", got)
	}
	if got := Dirs(env(map[string]string{"HOME": "/h", "XDG_STATE_HOME": "/s", "LocalAppData": "/h"})); len(got) == 0 ||
		!strings.Contains(strings.Join(got,
			" "), "brunt") {
		t.Errorf("%q", got)
	}
	if got := Dirs(env(nil)); len(got) == 0 {
		t.Error("no directory at all")
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"op":"begin","run":"r"}` + "\n" + `{"op":"intent","id":1,"undo":[{"op":"x"}]}` + "\n" +
		`{"op":"done","id":1}` + "\n"))
	f.Add([]byte("{\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "r.journal")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := readJournal(path)
		if err == nil && s.Alive {
			t.Error("a file without a lock is taken for a live run's")
		}
	})
}

// TestReplay_OwnTime checks that an entry has a deadline of its own, whatever earlier entries took.
func TestReplay_OwnTime(t *testing.T) {
	j := openJournal(t, t.TempDir(), "r")
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Skip("needs the command sleep: " + err.Error())
	}
	ended := make(chan struct{})
	go func() { // its parent reaps it
		defer close(ended)
		_ = cmd.Wait()
	}()
	defer func() {
		_ = cmd.Process.Kill()
		<-ended
	}()
	id, err := proc.Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Intent(chaos.Intent{
		What: "a process", Undo: []chaos.Undo{{Op: opEnd, Identity: id.Raw()}},
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if taken, err := replay(ctx, testOperations(), j.Path(), "guard", true); err != nil || len(taken) != 1 ||
		taken[0].Outcome != chaos.Reverted {
		t.Errorf("after the time of all was over: %+v, %v", taken, err)
	}
	own, stop := ownTime(ctx, chaos.UndoWithin)
	defer stop()
	if err := own.Err(); err != nil {
		t.Errorf("its own time is over with that of all: %v", err)
	}
	given, giveUp := context.WithCancel(t.Context())
	own, stop = ownTime(given, chaos.UndoWithin)
	defer stop()
	giveUp()
	select {
	case <-own.Done():
	case <-time.After(10 * time.Second):
		t.Error("it goes on though it was given up")
	}
}

// TestJournal_ByHand checks that a setting is the same whichever agent writes it, and that two faults
// are not the same because they share a container.
func TestJournal_ByHand(t *testing.T) {
	set := func(file string) chaos.Undo { return chaos.Undo{Op: "cgroup.set", Identity: container.RawOf(file)} }
	byAgent := func(run string, u ...chaos.Undo) chaos.Undo {
		return chaos.Undo{Op: "docker.hand", Args: container.RawOf(u), Identity: container.RawOf(chaos.ContainerID{ID: "c"})}
	}
	dir := t.TempDir()
	one, other := openJournal(t, dir, "one"), openJournal(t, dir, "other")
	if _, err := one.Intent(chaos.Intent{
		Fault: "f", What: "it", Undo: []chaos.Undo{byAgent("one", set("cpu.max"))},
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		j       *Journal
		undo    chaos.Undo
		refused bool
	}{
		{"its own, by an agent", one, byAgent("one", set("cpu.max")), true},
		{"its own, by itself", one, set("cpu.max"), true},
		{"another setting of its own", one, byAgent("one", set("io.max")), false},
		{"another run's, by an agent", other, byAgent("other", set("cpu.max")), true},
		{"another run's, by itself", other, set("cpu.max"), true},
		{"another setting in that container", other, byAgent("other", set("memory.max")), false},
		{"what has no identity", other, byAgent("other", chaos.Undo{Op: continueOp}), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.j.Intent(chaos.Intent{
				Fault: "g", What: "another", Undo: []chaos.Undo{c.undo},
			}); (err != nil) != c.refused {
				t.Errorf("%v; want it refused: %v", err, c.refused)
			}
		})
	}
}

// TestJournal_OneProcess checks that two runs in one process do not exclude each other.
func TestJournal_OneProcess(t *testing.T) {
	dir := t.TempDir()
	for _, run := range []string{"base", "candidate"} {
		if _, err := openJournal(t, dir, run).Intent(chaos.Intent{
			Fault: "f", What: "packets", Undo: []chaos.Undo{EndBrunt()},
		}); err != nil {
			t.Error(err)
		}
	}
}

// continueOp is the undo of a frozen process, as in package fault/process.
const continueOp = "process.continue"

// testOperations are brunt's own undo operations, with some of the faults' that tests need.
func testOperations() chaos.Operations {
	return chaos.OperationsOf(BruntOperations(), []chaos.Operation{
		{Name: continueOp, Do: OnProcess(func(_ context.Context, id proc.Identity) (chaos.Outcome, error) {
			switch err := proc.Signal(id, "CONT"); {
			case errors.Is(err, proc.ErrEnded):
				return chaos.Gone, nil
			case err != nil:
				return chaos.Failed, err
			}
			return chaos.Reverted, nil
		})},
		{Name: "cgroup.set", Exclusive: true},
		{Name: "docker.hand", Inner: func(u chaos.Undo) (inner []chaos.Undo) {
			_ = json.Unmarshal(u.Args, &inner)
			return inner
		}},
	})
}
