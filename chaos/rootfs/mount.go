package rootfs

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A Mount is a mount in the view of a process (proc_pid_mountinfo(5)).
type Mount struct {
	ID      string
	Device  string   // number of the filesystem, MAJOR:MINOR
	Root    string   // directory of the filesystem that the mount shows
	At      string   // mount point
	Options []string // of the mount, such as ro
	Kind    string   // type of the filesystem
	Source  string   // device, or another word of the filesystem
	Super   []string // options of the filesystem
}

// Mounts lists the mounts of a process.
func Mounts(pid int) ([]Mount, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		return nil, err
	}
	return ParseMounts(string(b)), nil
}

// ParseMounts parses a mountinfo. It leaves out a line that is not a mount and reads the others, so that one strange
// mount hides no other filesystem.
func ParseMounts(mountinfo string) []Mount {
	var out []Mount
	for line := range strings.Lines(mountinfo) {
		mount, of, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, k := strings.Fields(mount), append(strings.SplitN(of, " ", 3), "", "")
		if !ok || len(f) < 6 || k[0] == "" {
			continue
		}
		out = append(out, Mount{
			ID: f[0], Device: f[2], Root: unescape(f[3]), At: unescape(f[4]), Options: strings.Split(f[5], ","),
			Kind: k[0], Source: unescape(k[1]), Super: strings.Split(unescape(k[2]), ","),
		})
	}
	return out
}

// unescape decodes a path of mountinfo, which encodes a blank as \040 and so on.
func unescape(s string) string {
	for i := 0; i+4 <= len(s); i++ {
		if s[i] == '\\' {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				s = s[:i] + string([]byte{byte(c)}) + s[i+4:]
			}
		}
	}
	return s
}

// System reports whether the filesystem that is mounted there belongs to the system, and holds no files of a unit.
func (m Mount) System() bool {
	return slices.ContainsFunc([]string{"/dev", "/proc", "/sys"},
		func(dir string) bool { return m.At == dir || strings.HasPrefix(m.At, dir+"/") })
}
