//go:build linux

package run_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// caged is a brunt in a container of its own, which has access only to the engine.
type caged struct {
	y  *chaostest.Yard
	id string
}

// cage starts a brunt in a container that injects one fault without load. Told is called before it
// starts; nil is skipped. More change the container's configuration.
func cage(t *testing.T, y *chaostest.Yard, image, fault string, reported func(id string),
	more ...func(*container.Config, *container.HostConfig),
) *caged {
	t.Helper()
	socket, err := url.Parse(y.Engine.Address().Host)
	if err != nil || socket.Path == "" {
		t.Fatalf("the engine %s has no socket", y.Engine.Address().Host)
	}
	config := &container.Config{
		Image: image, Cmd: append([]string{"inject"}, strings.Fields(fault)...),
		Labels: map[string]string{containers.RunLabel: y.Run},
		Env:    []string{"BRUNT_STATE=/tmp/state"},
	}
	host := &container.HostConfig{NetworkMode: "none", Binds: []string{socket.Path + ":/var/run/docker.sock"}}
	for _, change := range more {
		change(config, host)
	}
	made, err := y.Engine.API().ContainerCreate(t.Context(),
		client.ContainerCreateOptions{Config: config, HostConfig: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = y.Engine.Remove(context.Background(), made.ID) })
	if reported != nil {
		reported(made.ID)
	}
	if err := y.Engine.Start(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	return &caged{y, made.ID}
}

// said returns the output of the container.
func (c *caged) said(t *testing.T) string { return c.y.Engine.Tail(t.Context(), c.id) }

// watchdog finds the container of its remote watchdog, and the name of its run.
func (c *caged) watchdog(t *testing.T) (id, run string) {
	t.Helper()
	has, err := c.y.Engine.Labelled(t.Context(), containers.BesideLabel, c.id)
	if err != nil {
		t.Fatal(err)
	}
	if len(has.Containers) == 0 {
		return "", ""
	}
	is, err := c.y.Engine.Inspect(t.Context(), has.Containers[0])
	if err != nil {
		t.Fatal(err)
	}
	return is.ID, strings.TrimPrefix(is.Labels[containers.AgentLabel], containers.WatchdogOf(""))
}

// left lists the objects that a run left in the engine.
func (c *caged) left(t *testing.T, run string) (out []string) {
	t.Helper()
	for label, value := range map[string]string{
		containers.RunLabel: run, containers.AgentLabel: containers.WatchdogOf(run),
	} {
		has, err := c.y.Engine.Labelled(context.Background(), label, value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, has.Containers...)
		out = append(out, has.Images...)
	}
	return out
}

// killed kills the container while the fault is active, and checks that its watchdog undoes
// everything.
func (c *caged) killed(t *testing.T, b *broken) {
	t.Helper()
	suite.Until(t, "the fault to be in", func() bool {
		if is, err := c.y.Engine.Inspect(t.Context(), c.id); err != nil || !is.Running {
			t.Fatalf("brunt has ended: %v: %s", err, c.said(t))
		}
		return b.difference(t) != ""
	})
	watchdog, run := c.watchdog(t)
	if watchdog == "" {
		t.Fatalf("there is no watchdog in a container of its own: %s", c.said(t))
	}
	if err := c.y.Engine.Kill(t.Context(), c.id, "KILL"); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	suite.Until(t, "all to be as it was", func() bool { return b.difference(t) == "" })
	t.Logf("as before %s after docker kill", time.Since(at).Round(time.Millisecond))
	suite.Until(t, "the guard to end", func() bool { return len(c.left(t, run)) == 0 })
	b.same(t, "at the end")
}

// TestDocker_InAContainer runs brunt in a container, FROM scratch, with nothing but the engine's
// socket, and kills that container while a fault is active: its watchdog in a second container
// undoes everything.
func TestDocker_InAContainer(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("brunts in containers of their own")
	}
	y := chaostest.NewYard(t)
	image := y.Brunt(t)
	for _, where := range []string{
		"pause", "disconnect", "throttle", "files", "freeze", "limit", "fill", "skew", "table", "discipline",
		"pause tcp", "throttle tcp", "table tcp",
	} {
		name, tcp, _ := strings.Cut(where, " ")
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			b := newBroken(t, y, name)
			fault, _, _ := strings.Cut(b.fault, " for=")
			reach := func(*container.Config, *container.HostConfig) {}
			if tcp != "" { // the engine is reached over the network, without its socket
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				relay(t, y, l, func([]byte) bool { return true })
				reach = func(c *container.Config, h *container.HostConfig) {
					c.Env = append(c.Env, "DOCKER_HOST=tcp://"+l.Addr().String())
					h.NetworkMode, h.Binds = "host", nil
				}
			}
			c := cage(t, y, image, fault+" for=60s", nil, reach)
			c.killed(t, b)
		})
	}
}

// TestDocker_InAContainerToTheEnd: brunt injects faults from a container and ends normally.
func TestDocker_InAContainerToTheEnd(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	image := y.Brunt(t)
	for _, name := range []string{"pause", "throttle", "files"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroken(t, y, name)
			c := cage(t, y, image, b.fault, nil)
			suite.Until(t, "brunt to end", func() bool {
				is, err := y.Engine.Inspect(t.Context(), c.id)
				if err != nil {
					t.Fatal(err)
				}
				return !is.Running
			})
			if is, err := y.Engine.Inspect(t.Context(), c.id); err != nil || is.Exit != 0 {
				t.Errorf("it ended with %d, %v", is.Exit, err)
			}
			t.Log(c.said(t))
			b.same(t, "at the end")
			if id, run := c.watchdog(t); id != "" {
				t.Errorf("the guard of run %s is still there", run)
			}
		})
	}
	t.Run("without its guard", func(t *testing.T) { // shows that the test above can fail
		t.Parallel()
		b := newBroken(t, y, "pause")
		c := cage(t, y, image, strings.ReplaceAll(b.fault, "for=50ms", "for=60s"), nil)
		suite.Until(t, "the fault to be in", func() bool { return b.difference(t) != "" })
		watchdog, _ := c.watchdog(t)
		for _, id := range []string{watchdog, c.id} {
			if err := y.Engine.Kill(t.Context(), id, "KILL"); err != nil {
				t.Fatal(err)
			}
		}
		if suite.Within(time.Second, func() bool { return b.difference(t) == "" }) { // a watchdog would have acted by then
			t.Error("nothing is left")
		}
		if err := y.Engine.Unpause(t.Context(), b.v.ID); err != nil {
			t.Error(err)
		}
	})
}
