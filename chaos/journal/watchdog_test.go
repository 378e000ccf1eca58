package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/rpc"
	"brunt/scenarios/suite"
)

// TestWatchdog_OfEachRun checks that the watchdogs of all runs in this process are protected from faults
// while they live.
func TestWatchdog_OfEachRun(t *testing.T) {
	suite.Needs(t, suite.Programs("sh"))
	var all [2]*Watchdog
	for i := range all {
		g, err := StartWatchdog([]string{"sh", "-c", "read -r all"}, "")
		if err != nil {
			t.Fatal(err)
		}
		all[i] = g
	}
	held := func(want ...bool) {
		t.Helper()
		for i, g := range all {
			if got := errors.Is(proc.Protect(g.cmd.Process.Pid), proc.ErrProtected); got != want[i] {
				t.Errorf("watchdog %d is kept from faults: %v, want %v", i, got, want[i])
			}
		}
	}
	held(true, true)
	_ = all[1].Stop() // a shell reads no complete line
	held(true, false)
	_ = all[0].Stop()
	held(false, false)
}

// TestWatchdog_Deadline checks that an entry is reverted soon after its deadline while brunt beats, and
// that one without a deadline, or with a later one, stays.
func TestWatchdog_Deadline(t *testing.T) {
	j := openJournal(t, t.TempDir(), "r")
	_, due := sleeper(t)
	_, later := sleeper(t)
	_, ever := sleeper(t)
	synctest.Test(t, func(t *testing.T) {
		for _, e := range []struct {
			id  proc.Identity
			end time.Time
		}{{due, time.Now().Add(2 * time.Second)}, {later, time.Now().Add(time.Hour)}, {ever, time.Time{}}} {
			in := chaos.Intent{
				Fault: "f", What: "stop it", Undo: []chaos.Undo{{Op: continueOp, Identity: e.id.Raw()}}, Deadline: e.end,
			}
			if _, err := j.Intent(in); err != nil {
				t.Fatal(err)
			}
			if err := proc.Signal(e.id, "STOP"); err != nil {
				t.Fatal(err)
			}
		}
		in, out := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- RunWatchdog(testOperations(), in, j.Path()) }()
		for range 2*patience/heartbeat + 5 {
			time.Sleep(heartbeat) // of the bubble's clock
			if _, err := out.Write([]byte{heartbeatByte}); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = out.Write([]byte{doneByte})
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = out.Close()
	})
	if err := proc.Await(t.Context(), 10*time.Second, func() bool { return !proc.IsStopped(due.PID) }, ""); err != nil {
		t.Error("what was overdue was not taken back")
	}
	for _, id := range []proc.Identity{later, ever} {
		// The kernel stops a process some time after the signal, and the test's clock runs ahead.
		if err := proc.Await(t.Context(), 10*time.Second, func() bool { return proc.IsStopped(id.PID) }, ""); err != nil {
			t.Errorf("pid %d was taken back before its time", id.PID)
		}
		if err := proc.Signal(id, "CONT"); err != nil {
			t.Error(err)
		}
	}
}

