//go:build linux

package chaos_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"

	"github.com/moby/moby/api/types/container"
)

// newAgents returns a pool of agents, for a test and its subtests.
func newAgents(t *testing.T) *agent.Pool {
	t.Helper()
	t.Setenv("BRUNT_LINUX", chaostest.AgentProgram(t))
	agents := &agent.Pool{Find: catalog.Find, Always: true}
	t.Cleanup(func() {
		if err := agents.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return agents
}

// TestDocker_Resources runs the suite for resource faults with real containers: the engine's
// description does not change during the fault, and the kernel's settings are restored. The faults are
// injected by brunt itself, and by an agent as when brunt is not root.
func TestDocker_Resources(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a few dozen containers")
	}
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	agents, done := newAgents(t), map[string]bool{}
	for _, c := range []struct {
		name, yaml string
		host       func(*container.HostConfig)
		spoil      func(v *victim)
	}{
		{"throttled", "cpu.throttle: {service: web, share: 5%}", nil, unthrottle},
		{
			"throttled, and was before", "cpu.throttle: {service: web, share: 5%}",
			func(h *container.HostConfig) { h.NanoCPUs = 1_500_000_000 }, unthrottle,
		},
		{"limited in memory", "memory.limit: {service: web, bytes: 48MiB}", nil, unlimit},
		{
			"limited in memory, and was before", "memory.limit: {service: web, bytes: 48MiB}",
			func(h *container.HostConfig) { h.Memory = 256 << 20 }, unlimit,
		},
		{"slowed at its disk", "disk.throttle: {service: web, rate: 1MiB/s}", nil, unslow},
		{
			"beside burnt processors", "stress.cpu: {service: web, load: 60%, workers: 1}", nil,
			func(v *victim) { v.killStressors(cgroup.CPU) },
		},
		{
			"beside taken memory", "stress.memory: {service: web, bytes: 64MiB}", nil,
			func(v *victim) { v.killStressors(cgroup.Memory) },
		},
		{
			"beside taken memory, beyond the limit", "stress.memory: {service: web, percent: 100%}",
			func(h *container.HostConfig) { h.Memory = 64 << 20 }, nil,
		},
		{
			"beside a busy disk", "stress.io: {service: web, path: /, workers: 2}", nil,
			func(v *victim) { v.killStressors(cgroup.Disk) },
		},
		{"without room in memory", "disk.fill: {service: web, path: DIR, percent: 100%}", func(h *container.HostConfig) {
			h.Tmpfs = map[string]string{"/data": "size=16m"}
		}, emptyUnnamed},
		{
			"with less room on the machine's disk", "disk.fill: {service: web, path: /, bytes: 512MiB, keep_free: 1GiB, host_disk: true}", nil,
			emptyUnnamed,
		},
		{"out of descriptors", "fd.exhaust: {service: web}", nil, moreFiles},
		{
			"with a clock that is behind", "time.skew: {service: web, offset: -1h}", nil,
			func(v *victim) { v.setClock(-time.Hour, true) },
		},
	} {
		begin := func(agents *agent.Pool) func(t *testing.T) *victim {
			return func(t *testing.T) *victim {
				v := y.Start(t, chaostest.VictimOptions{Host: c.host})
				before := chaostest.Inspected(t, v.Engine, v.ID)
				t.Cleanup(func() {
					if after := chaostest.Inspected(t, v.Engine, v.ID); after != before {
						t.Errorf("docker inspect differs:\n%s", chaostest.Difference(before, after))
					}
				})
				dir := "/"
				if strings.Contains(c.yaml, "DIR") {
					dir = "/data"
				}
				return &victim{Unit: v.Container, t: t, alone: true, dir: dir, agents: agents, run: y.Run}
			}
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			holdResource(t, c.yaml, c.spoil, begin(nil))
		})
		kind, _, _ := strings.Cut(c.yaml, ":")
		if done[kind] {
			continue
		}
		done[kind] = true
		spoil := c.spoil
		if kind == "disk.fill" { // the file belongs to the agent
			spoil = nil
		}
		t.Run(c.name+", by an agent", func(t *testing.T) {
			t.Parallel()
			holdResource(t, c.yaml, spoil, begin(agents))
		})
	}
}

// get asks the victim for a number that it measures itself, and for the rest of its answer.
func get(t *testing.T, v *chaostest.Victim, path string) (n float64, rest string) {
	t.Helper()
	is, err := v.Engine.Inspect(t.Context(), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" +
		is.Addresses()[0].String() + ":8080" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, b, err)
	}
	first, rest, _ := strings.Cut(string(b), " ")
	if n, err = strconv.ParseFloat(first, 64); err != nil {
		t.Fatalf("%s: %s", path, b)
	}
	return n, rest
}

