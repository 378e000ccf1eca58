//go:build unix

package cgroup_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/cgroup"
)

// machine writes a machine's files below a directory; ROOT in their contents stands for that
// directory.
func machine(t *testing.T, files map[string]string) (cgroup.System, string) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "ROOT", root)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return cgroup.System{Proc: filepath.Join(root, "proc")}, root
}

const (
	cpuTree     = "30 25 0:26 / ROOT/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
	memoryTree  = "31 25 0:27 / ROOT/mem\\040ory rw - cgroup cgroup rw,memory\n"
	unifiedTree = "32 25 0:28 / ROOT/uni rw - cgroup2 cgroup2 rw,nsdelegate\n"
)

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name       string
		mounts     string
		groups     string // of process 7
		dir        string // existing directory
		has        string // its controllers, in version 2
		controller cgroup.Controller
		want       string // path below the machine, or the error
		unified    bool
		root       bool
	}{
		{
			"version 1", cpuTree + memoryTree, "4:cpu,cpuacct:/a/b\n3:memory:/\n", "cpu/a/b", "", cgroup.CPU, "cpu/a/b", false,
			false,
		},
		{
			"version 1, the other name", cpuTree + memoryTree, "4:cpu,cpuacct:/a/b\n3:memory:/\n", "cpu/a/b", "", cgroup.CPUAcct,
			"cpu/a/b", false, false,
		},
		{
			"version 1, the root", cpuTree + memoryTree, "4:cpu,cpuacct:/a/b\n3:memory:/\n", "mem ory", "", cgroup.Memory,
			"mem ory", false, true,
		},
		{
			"version 2", unifiedTree, "0::/slice/unit\n", "uni/slice/unit", "cpu io memory", cgroup.Disk, "uni/slice/unit", true,
			false,
		},
		{
			"version 2 counts processor time itself", unifiedTree, "0::/slice/unit\n", "uni/slice/unit", "cpu", cgroup.CPUAcct,
			"uni/slice/unit", true, false,
		},
		{
			"version 2 freezes itself", unifiedTree, "0::/slice/unit\n", "uni/slice/unit", "", cgroup.Freezer, "uni/slice/unit",
			true, false,
		},
		{
			"both, the controller in 1", cpuTree + unifiedTree, "4:cpu,cpuacct:/a\n0::/slice\n", "cpu/a", "", cgroup.CPU,
			"cpu/a", false, false,
		},
		{
			"both, the controller in 2", cpuTree + unifiedTree, "4:cpu,cpuacct:/a\n0::/slice\n", "uni/slice", "memory",
			cgroup.Memory, "uni/slice", true, false,
		},
		{
			"version 2 without the controller", unifiedTree, "0::/slice\n", "uni/slice", "cpu pids", cgroup.Memory,
			"without the controller memory; write +memory into cgroup.subtree_control", true, false,
		},
		{
			"a part of the tree is mounted", strings.Replace(cpuTree, " / ROOT", " /docker/x ROOT", 1),
			"4:cpu,cpuacct:/docker/x/y\n", "cpu/y", "", cgroup.CPU,
			"cpu/y", false, false,
		},
		{
			"another part is", strings.Replace(cpuTree, " / ROOT", " /docker/x ROOT", 1), "4:cpu,cpuacct:/docker/xy\n", "cpu/y",
			"", cgroup.CPU,
			"/docker/xy can't be seen from here", false, false,
		},
		{
			"beyond a namespace", cpuTree, "4:cpu,cpuacct:/../../other\n", "cpu", "", cgroup.CPU, "can't be seen from here",
			false, false,
		},
		{
			"not mounted", cpuTree, "4:cpu,cpuacct:/\n3:memory:/\n", "cpu", "", cgroup.Memory,
			"the controller memory is not mounted here", false, false,
		},
		{"a group that is gone", cpuTree, "4:cpu,cpuacct:/a/b\n", "cpu/a", "", cgroup.CPU, "no such file", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, root := machine(t, map[string]string{
				"proc/self/mountinfo": "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + c.mounts, "proc/7/cgroup": c.groups,
				filepath.Join(c.dir, "cgroup.controllers"): c.has + "\n",
			})
			g, err := s.Find(7, c.controller)
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %s", err, c.want)
				}
				if lost := errors.Is(err, os.ErrNotExist); !lost && !errors.Is(err, cgroup.ErrNone) {
					t.Errorf("%v is not ErrNone", err)
				}
				return
			}
			if at, _ := filepath.Rel(root, g.Path); at != c.want || g.Unified != c.unified || g.Root != c.root || !g.Lives() {
				t.Errorf("%+v", g)
			}
		})
	}
}

