package chaostest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/container"
	"brunt/chaos/oci"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	dockercontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// Engine returns the machine's Docker engine. Without one the test fails if CI=true, and is skipped
// elsewhere.
func Engine(t *testing.T) *docker.Engine {
	t.Helper()
	at, err := containers.FindEngine(os.Getenv)
	var e *docker.Engine
	if err == nil {
		e, err = docker.Open(at, docker.Options{})
	}
	if err == nil {
		t.Cleanup(func() { _ = e.Close() })
		err = e.Ping(t.Context())
	}
	if err != nil {
		suite.Lack(t, "%v", err)
	}
	return e
}

// A Yard holds the containers of a test and its subtests: an image of the victim and a network. It is
// removed with the test.
type Yard struct {
	Engine  *docker.Engine
	Run     string // its label
	Image   string // the id
	Name    string // of the image, and the network
	Network string // the id

	subnet netip.Prefix
	made   atomic.Int32
}

// NewYard makes a Yard.
func NewYard(t *testing.T) *Yard {
	t.Helper()
	y := &Yard{Engine: Engine(t), Run: "test-" + strings.ToLower(rand.Text())}
	program := build(t, "brunt/chaos/chaostest/victim")
	t.Cleanup(func() {
		_, err := y.Engine.RemoveLabelled(context.Background(), containers.RunLabel, y.Run)
		switch {
		case errors.Is(err, docker.ErrMiscounted): // a defect of the engine; ci left finds what else may be left
			t.Log(err)
		case err != nil:
			t.Error(err)
		}
	})
	y.Name = "brunt-" + y.Run
	labels := map[string]string{containers.RunLabel: y.Run}
	var err error
	if y.Image, err = y.Engine.BuildSelf(t.Context(), y.Name, program, labels); err != nil {
		t.Fatal(err)
	}
	y.network(t, labels)
	return y
}

// built caches programs by package: linking one takes a second.
var built sync.Map

// build returns the file of a program, by its package, linked statically for containers.
func build(t *testing.T, pkg string) string {
	t.Helper()
	once, _ := built.LoadOrStore(pkg, sync.OnceValues(func() ([]byte, error) { return compile(pkg) }))
	text, err := once.(func() ([]byte, error))()
	program := filepath.Join(t.TempDir(), path.Base(pkg))
	if err == nil {
		err = os.WriteFile(program, text, 0o755)
	}
	if err != nil {
		t.Fatalf("building %s: %v", pkg, err)
	}
	return program
}

func compile(pkg string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "brunt-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, path.Base(pkg))
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(program)
}

// AgentProgram builds the program of agents and returns its file. BRUNT_LINUX names it to brunt.
func AgentProgram(t *testing.T) string {
	t.Helper()
	return build(t, "brunt/chaos/chaostest/agentprogram")
}

// Brunt builds brunt and an image of it in the yard, and returns the image's id.
func (y *Yard) Brunt(t *testing.T) string {
	t.Helper()
	id, err := y.Engine.BuildSelf(t.Context(), y.Name+"-brunt", build(t, "brunt/cmd/brunt"),
		map[string]string{containers.RunLabel: y.Run})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// network makes the yard's network with a fixed subnet, so that each victim keeps its address:
// otherwise the engine gives the address of a stopped container to the next one. A first network finds
// a free subnet.
func (y *Yard) network(t *testing.T, labels map[string]string) {
	t.Helper()
	api, o := y.Engine.API(), client.NetworkCreateOptions{Driver: "bridge", Labels: labels}
	for range 10 {
		made, err := api.NetworkCreate(t.Context(), "brunt-"+y.Run, o)
		if err != nil {
			t.Fatal(err)
		}
		is, err := api.NetworkInspect(t.Context(), made.ID, client.NetworkInspectOptions{})
		if err == nil {
			err = y.Engine.RemoveNetwork(t.Context(), made.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		subnet := is.Network.IPAM.Config[0].Subnet
		fixed := o
		fixed.IPAM = &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet}}}
		if made, err = api.NetworkCreate(t.Context(), "brunt-"+y.Run, fixed); err == nil {
			y.Network, y.subnet = made.ID, subnet
			return
		}
		t.Log(err) // another client has taken it meanwhile
	}
	t.Fatal("no subnet is to be had")
}

