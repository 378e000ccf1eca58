package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/targets/platform/procgroup"
)

// These tests are about journals in bad states: full disks, damaged files and files of others.

// endedProcess resumes a process that no longer exists.
var endedProcess = []chaos.Undo{{Op: continueOp, Identity: proc.Identity{PID: 1 << 22, Start: 1}.Raw()}}

func read(t *testing.T, dir string) State {
	t.Helper()
	s, err := List(dir)
	if err != nil || len(s) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	return s[0]
}

func TestJournalWithLinesThatCanNotBeRead(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "damaged")
	if _, err := j.f.WriteString("{\"op\":\"intent\",\"id\":1,\"un\x00\x00\x00\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := j.f.WriteString(strings.Repeat("x", 3<<20) + "\n"); err != nil {
		t.Fatal(err)
	}
	j.last = 1
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "whole", Undo: endedProcess}); err != nil {
		t.Fatal(err)
	}
	unlocked(t, j)
	for range 2 {
		taken, err := Recover(t.Context(), testOperations(), dir, "run")
		if err == nil || !strings.Contains(err.Error(), "2 of its lines") {
			t.Errorf("%v: what can't be read may be in, so it must be reported", err)
		}
		if len(taken) > 1 {
			t.Errorf("%+v", taken)
		}
	}
	if s := read(t, dir); len(s.Open) != 0 || s.Damaged != 2 || s.Torn {
		t.Errorf("%+v: what can be read was to be taken back", s)
	}
}

// TestRecover_DamagedJournals: what is lost of a journal is told with what may be left and where, it is never called
// taken back, and `brunt revert` keeps the file under a name that says what it is.
func TestRecover_DamagedJournals(t *testing.T) {
	const (
		undo  = `{"op":"process.continue","identity":{"pid":4194304,"start":1}}`
		begin = `{"v":2,"op":"begin","n":1,"run":"dead"}` + "\n"
		first = `{"v":2,"op":"intent","n":2,"id":1,"fault":"freeze","what":"stop web[0]","undo":[` + undo +
			`],"place":{"machine":"here"}}` + "\n"
		other = `{"v":2,"op":"intent","n":3,"id":2,"fault":"fill","what":"fill /data","undo":[` + undo + `]}` + "\n"
		end   = `{"v":2,"op":"done","n":4,"id":2}` + "\n"
		bare  = `{"v":2,"op":"intent","n":2,"id":1,"fault":"freeze","what":"stop web[0]","place":{"machine":"here"}}` + "\n"
	)
	for _, c := range []struct {
		name, text, want string
		taken            int // entries without an error
	}{
		{"empty", "", "it is empty: the changes of its run are unknown", 0},
		{
			"not JSON", "hello\x1b[31m\nworld\n",
			`2 of its lines can't be read, and the changes in them may be left on an unknown machine: "hello\x1b[31m", "world"`,
			0,
		},
		{"without its begin", first, "its beginning is lost", 1},
		{"an entry without undo", begin + bare, "entry 1 has no undo: freeze (stop web[0]) may be left on machine here", 0},
		{"a lost intent", begin + other, "the lines of entry 1 are lost", 1},
		{"a lost line", begin + first + end, "1 of its lines are lost", 1},
		{"a cut line", begin + first + other[:60], `its last line is incomplete: "{\"v\":2`, 1},
		{"a long line", begin + first + strings.Repeat("x", 20<<20) + "\n", "1 of its lines can't be read", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "dead"+journalSuffix)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if s := read(t, dir); s.Left() == 0 || !strings.Contains(strings.Join(s.Problems(), "; "), c.want) {
				t.Errorf("%d left: %q; want %s", s.Left(), s.Problems(), c.want)
			}
			taken, err := Recover(t.Context(), testOperations(), dir, "revert")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "It is kept as ") {
				t.Errorf("%v; want %s", err, c.want)
			}
			whole := 0
			for _, e := range taken {
				if e.Err == nil {
					whole++
				}
			}
			if whole != c.taken {
				t.Errorf("%+v; want %d taken back", taken, c.taken)
			}
			if aside := SetAside(dir); len(aside) != 1 || aside[0] != path+".damaged" {
				t.Errorf("put aside: %v", aside)
			}
			if _, err := Recover(t.Context(), testOperations(), dir, "run"); err != nil {
				t.Errorf("it holds up the next run: %v", err)
			}
		})
	}
}