// TestDocker_ResourcesExactly measures inside a container what a fault leaves it. Slow measurements,
// which need an idle machine, run with BRUNT_EXACT=1.
func TestDocker_ResourcesExactly(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	v := y.Start(t, chaostest.VictimOptions{})
	world := chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": 1}, Containers: true},
		Env: chaos.Env{
			Targets: chaos.Targets{Units: []chaos.Unit{v.Container}}, Host: chaos.Host{Stress: []string{os.Args[0], "burn"}},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	}
	off := func() float64 {
		before := time.Now()
		n, _ := get(t, v, "/clock")
		middle := before.Add(time.Since(before) / 2).UnixNano()
		return (n - float64(middle)) / 1e9
	}
	for _, c := range []struct {
		yaml     string
		exact    bool // needs an idle machine
		measure  func() float64
		low, top float64
	}{
		{
			"cpu.throttle: {service: web, share: 20%}", true, func() float64 { n, _ := get(t, v, "/cpu?for=5s"); return n }, .17,
			.23,
		},
		{
			"cpu.throttle: {service: web, share: 50%}", true, func() float64 { n, _ := get(t, v, "/cpu?for=5s"); return n }, .47,
			.53,
		},
		{
			"disk.throttle: {service: web, rate: 1MiB/s}", true,
			func() float64 { n, _ := get(t, v, "/disk?for=5s&dir=/"); return n / (1 << 20) }, .9, 1.1,
		},
		{
			"disk.throttle: {service: web, rate: 8MiB/s, direction: read}", true,
			func() float64 { n, _ := get(t, v, "/disk?for=5s&dir=/&read=1"); return n / (8 << 20) }, .9, 1.1,
		},
		{"time.skew: {service: web, offset: -1h}", false, off, -3605, -3595},
		{"time.skew: {service: web, offset: 48h}", false, off, 172795, 172805},
		{"time.skew: {service: web, offset: 30s500ms}", false, off, 30, 31},
		// Its own connection and the directory that it lists take two of the three; Go's poller is
		// already open.
		{"fd.exhaust: {service: web, leave: 3}", false, func() float64 {
			n, said := get(t, v, "/files")
			if !strings.Contains(said, "too many open files") {
				t.Errorf("the next file: %s", said)
			}
			return n
		}, 2, 2},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			if c.exact && os.Getenv("BRUNT_EXACT") == "" {
				t.Skip("BRUNT_EXACT=1 measures it, on a machine that does nothing else")
			}
			out := injectIn(t, c.yaml, world)
			got := c.measure()
			out()
			t.Logf("%s: inside it is %.6g", c.yaml, got)
			if got < c.low || got > c.top {
				t.Errorf("inside it is %g, want %g to %g", got, c.low, c.top)
			}
		})
	}
}

// TestDocker_ResourcesAgain restarts a container during a fault. The fault is injected again, or is
// void, and the original settings are restored in the end.
func TestDocker_ResourcesAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a few dozen containers")
	}
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	for _, c := range []struct {
		yaml string
		void bool
	}{
		{"cpu.throttle: {service: web, share: 5%}", false},
		{"memory.limit: {service: web, bytes: 48MiB}", false},
		{"stress.memory: {service: web, bytes: 32MiB}", false},
		{"disk.fill: {service: web, path: /, bytes: 64MiB, host_disk: true}", false},
		{"fd.exhaust: {service: web, leave: 3}", false},
		{"time.skew: {service: web, offset: -1h}", false},
		{"time.skew: {service: web, offset: -1h, on_restart: void}", true},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			t.Parallel()
			v := y.Start(t, chaostest.VictimOptions{})
			of := &victim{Unit: v.Container, t: t, alone: true}
			w := of.world(nil)
			var noted []chaos.Undo
			w.Env.Extend = func(undo chaos.Undo) error {
				noted = append(noted, undo)
				return nil
			}
			step := chaostest.Plan(t, c.yaml, w)[0]
			held, err := step.Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			partOf(t, held)
			if err := v.Engine.Restart(t.Context(), v.ID, 0); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the container to be back", func() bool { return v.PID() != 0 && v.Ready(t.Context()) == nil })
			fresh := of.state()
			if said, err := held.Traits().OnRestart(t.Context(), "another"); said != "" || err != nil {
				t.Errorf("another container's restart: %q, %v", said, err)
			}
			said, err := held.Traits().OnRestart(t.Context(), v.ID)
			switch {
			case (err != nil) != c.void:
				t.Errorf("%q, %v", said, err)
			case !c.void:
				if len(noted) != len(step.Undo()) {
					t.Errorf("%d undos are written down, want %d", len(noted), len(step.Undo()))
				}
				if partOf(t, held); said == "" {
					t.Error("it does not say that it is there again")
				}
			}
			for range 2 {
				if o, err := held.Revert(t.Context()); err != nil {
					t.Errorf("%s, %v", o, err)
				}
			}
			if _, err := held.Gone(t.Context()); err != nil {
				t.Error(err)
			}
			if now := of.state(); now != fresh {
				t.Errorf("it was\n%s\nand is\n%s", fresh, now)
			}
			if said, err := held.Traits().OnRestart(t.Context(), v.ID); said != "" || err != nil {
				t.Errorf("a restart after the end: %q, %v", said, err)
			}
		})
	}
}

// TestDocker_HostDisk checks that disk.fill refuses a container's path on a disk of the machine, names that disk where
// it is allowed, and fills a volume of the container without a word about it.
func TestDocker_HostDisk(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	v := y.Start(t, chaostest.VictimOptions{Host: func(h *container.HostConfig) {
		h.Tmpfs = map[string]string{"/data": "size=16m"}
	}})
	w := (&victim{Unit: v.Container, t: t, alone: true}).world(nil)
	for _, c := range []struct{ yaml, refused, said string }{
		{"disk.fill: {service: web, path: /, bytes: 1MiB}", "is on a disk of the machine", ""},
		{"disk.fill: {service: web, path: /, bytes: 1MiB, host_disk: true}", "", "/, a disk of the machine, of"},
		{"disk.fill: {service: web, path: /data, bytes: 1MiB}", "", "filesystem of /data of"},
	} {
		f, _ := chaostest.Parse(t, c.yaml)
		env := w.Env
		env.Dry = true
		steps, err := f.Plan(t.Context(), env)
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), "host_disk") {
				t.Errorf("%s: %v, want %q", c.yaml, err, c.refused)
			}
			continue
		}
		if err != nil || !strings.Contains(steps[0].String(), c.said) {
			t.Errorf("%s: %v, %v", c.yaml, steps, err)
		}
	}
}
