package protect

import (
	"fmt"
	"slices"

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
	mounts, err := rootfs.Mounts(pid)
	if err != nil {
		return nil
	}
	return writableOf(mounts)
}

// writableOf lists the mounts that may be written to.
func writableOf(mounts []rootfs.Mount) []string {
	var out []string
	for _, m := range mounts {
		if !slices.Contains(m.Options, "ro") && !m.System() {
			out = append(out, m.At)
		}
	}
	return out
}