// A replay must not append to an incomplete line.
func TestReplayAfterATornLine(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "torn")
	if _, err := j.Intent(chaos.Intent{
		Fault: "f", What: "of tomorrow", Undo: []chaos.Undo{{Op: "of.tomorrow"}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.f.WriteString(`{"op":"intent","id":2,"undo":[{"op":"process.con`); err != nil {
		t.Fatal(err)
	}
	unlocked(t, j)
	if !read(t, dir).Torn {
		t.Error("half a line is not seen")
	}
	for range 2 {
		if _, err := Recover(t.Context(), testOperations(), dir, "run"); err == nil ||
			strings.Contains(err.Error(), "can't be read") {
			t.Errorf("%v", err)
		}
	}
	if s := read(t, dir); s.Torn || s.Damaged > 0 || len(s.Open) != 1 ||
		!strings.Contains(s.Open[0].Error, "of.tomorrow") {
		t.Errorf("%+v", s)
	}
}

// An unreadable journal, or one of another machine, does not prevent the revert of the others.
func TestOthersJournals(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a"+journalSuffix), 0o700); err != nil { // cannot be read
		t.Fatal(err)
	}
	foreign := fmt.Sprintf(`{"op":"begin","run":"far","host":"elsewhere","process":%s}`+"\n"+
		`{"op":"intent","id":1,"what":"x","undo":[%s]}`+"\n",
		proc.Identity{PID: 7, Start: 7, Boot: "another"}.Raw(), `{"op":"of.tomorrow"}`)
	if err := os.WriteFile(filepath.Join(dir, "far"+journalSuffix), []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	j := openJournal(t, dir, "z")
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x"}); err == nil {
		t.Error("an entry is made beside a journal that cannot be read")
	}
	if err := os.Remove(filepath.Join(dir, "a"+journalSuffix)); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x", Undo: endedProcess}); err != nil {
		t.Fatal(err)
	}
	unlocked(t, j)
	if err := os.Mkdir(filepath.Join(dir, "a"+journalSuffix), 0o700); err != nil {
		t.Fatal(err)
	}
	taken, err := Recover(t.Context(), testOperations(), dir, "revert")
	if err == nil || len(taken) != 1 || taken[0].Run != "z" {
		t.Errorf("%+v, %v: want z taken back, and an error for a", taken, err)
	}
	s, _ := List(dir)
	if len(s) != 1 || s[0].Run != "far" || !s[0].Foreign || s[0].Host != "elsewhere" {
		t.Errorf("%+v: want the other machine's journal as it was", s)
	}
}

// The journal of a rebooted machine, or of a recreated container, belongs to this one.
func TestOurJournals(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		host, boot string
		foreign    bool
	}{
		{host, proc.BootID(), false},
		{host, "before", false},
		{"container", proc.BootID(), false},
		{"elsewhere", "another", true},
	} {
		if got := elsewhere(record{Host: c.host, PID: proc.Identity{Boot: c.boot}.Raw()}); got != c.foreign {
			t.Errorf("%+v: foreign is %v", c, got)
		}
	}
}

func TestStillbornJournalsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{".old" + unnamed: time.Hour, ".young" + unnamed: 0} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Recover(t.Context(), testOperations(), dir, "run"); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) != 1 || filepath.Base(left[0]) != ".young"+unnamed {
		t.Errorf("left %q", left)
	}
}

// If one undo of an entry fails, the others are still executed.
func TestUndosAreAllMade(t *testing.T) {
	cmd, id := sleeper(t)
	end, err := ProcessUndo(id.PID)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := testOperations().Revert(t.Context(), []chaos.Undo{end, {Op: "of.tomorrow"}}); err == nil ||
		out != chaos.Failed {
		t.Errorf("%s, %v", out, err)
	}
	_ = cmd.Wait()
	if id.Alive() {
		t.Error("the process still runs")
	}
}

