package chaostest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/docker"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// Engine gives the machine's Docker engine. A test that needs one fails without it where
// CI=true, and is skipped elsewhere.
func Engine(t *testing.T) *docker.Engine {
	t.Helper()
	at, err := docker.Find(os.Getenv)
	var e *docker.Engine
	if err == nil {
		e, err = docker.Open(at, docker.Options{})
	}
	if err == nil {
		t.Cleanup(func() { _ = e.Close() })
		err = e.Ping(t.Context())
	}
	switch {
	case err == nil:
		return e
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	}
	t.Skip(err)
	return nil
}

// Root skips a test that needs it, or fails it where CI=true.
func Root(t *testing.T) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") == "true":
		t.Fatal("this test needs root")
	default:
		t.Skip("this test needs root: run it by sudo -E")
	}
}

// A Yard is a place in the engine for the containers of one test: an image of the victim
// and a network. All of it goes with the test.
type Yard struct {
	Engine  *docker.Engine
	Run     string // its label
	Image   string
	Network string // the id

	t    *testing.T
	made int
}

// NewYard makes a place for containers.
func NewYard(t *testing.T) *Yard {
	t.Helper()
	y := &Yard{Engine: Engine(t), Run: "test-" + strings.ToLower(rand.Text()), t: t}
	program := filepath.Join(t.TempDir(), "victim")
	build := exec.Command("go", "build", "-o", program, "brunt/chaos/chaostest/victim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the victim: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if _, err := y.Engine.RemoveLabelled(context.Background(), docker.RunLabel, y.Run); err != nil {
			t.Error(err)
		}
	})
	labels := map[string]string{docker.RunLabel: y.Run}
	var err error
	if y.Image, err = y.Engine.BuildSelf(t.Context(), "brunt-"+y.Run, program, labels); err != nil {
		t.Fatal(err)
	}
	made, err := y.Engine.API().NetworkCreate(t.Context(), "brunt-"+y.Run, network.CreateOptions{Driver: "bridge", Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	y.Network = made.ID
	return y
}

// A Victim is a container that answers on port 8080.
type Victim struct {
	*chaos.AskedContainer
	ID   string
	Yard *Yard
}

// VictimOptions say how a victim differs from a plain one.
type VictimOptions struct {
	Unit    string // its name; zero is web[0]
	Restart string // the engine's policy; zero is no
	Labels  map[string]string
	Health  bool // the engine checks its health
	Links   []string
	Aliases []string
	Host    func(*container.HostConfig) // changes more of it
}

// Start makes a victim, starts it and waits until it answers.
func (y *Yard) Start(o VictimOptions) *Victim {
	y.t.Helper()
	if o.Unit == "" {
		o.Unit = "web[0]"
	}
	y.made++
	name := fmt.Sprintf("brunt-%s-%d", y.Run, y.made)
	config := &container.Config{Image: y.Image, Labels: map[string]string{docker.RunLabel: y.Run}}
	for k, v := range o.Labels {
		config.Labels[k] = v
	}
	if o.Health {
		config.Healthcheck = &container.HealthConfig{Test: []string{"CMD", docker.SelfProgram, "ask", "http://127.0.0.1:8080/"}, Interval: 200 * time.Millisecond, Retries: 2}
	}
	host := &container.HostConfig{NetworkMode: container.NetworkMode(y.Network), RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(o.Restart)}}
	if o.Host != nil {
		o.Host(host)
	}
	in := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{y.Network: {Aliases: o.Aliases, Links: o.Links}}}
	made, err := y.Engine.API().ContainerCreate(y.t.Context(), config, host, in, nil, name)
	if err == nil {
		err = y.Engine.Start(y.t.Context(), made.ID)
	}
	if err != nil {
		y.t.Fatal(err)
	}
	service, _, _ := strings.Cut(o.Unit, "[")
	v := &Victim{ID: made.ID, Yard: y}
	v.AskedContainer = &chaos.AskedContainer{Container: &chaos.Container{Engine: y.Engine, Ref: name, Of: chaos.Named{Unit: o.Unit, Service: service}, Check: v.ask}, Answer: v.ask}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		is, err := y.Engine.Inspect(y.t.Context(), v.ID)
		if err != nil {
			y.t.Fatal(err)
		}
		if err = v.ask(y.t.Context()); err == nil {
			err = is.Healthy()
		}
		if err == nil {
			return v
		}
		if time.Now().After(deadline) {
			y.t.Fatalf("the victim does not become ready: %v\n%s", err, y.Engine.Tail(y.t.Context(), v.ID))
		}
	}
}

// ask asks the victim at the address that it has now.
func (v *Victim) ask(ctx context.Context) error {
	is, err := v.Engine.Inspect(ctx, v.ID)
	if err != nil {
		return err
	}
	addrs := is.Addresses()
	if len(addrs) == 0 {
		return fmt.Errorf("container %s has no address", is.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+netip.AddrPortFrom(addrs[0], 8080).String()+"/", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// Inspected is what the engine says of a container, but for what differs from one life to
// the next: it must be the same before a fault and after.
func Inspected(t *testing.T, e *docker.Engine, id string) string {
	t.Helper()
	_, raw, err := e.API().ContainerInspectWithRaw(context.Background(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	lives(all)
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lives takes away what differs from one life of a container to the next.
func lives(m map[string]any) {
	for key, value := range m {
		switch key {
		case "StartedAt", "FinishedAt", "Pid", "EndpointID", "SandboxID", "SandboxKey", "RestartCount", "ExitCode", "Health", "ResolvConfPath":
			delete(m, key)
			continue
		}
		if inner, ok := value.(map[string]any); ok {
			lives(inner)
		}
	}
}

// Difference lists the lines of two texts that only one of them has.
func Difference(before, after string) string {
	var out []string
	lines := func(mark, in, other string) {
		for line := range strings.Lines(in) {
			if !strings.Contains(other, line) {
				out = append(out, mark+" "+strings.TrimSpace(line))
			}
		}
	}
	lines("-", before, after)
	lines("+", after, before)
	return strings.Join(out, "\n")
}
