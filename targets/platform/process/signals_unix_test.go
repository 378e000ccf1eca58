//go:build unix

package process_test

import (
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"brunt/targets/platform/process"
)

// TestDefaultSignals starts a child from a process that ignores SIGHUP, as under nohup: the child does
// not ignore it, and this process still does.
func TestDefaultSignals(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	t.Cleanup(func() { signal.Reset(syscall.SIGHUP) })
	s := process.NewSpawner()
	defer s.Close()
	c := exec.Command("/bin/sh", "-c", "kill -HUP $$; echo survived")
	var out strings.Builder
	c.Stdout = &out
	if err := s.Start(c); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || out.Len() > 0 {
		t.Errorf("the child %s the signal: %v", out.String(), err)
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}
