//go:build linux

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// TestDocker_VersionOfAgents reverts the journal of a run whose agents and their image an earlier
// version of brunt has labelled with other names.
func TestDocker_VersionOfAgents(t *testing.T) {
	suite.Needs(t, suite.Docker)
	y := chaostest.NewYard(t)
	run := y.Run + "-old"
	labels := map[string]string{"brunt.helper": run}
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("not run"), 0o700); err != nil {
		t.Fatal(err)
	}
	image, err := y.Engine.BuildSelf(t.Context(), "brunt-helper-"+strings.ToLower(run), program, labels)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = y.Engine.RemoveImage(context.Background(), image) })
	made, err := y.Engine.API().ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: &container.Config{Image: image, Labels: labels},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = y.Engine.Remove(context.Background(), made.ID) })
	if c, err := y.Engine.Inspect(t.Context(), made.ID); err != nil || c.Protected() == nil {
		t.Errorf("%v; want a container that no fault may affect", err)
	}

	dir := t.TempDir()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	at := y.Engine.Address().Host
	text := fmt.Sprintf(`{"op":"begin","run":%q,"process":{},"host":%q}`+"\n", run, host) +
		fmt.Sprintf(`{"op":"intent","id":1,"what":"agents","undo":[{"op":"docker.unhelp","args":{"engine":{"host":%q},"run":%q}}]}`+"\n", at, run)
	if err := os.WriteFile(filepath.Join(dir, run+".journal"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	revert(t, dir, map[string]chaos.Outcome{"": chaos.Reverted})
	if _, err := y.Engine.Inspect(t.Context(), made.ID); !errors.Is(err, docker.ErrGone) {
		t.Errorf("the agent is left: %v", err)
	}
	if left, err := y.Engine.Labelled(t.Context(), "brunt.helper", run); err != nil || left.Total() > 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}

// TestDocker_VersionBefore removes what this version has labelled as an earlier version does, which reads the same
// journal and knows only the earlier label.
func TestDocker_VersionBefore(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	t.Setenv("BRUNT_LINUX", chaostest.AgentProgram(t))
	run := y.Run + "-new"
	t.Cleanup(func() { _, _ = y.Engine.Agents().Remove(context.Background(), run) })
	pipe, err := y.Engine.Agents().Start(t.Context(), docker.AgentSpec{Run: run, Command: []string{"agent"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Close() })
	if _, err := y.Engine.RemoveLabelled(t.Context(), "brunt.helper", run); err != nil {
		t.Error(err)
	}
	left, err := y.Engine.Labelled(t.Context(), containers.RunLabel, run)
	if err != nil || left.Total() > 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}