// TestWatchdog_AtTheStart checks that nothing of a journal stays if brunt is killed at its start: before there is a
// journal, before it has its name, and before its first entry.
func TestWatchdog_AtTheStart(t *testing.T) {
	for _, c := range []struct {
		name string
		kill func(t *testing.T, journal string)
	}{
		{"no journal", func(*testing.T, string) {}},
		{"an empty one before its name", func(t *testing.T, journal string) { write(t, beforeRename(journal), "") }},
		{"one before its name", func(t *testing.T, journal string) {
			write(t, beforeRename(journal), `{"v":1,"op":"begin"}`)
		}},
		{"one without entries", func(t *testing.T, journal string) {
			j, err := Open(testOperations(), filepath.Dir(journal), "a")
			if err != nil {
				t.Fatal(err)
			}
			if j.Path() != journal {
				t.Fatalf("it is %s", j.Path())
			}
			_ = j.f.Close() // as the kernel does for a killed brunt
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			journal := PathOf(dir, "a")
			c.kill(t, journal)
			if err := RunWatchdog(testOperations(), strings.NewReader(""), journal); err != nil {
				t.Error(err)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("it left %v (%v)", left, err)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWatchdog_TriesAgain checks that the watchdog of a dead brunt tries an undo again while it fails for a reason that
// may pass, and leaves in the journal what it can't revert.
func TestWatchdog_TriesAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails int // attempts that fail, before one succeeds
		with  error
		least int // attempts
		left  bool
	}{
		{"a reason that passes at once", 3, errors.New("it does not stop"), 4, false},
		{"an engine that answers again", 3, fmt.Errorf("starting container: %w", context.DeadlineExceeded), 4, false},
		{"a reason that passes after minutes", 100, errors.New("it does not stop"), 101, false},
		{"an undo that tries by itself", 20, chaos.TriedError{Err: errors.New("exit status 1")}, 21, false},
		{"a reason that stays", 1 << 30, errors.New("it does not stop"), 100, true},
		{"an undo that can't be read", 1 << 30, chaos.ErrDamaged, 1, true},
		{"a right that brunt lacks", 1 << 30, fs.ErrPermission, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tries := 0
			ops := chaos.OperationsOf([]chaos.Operation{{
				Name: "slow",
				Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
					if tries++; tries <= c.fails {
						return chaos.Failed, c.with
					}
					return chaos.Reverted, nil
				},
			}})
			dir := t.TempDir()
			j := openJournal(t, dir, "r")
			if _, err := j.Intent(chaos.Intent{Fault: "f", What: "set it off", Undo: []chaos.Undo{{Op: "slow"}}}); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil { // as the kernel does at the end of brunt
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := RunWatchdog(ops, strings.NewReader(""), j.Path())
				if (err != nil) != c.left || err != nil && !strings.Contains(err.Error(), "set it off: "+c.with.Error()) {
					t.Error(err)
				}
				if took := time.Since(began); took > 11*time.Minute {
					t.Errorf("it took %s", took)
				}
			})
			if tries < c.least || c.least == 1 && tries > 1 {
				t.Errorf("%d attempts, want %d", tries, c.least)
			}
			switch s, err := List(dir); {
			case err != nil:
				t.Fatal(err)
			case !c.left && len(s) > 0:
				t.Errorf("left: %+v", s)
			case c.left && (len(s) != 1 || len(s[0].Open) != 1 || s[0].Open[0].Error != c.with.Error()):
				t.Errorf("left: %+v", s)
			}
		})
	}
}

// TestWatchdog_Stop: a watchdog that does not end is named, and not waited for.
func TestWatchdog_Stop(t *testing.T) {
	g, err := StartWatchdog([]string{"sh", "-c", "exec sleep 1000"}, filepath.Join(t.TempDir(), "r"))
	if err != nil {
		suite.Lack(t, "needs sh: %v", err)
	}
	pid := g.cmd.Process.Pid
	defer proc.Watchdogs.Drop(pid)
	defer func() { _ = g.cmd.Process.Kill() }()
	err = g.stopWithin(10 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("pid %d,", pid)) {
		t.Error(err)
	}
}

// TestWatchdog_Late has a watchdog that stood still itself, while heartbeats waited for it: it takes nothing over
// before it has read them.
func TestWatchdog_Late(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration // of the heartbeat
		taken bool
	}{
		{"the watchdog stood still", patience + rpc.Grace/2, false},
		{"brunt hangs", patience + 2*rpc.Grace, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := openJournal(t, t.TempDir(), "r")
			var taken atomic.Bool
			revert := func(context.Context, chaos.Undo) (chaos.Outcome, error) {
				taken.Store(true)
				return chaos.Reverted, nil
			}
			ops := chaos.OperationsOf([]chaos.Operation{{Name: "one", Do: revert}})
			in := chaos.Intent{
				Fault: "f", What: "one", Undo: []chaos.Undo{{Op: "one"}}, Deadline: time.Now().Add(1e6 * time.Hour),
			}
			if _, err := j.Intent(in); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				in, out := io.Pipe()
				ended := make(chan error, 1)
				go func() { ended <- RunWatchdog(ops, in, j.Path()) }()
				time.Sleep(c.after) // of the bubble's clock
				for _, b := range []byte{heartbeatByte, doneByte} {
					if _, err := out.Write([]byte{b}); err != nil {
						t.Fatal(err)
					}
				}
				if err := <-ended; err != nil {
					t.Error(err)
				}
				_ = out.Close()
			})
			if taken.Load() != c.taken {
				t.Errorf("taken over: %v", taken.Load())
			}
		})
	}
}

