package resource

import (
	"os/exec"
	"testing"

	"brunt/chaos"
)

// TestScores sentences a process and gives it its score back from what the journal has.
func TestScores(t *testing.T) {
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	pid := c.Process.Pid
	before, err := scoreOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	all, err := scoresOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := raiseScores(all); err != nil {
		t.Fatal(err)
	}
	if now, err := scoreOf(pid); err != nil || now != killFirst {
		t.Fatalf("its score is %d, %v", now, err)
	}
	if _, err := scoresOf(pid); err == nil {
		t.Error("one that is the first to be killed already is sentenced again")
	}
	for _, want := range []chaos.Outcome{chaos.Reverted, chaos.Reverted} { // that it has it already is as good
		if o, err := chaos.OperationsOf(resourceOperations()).Revert(t.Context(), undoScores(all)); err != nil || o != want {
			t.Errorf("taken back: %s, %v; want %s", o, err, want)
		}
	}
	if now, err := scoreOf(pid); err != nil || now != before {
		t.Errorf("its score is %d, %v; before %d", now, err, before)
	}
}
