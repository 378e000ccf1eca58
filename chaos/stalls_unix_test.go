//go:build unix

package chaos_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
)

// stalls stops this process again and again, by a process beside it, until the test is over: every
// operation meanwhile is late.
func stalls(t *testing.T, stop, run time.Duration) {
	t.Helper()
	script := fmt.Sprintf("while read -t %.2f _; [ $? -gt 128 ]; do kill -STOP %[2]d; sleep %.2[3]f; kill -CONT %[2]d; "+
		"done; kill -CONT %[2]d", run.Seconds(),
		os.Getpid(), stop.Seconds())
	cmd := exec.Command("bash", "-c", script)
	in, err := cmd.StdinPipe() // closed when this process ends
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("no bash to stop this process with: %v", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("a stalled process: %v", err)
		}
	})
}

// timed are faults that delay something.
var timed = []struct {
	yaml string
	http bool
}{
	{"network.latency: {from: web, to: store, delay: 60ms}", false},
	{"network.latency: {from: web, to: store, delay: 300ms, jitter: 300ms}", false},
	{"http.delay: {from: web, to: store, delay: 60ms}", true},
	{"http.delay: {from: web, to: store, delay: 300ms, jitter: 300ms}", true},
	{"tcp.slow_close: {from: web, to: store, delay: 30ms}", false},
	{"network.bandwidth: {from: web, to: store, rate: 40MiB/s}", false},
}

// TestStalls verifies faults on a machine that repeatedly stands still for longer than their effect:
// those without effect must not be verified, and those with one must be.
func TestStalls(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds; leave -short out")
	}
	const stop, run = 90 * time.Millisecond, 40 * time.Millisecond
	for _, tt := range timed {
		t.Run(tt.yaml, func(t *testing.T) {
			without := chaostest.Plan(t, tt.yaml, link(tt.http)(t, false))
			with := chaostest.Plan(t, tt.yaml, link(tt.http)(t, true))
			stalls(t, stop, run)
			held := injected(t, without)
			for end := time.Now().Add(time.Second); time.Now().Before(end); {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				text, err := held.Verify(ctx)
				cancel()
				if err == nil {
					t.Fatalf("taken for an effect: %s", text)
				}
			}
			held = injected(t, with)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			text, err := held.Verify(ctx)
			if err != nil {
				t.Error(err)
			}
			t.Log(text)
		})
	}
}

func injected(t *testing.T, steps []chaos.Step) chaos.Held {
	t.Helper()
	h, err := steps[0].Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := h.Revert(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}
