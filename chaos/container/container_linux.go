package container

import (
	"bytes"
	"fmt"
	"os"
)

// IsOf reports whether a process of this machine is in the container: the container's id must be in its control groups,
// or else in the files that the engine mounts into it.
func IsOf(pid int, id string) bool {
	if pid <= 1 || id == "" {
		return false
	}
	for _, file := range []string{"cgroup", "mountinfo"} {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)); err == nil && bytes.Contains(b, []byte(id)) {
			return true
		}
	}
	return false
}