// A run that hangs may go on: entries that a forced replay has reverted stay in its journal until it
// dies.
func TestForcedReplayKeepsEntries(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "hung")
	n, err := j.Intent(chaos.Intent{What: "the processes", Undo: endedProcess})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if taken, err := replay(t.Context(), testOperations(), j.Path(), "guard", true); err != nil || len(taken) != 1 {
			t.Fatalf("%+v, %v", taken, err)
		}
	}
	if err := j.Extend(n, endedProcess...); err != nil { // it goes on, and restarts a process
		t.Fatal(err)
	}
	if s := read(t, dir); len(s.Open) != 1 || len(s.Open[0].Undo) != 2 || s.Damaged > 0 || !s.Alive {
		t.Errorf("%+v", s)
	}
	if err := j.Done(n, chaos.Gone); err != nil {
		t.Fatal(err)
	}
	if err := j.Extend(n, endedProcess...); err == nil {
		t.Error("a closed entry is extended")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestTakenBack_Begun: a run that goes on while its watchdog reverts a fault knows that the fault is taken back, and a
// revert that failed takes nothing back. A brunt that does not know the note at the begin takes it for a failed try.
func TestTakenBack_Begun(t *testing.T) { synctest.Test(t, takenBackBegun) }

func takenBackBegun(t *testing.T) {
	j := openJournal(t, t.TempDir(), "hung")
	undo := []chaos.Undo{{Op: "test.slow"}}
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x", Undo: undo}); err != nil {
		t.Fatal(err)
	}
	var seen []Pending
	var busy bool
	fails := errors.New("the engine does not answer")
	ops := chaos.Operations{"test.slow": {Name: "test.slow", Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
		var err error
		if seen, busy, err = j.TakenBack(); err != nil {
			t.Error(err)
		}
		return chaos.Reverted, fails
	}}}
	for _, want := range []error{fails, nil} {
		fails = want
		began := time.Now()
		if _, err := replay(t.Context(), ops, j.Path(), byWatchdog, true); (err == nil) != (want == nil) {
			t.Fatal(err)
		}
		if len(seen) != 1 || !busy || seen[0].TakenBack.Before(began.Add(-time.Millisecond)) ||
			strings.Contains(seen[0].Error, "begun") {
			t.Errorf("during the revert: %+v, busy %v", seen, busy)
		}
		after, busy, err := j.TakenBack()
		if err != nil || busy || (len(after) == 1) != (want == nil) {
			t.Errorf("after the revert (%v): %+v, busy %v, %v", want, after, busy, err)
		}
	}
	text, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var old struct{ Op, Error string } // what an earlier brunt reads
		if strings.Contains(line, "begins") &&
			(json.Unmarshal([]byte(line), &old) != nil || old.Op != opNote || old.Error == "") {
			t.Errorf("an earlier brunt would take it for reverted: %s", line)
		}
	}
}

// A watchdog whose revert for a hanging brunt failed goes on: it tries again when brunt dies.
func TestWatchdogOutlivesAFailure(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "r")
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "x", Undo: []chaos.Undo{{Op: "of.tomorrow"}}}); err != nil {
		t.Fatal(err)
	}
	cmd, id := sleeper(t)
	_ = cmd
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- RunWatchdog(testOperations(), in, j.Path()) }()
		time.Sleep(3*patience + time.Second)
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("the watchdog has ended: %v", err)
		default:
		}
		if _, err := j.Intent(chaos.Intent{
			Fault: "g", What: "y", Undo: []chaos.Undo{{Op: continueOp, Identity: id.Raw()}},
		}); err != nil {
			t.Error(err)
		}
		if err := proc.Signal(id, "STOP"); err != nil {
			t.Error(err)
		}
		unlocked(t, j)
		_ = out.Close()
		if err := <-done; err == nil || !strings.Contains(err.Error(), "of.tomorrow") {
			t.Errorf("%v", err)
		}
	})
	if err := proc.Await(t.Context(), 10*time.Second, func() bool { return !proc.IsStopped(id.PID) }, ""); err != nil {
		t.Error("what came after the failure was not taken back")
	}
}

