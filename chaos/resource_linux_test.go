package chaos_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/chaos/vdso"

	"golang.org/x/sys/unix"
)

// needsRoot skips a test that does what only root may.
func needsRoot(t *testing.T) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") == "true":
		t.Fatal("needs root")
	default:
		t.Skip("needs root: run it with sudo")
	}
}

// victim is a unit whose resources are taken, with what the world around it is.
type victim struct {
	t *testing.T
	*unit
	groups map[cgroup.Controller]cgroup.Group // of its own; nil is that it shares the test's
	dir    string                             // that a filesystem of its own is mounted on
}

// newVictim starts a unit: in control groups of its own, or in the test's.
func newVictim(t *testing.T, own bool, wrap ...string) *victim {
	t.Helper()
	needsRoot(t)
	v := &victim{t: t}
	if wrap == nil {
		v.unit = newUnit(t, "web")
	} else {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		v.unit = &unit{name: "web", addr: l.Addr().String(), wrap: wrap}
		_ = l.Close()
		v.unit.begin(t)
	}
	if own {
		v.groups = map[cgroup.Controller]cgroup.Group{}
		for _, c := range []cgroup.Controller{cgroup.CPU, cgroup.CPUAcct, cgroup.Memory, cgroup.Disk} {
			v.groups[c] = ownGroup(t, c, v.PID())
		}
	}
	return v
}

// ownGroup moves a process into a control group of its own, as an engine does with a
// container.
func ownGroup(t *testing.T, c cgroup.Controller, pid int) cgroup.Group {
	t.Helper()
	home, err := (cgroup.System{}).Find(pid, c)
	if err != nil {
		t.Fatal(err)
	}
	g, err := cgroup.Make(filepath.Join(home.Path, fmt.Sprintf("test-of-brunt-%d", pid)), home.Unified)
	if os.IsExist(err) { // two controllers in one tree
		g, err = (cgroup.System{}).Find(pid, c)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Add(pid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		waitFor(t, "the control group to be removed", func() bool {
			inside, _ := g.Processes()
			for _, p := range inside {
				_ = home.Add(p)
			}
			err := g.Remove()
			return err == nil || os.IsNotExist(err)
		})
	})
	return g
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// world is what faults may touch.
func (v *victim) world(spoil func()) chaostest.World {
	return chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": 1}},
		Env:   chaos.Env{Units: []chaos.Unit{v.unit}, Now: clock(), Burner: []string{os.Args[0], "burn"}},
		Spoil: spoil,
	}
}

// now is the group of the victim's process for a controller, as it is now.
func (v *victim) now(c cgroup.Controller) cgroup.Group {
	v.t.Helper()
	g, err := (cgroup.System{}).Find(v.PID(), c)
	if err != nil {
		v.t.Fatal(err)
	}
	return g
}

// write sets a setting of the victim's group behind brunt's back.
func (v *victim) write(c cgroup.Controller, one, two string, device string, values ...string) {
	v.t.Helper()
	g := v.now(c)
	s := cgroup.Setting{File: one, Device: device}
	value := values[0]
	if g.Unified {
		s.File, value = two, values[1]
	}
	if err := g.Write(s, value); err != nil {
		v.t.Fatal(err)
	}
}

// state is everything about the victim that a fault here may change.
func (v *victim) state() string {
	v.t.Helper()
	var b strings.Builder
	for _, c := range []cgroup.Controller{cgroup.CPU, cgroup.Memory, cgroup.Disk} {
		g := v.now(c)
		inside, err := g.Processes()
		if err != nil {
			v.t.Fatal(err)
		}
		if v.groups == nil {
			inside = nil // others come and go
		}
		fmt.Fprintf(&b, "%s: %s %v\n", c, g.Path, inside)
		files, _ := filepath.Glob(g.Path + "/*")
		for _, f := range files {
			switch name := filepath.Base(f); name {
			case "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max",
				"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device", "io.max":
				text, err := os.ReadFile(f)
				if err != nil {
					v.t.Fatal(err)
				}
				fmt.Fprintf(&b, "  %s: %q\n", name, text)
			}
			if v.groups != nil && strings.HasPrefix(filepath.Base(f), "brunt-") {
				fmt.Fprintf(&b, "  a group of brunt's: %s\n", f)
			}
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", v.PID()))
	if err != nil {
		v.t.Fatal(err)
	}
	image, err := vdso.Image(v.PID())
	if err != nil {
		v.t.Fatal(err)
	}
	given, err := vdso.Image(os.Getpid())
	if err != nil {
		v.t.Fatal(err)
	}
	fmt.Fprintf(&b, "%s its vDSO is the kernel's: %v\n", limits, slices.Equal(image, given))
	return b.String()
}

// burnersIn kills the burners in the victim's group.
func (v *victim) killBurners(c cgroup.Controller) {
	inside, err := v.now(c).Processes()
	if err != nil {
		v.t.Error(err)
	}
	for _, p := range inside {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p)); p != v.PID() && strings.Contains(string(b), "\x00burn") {
			_ = unix.Kill(p, unix.SIGKILL)
		}
	}
}

