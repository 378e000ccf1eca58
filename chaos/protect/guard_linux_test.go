package protect_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/oci"
	"brunt/chaos/proc"
	"brunt/chaos/protect"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	dockercontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// none is what protects nothing by name.
func none(string) error { return nil }

// guardOf returns a guard that keeps to an engine's labels and to rules by name.
func guardOf(e *docker.Engine, named func(string) error, containers ...string) *protect.Guard {
	return protect.New(protect.Rules{
		Named: named, Containers: containers, Engine: func(context.Context) (*docker.Engine, error) { return e, nil },
	})
}

// started starts a program and returns its pid. It is ended with t.
func started(t *testing.T, args ...string) int {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, pid := range slices.Backward(proc.Family(cmd.Process.Pid)) {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// copied starts a copy of a program under another name, and returns its pid once it has that name.
func copied(t *testing.T, program, name string, args ...string) int {
	t.Helper()
	text, err := os.ReadFile(suite.Program(t, program, "coreutils"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	suite.Executable(t, file, text)
	pid := started(t, append([]string{file}, args...)...)
	suite.Until(t, "the command line of "+name, func() bool { // which the kernel sets at the end of exec
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err == nil && strings.HasPrefix(string(line), file)
	})
	return pid
}

// childOf waits until a process has a child, and returns it.
func childOf(t *testing.T, pid int) int { return below(t, pid, 1) }

// below waits until a process has so many descendants, each the child of the one before, and returns the last.
func below(t *testing.T, pid, n int) int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if family := proc.Family(pid); len(family) > n {
			return family[n]
		}
	}
	t.Fatalf("process %d has not %d descendants", pid, n)
	return 0
}

// groupOf returns the directory of a control group that a container is in by itself.
func groupOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		for _, dir := range []string{
			filepath.Join("/sys/fs/cgroup", f[1], f[2]), filepath.Join("/sys/fs/cgroup/unified", f[2]),
		} {
			if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil && len(filepath.Base(f[2])) >= 64 &&
				(f[1] == "pids" || f[1] == "") {
				return dir
			}
		}
	}
	t.Skip("no control group of the container is seen here")
	return ""
}

