//go:build linux

package run_test

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/journal"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// TestDocker_Stray kills brunt between the creation and the start of its watchdog's container: the
// container is found by its label, and removed. Watchdogs that may still be started, or that have
// run, are not touched.
func TestDocker_Stray(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("a brunt in a container of its own")
	}
	y := chaostest.NewYard(t)
	image := y.Brunt(t)
	b := newBroken(t, y, "pause")
	socket := filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var at atomic.Pointer[string] // brunt's container
	killed := make(chan error, 1)
	relay(t, y, l, func(said []byte) bool {
		if !bytes.HasPrefix(said, []byte("POST /")) || !bytes.Contains(said[:min(len(said), 200)], []byte("/start HTTP")) {
			return true
		}
		killed <- y.Engine.Kill(context.Background(), *at.Load(), "KILL")
		return false
	})
	c := cage(t, y, image, b.fault, func(id string) { at.Store(&id) }, func(_ *container.Config, h *container.HostConfig) {
		h.Binds = []string{socket + ":/var/run/docker.sock"}
	})
	if err := <-killed; err != nil {
		t.Fatal(err)
	}
	id, run := c.watchdog(t)
	if is, err := y.Engine.Inspect(t.Context(), id); err != nil || is.State != "created" {
		t.Fatalf("the guard's container is %+v, %v: brunt was not killed before its start", is, err)
	}

	// One beside a brunt that may still start it; and one that has run, and may have something to
	// undo.
	made := func(beside string) string {
		config := &container.Config{
			Image: image, Cmd: []string{"version"},
			Labels: map[string]string{containers.AgentLabel: containers.WatchdogOf(y.Run), containers.BesideLabel: beside},
		}
		m, err := y.Engine.API().ContainerCreate(t.Context(), client.ContainerCreateOptions{
			Config: config, HostConfig: &container.HostConfig{NetworkMode: "none"},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = y.Engine.Remove(context.Background(), m.ID) })
		return m.ID
	}
	others := []string{made(b.v.ID), made(c.id)}
	if err := y.Engine.Start(t.Context(), others[1]); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "another to end", func() bool {
		is, err := y.Engine.Inspect(t.Context(), others[1])
		return err == nil && !is.Running
	})

	strays, err := journal.Strays(t.Context())
	if err != nil || !slices.ContainsFunc(strays, func(s journal.Stray) bool { return s.ID == id && s.Run == run }) {
		t.Errorf("strays %+v, %v", strays, err)
	}
	taken, err := journal.RemoveStrays(t.Context())
	if err != nil || !slices.ContainsFunc(taken,
		func(k journal.Taken) bool { return k.Run == run && k.Outcome == chaos.Reverted }) {
		t.Errorf("taken back %+v, %v", taken, err)
	}
	if left := c.left(t, run); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	for _, id := range others {
		if _, err := y.Engine.Inspect(t.Context(), id); err != nil {
			t.Errorf("another was touched: %v", err)
		}
	}
	b.same(t, "at the end")
}
