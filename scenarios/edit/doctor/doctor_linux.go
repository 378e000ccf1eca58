package doctor

import (
	"os"
)

// features reports the kernel features that some kinds of faults use.
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
