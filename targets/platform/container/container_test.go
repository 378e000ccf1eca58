package container_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/oci"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets/platform"
	"brunt/targets/platform/container"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
	"brunt/targets/platform/platformtest"
)

func TestMain(m *testing.M) { platformtest.Main(m) }

// command returns a command without placeholders.
func command(words ...string) platform.Command {
	var out platform.Command
	for _, w := range words {
		out = append(out, template.Literal(w))
	}
	return out
}

// TestContainer_Lifecycle: a group comes up in order, its units reach each other by name, keep their
// addresses when they are restarted, and are gone afterwards.
func TestContainer_Lifecycle(t *testing.T) {
	suite.Needs(t, suite.Docker, suite.In("docker"))
	t.Parallel()
	e := platformtest.Engine(t)
	image := platformtest.Image(t, e)
	run := platformtest.Run(t, e, containers.RunLabel, "")
	service := func(name string, s platform.Service, networks ...string) platform.Service {
		s.Name, s.Restart, s.Grace = name, "never", 100*time.Millisecond
		s.Container.Image, s.Container.Networks = image, networks
		return s
	}
	spec := platform.Spec{Platform: platform.Docker, Services: []platform.Service{
		service("web", platform.Service{
			Replicas: 2, Port: 8080, Links: []string{"store"}, Command: command("serve"), Ready: scenarios.Ready{Get: "/"},
			Env: map[string]template.Text{"COLOUR": template.Literal("blue")}, Container: &platform.Container{},
		}, "front", "back"),
		service("store", platform.Service{
			Replicas: 1, Port: 8081, Command: command("serve"), Container: &platform.Container{},
		}, "back"),
		service("worker", platform.Service{Replicas: 1, Command: command("serve", ":8082"), Container: &platform.Container{
			Health: &platform.Health{
				Command: []string{oci.Entry, "ok"}, Every: quantity.Duration(200 * time.Millisecond),
			},
			Volumes: map[string]platform.Volume{"data": {Target: "/var/lib/data"}, "small": {Target: "/small", Size: 3 << 20}},
			Tmpfs:   []string{"/run:size=2m,mode=711"}, User: "1234:2345",
		}}, "back"),
	}}
	var mu sync.Mutex
	var events []string
	g, err := container.New(spec, container.Options{Run: run, Engine: e, Event: func(event, unit, _ string) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, event+" "+unit)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := e.Labelled(t.Context(), containers.RunLabel, run); err != nil || left.Total() != 0 {
		t.Fatalf("New makes %+v, %v", left, err)
	}
	if err := g.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		for range 2 { // it can be called again
			if err := g.Down(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if left, err := e.Labelled(t.Context(), containers.RunLabel, run); err != nil || left.Total() != 0 {
			t.Errorf("Down leaves %+v, %v", left, err)
		}
	}()
	if len(events) != 4 || slices.Index(events, "unit.ready store[0]") > slices.Index(events, "unit.ready web[0]") {
		t.Errorf("events: %q", events)
	}
	left, err := e.Labelled(t.Context(), containers.RunLabel, run)
	if err != nil || len(left.Containers) != 4 || len(left.Networks) != 2 || len(left.Volumes) != 2 {
		t.Errorf("it has made %+v, %v", left, err)
	}
	env, err := platformtest.Get("http://" + g.Addr("web[1]") + "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"BRUNT_UNIT=web[1]", "BRUNT_ADDR=0.0.0.0:8080", "PORT=8080", "LINK_STORE=store-0:8081", "COLOUR=blue",
	} {
		if !slices.Contains(strings.Split(env, "\n"), want) {
			t.Errorf("%s is not in\n%s", want, env)
		}
	}
	for _, at := range []string{"store:8081", "store-0:8081", "worker:8082"} {
		if text, err := platformtest.Get(fmt.Sprintf("http://%s/get?url=http://%s/", g.Addr("web[0]"), at)); err != nil ||
			!strings.Contains(text, "BRUNT_UNIT=") {
			t.Errorf("%s: %q, %v", at, text, err)
		}
	}
	for _, u := range g.Units() {
		addr := u.Addr()
		if (addr == "") != (u.Service == "worker") {
			t.Errorf("%s is at %q", u.Name(), addr)
		}
		if u.Service == "worker" {
			volumeAndUser(t, e, u.Ref())
		}
		if u.Name() != "web[0]" {
			continue
		}
		if err := e.Restart(t.Context(), u.Ref(), 0); err != nil {
			t.Fatal(err)
		}
		if err := u.AwaitReady(t.Context()); err != nil || u.Addr() != addr {
			t.Errorf("started again it is at %s, not %s: %v", u.Addr(), addr, err)
		}
	}
}

// volumeAndUser checks, by the kernel, that the worker runs as its user and sees its volumes, with their limits.
func volumeAndUser(t *testing.T, e *docker.Engine, id string) {
	t.Helper()
	c, err := e.Inspect(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.PID))
	if err != nil {
		t.Skipf("the engine's processes are not visible here: %v", err)
	}
	if !strings.Contains(string(status), "Uid:\t1234\t") || !strings.Contains(string(status), "Gid:\t2345\t") {
		t.Errorf("it runs as another user:\n%s", status)
	}
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", c.PID))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		` /var/lib/data rw,`, ` /small rw,.* - tmpfs tmpfs rw,size=3072k`, ` /run rw,.* - tmpfs tmpfs rw,size=2048k,mode=711`,
	} {
		if !regexp.MustCompile(want).Match(mounts) {
			t.Errorf("%s is not in\n%s", want, mounts)
		}
	}
}

