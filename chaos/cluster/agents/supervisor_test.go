//go:build unix

package agents_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"brunt/chaos"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/journal"
)

// TestSupervisor has an agent, and before that a whole container, killed with a fault in: what it left is taken back,
// and no agent serves again.
func TestSupervisor(t *testing.T) {
	const run = "20261123-153319-abcdefgh"
	for _, tt := range []struct {
		name, agent string
		before      bool // the container was killed
	}{
		{"the agent is killed", `cp "$LEFT"/*.journal "$STATE" && kill -KILL $$`, false},
		{"the container was killed", `touch "$STATE/started"`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			done := 0
			ops := chaos.Operations{"note": {Name: "note", Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
				done++
				return chaos.Reverted, nil
			}}}
			left, state := t.TempDir(), t.TempDir()
			if tt.before {
				left = state
			}
			j, err := journal.Open(ops, left, run)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := j.Intent(chaos.Intent{
				Fault: "agent", What: "stop it", Undo: []chaos.Undo{{Op: "note", Identity: json.RawMessage(`1`)}},
			}); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh")
			cmd.Env, cmd.Stderr = append(os.Environ(), "LEFT="+left, "STATE="+state), io.Discard
			k := agents.Supervisor{State: state, Operations: ops, Command: []string{"/bin/sh", "-c", tt.agent}}
			if err := k.Run(t.Context(), cmd); err != nil {
				t.Error(err)
			}
			if files, _ := filepath.Glob(filepath.Join(state, "*")); done != 1 || len(files) > 0 {
				t.Errorf("%d undos were executed; left: %q", done, files)
			}
		})
	}
}
