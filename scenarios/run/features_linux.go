package run

import (
	"fmt"
	"os"
	"strings"
)

// portRange is the range that connections get their ports from.
func portRange() (low, high int) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 32768, 60999
	}
	if _, err := fmt.Sscan(string(b), &low, &high); err != nil {
		return 32768, 60999
	}
	return low, high
}

// features tells what of the kernel later kinds of faults will use.
func features() []Check {
	cgroup := Check{"cgroup", Fine, "version 2", ""}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err != nil {
		cgroup.Found = "version 1"
		if _, err := os.Stat("/sys/fs/cgroup/memory"); err != nil {
			cgroup.State, cgroup.Found = Missing, "none found"
		}
	}
	psi := Check{"pressure", Fine, "/proc/pressure", ""}
	if _, err := os.Stat("/proc/pressure/cpu"); err != nil {
		psi.State, psi.Found = Missing, "the kernel does not tell its pressure (PSI)"
	}
	netem := Check{"netem", Missing, "not in this kernel", "not needed: links are slowed by brunt's own proxy"}
	if modules, err := os.ReadFile("/proc/modules"); err == nil && strings.Contains(string(modules), "sch_netem") {
		netem.State, netem.Found, netem.Fix = Fine, "loaded", ""
	}
	return []Check{cgroup, psi, netem}
}
