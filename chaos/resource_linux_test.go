package chaos_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
	"brunt/chaos/vdso"
	"brunt/scenarios/suite"

	"golang.org/x/sys/unix"
)

// needsRoot skips a test that needs root.
func needsRoot(t *testing.T) {
	t.Helper()
	suite.Needs(t, suite.Root)
}

// victim is a unit for resource faults.
type victim struct {
	chaos.Unit
	t     *testing.T
	alone bool // it has control groups of its own
	// groups are those that the test has created for it.
	groups map[cgroup.Controller]cgroup.Group
	dir    string      // a directory of the unit, on a disk or a filesystem of its own
	agents *agent.Pool // agents; nil is none
	run    string      // the run of the agents
	busy   bool        // it has something to do
}

// keepBusy gives the victim requests to answer until the test ends, one after the other.
func keepBusy(v *victim) {
	v.busy = true
	ctx, cancel := context.WithCancel(context.Background())
	var client sync.WaitGroup
	client.Go(func() {
		c := http.Client{Timeout: time.Second}
		for ctx.Err() == nil {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.Unit.(*unit).addr+"/", nil)
			if err != nil {
				v.t.Error(err)
				return
			}
			if answer, err := c.Do(r); err == nil {
				_ = answer.Body.Close()
			}
		}
	})
	v.t.Cleanup(func() {
		cancel()
		client.Wait()
	})
}

// newVictim starts a unit, in control groups of its own or in those of the test.
func newVictim(t *testing.T, own bool, wrap ...string) *victim {
	t.Helper()
	needsRoot(t)
	suite.Needs(t, suite.ControlGroups)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &unit{name: "web", addr: l.Addr().String(), wrap: wrap}
	_ = l.Close()
	u.begin(t)
	v := &victim{Unit: u, t: t, alone: own, groups: map[cgroup.Controller]cgroup.Group{}, dir: t.TempDir()}
	if own {
		for _, c := range []cgroup.Controller{cgroup.CPU, cgroup.CPUAcct, cgroup.Memory, cgroup.Disk, cgroup.PIDs} {
			v.groups[c] = ownGroup(t, c, u.PID())
		}
	}
	return v
}

