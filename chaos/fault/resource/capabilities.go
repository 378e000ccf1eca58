package resource

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
)

// throttleCapability tells whether cpu.throttle works here.
func throttleCapability() chaos.Capability {
	return groupCapability("cpu.throttle", cgroup.CPU, func(g cgroup.Group) string {
		return g.QuotaSetting().File
	})
}

// memoryCapability tells whether memory.limit works here.
func memoryCapability() chaos.Capability {
	return groupCapability("memory.limit", cgroup.Memory, func(g cgroup.Group) string { return memorySetting(g).File })
}

// pidsCapability tells whether pids.limit works here.
func pidsCapability() chaos.Capability {
	return groupCapability("pids.limit", cgroup.PIDs, func(cgroup.Group) string { return pidsMax.File })
}

// diskCapability tells whether disk.throttle works here.
func diskCapability() chaos.Capability {
	return groupCapability("disk.throttle", cgroup.Disk,
		func(g cgroup.Group) string { return diskSetting(g, "0:0", "write").File })
}

// stressCapability tells whether stress.cpu, stress.memory and stress.io work here.
func stressCapability() chaos.Capability {
	c := chaos.Capability{Fault: "stress.cpu .memory .io", Via: "stressor"}
	if os.Geteuid() != 0 {
		c.Err, c.Fix = errors.New("brunt is not root: only units in its own control group can be stressed"),
			"run brunt as root for containers"
		c.Own = true
	}
	return c
}

// fillCapability tells whether disk.fill works here.
func fillCapability() chaos.Capability {
	c := chaos.Capability{Fault: "disk.fill", Via: "unnamed file"}
	dir, err := rootfs.Open(os.Getpid(), "/")
	if err != nil {
		c.Err, c.Fix = err, "it takes Linux 5.6"
		return c
	}
	_ = dir.Close()
	return c
}

// filesCapability tells whether fd.exhaust works here.
func filesCapability() chaos.Capability {
	c := chaos.Capability{Fault: "fd.exhaust", Via: "prlimit"}
	_, c.Err = proc.FilesLimit(os.Getpid())
	return c
}

// groupCapability tells whether brunt can write a setting of control groups.
func groupCapability(fault string, c cgroup.Controller, setting func(cgroup.Group) string) chaos.Capability {
	w := chaos.Capability{Fault: fault, Via: "cgroup v1"}
	g, err := (cgroup.System{}).Find(os.Getpid(), c)
	if err != nil {
		w.Via, w.Err, w.Fix = "cgroup", err, "mount the controller, or enable it for the control groups of the target"
		return w
	}
	if g.Unified {
		w.Via = "cgroup v2"
	}
	if err := writable(filepath.Join(g.Path, "cgroup.procs")); err != nil {
		w.Err, w.Fix = fmt.Errorf("control groups can't be written: %w",
			err), "run brunt as root, and in a container with the host's control groups, writable (--privileged --cgroupns=host)"
		return w
	}
	// the root of a hierarchy has no limits
	if _, err := os.Stat(filepath.Join(g.Path, setting(g))); err != nil && !g.Root {
		w.Err, w.Fix = err, "this kernel lacks the limit: CONFIG_CFS_BANDWIDTH, CONFIG_MEMCG, "+
			"CONFIG_BLK_DEV_THROTTLING or CONFIG_CGROUP_PIDS"
	}
	return w
}

// writable returns an error that says why a file cannot be written, or nil.
func writable(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
