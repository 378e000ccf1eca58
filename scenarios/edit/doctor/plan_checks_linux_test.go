package doctor

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// TestFaultNeeds asks of each fault of a scenario whether its unit can have it: a process that runs, and one that
// something else has stopped already.
func TestFaultNeeds(t *testing.T) {
	var pids []any
	var last *os.Process
	for range 2 {
		cmd := exec.Command("sleep", "60")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		pids, last = append(pids, cmd.Process.Pid), cmd.Process
	}
	if err := last.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var state syscall.WaitStatus // the signal stops it once it is scheduled
	if _, err := syscall.Wait4(last.Pid, &state, syscall.WUNTRACED, nil); err != nil || !state.Stopped() {
		t.Fatalf("it is not stopped: %v, %v", state, err)
	}
	p, err := plantest.CompileText(fmt.Sprintf(`version: 1
target: {url: "http://127.0.0.1:1"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}
chaos:
  hang: {at: 5s, for: 1s, process.freeze: {pid: %d}}
  again: {at: 10s, for: 1s, process.freeze: {pid: %d}}
`, pids...))
	if err != nil {
		t.Fatal(err)
	}
	all := Needs(t.Context(), p)
	for _, c := range []struct {
		name, found string
		state       CheckState
	}{
		{"fault hang", "; by signal", Fine},
		{"fault again", "is stopped already, and not by this run", Bad},
	} {
		i := slices.IndexFunc(all, func(k Check) bool { return k.Name == c.name })
		if i < 0 || all[i].State != c.state || !strings.Contains(all[i].Found, c.found) ||
			(all[i].Fix == "") != (c.state == Fine) {
			t.Errorf("%s: %+v", c.name, all)
		}
	}
}
