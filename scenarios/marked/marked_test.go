//go:build linux

package marked

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
)

// start runs a script that carries the mark, in a session of its own.
func start(t *testing.T, script, mark string) *exec.Cmd {
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

// A process that starts one program after the other carries its mark at every look, or is seen to be
// starting: a look that takes it for nobody's would leave it behind.
func TestProcesses_Starting(t *testing.T) {
	mark := fmt.Sprintf("BRUNT_TEST=starting-%d", os.Getpid())
	cmd := start(t, `exec /bin/sh "$0"`, mark)
	began, starts := time.Now(), 0
	for looks := 0; looks < 2000 && time.Since(began) < 20*time.Second; looks++ {
		pids, starting := Processes(mark)
		if starting {
			starts++
		}
		if !slices.Contains(pids, cmd.Process.Pid) && !starting {
			t.Fatalf("look %d took the process for nobody's", looks)
		}
	}
	if starts == 0 {
		t.Error("no look met it starting a program: the test shows nothing")
	}
}

// A process without an environment, a dead one and the kernel's own are not taken to be starting.
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
		if _, starting := Processes("BRUNT_TEST=nobody"); !starting {
			return
		}
		if ctx.Err() != nil {
			t.Fatal("somebody is taken to be starting for ten seconds")
		}
	}
}

// What is marked is ended however fast it starts others, but for those to be spared.
func TestKill(t *testing.T) {
	mark := fmt.Sprintf("BRUNT_TEST=kill-%d", os.Getpid())
	all := []*exec.Cmd{
		start(t, `while :; do /bin/true; done`, mark),
		start(t, `exec /bin/sh "$0"`, mark),
		start(t, `exec sleep 1000`, mark),
	}
	spared := start(t, `exec sleep 1000`, mark)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	found, err := Kill(ctx, func(pid int) bool { return pid == spared.Process.Pid }, mark)
	if !found || err == nil {
		t.Errorf("found %v, %v, and one was to be spared", found, err)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
			t.Errorf("%v, want a kill", err)
		}
	}
	if pids, _ := Processes(mark); !slices.Equal(pids, []int{spared.Process.Pid}) {
		t.Errorf("left: %v, want %d", pids, spared.Process.Pid)
	}
	if found, err := Kill(t.Context(), nil, mark); !found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := Kill(t.Context(), nil, mark); found || err != nil {
		t.Errorf("once more: found %v, %v", found, err)
	}
	if err := spared.Wait(); err == nil {
		t.Error("it was not ended")
	}
}
