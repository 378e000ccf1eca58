package protect

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"brunt/chaos/rootfs"
)

// fills refuses to fill the filesystem of a process's directory if a protected container writes to the same filesystem,
// in its own files or in a volume.
func fills(pid int, c *protectedContainer, dir string) error {
	if dir == "" || c.PID == 0 {
		return nil
	}
	full := filesystemOf(pid, dir)
	if full == "" {
		return nil // the fault itself reports what is missing
	}
	for _, at := range writable(c.PID) {
		if filesystemOf(c.PID, at) == full {
			return fmt.Errorf("%s is on the filesystem of %s in container %s: %w; %w", dir, at, c.Name, c.why, errFills)
		}
	}
	return nil
}

// filesystemOf identifies the filesystem of a directory of a process; "" means that it is unknown.
func filesystemOf(pid int, path string) string {
	dir, err := rootfs.Open(pid, path)
	if err != nil {
		return ""
	}
	defer dir.Close()
	id, err := rootfs.Filesystem(dir, pid)
	if err != nil {
		return ""
	}
	return id
}

// writable lists the mounts that a process may write files to.
func writable(pid int) []string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	return writableIn(f)
}

// writableIn lists the mounts of a mountinfo that may be written to.
func writableIn(mountinfo io.Reader) []string {
	var out []string
	for in := bufio.NewScanner(mountinfo); in.Scan(); {
		first, rest, ok := strings.Cut(in.Text(), " - ")
		mount, kind := strings.Fields(first), strings.Fields(rest)
		if !ok || len(mount) < 6 || len(kind) == 0 {
			continue
		}
		if at, options := mount[4], ","+mount[5]+","; !strings.Contains(options, ",ro,") && !rootfs.IsSystemMount(at) {
			out = append(out, rootfs.UnescapeMount(at))
		}
	}
	return out
}
