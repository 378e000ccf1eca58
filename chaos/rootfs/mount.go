package rootfs

import (
	"slices"
	"strconv"
	"strings"
)

// UnescapeMount decodes a path of mountinfo, which encodes a blank as \040 and so on (proc_pid_mountinfo(5)).
func UnescapeMount(s string) string {
	for i := 0; i+4 <= len(s); i++ {
		if s[i] == '\\' {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				s = s[:i] + string(rune(c)) + s[i+4:]
			}
		}
	}
	return s
}

// IsSystemMount reports whether the filesystem that is mounted at a path belongs to the system, and holds no files of a
// unit.
func IsSystemMount(at string) bool {
	return slices.ContainsFunc([]string{"/dev", "/proc", "/sys"},
		func(dir string) bool { return at == dir || strings.HasPrefix(at, dir+"/") })
}