// TestContainer_Publish: units are reached by ports of this machine where the addresses of containers
// are not reachable.
func TestContainer_Publish(t *testing.T) {
	suite.Needs(t, suite.Docker, suite.In("docker"))
	t.Parallel()
	e := platformtest.Engine(t)
	image := platformtest.Image(t, e)
	g, err := container.New(platform.Spec{Platform: platform.Docker, Services: []platform.Service{{
		Name: "web", Replicas: 1, Port: 8080, Command: command("serve"), Ready: scenarios.Ready{Get: "/"}, Restart: "never",
		Container: &platform.Container{Image: image, Ports: []int{8080}},
	}}}, container.Options{Run: platformtest.Run(t, e, containers.RunLabel, ""), Engine: e, Publish: true})
	if err != nil {
		t.Fatal(err)
	}
	at := g.Addr("web[0]")
	if !strings.HasPrefix(at, "127.0.0.1:") {
		t.Errorf("before it is up it is at %q", at)
	}
	if err := g.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := platformtest.Get("http://" + at + "/"); err != nil || g.Addr("web[0]") != at {
		t.Errorf("at %s, then %s: %v", at, g.Addr("web[0]"), err)
	}
	if err := g.Down(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestContainer_NotUp: a group that does not come up says why, and leaves nothing behind.
func TestContainer_NotUp(t *testing.T) {
	suite.Needs(t, suite.Docker, suite.In("docker"))
	t.Parallel()
	e := platformtest.Engine(t)
	image := platformtest.Image(t, e)
	for _, c := range []struct {
		name    string
		service platform.Service
		want    []string
	}{
		{
			"it ends",
			platform.Service{Command: command("end"), Container: &platform.Container{Image: image}},
			[]string{"job[0] is not ready: it has ended with exit code 3", "no config"},
		},
		{
			"no image",
			platform.Service{Container: &platform.Container{Image: "127.0.0.1:1/brunt-test-of-nothing"}},
			[]string{"the engine has no image 127.0.0.1:1/brunt-test-of-nothing"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.service.Name, c.service.Replicas, c.service.Port, c.service.Restart = "job", 1, 8080, "never"
			g, err := container.New(platform.Spec{Platform: platform.Docker, Services: []platform.Service{c.service}},
				container.Options{Run: platformtest.Run(t, e, containers.RunLabel, ""), Engine: e})
			if err != nil {
				t.Fatal(err)
			}
			err = g.Up(t.Context())
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
		})
	}
}
