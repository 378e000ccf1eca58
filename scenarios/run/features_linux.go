package run

import (
	"fmt"
	"os"
	"strings"
	"time"
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

// portRest is how long the port of a connection that this machine closed can't be used
// again to the same address: TIME_WAIT, and a second of it where the kernel takes over
// such ports, which it does on loopback unless told otherwise.
func portRest(loopback bool) time.Duration {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_tw_reuse")
	if mode := strings.TrimSpace(string(b)); err == nil && (mode == "1" || mode == "2" && loopback) {
		return time.Second
	}
	return time.Minute
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
	return []Check{cgroup, psi}
}
