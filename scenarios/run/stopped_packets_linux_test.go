package run_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/chaostest"
	"brunt/chaos/oci"
	"brunt/scenarios/suite"
)

// TestDocker_Stopped_Packets stops brunt while packets of a container go through a queue, or connections between
// containers through a proxy: they go on, with the fault, while brunt is stopped. brunt is killed then, and all is as
// before.
func TestDocker_Stopped_Packets(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	for name, passes := range map[string]func(ctx context.Context, b *broken) error{
		"queue": func(ctx context.Context, b *broken) error {
			began := time.Now()
			err := b.v.Answer(ctx)
			if took := time.Since(began); err == nil && took < 20*time.Millisecond {
				err = fmt.Errorf("it answers within %s, without the fault", took)
			}
			return err
		},
		"diverted": func(ctx context.Context, b *broken) error {
			var said strings.Builder
			_, err := y.Engine.Exec(ctx, b.v.ID, []string{
				oci.Entry, "ask", "http://" + b.peer.Addresses()[0].String() + ":8080/",
			}, nil, &said, &said)
			if text := strings.TrimSpace(said.String()); err == nil && text == "ok" { // that of the fault is empty
				err = fmt.Errorf("its peer says %q", text)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroken(t, y, name)
			mark := filepath.Join(t.TempDir(), "verified")
			cmd := b.brunt(append([]string{"break", b.state, "guard", "0"},
				strings.Fields(strings.Replace(b.fault, "for=50ms", "for=50s", 1))...)...)
			cmd.Env = append(cmd.Env, "BRUNT_TEST_MARK="+mark)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			suite.Until(t, "the fault to be in", func() bool {
				select {
				case err := <-ended:
					t.Fatalf("brunt has ended: %v: %s", err, out.String())
				default:
				}
				_, err := os.Stat(mark)
				return err == nil
			})
			_ = cmd.Process.Signal(syscall.SIGSTOP)
			suite.Until(t, "brunt to be stopped", func() bool { return state(cmd.Process.Pid) == "T" })
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // the watchdog acts after 10 s
			err := passes(ctx, b)
			cancel()
			if err != nil {
				t.Errorf("while brunt is stopped: %v", err)
			}
			if s := state(cmd.Process.Pid); s != "T" {
				t.Errorf("brunt is in state %q; it was to be stopped all the while", s)
			}
			_ = cmd.Process.Kill()
			if err := <-ended; err == nil {
				t.Error("brunt ended by itself")
			}
			b.same(t, "stopped and killed")
		})
	}
}
