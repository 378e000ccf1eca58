//go:build linux

package procgroup_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"brunt/targets/platform/procgroup"
)

// startMarked runs a script with the mark in its own session.
func startMarked(t *testing.T, script, mark string) *exec.Cmd {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), mark}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// Every call of Find lists a process that starts one program after the other, or reports that it is
// starting. Otherwise Kill would leave it behind.
func TestProcesses_Starting(t *testing.T) {
	mark := fmt.Sprintf("BRUNT_TEST=starting-%d", os.Getpid())
	cmd := startMarked(t, `exec /bin/sh "$0"`, mark)
	began, starts := time.Now(), 0
	for calls := 0; calls < 2000 && time.Since(began) < 20*time.Second; calls++ {
		pids, starting := procgroup.FindMarked(mark)
		if starting {
			starts++
		}
		if !slices.Contains(pids, cmd.Process.Pid) && !starting {
			t.Fatalf("call %d missed the process", calls)
		}
	}
	if starts == 0 {
		t.Error("no call met the process inside execve: the test shows nothing")
	}
}

// A process without an environment, a zombie and the kernel's threads do not count as starting.
func TestProcesses_Without(t *testing.T) {
	bare := exec.Command("/bin/sleep", "1000")
	bare.Env = []string{}
	dead := exec.Command("/bin/true")
	for _, cmd := range []*exec.Cmd{bare, dead} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		if _, starting := procgroup.FindMarked("BRUNT_TEST=none"); !starting {
			return
		}
		if ctx.Err() != nil {
			t.Fatal("a process counts as starting for ten seconds")
		}
	}
}

// Kill kills marked processes however fast they start new ones, and spares those that it must
// spare.
func TestKillMarked(t *testing.T) {
	mark := fmt.Sprintf("BRUNT_TEST=kill-%d", os.Getpid())
	all := []*exec.Cmd{
		startMarked(t, `while :; do /bin/true; done`, mark),
		startMarked(t, `exec /bin/sh "$0"`, mark),
		startMarked(t, `exec sleep 1000`, mark),
	}
	spared := startMarked(t, `exec sleep 1000`, mark)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	found, err := procgroup.KillMarked(ctx, func(pid int) bool { return pid == spared.Process.Pid }, mark)
	if !found || err == nil {
		t.Errorf("found %v, %v, want an error about the spared process", found, err)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
			t.Errorf("%v, want a kill", err)
		}
	}
	if pids, _ := procgroup.FindMarked(mark); !slices.Equal(pids, []int{spared.Process.Pid}) {
		t.Errorf("left: %v, want %d", pids, spared.Process.Pid)
	}
	if found, err := procgroup.KillMarked(t.Context(), nil, mark); !found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := procgroup.KillMarked(t.Context(), nil, mark); found || err != nil {
		t.Errorf("once more: found %v, %v", found, err)
	}
	if err := spared.Wait(); err == nil {
		t.Error("the process was not killed")
	}
}
