package journal

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// copiesAt is the directory that has the copies as attributes.
const copiesAt = "/sys/fs/cgroup"

func setCopy(name string, b []byte) { _ = unix.Setxattr(copiesAt, name, b, 0) }

func dropCopy(name string) { _ = unix.Removexattr(copiesAt, name) }

func readCopy(name string) []byte {
	b := make([]byte, 64<<10) // XATTR_SIZE_MAX
	n, err := unix.Getxattr(copiesAt, name, b)
	if err != nil {
		return nil
	}
	return b[:n]
}

// copyNames lists the names of the copies.
func copyNames() []string {
	b := make([]byte, 64<<10) // XATTR_LIST_MAX
	n, err := unix.Listxattr(copiesAt, b)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(strings.Split(string(b[:n]), "\x00"),
		func(name string) bool { return !strings.HasPrefix(name, copyPrefix) })
}