// join moves a process into a control group, which is made below a directory and removed with t.
func join(t *testing.T, pid int, dir string, below ...string) {
	t.Helper()
	for _, name := range below {
		dir = filepath.Join(dir, name)
		if err := os.Mkdir(dir, 0o755); err == nil {
			t.Cleanup(func() {
				for deadline := time.Now().Add(5 * time.Second); os.Remove(dir) != nil && time.Now().Before(deadline); {
				}
			})
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Skip(err)
	}
}

// pidOf returns the pid of a container's first process.
func pidOf(t *testing.T, e *docker.Engine, ref string) int {
	t.Helper()
	is, err := e.Inspect(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return is.PID
}

// bare starts a container that no address leads to.
func bare(t *testing.T, y *chaostest.Yard, labels map[string]string, host *dockercontainer.HostConfig) string {
	t.Helper()
	all := map[string]string{containers.RunLabel: y.Run}
	maps.Copy(all, labels)
	made, err := y.Engine.API().ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: &dockercontainer.Config{Image: y.Image, Labels: all, Cmd: []string{"9000"}}, HostConfig: host,
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
	return made.ID
}

var label = map[string]string{containers.ProtectLabel: "true"}

// TestGuard_Process names processes by their numbers, which belong to a protected container in one way or another.
func TestGuard_Process(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	safe := y.Start(t, chaostest.VictimOptions{Unit: "safe[0]", Labels: label})
	web := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"})
	first, group := pidOf(t, y.Engine, safe.ID), groupOf(t, pidOf(t, y.Engine, safe.ID))
	for _, c := range []struct {
		name string
		pid  func(t *testing.T) int
		want string // empty: it may be hit
	}{
		{"its first process", func(*testing.T) int { return first }, "is labelled brunt.protect=true"},
		{"a process of a container that may be hit", func(t *testing.T) int { return pidOf(t, y.Engine, web.ID) }, ""},
		{"one of the machine", func(t *testing.T) int { return started(t, "sleep", "60") }, ""},
		{"one that was started there by exec", func(t *testing.T) int {
			made, err := y.Engine.API().ExecCreate(t.Context(), safe.ID,
				client.ExecCreateOptions{Cmd: []string{oci.Entry, "9001"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := y.Engine.API().ExecStart(t.Context(), made.ID,
				client.ExecStartOptions{Detach: true}); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
				is, err := y.Engine.API().ExecInspect(t.Context(), made.ID, client.ExecInspectOptions{})
				if err == nil && is.PID > 1 {
					return is.PID
				}
			}
			t.Fatal("it does not run")
			return 0
		}, "is labelled brunt.protect=true"},
		{"a child that has left for another pid namespace", func(t *testing.T) int {
			pid := started(t, "unshare", "--pid", "--fork", "sleep", "60")
			child := childOf(t, pid)
			join(t, child, group)
			return child
		}, "is labelled brunt.protect=true"},
		{"one in its namespace, and not in its control group", func(t *testing.T) int {
			return childOf(t, started(t, "nsenter", "--pid", "--target", strconv.Itoa(first), "sleep", "60"))
		}, "is in a namespace of container " + safe.Ref},
		{"a child, in namespaces of its own, of one in its namespace", func(t *testing.T) int {
			return below(t, started(t, "nsenter", "--pid", "--target", strconv.Itoa(first), "unshare", "--pid", "--fork",
				"sleep", "60"), 2)
		}, "is in a namespace of container " + safe.Ref},
		{"one in its network", func(t *testing.T) int {
			pid := started(t, "nsenter", "--net="+fmt.Sprintf("/proc/%d/ns/net", first), "sleep", "60")
			suite.Until(t, "nsenter to be in the network",
				func() bool { return proc.Namespace(pid, "net") == proc.Namespace(first, "net") })
			return pid
		}, "is in a namespace of container " + safe.Ref},
		{"one of a container in it", func(t *testing.T) int {
			pid := started(t, "sleep", "60")
			join(t, pid, group, "docker", strings.Repeat("0c", 32))
			return pid
		}, "is labelled brunt.protect=true"},
		{"one of a container in a container that may be hit", func(t *testing.T) int {
			pid := started(t, "sleep", "60")
			join(t, pid, groupOf(t, pidOf(t, y.Engine, web.ID)), "docker", strings.Repeat("0d", 32))
			return pid
		}, ""},
		{
			"an engine of the machine", func(t *testing.T) int { return copied(t, "sleep", "dockerd", "60") },
			"it is dockerd, of the container engine",
		},
		{"an engine in a container that may be hit", func(t *testing.T) int {
			pid := copied(t, "sleep", "dockerd", "60")
			join(t, pid, groupOf(t, pidOf(t, y.Engine, web.ID)))
			return pid
		}, ""},
		{"one of a container that the engine does not know", func(t *testing.T) int {
			pid := started(t, "sleep", "60")
			join(t, pid, filepath.Dir(group), strings.Repeat("0e", 32))
			return pid
		}, "whose labels brunt can't read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pid := c.pid(t)
			err := guardOf(y.Engine, none).Begin(t.Context(), new(chaos.Targets))(chaos.Hit{Name: chaos.PIDName(pid)})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

// TestGuard_Engines checks that a process of a container is refused where no engine says what the container is.
func TestGuard_Engines(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	web := y.Start(t, chaostest.VictimOptions{})
	g := protect.New(protect.Rules{
		Named: none, Engine: func(context.Context) (*docker.Engine, error) { return nil, errors.New("there is no engine") },
	})
	err := g.Begin(t.Context(), new(chaos.Targets))(chaos.Hit{Name: chaos.PIDName(pidOf(t, y.Engine, web.ID))})
	if !errors.Is(err, proc.ErrProtected) || !strings.Contains(err.Error(), "DOCKER_HOST names the engine") {
		t.Error(err)
	}
}

// TestGuard_Containers hits containers that share something with a protected one.
func TestGuard_Containers(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	disk, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{disk, other} {
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir).CombinedOutput(); err != nil {
			t.Skipf("%v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	}
	safe := y.Start(t, chaostest.VictimOptions{Unit: "safe[0]", Labels: label, Host: func(h *dockercontainer.HostConfig) {
		h.Binds, h.ReadonlyRootfs = []string{disk + ":/data"}, true
	}})
	web := y.Start(t, chaostest.VictimOptions{Unit: "web[0]", Host: func(h *dockercontainer.HostConfig) {
		h.Binds = []string{disk + ":/common", other + ":/own"}
	}})
	host := y.Start(t, chaostest.VictimOptions{Unit: "host[0]"})
	beside := bare(t, y, nil, &dockercontainer.HostConfig{
		NetworkMode: dockercontainer.NetworkMode("container:" + safe.ID),
	})
	_ = bare(t, y, label, &dockercontainer.HostConfig{NetworkMode: dockercontainer.NetworkMode("container:" + host.ID)})
	init := y.Start(t, chaostest.VictimOptions{Unit: "init[0]"})
	_ = bare(t, y, label, &dockercontainer.HostConfig{PidMode: dockercontainer.PidMode("container:" + init.ID)})
	among := &chaos.Targets{Units: []chaos.Unit{safe, web, host, init}}
	is, err := y.Engine.Inspect(t.Context(), safe.ID)
	if err != nil {
		t.Fatal(err)
	}
	address := netip.PrefixFrom(is.Addresses()[0], 32)
	for _, c := range []struct {
		name string
		hit  chaos.Hit
		want string // empty: it may be hit
	}{
		{"by unit", chaos.Hit{Name: "safe[0]"}, "is labelled brunt.protect=true"},
		{"by container", chaos.Hit{Name: chaos.ContainerName(safe.Ref)}, "is labelled brunt.protect=true"},
		{"by id", chaos.Hit{Name: chaos.ContainerName(safe.ID)}, "is labelled brunt.protect=true"},
		{"on a link to it", chaos.Hit{Name: "web[0]->safe[0]"}, "is labelled brunt.protect=true"},
		{"another", chaos.Hit{Name: "web[0]"}, ""},
		{
			"whose network it has",
			chaos.Hit{Name: chaos.ContainerName(beside)},
			"shares its network with container " + safe.Ref,
		},
		{"whose network is its own", chaos.Hit{Name: "host[0]"}, "shares its network with container"},
		{"a process of it", chaos.Hit{Name: chaos.PIDName(pidOf(t, y.Engine, host.ID))}, "shares its network with container"},
		{"whose processes are its own", chaos.Hit{Name: "init[0]"}, "shares its processes with container"},
		{
			"a volume of both is filled",
			chaos.Hit{Name: "web[0]", Fills: "/common"},
			"/common is on the filesystem of /data in container " + safe.Ref,
		},
		{"a volume of its own is filled", chaos.Hit{Name: "web[0]", Fills: "/own"}, ""},
		{
			"the directory is filled by a process",
			chaos.Hit{Name: chaos.PIDName(started(t, "sleep", "60")), Fills: disk},
			"is on the filesystem of /data",
		},
		{
			"at its address",
			chaos.Hit{Peers: []netip.Prefix{address}},
			address.Addr().String() + " is an address of container " + safe.Ref,
		},
		{
			"in its network",
			chaos.Hit{Peers: []netip.Prefix{netip.PrefixFrom(address.Addr(), 28).Masked()}},
			"is an address of container",
		},
		{"at another address", chaos.Hit{Peers: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := guardOf(y.Engine, none).Begin(t.Context(), among)(c.hit)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

// TestGuard_Policies checks the names of policies against what a unit is by other names.
func TestGuard_Policies(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	db := y.Start(t, chaostest.VictimOptions{Unit: "store[0]"})
	parent := started(t, "sh", "-c", "sleep 60 & wait")
	child := childOf(t, parent)
	pid := pidOf(t, y.Engine, db.ID)
	among := &chaos.Targets{Units: []chaos.Unit{db}}
	for _, c := range []struct{ name, protected, hit string }{
		{"a container by its process", chaos.ContainerName(db.Ref), chaos.PIDName(pid)},
		{"a unit by its process", "store[0]", chaos.PIDName(pid)},
		{"a container by its unit", chaos.ContainerName(db.Ref), "store[0]"},
		{"a process by its child", chaos.PIDName(parent), chaos.PIDName(child)},
		{"a process by its parent", chaos.PIDName(child), chaos.PIDName(parent)},
		{"a container by its id", chaos.ContainerName(db.Ref), chaos.ContainerName(db.ID)},
	} {
		t.Run(c.name, func(t *testing.T) {
			named := func(name string) error {
				if name == c.protected {
					return errors.New(name + " is protected by the policy")
				}
				return nil
			}
			err := guardOf(y.Engine, named, db.Ref).Begin(t.Context(), among)(chaos.Hit{Name: c.hit})
			if err == nil || !strings.Contains(err.Error(), c.protected+" is protected by the policy") {
				t.Error(err)
			}
			if err := guardOf(y.Engine, none, db.Ref).Begin(t.Context(), among)(chaos.Hit{Name: c.hit}); err != nil {
				t.Errorf("without the policy: %v", err)
			}
		})
	}
}

// TestGuard_Reused plans a hit on a process whose number another process has at the injection.
func TestGuard_Reused(t *testing.T) {
	suite.Needs(t, suite.Root)
	const last = "/proc/sys/kernel/ns_last_pid"
	if _, err := os.Stat(last); err != nil {
		t.Skip("the kernel lets no process choose its number: ", err)
	}
	g := protect.New(protect.Rules{
		Named: none, Engine: func(context.Context) (*docker.Engine, error) { return nil, errors.New("there is no engine") },
	})
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	name := chaos.PIDName(pid)
	was, err := proc.Identify(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Begin(t.Context(), new(chaos.Targets))(chaos.Hit{Name: name}); err != nil {
		t.Fatal(err)
	}
	if err := g.Begin(t.Context(), new(chaos.Targets))(chaos.Hit{Name: name, Now: true}); err != nil {
		t.Errorf("it is the same one still: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := g.Begin(t.Context(), new(chaos.Targets))(chaos.Hit{Name: name, Now: true}); !errors.Is(err,
		chaos.ErrNoUnit) {
		t.Errorf("it has ended: %v", err)
	}
	for range 50 {
		if err := os.WriteFile(last, []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Skip(err)
		}
		if started(t, "sleep", "60") != pid {
			continue // a process of another program has taken the number
		}
		if is, err := proc.Identify(pid); err != nil || is == was { // it began in the same hundredth of a second
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
				_, _ = p.Wait()
			}
			continue
		}
		err := g.Begin(t.Context(), new(chaos.Targets))(chaos.Hit{Name: name, Now: true})
		if !errors.Is(err, chaos.ErrNoUnit) ||
			!strings.Contains(err.Error(), "is another one than when the fault was planned") {
			t.Error(err)
		}
		return
	}
	t.Skip("another process always had the number")
}

// TestGuard_Always refuses what no rule can allow.
func TestGuard_Always(t *testing.T) {
	g := protect.New(protect.Rules{
		Named: none, Engine: func(context.Context) (*docker.Engine, error) { return nil, errors.New("there is no engine") },
	})
	for _, c := range []struct {
		name string
		pid  int
	}{
		{"the machine's first process", 1},
		{"brunt itself", os.Getpid()},
		{"what started brunt", os.Getppid()},
		{"a thread of the kernel", 2},
		{"the proxies of another brunt", copied(t, "tail", "brunt", "proxies", "-f", "/dev/null")},
	} {
		if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c.pid)); c.pid == 2 && string(name) != "kthreadd\n" {
			t.Logf("%s is not tried: this namespace of processes has none", c.name)
			continue
		}
		err := g.Begin(t.Context(), new(chaos.Targets))(chaos.Hit{Name: chaos.PIDName(c.pid)})
		if !errors.Is(err, proc.ErrProtected) || !strings.Contains(err.Error(), "nothing allows it") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
