package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// TestWatchdog_OfEachRun checks that the watchdogs of all runs in this process are protected from faults
// while they live.
func TestWatchdog_OfEachRun(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs a shell")
	}
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
			in := chaos.Intent{Fault: "f", What: "stop it", Undo: []chaos.Undo{{Op: continueOp, Identity: e.id.Raw()}}, Deadline: e.end}
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
		if !proc.IsStopped(id.PID) {
			t.Errorf("pid %d was taken back before its time", id.PID)
		}
		if err := proc.Signal(id, "CONT"); err != nil {
			t.Error(err)
		}
	}
}

// TestWatchdog_DeadlineOfOthers checks that the journal tells of each entry that the undo of an overdue one takes back with
// it, and of no other.
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

// TestTakenBack_Agents checks that the end of agents by a watchdog is not told as something taken back: each fault that one
// held has an entry of its own.
func TestTakenBack_Agents(t *testing.T) {
	ops := chaos.OperationsOf([]chaos.Operation{
		{Name: "agents", Helps: true, Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) { return chaos.Reverted, nil }},
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

// TestWatchdog_Unanswered: the watchdog of a dead brunt tries again what an engine did not answer, and nothing else.
func TestWatchdog_Unanswered(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		fails int // attempts that fail
		tried int
		left  bool
	}{
		{"an engine that answers again", fmt.Errorf("starting container: %w", context.DeadlineExceeded), 3, 4, false},
		{"another reason", errors.New("it has been changed"), 3, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const op = "engine.start"
			tried := 0
			ops := chaos.OperationsOf(BruntOperations(), []chaos.Operation{{Name: op, Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
				if tried++; tried <= tt.fails {
					return chaos.Failed, tt.err
				}
				return chaos.Reverted, nil
			}}})
			j, err := Open(ops, t.TempDir(), "r")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := j.Intent(chaos.Intent{Fault: "f", What: "stop it", Undo: []chaos.Undo{{Op: op, Identity: []byte(`"one"`)}}}); err != nil {
				t.Fatal(err)
			}
			unlocked(t, j)
			synctest.Test(t, func(t *testing.T) {
				err = RunWatchdog(ops, strings.NewReader(""), j.Path())
			})
			_, gone := os.Stat(j.Path())
			if tried != tt.tried || (err != nil) != tt.left || errors.Is(gone, fs.ErrNotExist) == tt.left {
				t.Errorf("tried %d times, want %d: %v; the journal: %v", tried, tt.tried, err, gone)
			}
		})
	}
}

// TestRecover_Watched: what the watchdog of a dead brunt takes back is not "nothing": whoever recovers waits for it.
func TestRecover_Watched(t *testing.T) {
	dir := t.TempDir()
	cmd, id := sleeper(t)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	j := openJournal(t, dir, "r") // the test holds it, as a watchdog does
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "stop it", Undo: []chaos.Undo{{Op: continueOp, Identity: id.Raw()}}}); err != nil {
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
	if _, err := Recover(ended, testOperations(), dir, "revert"); err == nil || !strings.Contains(err.Error(), "still holds it") {
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