// TestWatchdog_DeadlineOfOthers checks that the journal tells of each entry that the undo of an overdue one takes back
// with it, and of no other.
func TestWatchdog_DeadlineOfOthers(t *testing.T) {
	j := openJournal(t, t.TempDir(), "r")
	done := map[string]int{}
	ops := chaos.OperationsOf([]chaos.Operation{
		{Name: "all", PerRun: true, Do: func(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
			done[string(u.Identity)]++
			return chaos.Reverted, nil
		}},
		{Name: "one", Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
			done["one"]++
			return chaos.Reverted, nil
		}},
	})
	synctest.Test(t, func(t *testing.T) {
		for _, e := range []struct {
			what string
			undo chaos.Undo
			due  bool
		}{
			{"overdue", chaos.Undo{Op: "all", Identity: []byte(`"network"`)}, true},
			{"in the same network", chaos.Undo{Op: "all", Identity: []byte(`"network"`)}, false},
			{"in another network", chaos.Undo{Op: "all", Identity: []byte(`"other"`)}, false},
			{"of the same, taken back alone", chaos.Undo{Op: "one", Identity: []byte(`"network"`)}, false},
		} {
			in := chaos.Intent{Fault: "f", What: e.what, Undo: []chaos.Undo{e.undo}, Deadline: time.Now().Add(time.Hour)}
			if e.due {
				in.Deadline = time.Now().Add(time.Second)
			}
			if _, err := j.Intent(in); err != nil {
				t.Fatal(err)
			}
		}
		in, out := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- RunWatchdog(ops, in, j.Path()) }()
		for range patience/heartbeat + 4 {
			time.Sleep(heartbeat) // of the bubble's clock
			if _, err := out.Write([]byte{heartbeatByte}); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = out.Write([]byte{doneByte})
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = out.Close()
	})
	var whats []string
	taken, _, err := j.TakenBack()
	for _, e := range taken {
		whats = append(whats, e.What)
	}
	if want := []string{"overdue", "in the same network"}; err != nil || !slices.Equal(whats, want) {
		t.Errorf("taken back: %q, %v; want %q", whats, err, want)
	}
	if done[`"other"`] > 0 || done["one"] > 0 {
		t.Errorf("undone: %v", done)
	}
}

// TestTakenBack_Agents checks that the end of agents by a watchdog is not told as something taken back: each fault that
// one held has an entry of its own.
func TestTakenBack_Agents(t *testing.T) {
	ops := chaos.OperationsOf([]chaos.Operation{
		{Name: "agents", Helps: true, Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
			return chaos.Reverted,
				nil
		}},
		{Name: "target", Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) { return chaos.Reverted, nil }},
	})
	j, err := Open(ops, t.TempDir(), "r")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for _, op := range []string{"target", "agents"} {
		if _, err := j.Intent(chaos.Intent{What: op, Undo: []chaos.Undo{{Op: op}}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := replay(t.Context(), ops, j.Path(), byWatchdog, true); err != nil {
		t.Fatal(err)
	}
	if taken, busy, err := j.TakenBack(); len(taken) != 1 || taken[0].What != "target" || busy || err != nil {
		t.Errorf("%+v, busy %v, %v", taken, busy, err)
	}
}

// TestRecover_Watched: what the watchdog of a dead brunt takes back is not "nothing": whoever recovers waits for it.
func TestRecover_Watched(t *testing.T) {
	dir := t.TempDir()
	cmd, id := sleeper(t)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	j := openJournal(t, dir, "r") // the test holds it, as a watchdog does
	if _, err := j.Intent(chaos.Intent{
		Fault: "f", What: "stop it", Undo: []chaos.Undo{{Op: continueOp, Identity: id.Raw()}},
	}); err != nil {
		t.Fatal(err)
	}
	own, err := proc.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, own.Raw(), id.Raw(), 1)
	if bytes.Equal(changed, text) {
		t.Fatalf("the journal does not name this process: %s", text)
	}
	if err := os.WriteFile(j.Path(), changed, 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := List(dir)
	if err != nil || len(all) != 1 || all[0].Status(testOperations()).State != Reverting {
		t.Fatalf("%+v, %v; want a run that is reverting", all, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Recover(ended, testOperations(), dir, "revert"); err == nil ||
		!strings.Contains(err.Error(), "still holds it") {
		t.Errorf("%v; want to hear that it is held", err)
	}
	done := make(chan []Taken, 1)
	go func() {
		taken, _ := Recover(t.Context(), testOperations(), dir, "revert")
		done <- taken
	}()
	unlocked(t, j)
	if taken := <-done; len(taken) != 1 || taken[0].Outcome != chaos.Gone {
		t.Errorf("taken back once it is free: %+v", taken)
	}
}
