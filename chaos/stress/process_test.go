package stress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestProcess_End: a killed child that stays in the kernel is named, and not waited for.
func TestProcess_End(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	_, in := io.Pipe()
	b := &Process{cmd: cmd, in: in, ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := b.End(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d,", b.PID())) {
		t.Error(err)
	}
	close(b.ended)
	if err := b.End(t.Context()); err != nil {
		t.Error(err)
	}
}