// ownGroup moves a process into a control group of its own, as an engine does with a container.
func ownGroup(t *testing.T, c cgroup.Controller, pid int) cgroup.Group {
	t.Helper()
	home, err := (cgroup.System{}).Find(pid, c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(filepath.Base(home.Path), "test-of-brunt-") { // two controllers in one tree
		return home
	}
	g, err := cgroup.Make(filepath.Join(home.Path, fmt.Sprintf("test-of-brunt-%d", pid)), home.Unified)
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
	suite.Until(t, what, done)
}

// world is the world of one victim.
func (v *victim) world(spoil func()) chaostest.World {
	return chaostest.World{
		Idle:  !v.busy,
		Scope: chaos.Scope{Services: map[string]int{"web": 1}},
		Env: chaos.Env{
			Targets:    chaos.Targets{Units: []chaos.Unit{v.Unit}},
			Host:       chaos.Host{Stress: []string{os.Args[0], "burn"}, Agents: v.agents, Run: v.run},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
		Spoil: spoil,
	}
}

// now returns the present group of the victim's process for a controller.
func (v *victim) now(c cgroup.Controller) cgroup.Group {
	v.t.Helper()
	g, err := (cgroup.System{}).Find(v.PID(), c)
	if err != nil {
		v.t.Fatal(err)
	}
	return g
}

// write changes a setting of the victim's group without brunt's knowledge, in either version.
func (v *victim) write(c cgroup.Controller, file1, file2, value1, value2 string) {
	v.t.Helper()
	g := v.now(c)
	s, value := cgroup.Setting{File: file1}, value1
	if g.Unified {
		s.File, value = file2, value2
	}
	if err := g.Write(s, value); err != nil {
		v.t.Fatal(err)
	}
}

// state returns everything about the victim that a fault here may change.
func (v *victim) state() string {
	v.t.Helper()
	var b strings.Builder
	for _, c := range []cgroup.Controller{cgroup.CPU, cgroup.Memory, cgroup.Disk, cgroup.PIDs} {
		g := v.now(c)
		inside, err := g.Processes()
		if err != nil {
			v.t.Fatal(err)
		}
		if !v.alone || g.Root {
			inside = nil // other processes come and go
		}
		fmt.Fprintf(&b, "%s: %s %v\n", c, g.Path, inside)
		files, _ := filepath.Glob(g.Path + "/*")
		for _, f := range files {
			switch name := filepath.Base(f); name {
			case "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes",
				"memory.max", "pids.max",
				"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device", "io.max":
				text, err := os.ReadFile(f)
				if err != nil {
					v.t.Fatal(err)
				}
				fmt.Fprintf(&b, "  %s: %q\n", name, text)
			}
			if v.alone && strings.HasPrefix(filepath.Base(f), "brunt-") {
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

// killStressors kills the stress processes in the victim's group and waits until they have ended.
func (v *victim) killStressors(c cgroup.Controller) {
	waitFor(v.t, "the stress processes to end", func() bool {
		inside, err := v.now(c).Processes()
		if err != nil {
			v.t.Error(err)
		}
		n := 0
		for _, p := range inside {
			if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p)); strings.Contains(string(b), "\x00burn\x00") ||
				strings.Contains(string(b), "\x00stress\x00") {
				_ = unix.Kill(p, unix.SIGKILL)
				n++
			}
		}
		return n == 0
	})
}

// tmpfs has the unit mount a filesystem of its own on a directory in its own mount namespace.
func tmpfs(dir string) []string {
	return []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"`, dir}
}

// ext4 does the same with a filesystem on a loop device.
func ext4(t *testing.T, dir string) []string {
	suite.Needs(t, suite.Programs("mkfs.ext4", "truncate"))
	image := filepath.Join(t.TempDir(), "image")
	return []string{
		"unshare", "-m", "sh", "-c",
		`truncate -s 32M "$1" && mkfs.ext4 -q "$1" && mount -o loop "$1" "$0" && shift && exec "$@"`, dir, image,
	}
}

// resourceFaults are the resource faults, each with a function that spoils it without brunt's
// knowledge. DIR stands for a directory of the unit, and where says where the unit runs.
var resourceFaults = []struct {
	name, yaml string
	where      string // alone, shared; tmpfs or ext4: a filesystem of the unit's own
	before     func(v *victim)
	spoil      func(v *victim) // nil if nothing can spoil it
}{
	{"throttled", "cpu.throttle: {service: web, share: 5%}", "alone", keepBusy, unthrottle},
	{"throttled, and shares its group", "cpu.throttle: {service: web, processors: 0.05}", "shared", keepBusy, unthrottle},
	{"throttled, and was before", "cpu.throttle: {service: web, share: 5%}", "alone", func(v *victim) {
		v.write(cgroup.CPU, "cpu.cfs_quota_us", "cpu.max", "150000", "150000 100000")
	}, unthrottle},
	{"limited in memory", "memory.limit: {service: web, bytes: 48MiB}", "alone", nil, unlimit},
	{"limited in memory, and was before", "memory.limit: {service: web, bytes: 48MiB}", "alone", func(v *victim) {
		v.write(cgroup.Memory, "memory.limit_in_bytes", "memory.max", "512M", "512M")
	}, unlimit},
	{"slowed at its disk", "disk.throttle: {service: web, path: DIR, rate: 1MiB/s}", "alone", nil, unslow},
	{
		"slowed at writing, and shares its group", "disk.throttle: {service: web, path: DIR, rate: 2MiB/s, direction: write}",
		"shared", nil, unslow,
	},
	{"slowed at reading", "disk.throttle: {service: web, path: DIR, rate: 2MiB/s, direction: read}", "alone", nil, unslow},
	{
		"beside burnt processors", "stress.cpu: {service: web, load: 60%, workers: 1}", "alone", nil,
		func(v *victim) { v.killStressors(cgroup.CPU) },
	},
	{
		"beside taken memory", "stress.memory: {service: web, bytes: 64MiB}", "alone", nil,
		func(v *victim) { v.killStressors(cgroup.Memory) },
	},
	{"beside taken memory, beyond the limit", "stress.memory: {service: web, percent: 100%}", "alone", func(v *victim) {
		v.write(cgroup.Memory, "memory.limit_in_bytes", "memory.max", "64M", "64M")
	}, nil},
	{
		"beside a busy disk", "stress.io: {service: web, path: DIR, workers: 2}", "alone", nil,
		func(v *victim) { v.killStressors(cgroup.Disk) },
	},
	{"without room in memory", "disk.fill: {service: web, path: DIR, percent: 100%}", "tmpfs", nil, emptyUnnamed},
	{"without room on a disk", "disk.fill: {service: web, path: DIR, keep_free: 0}", "ext4", nil, emptyUnnamed},
	{
		"with little room on a disk", "disk.fill: {service: web, path: DIR, bytes: 20MiB, keep_free: 1MiB}", "ext4", nil,
		emptyUnnamed,
	},
	{"out of processes", "pids.limit: {service: web}", "alone", nil, morePIDs},
	{"almost out of processes, and shares its group", "pids.limit: {service: web, leave: 3}", "shared", nil, morePIDs},
	{"out of descriptors", "fd.exhaust: {service: web}", "shared", nil, moreFiles},
	{"almost out of descriptors", "fd.exhaust: {service: web, leave: 3}", "shared", nil, moreFiles},
	{
		"with a clock that is ahead", "time.skew: {service: web, offset: 2h}", "shared", nil,
		func(v *victim) { v.setClock(2*time.Hour, true) },
	},
	{
		"with a clock that is behind", "time.skew: {service: web, offset: -1500ms}", "shared", nil,
		func(v *victim) { v.setClock(-1500*time.Millisecond, true) },
	},
}

func unthrottle(v *victim) { v.write(cgroup.CPU, "cpu.cfs_quota_us", "cpu.max", "-1", "max") }

func morePIDs(v *victim) { v.write(cgroup.PIDs, "pids.max", "pids.max", "max", "max") }

func unlimit(v *victim) {
	v.write(cgroup.Memory, "memory.limit_in_bytes", "memory.max", "200M", "200M")
}

// unslow removes every limit of a disk.
func unslow(v *victim) {
	g := v.now(cgroup.Disk)
	for _, s := range []cgroup.Setting{
		{File: "blkio.throttle.read_bps_device"}, {File: "blkio.throttle.write_bps_device"}, {File: "io.max"},
	} {
		b, _ := os.ReadFile(filepath.Join(g.Path, s.File))
		for line := range strings.Lines(string(b)) {
			s.Device = strings.Fields(line)[0]
			value := "0"
			if g.Unified {
				value = "rbps=max wbps=max"
			}
			if err := g.Write(s, value); err != nil {
				v.t.Error(err)
			}
		}
	}
}

func moreFiles(v *victim) {
	if err := unix.Prlimit(v.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 500, Max: 500}, nil); err != nil {
		v.t.Error(err)
	}
}

// emptyUnnamed truncates brunt's unnamed file: the one of this process's children on the filesystem of
// the victim's directory.
func emptyUnnamed(v *victim) {
	dir, err := rootfs.Open(v.PID(), v.dir)
	if err != nil {
		v.t.Fatal(err)
	}
	defer dir.Close()
	var there, is unix.Stat_t
	if err := unix.Fstat(int(dir.Fd()), &there); err != nil {
		v.t.Fatal(err)
	}
	found := false
	var files []string
	for _, pid := range proc.Family(os.Getpid()) {
		of, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		files = append(files, of...)
	}
	for _, path := range files {
		if unix.Stat(path, &is) == nil && is.Dev == there.Dev && is.Mode&unix.S_IFMT == unix.S_IFREG && is.Nlink == 0 {
			found = os.Truncate(path, 0) == nil || found
		}
	}
	if !found {
		v.t.Error("there is no unnamed file")
	}
}

// victimIn starts a victim where a fault needs it.
func victimIn(t *testing.T, where string) *victim {
	switch where {
	case "tmpfs", "ext4":
		suite.Needs(t, suite.Mounts)
		dir := t.TempDir()
		wrap := tmpfs(dir)
		if where == "ext4" {
			suite.Needs(t, suite.Programs("mkfs.ext4"))
			wrap = ext4(t, dir)
		}
		v := newVictim(t, false, wrap...)
		v.dir = dir
		return v
	}
	return newVictim(t, where == "alone")
}

// TestResources runs the suite for resource faults, and checks that everything is restored.
func TestResources(t *testing.T) {
	for _, c := range resourceFaults {
		if testing.Short() && !slices.Contains([]string{
			"throttled, and shares its group", "limited in memory", "beside taken memory", "without room in memory",
			"out of descriptors", "with a clock that is ahead",
		}, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			needsRoot(t)
			holdResource(t, c.yaml, c.spoil, func(t *testing.T) *victim {
				v := victimIn(t, c.where)
				if c.before != nil {
					c.before(v)
				}
				return v
			})
		})
	}
}

// holdResource runs the suite for a fault.
func holdResource(t *testing.T, yaml string, spoil func(*victim), begin func(t *testing.T) *victim) {
	for _, part := range []struct {
		name string
		hold func(t *testing.T, yaml string, w chaostest.World)
	}{{"effect", chaostest.Effect}, {"no effect", chaostest.NoEffect}, {"journal", chaostest.Journal}} {
		t.Run(part.name, func(t *testing.T) {
			spoils := part.name == "no effect"
			if spoils && spoil == nil {
				t.Skip("nothing can spoil it")
			}
			v := begin(t)
			before := v.state()
			w := v.world(func() { spoil(v) })
			w.Starved = strings.HasPrefix(yaml, "stress.memory") && strings.Contains(yaml, "percent")
			part.hold(t, strings.ReplaceAll(yaml, "DIR", strconv.Quote(v.dir)), w)
			if after := v.state(); after != before && !spoils {
				t.Errorf("before it was\n%s\nand after it is\n%s", before, after)
			}
		})
	}
}

// setClock changes or restores the victim's clock without brunt's knowledge.
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

// TestUnified checks what is written into control groups of version 2 in a tree of plain files: the
// kernel of a machine with version 1 has no such controllers.
func TestUnified(t *testing.T) {
	for _, c := range []struct {
		name, yaml  string
		group       string // the files of the unit's group, each a line of name: value
		file, want  string // the expected write
		plan        string // why it can't be planned
		interfering string // a concurrent write by another program
	}{
		{"a throttle", "cpu.throttle: {service: web, share: 20%}", "cpu.max: max 100000", "cpu.max", "20000 100000", "", ""},
		{
			"a throttle of another period", "cpu.throttle: {service: web, processors: 1.5}", "cpu.max: 100000 50000", "cpu.max",
			"75000 50000", "", "",
		},
		{
			"a throttle that is there", "cpu.throttle: {service: web, share: 20%}", "cpu.max: 5000 50000", "", "",
			"may have only 10% of a processor already, and not by this run", "",
		},
		{
			"a throttle that another program changes", "cpu.throttle: {service: web, share: 20%}", "cpu.max: max 100000",
			"cpu.max", "20000 100000", "", "7000 100000",
		},
		{
			"a limit of processes", "pids.limit: {service: web, leave: 2}", "pids.max: max\npids.current: 9", "pids.max", "11",
			"", "",
		},
		{
			"a limit of processes that is there", "pids.limit: {service: web, leave: 2}", "pids.max: 10\npids.current: 9", "",
			"", "has 9 of 10 processes and threads already, and not by this run", "",
		},
		{
			"a limit", "memory.limit: {service: web, bytes: 64MiB}",
			"memory.max: max\nmemory.current: 30000000\nmemory.events: max 0", "memory.max", "67108864", "",
			"",
		},
		{
			"a limit in the midst of a page", "memory.limit: {service: web, bytes: 50000000}",
			"memory.max: 900000000\nmemory.current: 30000000\nmemory.events: max 0",
			"memory.max", "49999872", "", "",
		},
		{
			"a limit below what is used", "memory.limit: {service: web, bytes: 20MiB}",
			"memory.max: max\nmemory.current: 90000000\nmemory.events: max 0\nmemory.stat: inactive_file 50000000", "", "",
			"uses 38.15 MiB that can't be dropped", "",
		},
		{
			"a limit below what is cached", "memory.limit: {service: web, bytes: 64MiB}",
			"memory.max: max\nmemory.current: 90000000\nmemory.events: max 0\nmemory.stat: inactive_file 50000000", "memory.max",
			"67108864", "", "",
		},
		{
			"a limit that is there", "memory.limit: {service: web, bytes: 64MiB}",
			"memory.max: 50000000\nmemory.current: 30000000\nmemory.events: max 0", "", "",
			"may have only 47.68 MiB already", "",
		},
		{
			"a limit without an effect", "memory.limit: {service: web, bytes: 64GiB}",
			"memory.max: max\nmemory.current: 30000000\nmemory.events: max 0", "", "",
			"would not be felt", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUnit(t, "web")
			root := t.TempDir()
			files := map[string]string{
				"proc/self/mountinfo":                       "32 25 0:28 / " + root + "/uni rw - cgroup2 cgroup2 rw\n",
				"proc/" + strconv.Itoa(u.PID()) + "/cgroup": "0::/unit\n",
				"uni/unit/cgroup.procs":                     strconv.Itoa(u.PID()) + "\n",
				"uni/unit/cgroup.controllers":               "cpu io memory pids\n",
			}
			for line := range strings.Lines(c.group) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				files["uni/unit/"+name] = value + "\n"
			}
			for name, text := range files {
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			f, _ := chaostest.Parse(t, c.yaml)
			env := chaos.Env{
				Targets:    chaos.Targets{Units: []chaos.Unit{u}},
				Host:       chaos.Host{Groups: cgroup.System{Proc: filepath.Join(root, "proc")}},
				Occurrence: chaos.Occurrence{Now: clock()},
			}
			steps, err := f.Plan(t.Context(), env)
			if c.plan != "" {
				if err == nil || !strings.Contains(err.Error(), c.plan) {
					t.Errorf("%v, want %s", err, c.plan)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if via := steps[0].Via(); via != "cgroup v2" {
				t.Errorf("via %s", via)
			}
			file := filepath.Join(root, "uni/unit", c.file)
			before, _ := os.ReadFile(file)
			empty := func() { // the kernel's files have no old content after a write
				if err := os.Truncate(file, 0); err != nil {
					t.Fatal(err)
				}
			}
			empty()
			held, err := steps[0].Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(file); string(got) != c.want {
				t.Errorf("%s is %q, want %q", c.file, got, c.want)
			}
			if c.interfering != "" {
				if err := os.WriteFile(file, []byte(c.interfering), 0o644); err != nil {
					t.Fatal(err)
				}
				before = []byte(c.interfering)
			}
			out, err := held.Revert(t.Context())
			if want := map[bool]chaos.Outcome{true: chaos.Reverted, false: chaos.None}[c.interfering == ""]; err != nil ||
				out != want {
				t.Errorf("reverted: %s, %v", out, err)
			}
			got, _ := os.ReadFile(file)
			if !strings.HasPrefix(string(got), strings.TrimSpace(string(before))) { // as long as its longest content
				t.Errorf("%s is %q, and was %q", c.file, got, before)
			}
		})
	}
}

// TestResources_Refused checks which units a fault refuses, and the messages.
func TestResources_Refused(t *testing.T) {
	needsRoot(t)
	stop := func(v *victim) {
		if err := unix.Kill(v.PID(), unix.SIGSTOP); err != nil {
			v.t.Fatal(err)
		}
		waitFor(v.t, "it to be stopped", func() bool {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", v.PID()))
			_, after, _ := strings.Cut(string(b), ") ")
			return strings.HasPrefix(after, "T")
		})
		v.t.Cleanup(func() { _ = unix.Kill(v.PID(), unix.SIGCONT) })
	}
	for _, c := range []struct {
		name, yaml, where string
		before            func(v *victim)
		want              string
	}{
		{"throttled already", "cpu.throttle: {service: web, share: 20%}", "alone", func(v *victim) {
			v.write(cgroup.CPU, "cpu.cfs_quota_us", "cpu.max", "15000", "15000 100000")
		}, "may have only 15% of a processor already, and not by this run"},
		{"in a group of others", "memory.limit: {service: web, bytes: 64MiB}", "shared", nil, "shares the control group"},
		{
			"in a group of others, to be killed", "stress.memory: {service: web, bytes: 64MiB, oom: unit}", "shared", nil,
			"the kernel could kill any of them",
		},
		{
			"without a limit, to be killed", "stress.memory: {service: web, bytes: 64MiB, oom: unit}", "alone", nil,
			"so it is the machine that would run out of it",
		},
		{
			"memory that the machine needs", "stress.memory: {service: web, percent: 100%}", "alone", nil,
			"at least 512 MiB must stay free",
		},
		// memory from before the group does not count
		{"below what it uses", "memory.limit: {service: web, bytes: 4KiB}", "alone", func(v *victim) {
			u := v.Unit.(*unit)
			if err := v.Stop(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			u.wrap = []string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(v.dir, "procs")}
			link := filepath.Join(v.groups[cgroup.Memory].Path, "cgroup.procs")
			if err := os.Symlink(link, filepath.Join(v.dir, "procs")); err != nil {
				t.Fatal(err)
			}
			u.begin(t)
		}, "that can't be dropped, so it can't be limited to 4 KiB"},
		{
			"a disk that is memory", "disk.throttle: {service: web, path: DIR, rate: 1MiB/s}", "tmpfs", nil,
			"is memory, and on no disk",
		},
		{"a busy disk that is memory", "stress.io: {service: web, path: DIR}", "tmpfs", nil, "is memory, and on no disk"},
		{"a busy disk that is too small", "stress.io: {service: web, path: DIR}", "ext4", nil, "and 128 MiB are wanted"},
		{
			"a directory that there is not", "disk.fill: {service: web, path: /there/is/none, percent: 100%}", "shared", nil,
			"no such file",
		},
		{
			"a disk that is as full", "disk.fill: {service: web, path: DIR, keep_free: 15MiB, bytes: 8MiB}", "tmpfs",
			func(v *victim) {
				if err := os.WriteFile(fmt.Sprintf("/proc/%d/root%s/x", v.PID(), v.dir), make([]byte, 2<<20), 0o600); err != nil {
					t.Fatal(err)
				}
			}, "is already as full as the fault would make it",
		},
		{
			"the disk of brunt's journal", "disk.fill: {service: web, path: DIR, percent: 100%}", "shared", nil,
			"brunt's journal lies on the filesystem",
		},
		{
			"a clock that is off", "time.skew: {service: web, offset: 1h}", "shared",
			func(v *victim) { v.setClock(time.Hour, false) }, "has changed the code",
		},
		{
			"a clock that is stopped with it", "time.skew: {service: web, offset: 1h}", "shared", stop,
			"another program has stopped it",
		},
		{"descriptors that are used up", "fd.exhaust: {service: web, leave: 1000}", "shared", func(v *victim) {
			if err := unix.Prlimit(v.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 50, Max: 500}, nil); err != nil {
				t.Fatal(err)
			}
		}, "open of 50 already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := victimIn(t, c.where)
			if c.before != nil {
				c.before(v)
			}
			before := v.state()
			f, _ := chaostest.Parse(t, strings.ReplaceAll(c.yaml, "DIR", strconv.Quote(v.dir)))
			env := v.world(nil).Env
			env.State = t.TempDir()
			_, err := f.Plan(t.Context(), env)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if after := v.state(); after != before {
				t.Errorf("a plan changed\n%s\nto\n%s", before, after)
			}
		})
	}
}

// TestResources_Overlap checks that of two faults on one setting the second is refused before it
// changes anything: both could not be reverted exactly.
func TestResources_Overlap(t *testing.T) {
	needsRoot(t)
	for _, c := range []struct{ name, where, first, second string }{
		{"processor time", "alone", "cpu.throttle: {service: web, share: 50%}", "cpu.throttle: {service: web, share: 20%}"},
		{"memory", "alone", "memory.limit: {service: web, bytes: 256MiB}", "memory.limit: {service: web, bytes: 128MiB}"},
		{"processes", "alone", "pids.limit: {service: web, leave: 100}", "pids.limit: {service: web, leave: 10}"},
		{"descriptors", "shared", "fd.exhaust: {service: web, leave: 100}", "fd.exhaust: {service: web, leave: 10}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := victimIn(t, c.where)
			before := v.state()
			j, err := journal.Open(catalog.AllOperations(), t.TempDir(), "overlap")
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			env := v.world(nil).Env
			env.State = t.TempDir()
			step := func(yaml string) chaos.Step {
				f, _ := chaostest.Parse(t, yaml)
				steps, err := f.Plan(t.Context(), env)
				if err != nil {
					t.Fatal(err)
				}
				return steps[0]
			}
			a := step(c.first)
			id, err := j.Intent(chaos.Intent{Fault: "a", What: a.String(), Undo: a.Undo()})
			if err != nil {
				t.Fatal(err)
			}
			held, err := a.Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b := step(c.second)
			if _, err := j.Intent(chaos.Intent{Fault: "b", What: b.String(), Undo: b.Undo()}); err == nil ||
				!strings.Contains(err.Error(),
					"a is still in ("+a.String()+"), and changes the same setting") {
				t.Errorf("a second one on it: %v", err)
			}
			if _, err := held.Revert(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := j.Done(id, chaos.Reverted); err != nil {
				t.Fatal(err)
			}
			if after := v.state(); after != before {
				t.Errorf("before it was\n%s\nand after it is\n%s", before, after)
			}
			b = step(c.second)
			if _, err := j.Intent(chaos.Intent{Fault: "b", What: b.String(), Undo: b.Undo()}); err != nil {
				t.Errorf("one after the other: %v", err)
			}
		})
	}
}