// A process that left its group, or that ends slowly, is found by the run's mark.
func TestSweep(t *testing.T) {
	if pids, _ := procgroup.FindMarked("PATH=" + os.Getenv("PATH")); len(pids) == 0 {
		t.Skip("needs Linux: others' environments can't be read here")
	}
	mark := fmt.Sprintf("test-%d", os.Getpid())
	var cmds []*exec.Cmd
	for range 5 {
		cmd := exec.Command("sleep", "1000")
		cmd.Env = append(os.Environ(), proc.RunMark+mark)
		ownSession(cmd)
		if err := cmd.Start(); err != nil {
			t.Skip("needs the command sleep: " + err.Error())
		}
		cmds = append(cmds, cmd)
	}
	other, id := sleeper(t)
	_ = other
	began := time.Now()
	if o, err := testOperations().Undo(t.Context(), ProcessesUndo(mark)); err != nil || o != chaos.Reverted {
		t.Errorf("%s, %v", o, err)
	}
	t.Logf("swept in %s", time.Since(began))
	for _, cmd := range cmds {
		_ = cmd.Wait()
	}
	if !id.Alive() {
		t.Error("a process without the mark was ended")
	}
	if o, err := testOperations().Undo(t.Context(), ProcessesUndo(mark)); err != nil || o != chaos.Gone {
		t.Errorf("once more: %s, %v", o, err)
	}
	for _, args := range []string{`""`, `"BRUNT_RUN="`, `"PATH=/bin"`, `7`} {
		if _, err := testOperations().Undo(t.Context(), chaos.Undo{Op: opSweep, Args: []byte(args)}); err == nil {
			t.Errorf("swept by %s", args)
		}
	}
}

// Two runs begin with one state directory, and neither takes the other's journal for that of a dead
// run.
func TestRunsThatBeginAtOnce(t *testing.T) {
	dir := t.TempDir()
	errs := make(chan error)
	const runs = 8
	for i := range runs {
		go func() {
			errs <- func() error {
				for n := range 20 {
					if taken, err := Recover(t.Context(), testOperations(), dir, "run"); err != nil || len(taken) > 0 {
						return fmt.Errorf("taken from the living: %+v, %w", taken, err)
					}
					j, err := Open(testOperations(), dir, fmt.Sprintf("r%d-%d", i, n))
					if err != nil {
						return err
					}
					id, err := j.Intent(chaos.Intent{Fault: "f", What: "x", Undo: uniqueUndo(i, n)})
					if err != nil {
						return err
					}
					if err := errors.Join(j.Done(id, chaos.Reverted), j.Close()); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range runs {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func uniqueUndo(i, n int) []chaos.Undo {
	return []chaos.Undo{{Op: continueOp, Identity: proc.Identity{PID: 1 << 22, Start: uint64(i*1000 + n)}.Raw()}}
}

// TestRecover_NamedRuns: of several dead runs only the named one is taken back.
func TestRecover_NamedRuns(t *testing.T) {
	dir := t.TempDir()
	for _, run := range []string{"one", "two"} {
		text := `{"v":2,"op":"begin","n":1,"run":"` + run + `"}` + "\n" +
			`{"v":2,"op":"intent","n":2,"id":1,"fault":"freeze","what":"stop web[0]","undo":[` +
			`{"op":"process.continue","identity":{"pid":4194304,"start":1}}],"place":{"machine":"here"}}` + "\n"
		if err := os.WriteFile(filepath.Join(dir, run+journalSuffix), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"two", "one"} {
		taken, err := Recover(t.Context(), testOperations(), dir, "revert", want)
		if err != nil || len(taken) != 1 || taken[0].Run != want {
			t.Fatalf("%+v, %v; want what run %s left", taken, err, want)
		}
	}
}
