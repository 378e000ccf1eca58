// Package rootfs reaches into the filesystem as another process sees it, with the mounts
// and the root that are its own, such as a container's: a directory, what is free there,
// the disk below it, and files that no name is left of.
//
// Nothing is entered and nobody there is needed: a path is looked up below /proc/PID/root,
// and never leaves it, whatever links it goes over.
package rootfs

// A Space is what a filesystem has room for, in bytes.
type Space struct {
	Total  int64
	Free   int64 // for root
	Memory bool  // its files are memory
}

// Used is what is taken.
func (s Space) Used() int64 { return s.Total - s.Free }
