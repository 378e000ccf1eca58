package proc

import (
	"os/exec"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestIdentity_Ended kills a process with much memory, which the kernel frees before the process is gone: from the
// signal on it runs no more, at every look until it is gone.
func TestIdentity_Ended(t *testing.T) {
	suite.Needs(t, suite.Programs("dd"))
	const memory = 256 << 20
	seen := false
	for range 10 { // a look needs a processor while the kernel frees the memory
		cmd := exec.Command("dd", "if=/dev/zero", "of=/dev/null", "bs=256M")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		id, err := Identify(cmd.Process.Pid)
		suite.Until(t, "it has its memory", func() bool { return ResidentOf(cmd.Process.Pid) > memory })
		if err != nil || !id.Alive() || id.Ended() {
			t.Errorf("before: %v, alive %v, ended %v", err, id.Alive(), id.Ended())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); ; {
			ended := id.Ended() // before the other question: it may be gone meanwhile
			alive := id.Alive()
			if !ended {
				t.Fatal("after SIGKILL: it has not ended")
			}
			if !alive {
				break
			}
			if seen = true; time.Now().After(end) {
				t.Fatal("it is not gone after a minute")
			}
		}
		_ = cmd.Wait() // killed
		if seen {
			return
		}
	}
	t.Error("it was never seen between the signal and its end")
}