// tmpfs has the unit mount a filesystem of its own on a directory that only it sees.
func tmpfs(dir string) []string {
	return []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"`, dir}
}

// ext4 does the same with one on a loop device.
func ext4(t *testing.T, dir string) []string {
	image := filepath.Join(t.TempDir(), "image")
	return []string{"unshare", "-m", "sh", "-c", `truncate -s 32M "$1" && mkfs.ext4 -q "$1" && mount -o loop "$1" "$0" && shift && exec "$@"`, dir, image}
}

// emptyNameless takes the room back that brunt's nameless files below dir have.
func emptyNameless(t *testing.T, dir string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	found := false
	for _, e := range entries {
		path := "/proc/self/fd/" + e.Name()
		to, _ := os.Readlink(path)
		if strings.HasSuffix(to, "(deleted)") && strings.Contains(to, filepath.Base(filepath.Dir(dir))) || strings.HasPrefix(to, "/#") || strings.HasPrefix(to, dir) && strings.HasSuffix(to, "(deleted)") {
			found = os.Truncate(path, 0) == nil || found
		}
	}
	if !found {
		t.Error("there is no nameless file")
	}
}

func TestResources(t *testing.T) {
	type made struct {
		v     *victim
		yaml  string
		spoil func()
	}
	disk := func(t *testing.T) string { return "254:0" }
	_ = disk
	for _, c := range []struct {
		name, yaml string
		make       func(t *testing.T, yaml string) made
	}{
		{"throttled in a group of its own", "cpu.throttle: {service: web, share: 5%}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			return made{v, yaml, func() { v.write(cgroup.CPU, "cpu.cfs_quota_us", "cpu.max", "", "-1", "max") }}
		}},
		{"throttled that shares its group", "cpu.throttle: {service: web, processors: 0.05}", func(t *testing.T, yaml string) made {
			v := newVictim(t, false)
			return made{v, yaml, func() { v.write(cgroup.CPU, "cpu.cfs_quota_us", "cpu.max", "", "-1", "max") }}
		}},
		{"throttled that was throttled before", "cpu.throttle: {service: web, share: 5%}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			v.write(cgroup.CPU, "cpu.cfs_quota_us", "cpu.max", "", "150000", "150000 100000")
			return made{v, yaml, func() { v.write(cgroup.CPU, "cpu.cfs_quota_us", "cpu.max", "", "-1", "max") }}
		}},
		{"limited in memory", "memory.limit: {service: web, bytes: 48MiB}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			return made{v, yaml, func() { v.write(cgroup.Memory, "memory.limit_in_bytes", "memory.max", "", "-1", "max") }}
		}},
		{"limited in memory that was limited before", "memory.limit: {service: web, bytes: 48MiB}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			v.write(cgroup.Memory, "memory.limit_in_bytes", "memory.max", "", "512M", "512M")
			return made{v, yaml, func() { v.write(cgroup.Memory, "memory.limit_in_bytes", "memory.max", "", "512M", "512M") }}
		}},
		{"slowed at its disk", "disk.throttle: {service: web, path: \"DIR\", rate: 1MiB/s}", nil},
		{"slowed at writing, and shares its group", "disk.throttle: {service: web, path: \"DIR\", rate: 2MiB/s, direction: write}", nil},
		{"slowed at reading", "disk.throttle: {service: web, path: \"DIR\", rate: 2MiB/s, direction: read}", nil},
		{"beside burnt processors", "stress.cpu: {service: web, load: 60%, workers: 1}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			return made{v, yaml, func() { v.killBurners(cgroup.CPU) }}
		}},
		{"beside taken memory", "stress.memory: {service: web, bytes: 64MiB}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			return made{v, yaml, func() { v.killBurners(cgroup.Memory) }}
		}},
		{"beside taken memory, beyond the limit", "stress.memory: {service: web, percent: 100%}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			v.write(cgroup.Memory, "memory.limit_in_bytes", "memory.max", "", "64M", "64M")
			return made{v, yaml, nil}
		}},
		{"beside a busy disk", "stress.io: {service: web, path: \"DIR\", workers: 2}", func(t *testing.T, yaml string) made {
			v := newVictim(t, true)
			v.dir = t.TempDir()
			return made{v, yaml, func() { v.killBurners(cgroup.Disk) }}
		}},
		{"without room in memory", "disk.fill: {service: web, path: \"DIR\", percent: 100%}", func(t *testing.T, yaml string) made {
			dir := t.TempDir()
			v := newVictim(t, false, tmpfs(dir)...)
			v.dir = dir
			return made{v, yaml, func() { emptyNameless(t, dir) }}
		}},
		{"without room on a disk", "disk.fill: {service: web, path: \"DIR\", keep_free: 0}", func(t *testing.T, yaml string) made {
			dir := t.TempDir()
			v := newVictim(t, false, ext4(t, dir)...)
			v.dir = dir
			return made{v, yaml, func() { emptyNameless(t, dir) }}
		}},
		{"with little room on a disk", "disk.fill: {service: web, path: \"DIR\", bytes: 20MiB, keep_free: 1MiB}", func(t *testing.T, yaml string) made {
			dir := t.TempDir()
			v := newVictim(t, false, ext4(t, dir)...)
			v.dir = dir
			return made{v, yaml, func() { emptyNameless(t, dir) }}
		}},
		{"out of descriptors", "fd.exhaust: {service: web}", func(t *testing.T, yaml string) made {
			v := newVictim(t, false)
			return made{v, yaml, func() {
				_ = unix.Prlimit(v.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 500, Max: 500}, nil)
			}}
		}},
		{"almost out of descriptors", "fd.exhaust: {service: web, leave: 3}", func(t *testing.T, yaml string) made {
			v := newVictim(t, false)
			return made{v, yaml, func() {
				_ = unix.Prlimit(v.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 500, Max: 500}, nil)
			}}
		}},
		{"with a clock that is ahead", "time.skew: {service: web, offset: 2h}", func(t *testing.T, yaml string) made {
			v := newVictim(t, false)
			return made{v, yaml, func() { v.setClock(2*time.Hour, true) }}
		}},
		{"with a clock that is behind", "time.skew: {service: web, offset: -1500ms}", func(t *testing.T, yaml string) made {
			v := newVictim(t, false)
			return made{v, yaml, func() { v.setClock(-1500*time.Millisecond, true) }}
		}},
	} {
		if c.make == nil {
			c.make = func(t *testing.T, yaml string) made {
				v := newVictim(t, !strings.Contains(c.name, "shares"))
				v.dir = t.TempDir()
				return made{v, yaml, func() {
					for _, direction := range []string{"read", "write"} {
						g := v.now(cgroup.Disk)
						_ = g.Write(cgroup.Setting{File: "blkio.throttle." + direction + "_bps_device", Device: "254:0"}, "0")
					}
				}}
			}
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			needsRoot(t)
			for _, part := range []struct {
				name string
				hold func(t *testing.T, yaml string, w chaostest.World)
			}{{"effect", chaostest.Effect}, {"no effect", chaostest.NoEffect}, {"journal", chaostest.Journal}} {
				t.Run(part.name, func(t *testing.T) {
					m := c.make(t, c.yaml)
					if part.name == "no effect" && m.spoil == nil {
						t.Skip("what the kernel kills can't be brought back")
					}
					before := m.v.state()
					part.hold(t, strings.ReplaceAll(m.yaml, "DIR", m.v.dir), m.v.world(m.spoil))
					if after := m.v.state(); after != before && part.name != "no effect" {
						t.Errorf("before it was\n%s\nand after it is\n%s", before, after)
					}
				})
			}
		})
	}
}

// setClock sets the victim's clock off, or back, behind brunt's back.
func (v *victim) setClock(offset time.Duration, back bool) {
	v.t.Helper()
	given, err := vdso.Image(os.Getpid())
	if err != nil {
		v.t.Fatal(err)
	}
	p, err := vdso.Of(given, offset)
	if err != nil {
		v.t.Fatal(err)
	}
	if back {
		_, err = vdso.Restore(v.PID(), p)
	} else {
		_, err = vdso.Apply(v.PID(), p)
	}
	if err != nil {
		v.t.Error(err)
	}
}

var (
	_ = context.Background
	_ = strconv.Itoa
)