func TestSetting(t *testing.T) {
	dir := t.TempDir()
	g, err := cgroup.Open(dir, false, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		s          cgroup.Setting
		was        string
		write      string // value to write
		then       string
	}{
		{"a value", "150000\n", cgroup.Setting{File: "cpu.cfs_quota_us"}, "150000", "20000", "20000"},
		{"two in one", "max 100000\n", cgroup.Setting{File: "cpu.max"}, "max 100000", "20000 100000", "20000 100000"},
		{
			"a device", "8:0 5\n254:0 1048576\n",
			cgroup.Setting{File: "blkio.throttle.read_bps_device", Device: "254:0"},
			"1048576", "0", "254:0 0",
		},
		{
			"no device, version 1", "8:0 5\n",
			cgroup.Setting{File: "blkio.throttle.read_bps_device", Device: "254:0"},
			"0", "7",
			"254:0 7",
		},
		{
			"a key of a device", "254:0 rbps=max wbps=9 riops=max wiops=max\n",
			cgroup.Setting{"io.max", "254:0", "wbps"},
			"9",
			"max", "254:0 wbps=max",
		},
		{"no device, version 2", "", cgroup.Setting{"io.max", "254:0", "rbps"}, "max", "5", "254:0 rbps=5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(dir, c.s.File)
			if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if was, err := g.Read(c.s); err != nil || was != c.was {
				t.Errorf("read %q, %v; want %q", was, err, c.was)
			}
			if err := os.Truncate(file, 0); err != nil { // each write to a kernel file replaces its contents
				t.Fatal(err)
			}
			if err := g.Write(c.s, c.write); err != nil {
				t.Fatal(err)
			}
			if b, _ := os.ReadFile(file); string(b) != c.then {
				t.Errorf("wrote %q, want %q", b, c.then)
			}
		})
	}
}

func TestGroup(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cgroup.procs": "12\n5\n0\n", "a/cgroup.procs": "7\n5\n", "cpu.stat": "nr_periods 4\nnr_throttled 3\n" +
			"throttled_usec 80\nthrottled_time 90\n",
		"cpu.pressure": "some avg10=1.00 avg60=2.00 avg300=3.00 total=1234567\n" +
			"full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n",
		"memory.failcnt": "18446744073709551615\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g, err := cgroup.Open(dir, true, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.Processes(); err != nil || !slices.Equal(got, []int{5, 7, 12}) {
		t.Errorf("processes %v, %v", got, err)
	}
	if n, err := g.Count("cpu.stat", "nr_throttled"); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := g.Count("memory.failcnt", ""); err != nil || n != 1<<64-1 {
		t.Errorf("%d, %v", n, err)
	}
	if d, err := g.Waited(); err != nil || d != 1234567*time.Microsecond {
		t.Errorf("waited for %s, %v", d, err)
	}
	if d, err := g.Throttled(); err != nil || d != 80*time.Microsecond {
		t.Errorf("version 2 stopped it for %s, %v", d, err)
	}
	if d, err := (cgroup.Group{Path: dir}).Throttled(); err != nil || d != 90*time.Nanosecond {
		t.Errorf("version 1 stopped it for %s, %v", d, err)
	}
	if d, err := (cgroup.Group{Path: filepath.Join(dir, "a")}).Waited(); err == nil {
		t.Errorf("a group without pressure waited for %s", d)
	}
	if _, err := g.Count("cpu.stat", "nr"); err == nil {
		t.Error("a count that is not there was read")
	}
	if at := g.Below("x"); at != filepath.Join(filepath.Dir(dir), "x") {
		t.Errorf("in version 2 a group that has processes has none below it, not %s", at)
	}
	for _, h := range []cgroup.Group{{Path: dir}, {Path: dir, Unified: true, Root: true}} {
		if at := h.Below("x"); at != filepath.Join(dir, "x") {
			t.Errorf("below %+v is %s", h, at)
		}
	}
	made, err := cgroup.Make(filepath.Join(dir, "b"), true)
	if err != nil || !made.Lives() {
		t.Fatal(made, err)
	}
	if _, err := cgroup.Make(made.Path, true); err == nil {
		t.Error("a group was made that was there")
	}
	if err := made.Remove(); err != nil || made.Lives() {
		t.Error(err)
	}
	if made.Inode++; made.Lives() {
		t.Error("another group lives by the path of one that is gone")
	}
}

// TestUnified finds the group of version 2 beside controllers of version 1, and without any controller.
func TestUnified(t *testing.T) {
	for _, c := range []struct{ name, mounts, groups, want string }{
		{"both versions", cpuTree + unifiedTree, "4:cpu,cpuacct:/a\n0::/slice\n", "uni/slice"},
		{"version 1 alone", cpuTree, "4:cpu,cpuacct:/a\n", "no tree of version 2"},
		{"not of this namespace", unifiedTree, "0::/../other\n", "can't be seen from here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, root := machine(t, map[string]string{
				"proc/self/mountinfo": c.mounts, "proc/7/cgroup": c.groups, "uni/slice/cgroup.procs": "",
			})
			g, err := s.Unified(7)
			if err != nil {
				if !errors.Is(err, cgroup.ErrNone) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %s", err, c.want)
				}
				return
			}
			if at, _ := filepath.Rel(root, g.Path); at != c.want || !g.Unified || g.Root {
				t.Errorf("%+v", g)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	s, root := machine(t, map[string]string{
		"proc/self/mountinfo": cpuTree + unifiedTree, "cpu/a/brunt-x/brunt-below/cgroup.procs": "",
		"cpu/other/cgroup.procs": "", "uni/brunt-y/cgroup.procs": "",
		"uni/brunt-file": "",
	})
	all, err := s.Named("brunt-")
	var got []string
	for _, g := range all {
		at, _ := filepath.Rel(root, g.Path)
		got = append(got, at)
		if !g.Lives() || g.Unified != strings.HasPrefix(at, "uni") {
			t.Errorf("%+v", g)
		}
	}
	if want := []string{"cpu/a/brunt-x", "uni/brunt-y"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestDevices(t *testing.T) {
	dir := t.TempDir()
	g, err := cgroup.Open(dir, false, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "io.max"), []byte("8:0 rbps=5\n254:16 wbps=max\nTotal 4\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if got := g.Devices("io.max"); !slices.Equal(got, []string{"8:0", "254:16"}) {
		t.Errorf("%v", got)
	}
}
