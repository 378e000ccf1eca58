package process

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
)

// stubborn is a unit whose process ignores SIGTERM.
type stubborn struct {
	chaos.Unit
	pid int
}

func (stubborn) Name() string             { return "store[0]" }
func (u stubborn) PID() int               { return u.pid }
func (stubborn) Supervised() bool         { return true }
func (stubborn) Traits() chaos.UnitTraits { return chaos.UnitTraits{} }

// newStubborn starts a stubborn unit, which ends with the test.
func newStubborn(t *testing.T) stubborn {
	t.Helper()
	cmd := exec.Command("sh", "-c", "trap '' TERM; echo ready; read line")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // read fails
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return stubborn{pid: cmd.Process.Pid}
}

// TestCrash_Survived: nothing is waited for after a signal that a unit survives.
func TestCrash_Survived(t *testing.T) {
	h, err := (&crash{unit: container.Target{Unit: newStubborn(t)}, signal: "TERM", tree: true}).Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	brief, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := h.Verify(brief); err == nil || !strings.HasPrefix(err.Error(), "store[0] survived SIGTERM: ") ||
		!strings.HasSuffix(err.Error(), "; SIGKILL ends it") {
		t.Errorf("the proof: %v", err)
	}
	if text, err := h.Gone(brief); err != nil || !strings.HasSuffix(text, "has not ended") {
		t.Errorf("gone: %q, %v", text, err)
	}
}

// TestStop_Slow: a unit that runs on for its grace says so, if the fault is over before.
func TestStop_Slow(t *testing.T) {
	u := newStubborn(t)
	id, err := proc.Identify(u.pid)
	if err != nil {
		t.Fatal(err)
	}
	s := &stop{unit: container.Target{Unit: u}, grace: time.Minute, id: id, at: time.Now()}
	brief, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = s.Verify(brief)
	if err == nil || !strings.HasPrefix(err.Error(), "store[0] did not end within ") ||
		!strings.HasSuffix(err.Error(), " of SIGTERM; SIGKILL comes after the grace of 1m") {
		t.Errorf("the proof: %v", err)
	}
}
