package resource

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
	"brunt/chaos/vdso"
)

// A Way is by what a fault on what a unit may use is done on this machine.
type Capability struct {
	Fault string
	Via   string
	Err   error  // why it does not work; nil is that it does
	Fix   string // what to do about it
}

// Capabilities tells for each fault on what a unit may use whether it works here. It only looks.
func Capabilities() []Capability {
	if runtime.GOOS != "linux" {
		return []Capability{{Fault: "stress.* cpu.throttle memory.limit disk.* fd.exhaust time.skew", Err: errors.New("this system is not Linux"), Fix: "run the drill on Linux"}}
	}
	var out []Capability
	for _, w := range []struct {
		fault   string
		c       cgroup.Controller
		setting func(cgroup.Group) string
	}{
		{"cpu.throttle", cgroup.CPU, func(g cgroup.Group) string {
			return map[bool]string{true: cpuMax.File, false: cpuQuota.File}[g.Unified]
		}},
		{"memory.limit", cgroup.Memory, func(g cgroup.Group) string { return memorySetting(g).File }},
		{"disk.throttle", cgroup.Disk, func(g cgroup.Group) string { return diskSetting(g, "0:0", "write").File }},
	} {
		out = append(out, groupWay(w.fault, w.c, w.setting))
	}
	burn := Capability{Fault: "stress.cpu .memory .io", Via: "burner"}
	if os.Geteuid() != 0 {
		burn.Err, burn.Fix = errors.New("brunt is not root: only units in its own control group can be burnt beside"), "run brunt as root for containers"
	}
	fill := Capability{Fault: "disk.fill", Via: "nameless file"}
	if dir, err := rootfs.Open(os.Getpid(), "/"); err != nil {
		fill.Err, fill.Fix = err, "it takes Linux 5.6"
	} else {
		_ = dir.Close()
	}
	files := Capability{Fault: "fd.exhaust", Via: "prlimit"}
	_, files.Err = proc.FilesLimit(os.Getpid())
	skew := Capability{Fault: "time.skew", Via: "vDSO"}
	if skew.Err = vdso.Works(); skew.Err != nil {
		skew.Fix = "it takes x86-64, and a kernel that gives processes a vDSO"
	}
	return append(out, burn, fill, files, skew)
}

// groupWay tells whether a setting of control groups can be written.
func groupWay(fault string, c cgroup.Controller, setting func(cgroup.Group) string) Capability {
	w := Capability{Fault: fault, Via: "cgroup v1"}
	g, err := (cgroup.System{}).Find(os.Getpid(), c)
	if err != nil {
		w.Via, w.Err, w.Fix = "cgroup", err, "mount the controller, or give it to the groups of what is tested"
		return w
	}
	if g.Unified {
		w.Via = "cgroup v2"
	}
	if err := writable(filepath.Join(g.Path, "cgroup.procs")); err != nil {
		w.Err, w.Fix = fmt.Errorf("control groups can't be written: %w", err), "run brunt as root, and in a container with the host's control groups, writable (--privileged --cgroupns=host)"
		return w
	}
	if _, err := os.Stat(filepath.Join(g.Path, setting(g))); err != nil && !g.Root { // the root of a tree has none
		w.Err, w.Fix = err, "this kernel lacks the limit: CONFIG_CFS_BANDWIDTH, CONFIG_MEMCG or CONFIG_BLK_DEV_THROTTLING"
	}
	return w
}

// writable tells why a file can't be written; nothing is.
func writable(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
