package docker

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// TestDocker_Beside checks that an agent that reaches what another container reaches is connected
// to all of its networks.
func TestDocker_Beside(t *testing.T) {
	suite.Needs(t, suite.Docker, suite.In("docker"))
	at, err := containers.FindEngine(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(at, Options{})
	if err == nil {
		err = e.Ping(t.Context())
	}
	if err != nil {
		suite.Lack(t, "%v", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	run := "test-" + strings.ToLower(rand.Text())
	labels := map[string]string{containers.RunLabel: run}
	t.Cleanup(func() {
		if _, err := e.RemoveLabelled(context.Background(), containers.RunLabel, run); err != nil {
			t.Error(err)
		}
	})
	image, err := e.BuildSelf(t.Context(), "brunt-"+run, "agents_test.go", labels) // no container is started
	if err != nil {
		t.Fatal(err)
	}
	var nets []string
	for _, name := range []string{"front", "back"} {
		n, err := e.API().NetworkCreate(t.Context(), "brunt-"+run+"-"+name,
			client.NetworkCreateOptions{Driver: "bridge", Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		nets = append(nets, n.ID)
	}
	made := func(c *container.Config, h *container.HostConfig) string {
		c.Labels = labels
		m, err := e.API().ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: c, HostConfig: h})
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	in := func(id string) (out []string) {
		is, err := e.Inspect(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range is.Networks {
			out = append(out, n.Name)
		}
		return out
	}
	self := made(&container.Config{Image: image},
		&container.HostConfig{NetworkMode: container.NetworkMode(nets[0]), ExtraHosts: []string{"engine:192.0.2.1"}})
	if err := e.Connect(t.Context(), self, containers.Endpoint{Network: nets[1]}); err != nil {
		t.Fatal(err)
	}
	for _, reaches := range []bool{true, false} {
		config, host := &container.Config{}, &container.HostConfig{NetworkMode: "none"}
		if err := e.Agents().beside(t.Context(), AgentSpec{Run: run, Beside: self, Reaches: reaches}, config,
			host); err != nil {
			t.Fatal(err)
		}
		if l := config.Labels; l["brunt.agent"] != "watchdog-"+run || l["brunt.helper"] != "warden-"+run {
			t.Errorf("labels %v; want those of this version and of earlier ones", l)
		}
		id := made(config, host)
		if reaches {
			if err := e.Agents().joinAll(t.Context(), id, self); err != nil {
				t.Fatal(err)
			}
		}
		want, hosts := []string{"none"}, 0
		if reaches {
			want, hosts = in(self), 1
		}
		if got := in(id); !slices.Equal(got, want) || len(host.ExtraHosts) != hosts {
			t.Errorf("reaches %v: it is in %v, with hosts %v; want %v", reaches, got, host.ExtraHosts, want)
		}
	}
}