// Address returns an address of the network that no victim has. An engine that chooses an address itself may take the
// address of a victim that is down.
func (y *Yard) Address() string { return y.address(y.made.Add(1)).String() }

// address returns the address of the n-th victim.
func (y *Yard) address(n int32) netip.Addr {
	b := y.subnet.Addr().As4()
	return netip.AddrFrom4([4]byte{b[0], b[1], b[2], b[3] + 1 + byte(n)})
}

// A Victim is a container that answers on port 8080.
type Victim struct {
	*container.Container
	ID   string
	Yard *Yard
}

// VictimOptions are the options of a victim.
type VictimOptions struct {
	Unit    string // its name; zero is web[0]
	Restart string // the engine's policy; zero is no
	Labels  map[string]string
	Health  bool // the engine checks its health
	Links   []string
	Aliases []string
	Host    func(*dockercontainer.HostConfig) // changes more of the configuration
}

// Start starts a victim and waits until it answers. It is removed with t.
func (y *Yard) Start(t *testing.T, o VictimOptions) *Victim {
	t.Helper()
	if o.Unit == "" {
		o.Unit = "web[0]"
	}
	n := y.made.Add(1)
	name := fmt.Sprintf("brunt-%s-%d", y.Run, n)
	soon := 1 // second, for a stop of a container that does not end by itself
	config := &dockercontainer.Config{
		StopTimeout: &soon, Image: y.Image, Labels: map[string]string{containers.RunLabel: y.Run},
		ExposedPorts: network.PortSet{network.MustParsePort("8080/tcp"): {}},
	}
	maps.Copy(config.Labels, o.Labels)
	if o.Health {
		config.Healthcheck = &dockercontainer.HealthConfig{
			Test:     []string{"CMD", oci.Entry, "ask", "http://127.0.0.1:8080/"},
			Interval: 200 * time.Millisecond, Retries: 2,
		}
	}
	host := &dockercontainer.HostConfig{
		NetworkMode:   dockercontainer.NetworkMode(y.Network),
		RestartPolicy: dockercontainer.RestartPolicy{Name: dockercontainer.RestartPolicyMode(o.Restart)},
	}
	if o.Host != nil {
		o.Host(host)
	}
	in := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{y.Network: {
		Aliases: o.Aliases, Links: o.Links,
		IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: y.address(n)},
	}}}
	made, err := y.Engine.API().ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: config, HostConfig: host, NetworkingConfig: in, Name: name,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := y.Engine.Remove(context.Background(), made.ID); err != nil {
			t.Error(err)
		}
	})
	if err := y.Engine.Start(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	service, _, _ := strings.Cut(o.Unit, "[")
	v := &Victim{ID: made.ID, Yard: y}
	v.Container = &container.Container{
		Engine: y.Engine, Ref: name, Of: container.Named{Unit: o.Unit, Service: service}, Check: v.ask, Answer: v.ask,
	}
	var last error
	if !suite.Within(patience, func() bool {
		is, err := y.Engine.Inspect(t.Context(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if last = v.ask(t.Context()); last == nil {
			last = is.Healthy()
		}
		return last == nil
	}) {
		t.Fatalf("the victim does not become ready: %v\n%s", last, y.Engine.Tail(t.Context(), v.ID))
	}
	return v
}

// ask asks the victim at its present address.
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+netip.AddrPortFrom(addrs[0], 8080).String()+"/",
		nil)
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

// Inspected returns the engine's description of a container, without the parts that change with each start. It must be
// the same before and after a fault.
func Inspected(t *testing.T, e *docker.Engine, id string) string {
	t.Helper()
	is, err := e.API().ContainerInspect(context.Background(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(is.Raw, &all); err != nil {
		t.Fatal(err)
	}
	lives(all)
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lives removes the parts that change with each start of a container.
func lives(m map[string]any) {
	for key, value := range m {
		switch key {
		case "StartedAt", "FinishedAt", "Pid", "EndpointID", "SandboxID", "SandboxKey", "ExecIDs", "RestartCount", "ExitCode",
			"Health", "ResolvConfPath":
			delete(m, key)
			continue
		}
		if inner, ok := value.(map[string]any); ok {
			lives(inner)
		}
	}
}

// Difference lists the lines that only one of two texts has.
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
