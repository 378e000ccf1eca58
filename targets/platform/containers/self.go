package containers

import (
	"os"
	"path"
	"strings"
	"sync"
)

// Self returns the id of the container that this process runs in, or empty. No fault may affect that container. A
// file such as /.dockerenv is no proof, because a machine that was made from an image has it too.
var Self = sync.OnceValue(func() string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	groups, _ := os.ReadFile("/proc/self/cgroup")
	return selfOf(string(mounts), string(groups))
})

// selfOf finds the id of a container in its mounts, because the engine mounts files such as
// /var/lib/docker/containers/ID/hostname. Otherwise it looks in the control groups: /docker/ID or
// /system.slice/docker-ID.scope.
func selfOf(mounts, groups string) string {
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		if len(f) < 5 || f[4] != "/etc/hostname" && f[4] != "/etc/hosts" && f[4] != "/etc/resolv.conf" {
			continue
		}
		for part := range strings.SplitSeq(f[3], "/") {
			if isID(part) {
				return part
			}
		}
	}
	for line := range strings.Lines(groups) {
		_, last, _ := strings.Cut(path.Base(strings.TrimSpace(line)), "-")
		for _, name := range []string{path.Base(strings.TrimSpace(line)), strings.TrimSuffix(last, ".scope")} {
			if isID(name) {
				return name
			}
		}
	}
	return ""
}

// isID reports whether a word is a full container id.
func isID(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
