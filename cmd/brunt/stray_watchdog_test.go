//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"brunt/chaos/chaostest"
	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"
)

// TestDocker_StrayWatchdog checks that status lists a watchdog's container that was never started, and
// that revert removes it. An earlier version labelled it differently.
func TestDocker_StrayWatchdog(t *testing.T) {
	suite.Needs(t, suite.Docker)
	for name, labelsOf := range map[string]func(run string) (label, value string){
		"now":     func(run string) (string, string) { return containers.AgentLabel, containers.WatchdogOf(run) },
		"earlier": func(run string) (string, string) { return "brunt.helper", "warden-" + run },
	} {
		t.Run(name, func(t *testing.T) { testStrayWatchdog(t, labelsOf) })
	}
}

func testStrayWatchdog(t *testing.T, labelsOf func(run string) (label, value string)) {
	y := chaostest.NewYard(t)
	t.Setenv("BRUNT_STATE", t.TempDir())
	said := func(c *cobra.Command) (string, int) {
		t.Helper()
		var out bytes.Buffer
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(nil)
		err := c.ExecuteContext(t.Context())
		var code exit
		if err != nil && !errors.As(err, &code) {
			t.Fatal(err)
		}
		return out.String(), int(code)
	}
	names := func(text string) bool { return strings.Contains(text, y.Run) }
	if out, _ := said(statusCommand()); names(out) {
		t.Fatalf("status lists it before it is there: %s", out)
	}
	label, value := labelsOf(y.Run)
	config := &container.Config{
		Image: y.Image, Labels: map[string]string{label: value, containers.BesideLabel: strings.Repeat("0", 64)},
	}
	made, err := y.Engine.API().ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: config, HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = y.Engine.Remove(context.Background(), made.ID) })
	if out, code := said(statusCommand()); !names(out) || code != scenarios.ExitNotReverted {
		t.Errorf("status says %q, and ends with %d", out, code)
	}
	if out, code := said(revertCommand()); !names(out) || !strings.Contains(out, "taken back") || code != 0 {
		t.Errorf("revert says %q, and ends with %d", out, code)
	}
	if _, err := y.Engine.Inspect(t.Context(), made.ID); !errors.Is(err, docker.ErrGone) {
		t.Errorf("it is left: %v", err)
	}
	if out, _ := said(statusCommand()); names(out) {
		t.Errorf("status still lists it: %s", out)
	}
}
