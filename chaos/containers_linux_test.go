package chaos_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/docker"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
)

// testRun labels what these tests make in the engine.
const testRun = "chaos-packets-test"

// needDocker gives the engine, or skips the test where there is none; where it must run
// it fails.
func needDocker(t *testing.T) *docker.Engine {
	t.Helper()
	at, err := docker.Find(os.Getenv)
	var e *docker.Engine
	if err == nil {
		e, err = docker.Open(at, docker.Options{})
	}
	if err == nil {
		err = e.Ping(t.Context())
	}
	switch {
	case err == nil:
		t.Cleanup(func() { _ = e.Close() })
		return e
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	}
	t.Skipf("it needs Docker: %v", err)
	return nil
}

// program builds brunt's own program, as containers need it.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "brunt")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, "brunt/cmd/brunt")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

// crate makes two containers, web and store, in a network of their own.
type crate struct {
	*docker.Engine
	units map[string]*chaos.Container
}

func newCrate(t *testing.T) *crate {
	t.Helper()
	e := needDocker(t)
	file := program(t)
	t.Setenv("BRUNT_LINUX", file)
	run := fmt.Sprintf("%s-%d", testRun, time.Now().UnixNano())
	labels := map[string]string{docker.RunLabel: run}
	t.Cleanup(func() {
		if _, err := e.RemoveLabelled(context.Background(), docker.RunLabel, run); err != nil {
			t.Error(err)
		}
	})
	img, err := e.BuildSelf(t.Context(), run, file, labels)
	if err != nil {
		t.Fatal(err)
	}
	net, err := e.API().NetworkCreate(t.Context(), run, network.CreateOptions{Driver: "bridge", Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	c := &crate{Engine: e, units: map[string]*chaos.Container{}}
	for _, name := range []string{"web", "store"} {
		made, err := e.API().ContainerCreate(t.Context(), &container.Config{
			Image: img, Cmd: []string{"demo-service", "store"}, Env: []string{"BRUNT_ADDR=0.0.0.0:8080"}, Labels: labels,
			ExposedPorts: nat.PortSet{"8080/tcp": {}},
		}, &container.HostConfig{NetworkMode: container.NetworkMode(net.ID)}, &network.NetworkingConfig{
			EndpointsConfig: map[string]*network.EndpointSettings{net.ID: {Aliases: []string{name}}},
		}, nil, run+"-"+name)
		if err == nil {
			err = e.Start(t.Context(), made.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.units[name] = &chaos.Container{Engine: e, Ref: made.ID, Of: chaos.Named{Unit: name + "[0]", Service: name}}
	}
	return c
}

// print is all that can be seen of the containers' networks from outside of them.
func (c *crate) print(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, name := range []string{"web", "store"} {
		pid := c.units[name].PID()
		for _, look := range []string{"nft -s list ruleset", "tc qdisc show", "tc filter show dev eth0", "ip -d link show", "ip route show table all", "ip -6 route show table all"} {
			b, err := exec.Command("nsenter", append([]string{"-t", fmt.Sprint(pid), "-n"}, strings.Fields(look)...)...).CombinedOutput()
			fmt.Fprintf(&out, "%s: %s\n%s%v\n", name, look, b, err)
		}
	}
	return out.String()
}

// TestPacketsOfContainers holds the faults on packets to their promises on containers of
// an engine, as brunt does them itself and by a helper.
func TestPacketsOfContainers(t *testing.T) {
	needRoot(t)
	if testing.Short() {
		t.Skip("makes containers")
	}
	c := newCrate(t)
	at := strings.NewReplacer("WEB", c.units["web"].Addresses()[0].String(), "STORE", c.units["store"].Addresses()[0].String())
	for _, helper := range []bool{false, true} {
		insides := &chaos.Insides{Helper: helper}
		for _, yaml := range packetFaults {
			yaml = at.Replace(yaml)
			t.Run(fmt.Sprintf("helper %v/%s", helper, yaml), func(t *testing.T) {
				was := c.print(t)
				began := time.Now()
				chaostest.Effect(t, yaml, chaostest.World{
					Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
					Env:   chaos.Env{Units: []chaos.Unit{c.units["web"], c.units["store"]}, Now: clock(), Insides: insides, Run: testRun},
				})
				t.Logf("took %s", time.Since(began).Round(time.Millisecond))
				if is := c.print(t); is != was {
					t.Errorf("it was\n%s\nand is\n%s", was, is)
				}
			})
		}
		if err := insides.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
