// Package rootfs accesses the filesystem of another process, with its own mounts and root,
// such as a container's: a directory, its free space, its disk, and files without a name.
//
// It enters no namespace and runs no program there: a path is resolved below
// /proc/PID/root and never leaves it, whatever links it contains.
package rootfs

// A Space is the capacity of a filesystem in bytes.
type Space struct {
	Total  int64
	Free   int64 // available to root
	Memory bool  // its files are in memory
}

// Used returns the used space in bytes.
func (s Space) Used() int64 { return s.Total - s.Free }
